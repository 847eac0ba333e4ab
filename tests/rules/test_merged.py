"""What the main road makes of members who were merged: their events, refunds and friends are the kept member's."""

from datetime import timedelta
from typing import Any

import pytest

from apps.activity.models import Event
from apps.members.merging.services import merge, unmerge
from apps.members.models import Merge
from apps.points.models import Account, Lot, Posting
from apps.points.services import expire_due, redeem
from apps.rules.friends import tell_friends
from apps.rules.holding import decide_held
from apps.rules.models import HeldEvent
from tests.factories import CoffeeGroup
from tests.rules.conftest import START, Till, publish, purchase, refund
from tests.rules.test_friends import FRIEND, NOW, bring, fixed
from tests.rules.test_holding import HOLD, LARGE

LATER: Any = {"reason": "one person", "when": START + timedelta(minutes=30)}


def become_one(till: Till, kept: str = "C1", gone: str = "C2") -> Merge:
    return merge(None, till.member(kept).pk, till.member(gone).pk, **LATER)


def balances(*members: int) -> list[tuple[int, int]]:
    found = {account.member_id: (account.balance, account.debt) for account in Account.objects.all()}
    return [found.get(member, (0, 0)) for member in members]


@pytest.fixture
def pair(till: Till) -> tuple[int, int]:
    """The ids of C1, who is kept, and of C2."""
    publish(till.group)
    return till.member("C1").pk, till.member("C2").pk


def test_an_event_of_a_moved_identifier_is_the_kept_members(till: Till, pair: tuple[int, int]) -> None:
    become_one(till)
    assert till.send(purchase("40", member="C2"))[0].points == 40
    assert Event.objects.get().member_id == pair[0]


def test_a_refund_of_what_the_gone_member_bought_is_taken_from_the_kept(till: Till, pair: tuple[int, int]) -> None:
    till.send(purchase("100", "p", "C2"), purchase("50", member="C1"))
    become_one(till)
    assert balances(*pair) == [(150, 0), (0, 0)]
    assert till.send(refund("p", "40", member="C2"))[0].points == -40
    assert balances(*pair) == [(110, 0), (0, 0)]
    assert [(lot.earned, lot.remaining) for lot in Lot.objects.order_by("pk")] == [(100, 0), (50, 50), (100, 60)]
    # Again by the kept member's own card, and never more than was bought.
    assert till.send(refund("p", "60", member="C1"))[0].points == -60
    assert till.send(refund("p", "1", member="C1"))[0].refusal is not None
    assert balances(*pair) == [(50, 0), (0, 0)]


def test_a_refund_of_what_was_spent_before_the_merge_is_taken_from_the_rest_and_owed(
    till: Till, pair: tuple[int, int]
) -> None:
    till.send(purchase("100", "p", "C2"), purchase("30", member="C1"))
    redeem(None, till.account("C2").pk, 100, key="r", unit=till.group["S001"], when=START)
    become_one(till)
    assert till.send(refund("p", "100", member="C2"))[0].points == -100
    assert balances(*pair) == [(-70, 70), (0, 0)]
    award = Posting.objects.get(kind="earn", member=pair[1])
    assert Posting.objects.get(kind="clawback").reverses == award


def test_what_expired_with_the_kept_member_is_not_taken_twice(till: Till, pair: tuple[int, int]) -> None:
    kind = till.group.point_types["east"]
    kind.expiry = {"kind": "after_days", "days": 10}
    kind.save()
    till.send(purchase("100", "p", "C2"))
    become_one(till)
    expire_due(START + timedelta(days=30))
    (result,) = till.send(refund("p", "100", member="C2", occurred_at=START + timedelta(days=31)))
    assert (result.status, result.points) == ("processed", 0)
    assert balances(*pair) == [(0, 0), (0, 0)]


def test_after_an_undone_merge_a_refund_is_the_other_members_again(till: Till, pair: tuple[int, int]) -> None:
    till.send(purchase("100", "p", "C2"))
    made = become_one(till)
    assert till.send(refund("p", "10", member="C2"))[0].points == -10
    unmerge(None, made.pk, **LATER)
    assert balances(*pair) == [(0, 0), (90, 0)]
    assert till.send(refund("p", "90", member="C2"))[0].points == -90
    assert balances(*pair) == [(0, 0), (0, 0)]
    assert till.send(purchase("7", member="C2"))[0].points == 7


def test_a_refund_follows_two_merges_in_a_row(till: Till, pair: tuple[int, int]) -> None:
    till.send(purchase("100", "p", "C2"))
    become_one(till, "C1", "C2"), become_one(till, "C3", "C1")
    assert till.send(refund("p", "25", member="C2"))[0].points == -25
    assert till.account("C3").balance == 75


def test_a_stranger_gives_back_nothing_of_a_merged_member(till: Till, pair: tuple[int, int]) -> None:
    till.send(purchase("100", "p", "C2"))
    become_one(till)
    (result,) = till.send(refund("p", "10", member="C3"))
    assert (result.status, result.refusal and result.refusal.code) == ("refused", "unknown_purchase")


def test_points_held_for_review_are_decided_on_where_they_went(till: Till, pair: tuple[int, int]) -> None:
    publish(till.group, HOLD, condition=LARGE)
    till.send(purchase("1000", "a", "C2"), purchase("1000", "b", "C2"))
    become_one(till)
    first, second = HeldEvent.objects.order_by("pk")
    told: Any = {"reason": "known guest", "when": NOW}
    decide_held(None, first, "released", **told)
    assert (till.account().balance, till.account().pending) == (1000, 1000)
    decide_held(None, second, "refused", **told)
    assert (till.account().balance, till.account().pending) == (1000, 0)
    assert Posting.objects.get(kind="reverse").reverses.member_id == pair[1]  # type: ignore[union-attr]


def test_what_a_friend_did_before_is_told_to_the_kept_member(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(100), condition=FRIEND)
    bring(till, "C3", "C2")
    till.send(purchase("20", member="C3"))
    become_one(till)
    assert tell_friends(NOW) == 1
    assert till.account("C1").balance == 100
