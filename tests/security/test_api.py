"""Promise S1 for the API: every call answers every key as the matrix says; another company's row is like none."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.db import transaction

from apps.members.services import enrol_many
from apps.orgs import services
from apps.orgs.models import ApiClient
from tests.api.conftest import ALL, Caller, make_caller, purchase
from tests.security.planting import WHEN, Planted, World
from tests.security.routes import ApiCall, Route, every_route, row_of

MISSING = 87_654_321
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"}
CALLS = [route for route in every_route() if isinstance(row_of(route), ApiCall)]


@dataclass
class Things:
    """What calls name: a company's store and rows, or none such."""

    planted: Planted | None

    @property
    def store(self) -> str:
        return self.planted.store.code if self.planted else "NONE"

    @property
    def event(self) -> dict[str, Any]:
        return purchase(member="API1", store=self.store)

    def pk(self, model: str) -> int:
        return int(self.planted.rows[model].pk) if self.planted else MISSING


Asking = Callable[..., Any]


@pytest.fixture(scope="module")
def callers(world: World) -> dict[str, Caller]:
    enrol_many([("card", "API1", world.east.store.pk, date(2026, 1, 1))], when=WHEN)
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
    def send(who: str, route: Route, things: Things, method: str = "") -> Any:
        row = row_of(route)
        assert isinstance(row, ApiCall)
        path = route.path(**{name: things.pk(row.model) for name in route.parameters})
        with transaction.atomic():
            answer = callers[who].call(method or row.method, path.removeprefix("/api/v1/"), row.body(things))
            transaction.set_rollback(True)
        return answer

    return send


def test_every_scope_opens_a_call() -> None:
    assert {row_of(route).scope for route in CALLS} <= set(ApiClient.AccessScope.values)  # type: ignore[union-attr]


@pytest.mark.parametrize("route", CALLS, ids=lambda route: route.name)
def test_a_call_answers_each_key_as_its_row_says(world: World, asking: Asking, route: Route) -> None:
    row = row_of(route)
    assert isinstance(row, ApiCall)
    own = Things(world.east)
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
def test_another_companys_things_answer_like_none(world: World, asking: Asking, route: Route) -> None:
    for who, far in (("west", world.east), ("east", world.west), ("store", world.east), ("store", world.west)):
        found = [asking(who, route, things) for things in (Things(far), Things(None))]
        assert [answer.status_code for answer in found] in ([404, 404], [422, 422], [200, 200]), who
        assert found[0].content == found[1].content, who


@pytest.mark.parametrize("route", CALLS, ids=lambda route: route.name)
def test_other_methods_are_told_what_is_taken(world: World, asking: Asking, route: Route) -> None:
    same = {row_of(each).method for each in CALLS if each.pattern == route.pattern}  # type: ignore[union-attr]
    for method in METHODS - same:
        answer = asking("east", route, Things(world.east), method)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == ", ".join(sorted(same))
