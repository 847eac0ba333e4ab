"""Both sides of a recommendation: the friend's own events, and what the member who brought them hears of these."""

from datetime import timedelta
from typing import Any

import pytest

from apps.activity.models import Event
from apps.activity.parsing import Faults, parse_event
from apps.members.errors import ReferrerImpossible, ReferrerUnknown
from apps.members.models import MemberChange
from apps.members.services import change_member, create_member
from apps.points.models import Account, Lot
from apps.rules.friends import tell_friends
from apps.rules.models import FriendWaiting
from tests.factories import CoffeeGroup
from tests.rules.conftest import START, Till, publish, purchase, refund

NOW = START + timedelta(days=200)
FRIEND = {"field": "event.kind", "op": "eq", "value": "friend"}
FIRST_ORDER = {
    "all": [
        FRIEND,
        {"field": "event.friend", "op": "eq", "value": "purchase"},
        {"field": "event.friend_orders", "op": "eq", "value": 1},
    ]
}


def fixed(points: int) -> dict[str, Any]:
    return {"effect": "fixed_points", "point_type": "points", "points": points}


def bring(till: Till, friend: str, referrer: str) -> None:
    change_member(None, till.member(friend).pk, referrer=("card", referrer), when=NOW)


def balances(till: Till) -> dict[str, int]:
    accounts = dict(Account.objects.values_list("member_id", "balance"))
    return {name: accounts.get(till.member(name).pk, 0) for name in ("C1", "C2", "C3")}


def test_both_sides_are_thanked_for_a_first_order_and_only_for_that(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(100), condition=FIRST_ORDER)
    first = {"field": "event.order_number", "window": "ever", "op": "eq", "value": 1}
    publish(group, fixed(30), condition={"all": [{"field": "member.was_brought", "op": "is_true"}, first]})
    bring(till, "C2", "C1")
    till.send(purchase("20", member="C2"), purchase("20", member="C2"), purchase("20", member="C3"))
    assert tell_friends(NOW) == 2
    assert balances(till) == {"C1": 100, "C2": 30, "C3": 0}
    assert (tell_friends(NOW), FriendWaiting.objects.count()) == (0, 0)


def test_nobody_hears_where_no_rule_waits_for_friends(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(100), condition={"all": []})
    bring(till, "C2", "C1")
    till.send(purchase("20", member="C2"))
    assert FriendWaiting.objects.count() == 0
    publish(group, fixed(7), condition=FRIEND)
    till.send(purchase("20", member="C2"))
    tell_friends(NOW)
    assert balances(till) == {"C1": 7, "C2": 200, "C3": 0}


def test_a_share_of_what_friends_spend_goes_back_with_their_refunds(group: CoffeeGroup, till: Till) -> None:
    share = {
        "effect": "points_per_amount", "point_type": "points", "points": "1", "per": "10", "rounding": "down",
        "lines": None,
    }  # fmt: skip
    publish(group, share, condition=FRIEND)
    bring(till, "C2", "C1")
    till.send(purchase("200", "p", "C2"), refund("p", "50", "r", "C2"))
    tell_friends(NOW)
    assert balances(till)["C1"] == 15
    till.send(refund("p", "150", "r2", "C2"))
    tell_friends(NOW)
    assert balances(till)["C1"] == 0


def test_points_wait_a_week_and_are_gone_when_the_friend_gives_the_order_back(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(100), condition=FIRST_ORDER, validity={"pending": {"days": 7}})
    bring(till, "C2", "C1")
    till.send(purchase("200", "p", "C2"))
    tell_friends(NOW)
    assert (till.account("C1").pending, till.account("C1").balance) == (100, 0)
    till.send(refund("p", "200", "r", "C2"))
    tell_friends(NOW)
    assert (till.account("C1").pending, Lot.objects.get(account=till.account("C1")).remaining) == (0, 0)


def test_it_is_told_once_however_often_it_is_tried(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(100), condition=FIRST_ORDER)
    bring(till, "C2", "C1")
    till.send(purchase("20", member="C2"))
    waiting = FriendWaiting.objects.get()
    tell_friends(NOW)
    FriendWaiting.objects.create(event_id=waiting.event_id, referrer_id=waiting.referrer_id)
    assert (tell_friends(NOW), balances(till)["C1"]) == (1, 100)
    assert Event.objects.filter(kind="friend").count() == 1


def test_a_friends_friend_tells_one_step_up_only(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(10), condition=FRIEND)
    bring(till, "C3", "C2")
    bring(till, "C2", "C1")
    till.send(purchase("20", member="C3"))
    tell_friends(NOW)
    assert balances(till) == {"C1": 0, "C2": 10, "C3": 0}


def test_nobody_brings_themselves_or_whoever_brought_them(till: Till) -> None:
    with pytest.raises(ReferrerImpossible):
        bring(till, "C1", "C1")
    bring(till, "C2", "C1")
    with pytest.raises(ReferrerImpossible):
        bring(till, "C1", "C2")
    with pytest.raises(ReferrerUnknown):
        bring(till, "C3", "nobody")
    assert (till.member("C1").brought_by_id, till.member("C3").brought_by_id) == (None, None)


def test_whoever_is_enrolled_says_who_brought_them_and_it_is_on_record(group: CoffeeGroup, till: Till) -> None:
    made = create_member(None, group["S001"], identifiers=[("card", "NEW")], referrer="C1", when=NOW)
    assert made.brought_by == till.member("C1")
    (line,) = MemberChange.objects.filter(member=made)
    assert {"field": "referrer", "old": None, "new": str(made.brought_by_id)} in line.changes


@pytest.mark.parametrize("kind", ["friend", "friend_refund", "day"])
def test_nobody_else_may_tell_what_the_studio_tells_itself(kind: str) -> None:
    with pytest.raises(Faults) as refused:
        parse_event(
            {"key": "k", "kind": kind, "member": {"kind": "card", "value": "C1"}, "occurred_at": START.isoformat()}
        )
    assert "own_kind" in str([fault.code for fault in refused.value.faults])
