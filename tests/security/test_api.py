"""Promise S1 for the API: every call answers every key as the matrix says; another company's row is like none."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from apps.activity.models import Event
from apps.core.clock import now
from apps.members.api import ConsentSent, MemberChanged, MemberSent
from apps.members.models import Identifier, Member
from apps.members.privacy.consenting import create_purpose
from apps.members.services import create_member
from apps.orgs import services
from apps.orgs.models import ApiClient
from apps.points import services as points
from apps.points.api import RedemptionSent
from apps.points.models import Account, Hold
from apps.rules.api import BatchSent, EventSent
from tests.api.conftest import ALL, Caller, make_caller, purchase
from tests.security.planting import WHEN, Planted, World
from tests.security.routes import ApiCall, Route, every_route, row_of

MISSING = 87_654_321
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"}
CALLS = [route for route in every_route() if isinstance(row_of(route), ApiCall)]


@dataclass
class Things:
    """What calls name: a store, a member by card and by id, points held for them."""

    store: str = "NONE"
    card: str = "NONE"
    member: int = MISSING
    hold: int = MISSING
    purpose: str = "api-purpose"

    @property
    def event(self) -> dict[str, Any]:
        return purchase(member="APIEAST", store=self.store)


NONE = Things()
Asking = Callable[..., Any]


def make_things(world: World, planted: Planted) -> Things:
    """Real ones of the company, made through the services."""
    card = f"API{planted.company}"
    member = create_member(None, planted.store, identifiers=[("card", card)], when=WHEN)
    kind = world.group.point_types[planted.company.lower()]
    given = points.adjust(None, member.pk, kind.pk, 100, reason="sweep", key=card, when=WHEN)
    held = points.hold(None, given.account_id, 10, key=card, unit=planted.store, when=now())
    create_purpose(
        None, world.group[planted.company], key="api-purpose", label="Offers", label_zh="优惠", wording="Offers",
        wording_zh="优惠", when=WHEN,
    )  # fmt: skip
    return Things(planted.store.code, card, member.pk, held.pk)


@pytest.fixture(scope="module")
def things(world: World) -> dict[str, Things]:
    return {planted.company: make_things(world, planted) for planted in (world.east, world.west)}


@pytest.fixture(scope="module")
def callers(world: World, things: dict[str, Things]) -> dict[str, Caller]:
    callers = {
        "east": make_caller(world.group, "EAST", ALL, "api-east"),
        "west": make_caller(world.group, "WEST", ALL, "api-west"),
        "store": make_caller(world.group, "S002", ALL, "api-store"),
        "revoked": make_caller(world.group, "EAST", ALL, "api-revoked"),
        "wrong": Caller("studio_wrong"),
        "nobody": Caller(),
    }
    services.set_client_active(callers["revoked"].client, False)  # type: ignore[arg-type]
    for scope in ALL:
        others = [other for other in ALL if other != scope]
        callers[f"without {scope}"] = make_caller(world.group, "EAST", others, f"without-{scope.replace(':', '-')}")
    return callers


@pytest.fixture
def asking(callers: dict[str, Caller]) -> Iterator[Asking]:
    def send(who: str, route: Route, named: Things, method: str = "") -> Any:
        row = row_of(route)
        assert isinstance(row, ApiCall)
        path = route.path(**{name: getattr(named, row.row) for name in route.parameters}).removeprefix("/api/v1/")
        with transaction.atomic():
            answer = callers[who].call(
                method or row.method, path + row.query(named), row.body(named), idempotency_key="k"
            )
            transaction.set_rollback(True)
        return answer

    return send


def test_every_scope_opens_a_call() -> None:
    assert {row_of(route).scope for route in CALLS} <= set(ApiClient.AccessScope.values)  # type: ignore[union-attr]


@pytest.mark.parametrize("route", CALLS, ids=lambda route: route.name)
def test_a_call_answers_each_key_as_its_row_says(things: dict[str, Things], asking: Asking, route: Route) -> None:
    row = row_of(route)
    assert isinstance(row, ApiCall)
    own = things["EAST"]
    assert asking("east", route, own).status_code == row.own
    for who, status, code in (
        ("nobody", 401, "unknown_key"),
        ("wrong", 401, "unknown_key"),
        ("revoked", 401, "unknown_key"),
        (f"without {row.scope}", 403, "scope_missing"),
    ):
        answer = asking(who, route, own)
        assert (answer.status_code, answer.told["code"]) == (status, code), who
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("route", CALLS, ids=lambda route: route.name)
def test_another_companys_things_answer_like_none(things: dict[str, Things], asking: Asking, route: Route) -> None:
    row = row_of(route)
    assert isinstance(row, ApiCall)
    # An id in the address is not found; a store in a body is a wrong value; a search and a batch find none of it.
    status = 404 if row.row else 200 if row.own == 200 else 422
    for who, company in (("west", "EAST"), ("east", "WEST"), ("store", "EAST"), ("store", "WEST")):
        found = [asking(who, route, named) for named in (things[company], NONE)]
        assert [answer.status_code for answer in found] == [status, status], who
        assert found[0].content == found[1].content, who


@pytest.mark.parametrize("route", CALLS, ids=lambda route: route.name)
def test_other_methods_are_told_what_is_taken(things: dict[str, Things], asking: Asking, route: Route) -> None:
    same = {row_of(each).method for each in CALLS if each.pattern == route.pattern}  # type: ignore[union-attr]
    for method in METHODS - same:
        answer = asking("east", route, things["EAST"], method)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == ", ".join(sorted(same))


OFFERED = {
    "api:send_event": EventSent,
    "api:send_events": BatchSent,
    "api:enrol_member": MemberSent,
    "api:change_member": MemberChanged,
    "api:hold_points": RedemptionSent,
    "api:record_consent": ConsentSent,
}
"""What each call with a body offers (promise S3)."""


def test_every_call_with_a_body_says_what_it_offers() -> None:
    assert {route.name for route in CALLS if row_of(route).body(NONE) is not None} == set(OFFERED)  # type: ignore[union-attr]


@pytest.mark.parametrize("route", [route for route in CALLS if route.name in OFFERED], ids=lambda route: route.name)
def test_a_field_that_a_call_does_not_offer_is_refused_and_sets_nothing(
    things: dict[str, Things], callers: dict[str, Caller], route: Route
) -> None:
    row = row_of(route)
    assert isinstance(row, ApiCall)
    aliens = {
        name
        for model in (Member, Identifier, Event, Hold, Account, ApiClient)
        for each in model._meta.concrete_fields
        for name in (each.name, each.attname)
    } - set(OFFERED[route.name].model_fields)
    path = route.path(**{name: getattr(things["EAST"], row.row) for name in route.parameters})
    with transaction.atomic():
        before = list(Member.objects.order_by("pk").values())
        for name in sorted(aliens):
            body = row.body(things["EAST"]) | {name: "1"}
            answer = callers["east"].call(row.method, path.removeprefix("/api/v1/"), body, idempotency_key="k")
            assert answer.status_code == 422, name
            assert {"field": name, "code": "unknown_field", "detail": "There is no such field."} in answer.told[
                "errors"
            ]
        assert list(Member.objects.order_by("pk").values()) == before
        transaction.set_rollback(True)
