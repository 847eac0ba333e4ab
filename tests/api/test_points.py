"""Balances, movements and redemptions over the API, as worked examples."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core.clock import now
from apps.members.models import Member
from apps.points import services
from apps.points.checking import differences
from apps.points.models import Account, Hold
from tests.api.conftest import Caller, make_caller, purchase, refund
from tests.factories import CoffeeGroup
from tests.rules.conftest import START

C1 = {"kind": "card", "value": "C1"}


@pytest.fixture
def rich(till: Caller) -> Any:
    """The till, after C1 earned 100 points."""
    till.post("events", purchase("100"))
    yield till
    assert differences() == []


def member_id() -> int:
    return Account.objects.get().member_id


def hold(caller: Caller, points: int = 60, key: str = "h1", **more: Any) -> Any:
    body = {"member": C1, "points": points, "store": "S001", **more}
    return caller.post("redemptions", body, idempotency_key=key)


def test_a_balance_says_what_can_be_spent_and_what_expires_when(shop: CoffeeGroup, till: Caller) -> None:
    kind = shop.point_types["east"]
    kind.expiry = {"kind": "after_days", "days": 365}
    kind.save()
    till.post("events", purchase("100"))
    till.post("events", purchase("20", key="p2", occurred_at=(START + timedelta(days=3)).isoformat()))
    hold(till, 30)
    answer = till.get(f"members/{member_id()}/balance")
    account = {
        "available": 90, "pending": 0, "held": 30, "debt": 0, "expiring_next": {"points": 100, "on": "2027-03-01"},
    }  # fmt: skip
    told = {"program": "east", "point_type": "points", "kind": "reward", **account}
    assert answer.told == {"member": member_id(), **account, "accounts": [told]}


def test_a_member_without_points_has_none(shop: CoffeeGroup, till: Caller) -> None:
    member = Member.objects.order_by("pk").last()
    answer = till.get(f"members/{member.pk}/balance")
    assert answer.told == {
        "member": member.pk, "available": 0, "pending": 0, "held": 0, "debt": 0, "expiring_next": None, "accounts": [],
    }  # fmt: skip
    assert till.get(f"members/{member.pk}/tier").told == {"tier": None}


def test_movements_come_newest_first_page_by_page(rich: Caller) -> None:
    for number in range(5):
        rich.post("events", purchase(f"{number + 1}", key=f"e{number}"))
    path = f"members/{member_id()}/entries"
    first = rich.get(f"{path}?limit=4").told
    rest = rich.get(f"{path}?limit=4&before={first['next']}").told
    assert [each["points"] for each in first["entries"]] == [5, 4, 3, 2]
    assert ([each["points"] for each in rest["entries"]], rest["next"]) == ([1, 100], None)
    assert {name: rest["entries"][1][name] for name in ("kind", "program", "point_type", "unit", "reason")} == {
        "kind": "earn", "program": "east", "point_type": "points", "unit": "S001", "reason": "",
    }  # fmt: skip


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "before=0", "before=99999999999999999999"])
def test_a_page_that_is_none_is_refused(rich: Caller, query: str) -> None:
    answer = rich.get(f"members/{member_id()}/entries?{query}")
    assert (answer.status_code, answer.told["errors"][0]["field"]) == (422, query.partition("=")[0])


def test_points_are_held_then_taken(rich: Caller) -> None:
    held = hold(rich)
    assert (held.status_code, held.told["state"], held.told["available"]) == (201, "held", 40)
    taken = rich.post(f"redemptions/{held.told['id']}/capture")
    assert (taken.status_code, taken.told["state"], taken.told["available"]) == (200, "captured", 40)
    assert rich.post(f"redemptions/{held.told['id']}/capture").content == taken.content
    late = rich.post(f"redemptions/{held.told['id']}/void")
    assert (late.status_code, late.told["code"]) == (409, "hold_ended")
    assert Account.objects.get().balance == 40


def test_points_are_held_then_given_back(rich: Caller) -> None:
    held = hold(rich).told
    given = rich.post(f"redemptions/{held['id']}/void")
    assert (given.told["state"], given.told["available"]) == ("voided", 100)
    assert rich.post(f"redemptions/{held['id']}/void").content == given.content
    assert rich.post(f"redemptions/{held['id']}/capture").told["code"] == "hold_ended"


def test_one_key_holds_once_whatever_became_of_it(rich: Caller) -> None:
    first = hold(rich)
    rich.post(f"redemptions/{first.told['id']}/capture")
    again = hold(rich)
    assert (again.status_code, again.content) == (200, first.content)
    other = hold(rich, 61)
    assert (other.status_code, other.told["code"]) == (409, "key_reused")
    assert Hold.objects.count() == 1


def test_a_redemption_needs_a_key(rich: Caller) -> None:
    answer = rich.post("redemptions", {"member": C1, "points": 10})
    assert (answer.status_code, answer.told["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_more_than_there_is_is_refused_and_says_how_much_there_is(rich: Caller) -> None:
    answer = hold(rich, 101)
    assert (answer.status_code, answer.told["code"]) == (422, "not_enough_points")
    assert answer.told["detail"] == "The account has 100 points to spend; 101 were asked for."
    nobody = hold(rich, 1, "h2", member={"kind": "card", "value": "C2"})
    assert nobody.told["code"] == "not_enough_points"
    assert Account.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"member": {"kind": "card", "value": "nobody"}}, "unknown_member"),
        ({"store": "S101"}, "unknown_store"),
        ({"store": "S999"}, "unknown_store"),
        ({"point_type": "miles"}, "no_such_point_type"),
    ],
)
def test_what_a_redemption_names_must_be_there(rich: Caller, wrong: dict[str, Any], code: str) -> None:
    answer = hold(rich, **wrong)
    assert (answer.status_code, answer.told["code"]) == (422, code)
    assert not Hold.objects.exists()


@pytest.mark.parametrize("points", [0, -1, 1.5, "5", True, None, 10**13])
def test_points_are_a_whole_number_above_zero(rich: Caller, points: Any) -> None:
    answer = hold(rich, points)
    assert (answer.status_code, answer.told["errors"][0]["field"]) == (422, "points")


def test_a_lapsed_redemption_is_not_captured(rich: Caller) -> None:
    held = hold(rich).told
    services.void_lapsed_holds(now() + timedelta(minutes=20))
    assert rich.post(f"redemptions/{held['id']}/capture").told["code"] == "hold_ended"
    assert rich.get(f"members/{member_id()}/balance").told["available"] == 100


def test_a_redemption_of_another_unit_is_none(shop: CoffeeGroup, rich: Caller) -> None:
    held = hold(rich).told["id"]
    for unit in ("WEST", "S002"):
        caller = make_caller(shop, unit)
        for verb in ("capture", "void"):
            far, none = (caller.post(f"redemptions/{pk}/{verb}") for pk in (held, 87_654_321))
            assert (far.status_code, far.content) == (404, none.content)
    assert Hold.objects.get().state == "held"


def test_a_member_of_the_group_spends_in_a_shop_that_did_not_enrol_them(shop: CoffeeGroup, rich: Caller) -> None:
    held = make_caller(shop, "S003").post("redemptions", {"member": C1, "points": 10}, idempotency_key="x")
    assert (held.status_code, held.told["store"]) == (201, "S003")


def test_an_event_earns_repeats_and_is_taken_back(rich: Caller) -> None:
    """The journey of a purchase: points with their reason, the same again, spending, a refund that leaves a debt."""
    again = rich.post("events", purchase("100"))
    assert (again.status_code, again.told["awards"][0]["points"]) == (200, 100)
    assert "¥100.00" in again.told["awards"][0]["why"]
    held = hold(rich, 80).told["id"]
    rich.post(f"redemptions/{held}/capture")
    back = rich.post("events", refund("p1", "100"))
    assert back.told["balance"] == {"point_type": "points", "available": 0, "pending": 0, "debt": 80}
    later = rich.post("events", purchase("100", key="p9"))
    assert later.told["balance"] == {"point_type": "points", "available": 20, "pending": 0, "debt": 0}
    balance = rich.get(f"members/{member_id()}/balance").told
    assert (balance["available"], balance["debt"]) == (20, 0)
    kinds = [each["kind"] for each in rich.get(f"members/{member_id()}/entries").told["entries"]]
    assert set(kinds) == {"earn", "redeem", "clawback", "repay"}
