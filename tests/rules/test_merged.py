"""What the main road makes of members who were merged: their events, refunds and friends are the kept member's."""

import json
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.activity.models import Event
from apps.members.merging.services import merge, unmerge
from apps.members.merging.shown import moved_in_words
from apps.members.models import Merge
from apps.members.services import enrol_many
from apps.points.checking import differences
from apps.points.models import Account, Lot, Posting
from apps.points.services import expire_due, redeem
from apps.rules.friends import tell_friends
from apps.rules.holding import decide_held
from apps.rules.merging import MovedCounts
from apps.rules.models import Counter, HeldEvent, Progress
from tests.factories import CoffeeGroup
from tests.rules.conftest import CAP_A_DAY, START, Till, publish, purchase, refund
from tests.rules.test_friends import FRIEND, NOW, bring, fixed
from tests.rules.test_holding import HOLD, LARGE
from tests.rules.test_progress import carrying, gathers

NEXT_DAY = START + timedelta(days=1)
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


def stamps(*members: int) -> list[list[tuple[Decimal, dict[str, Any]]]]:
    cards = Progress.objects.order_by("rule", "start")
    return [list(cards.filter(member=member).values_list("value", "state")) for member in members]


def counted(*members: int) -> list[list[tuple[str, int, int]]]:
    rows = Counter.objects.order_by("period", "start")
    return [list(rows.filter(member=member).values_list("period", "points", "times")) for member in members]


def test_a_limit_of_one_for_each_member_is_not_given_twice_through_a_merge(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(50), limits=[{"per": "member", "period": "ever", "of": "times", "most": 1}])
    pair = till.member("C1").pk, till.member("C2").pk
    till.send(purchase("10", member="C2"))
    made = become_one(till)
    assert [result.points for result in till.send(purchase("10", member="C2"), purchase("10"))] == [0, 0]
    assert counted(*pair) == [[("ever", 50, 1)], []]
    assert differences() == []
    unmerge(None, made.pk, **LATER)
    assert counted(*pair) == [[], [("ever", 50, 1)]]
    assert [result.points for result in till.send(purchase("10", member="C2"), purchase("10"))] == [0, 50]


def test_counters_are_added_up_by_period_and_each_member_gets_its_own_again(group: CoffeeGroup, till: Till) -> None:
    publish(group, limits=[CAP_A_DAY | {"most": 100}, CAP_A_DAY | {"period": "month", "most": 500}])
    pair = till.member("C1").pk, till.member("C2").pk
    till.send(purchase("30"), purchase("40", member="C2"), purchase("20", member="C2", occurred_at=NEXT_DAY))
    before = counted(*pair)
    made = become_one(till)
    assert counted(*pair) == [[("day", 70, 2), ("day", 20, 1), ("month", 90, 3)], []]
    assert till.send(purchase("60", member="C2"))[0].points == 30
    unmerge(None, made.pk, **LATER)
    assert before == [[("day", 30, 1), ("month", 30, 1)], [("day", 40, 1), ("day", 20, 1), ("month", 60, 2)]]
    assert counted(*pair) == [[("day", 60, 2), ("month", 60, 2)], before[1]]


def test_two_half_full_stamp_cards_are_a_full_one_at_the_next_stamp(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(100), accumulator=gathers(at="10"))
    pair = till.member("C1").pk, till.member("C2").pk
    till.send(*(purchase("5", member=member) for member in ("C1", "C2") for _ in range(5)))
    made = become_one(till)
    assert stamps(*pair) == [[(10, {"due": 1})], []]
    results = till.send(purchase("5"), purchase("5", member="C2"))
    assert [result.points for result in results] == [100, 0]
    unmerge(None, made.pk, **LATER)
    # Of the five stamps three were needed for the full card, beside the seven that stay with the kept member.
    assert [[value for value, _state in cards] for cards in stamps(*pair)] == [[10], [2]]
    made.refresh_from_db()
    rule = Progress.objects.first().rule  # type: ignore[union-attr]
    assert made.returned["rules"] == {"counters": 0, "cards": 1, "stayed": [[rule.pk, "events", "3.000000"]]}
    assert ("Used toward a goal meanwhile, which stayed", f"{rule.name}: 3") in moved_in_words(made)
    assert [result.points for result in till.send(*(purchase("5") for _ in range(10)))] == [0] * 9 + [100]


def test_remainders_are_carried_on_together(group: CoffeeGroup, till: Till) -> None:
    publish(group, carrying())
    pair = till.member("C1").pk, till.member("C2").pk
    till.send(purchase("30"), purchase("50", member="C2"))
    become_one(till)
    assert stamps(*pair) == [[(80, {"fired": [[Event.objects.latest("pk").pk, 1, 0]], "due": 1})], []]
    assert [result.points for result in till.send(purchase("1"), purchase("39"))] == [1, 1]


def test_a_refund_takes_its_stamp_off_the_card_that_it_went_to_and_undoes_what_it_had_fired(
    group: CoffeeGroup, till: Till
) -> None:
    publish(group, fixed(100), accumulator=gathers(at="3"))
    pair = till.member("C1").pk, till.member("C2").pk
    till.send(*(purchase("5", key, "C2") for key in "abc"), purchase("5", "k"))
    become_one(till)
    assert balances(*pair) == [(100, 0), (0, 0)]
    assert till.send(refund("k", "5"), refund("a", "5", member="C2"))[1].points == -100
    assert balances(*pair) == [(0, 0), (0, 0)]
    assert [result.points for result in till.send(purchase("5", member="C2"))] == [100]


def test_what_merges_left_behind_once_is_not_taken_off_the_kept_members_card(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(100), accumulator=gathers(at="3"))
    pair = till.member("C1").pk, till.member("C2").pk
    till.send(*(purchase("5", key, "C2") for key in "abc"), purchase("5"))
    cards = list(Progress.objects.filter(member=pair[1]))
    made = become_one(till)
    Progress.objects.filter(member=pair[0]).update(value=1, state={})
    Progress.objects.bulk_create(cards)
    del made.moved["rules"]
    made.save()
    assert till.send(refund("c", "5", member="C2"))[0].points == -100
    unmerge(None, made.pk, **LATER)
    assert [[value for value, _state in each] for each in stamps(*pair)] == [[1], [3]]


def test_undone_at_once_a_merge_leaves_all_that_was_counted_as_it_was(group: CoffeeGroup, till: Till) -> None:
    publish(group, limits=[CAP_A_DAY | {"most": 100}, CAP_A_DAY | {"period": "ever", "most": 500}])
    publish(group, carrying()), publish(group, fixed(5), accumulator=gathers("streak"))
    publish(group, fixed(5), accumulator=gathers("amount", "100", period="month"))
    numbers = count(10)

    @settings(max_examples=8, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9), st.integers(1, 90)), max_size=12))
    def is_undone(did: list[tuple[int, int, int]]) -> None:
        cards = [f"C{next(numbers)}" for _ in range(2)]
        enrol_many([("card", card, group.units["S001"].pk, START.date()) for card in cards], when=START)
        pair = [till.member(card).pk for card in cards]
        till.send(
            *(
                purchase(str(amount), member=cards[who], occurred_at=START + timedelta(days=day))
                for who, day, amount in did
            )
        )
        before = counted(*pair), stamps(*pair)
        made = become_one(till, *cards)
        assert differences() == []
        assert (counted(pair[1]), stamps(pair[1])) == ([[]], [[]])
        unmerge(None, made.pk, **LATER)
        assert (counted(*pair), stamps(*pair)) == before

    is_undone()


def test_a_merge_of_cards_takes_the_same_statements_however_many_there_are(
    group: CoffeeGroup, till: Till, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        publish(group, fixed(5), accumulator=gathers("streak"), limits=[CAP_A_DAY | {"most": 100}])
    till.send(*(purchase("5", member=who) for who in ("C1", "C2")))
    made = Merge(kept=till.member("C1"), gone=till.member("C2"))
    part = MovedCounts()
    with django_assert_num_queries(6):
        made.moved = {"rules": json.loads(json.dumps(part.move(made, None, NOW), cls=DjangoJSONEncoder))}
    with django_assert_num_queries(5):
        part.move_back(made, None, NOW)


def test_what_the_gone_members_event_fired_is_undone_by_a_refund_of_the_kept_members(
    group: CoffeeGroup, till: Till
) -> None:
    """Also where it was spent before the merge: then it is owed."""
    publish(group, fixed(100), accumulator=gathers(at="3"))
    pair = till.member("C1").pk, till.member("C2").pk
    till.send(*(purchase("5", key, "C2") for key in "abc"), purchase("5", "k"))
    redeem(None, till.account("C2").pk, 100, key="r", unit=group["S001"], when=START)
    become_one(till)
    assert [result.points for result in till.send(refund("a", "5"), refund("k", "5"))] == [0, -100]
    assert balances(*pair) == [(-100, 100), (0, 0)]


def test_merges_in_a_row_are_undone_one_by_one_with_what_was_counted(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(5), accumulator=gathers(at="4"), limits=[CAP_A_DAY | {"most": 100}])
    ids = [till.member(card).pk for card in ("C1", "C2", "C3")]
    till.send(*(purchase("5", member=card) for card in ("C1", "C2", "C2", "C3", "C2", "C2")))
    before = counted(*ids), stamps(*ids)
    first, second = become_one(till, "C1", "C2"), become_one(till, "C3", "C1")
    assert [[value for value, _state in each] for each in stamps(*ids)] == [[], [], [6]]
    assert differences() == []
    unmerge(None, second.pk, **LATER), unmerge(None, first.pk, **LATER)
    assert (counted(*ids), stamps(*ids)) == before


def test_a_refund_before_the_next_stamp_takes_only_what_was_due(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(100), accumulator=gathers(at="2"))
    pair = till.member("C1").pk, till.member("C2").pk
    till.send(*(purchase("5") for _ in range(3)), purchase("5", "g", "C2"))
    become_one(till)
    assert till.send(refund("g", "5", member="C2"))[0].points == 0
    assert [value for value, state in stamps(*pair)[0] if "due" not in state] == [3]
    assert [result.points for result in till.send(purchase("5"), purchase("5"))] == [100, 0]
