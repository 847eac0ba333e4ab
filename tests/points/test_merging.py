"""Points move with a merged member as entries, lot by lot, and back again; nothing is made and nothing is lost."""

from typing import Any

import pytest
from django.db import transaction
from django.db.models import F, Sum
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.members.merging.errors import MergeRefused
from apps.members.merging.services import merge, unmerge
from apps.members.models import Identifier, Member
from apps.orgs.gate import SubjectGone
from apps.points import services
from apps.points.book import Book, Origin
from apps.points.checking import differences
from apps.points.errors import NotEnoughPoints
from apps.points.models import Account, Entry, Lot, Posting
from apps.points.services.ledger import act, open_account, post
from tests.factories import CoffeeGroup
from tests.points.conftest import START, Purse, days, make_purse

LATER = START + days(10)
WHY: Any = {"reason": "one person", "when": LATER}


def purses(group: CoffeeGroup) -> tuple[Purse, Purse]:
    """Two members with an account each, and a card each."""
    made = make_purse(group), make_purse(group)
    for number, purse in enumerate(made):
        Identifier.objects.create(
            member=purse.member,
            kind="card",
            value_cipher=b"",
            value_hash=bytes([number]),
            tail_hash=b"",
            created_at=START,
        )
    return made


@pytest.fixture
def two(group: CoffeeGroup) -> Any:
    yield purses(group)
    assert differences() == []


def earn(purse: Purse, points: int, *, lasts: int | None = None, cost: int = 10_000, pending: bool = False) -> Lot:
    """A lot as a rule would give it."""
    with transaction.atomic():
        opened, book = open_account(purse.account_id), Book()
        unit = purse.group["S002"].pk
        book.earn(
            opened.state, act(opened, f"earn:{Posting.objects.count()}", START), Origin(unit, unit, cost), points,
            earned_at=START - days(3), expires_at=None if lasts is None else START + days(lasts),
            releases_at=START + days(12) if pending else None, pending=pending,
        )  # fmt: skip
        post(book)
    return Lot.objects.latest("pk")


def owe(purse: Purse, points: int) -> None:
    """Points that were earned, spent and taken back."""
    lot = earn(purse, points)
    purse.redeem(points)
    posting = Posting.objects.get(pk=Entry.objects.filter(lot=lot).earliest("pk").posting_id)
    services.reverse(None, posting.pk, reason="returned", key=f"back{posting.pk}", when=START)


def state(*found: Purse) -> list[Any]:
    """Balances and, by start, expiry, cost and state, what lots hold."""
    told: list[Any] = []
    for purse in found:
        account = Account.objects.filter(pk=purse.account_id)
        lots = Lot.objects.filter(account=purse.account_id, remaining__gt=0)
        sums = lots.values_list(
            "earned_at", "expires_at", "unit_cost_micros", "is_pending", "releases_at", "funder", "org_unit"
        )
        told.append((account.values_list("balance", "pending", "held", "debt", "earned_total").get(),
                     sorted(sums.annotate(points=Sum("remaining")), key=str)))  # fmt: skip
    return told


def liability() -> int:
    return Lot.objects.aggregate(cost=Sum(F("remaining") * F("unit_cost_micros")))["cost"] or 0


def test_every_lot_moves_with_its_start_expiry_and_cost(two: tuple[Purse, Purse]) -> None:
    kept, gone = two
    earn(kept, 50, lasts=100)
    earn(gone, 30, lasts=40, cost=20_000), earn(gone, 20), earn(gone, 7, pending=True)
    gone.redeem(10)
    merge(None, kept.member.pk, gone.member.pk, **WHY)
    assert state(gone)[0] == ((0, 0, 0, 0, 57), [])
    lots = Lot.objects.filter(account=kept.account_id).order_by("pk")
    assert [(lot.earned, lot.remaining, lot.unit_cost_micros, lot.is_pending, lot.expires_at) for lot in lots] == [
        (50, 50, 10_000, False, START + days(100)), (20, 20, 20_000, False, START + days(40)), (20, 20, 10_000, False, None),
        (7, 7, 10_000, True, None),
    ]  # fmt: skip
    assert {lot.earned_at for lot in lots} == {START - days(3)}
    assert (kept.account.balance, kept.account.pending, kept.account.earned_total) == (90, 7, 50)


def test_both_sides_of_the_entries_are_zero_by_unit_and_kind_of_points(two: tuple[Purse, Purse]) -> None:
    kept, gone = two
    earn(gone, 30, lasts=40, cost=20_000), earn(gone, 7, pending=True), owe(gone, 12)
    made = merge(None, kept.member.pk, gone.member.pk, **WHY)
    moved = Entry.objects.filter(kind="merge").values("org_unit", "account__point_type", "rule_id", "day")
    sums = moved.annotate(points=Sum("points"), pending=Sum("pending_points"), cost=Sum("cost_micros"))
    assert [(each["points"], each["pending"], each["cost"]) for each in sums] == [(0, 0, 0)]
    assert set(Posting.objects.filter(kind="merge").values_list("key", flat=True)) == {
        f"merge:{made.pk}:{gone.account.point_type_id}:{side}" for side in ("out", "in")
    }


def test_debt_moves_and_is_paid_off_by_nothing(two: tuple[Purse, Purse]) -> None:
    kept, gone = two
    earn(kept, 50), owe(gone, 12)
    made = merge(None, kept.member.pk, gone.member.pk, **WHY)
    assert [(purse.account.balance, purse.account.debt) for purse in two] == [(38, 12), (0, 0)]
    assert made.moved["points"] == {str(kept.account.point_type_id): {"points": 0, "debt": 12}}
    with pytest.raises(NotEnoughPoints):
        kept.redeem(39, LATER)
    kept.redeem(38, LATER)


def test_points_that_are_set_aside_are_in_the_way(two: tuple[Purse, Purse]) -> None:
    kept, gone = two
    earn(gone, 30)
    held = gone.hold(5)
    with pytest.raises(MergeRefused) as refused:
        merge(None, kept.member.pk, gone.member.pk, **WHY)
    assert refused.value.sentence() == (
        f"5 points of member #{gone.member.pk} are set aside for a redemption. Finish it or give them back first."
    )
    services.void(None, held.pk, when=START)
    made = merge(None, kept.member.pk, gone.member.pk, **WHY)
    kept.hold(5, LATER)
    with pytest.raises(MergeRefused) as back:
        unmerge(None, made.pk, **WHY)
    assert [part.code for part in back.value.parts] == ["points_set_aside"]


def test_what_was_spent_meanwhile_does_not_come_back_and_is_reported(two: tuple[Purse, Purse]) -> None:
    kept, gone = two
    earn(kept, 50, lasts=100), earn(gone, 30, lasts=40), owe(gone, 10)
    made = merge(None, kept.member.pk, gone.member.pk, **WHY)
    kept.redeem(25, LATER)
    unmerge(None, made.pk, **WHY)
    # The gone member's 20 left expired first, and were spent first.
    assert [(purse.account.balance, purse.account.debt) for purse in two] == [(45, 0), (0, 0)]
    made.refresh_from_db()
    assert made.returned["points"] == {
        str(kept.account.point_type_id): {"points": 0, "debt": 0, "spent": 20, "paid": 0}
    }


def test_points_released_meanwhile_come_back_released(two: tuple[Purse, Purse]) -> None:
    kept, gone = two
    earn(gone, 7, pending=True)
    made = merge(None, kept.member.pk, gone.member.pk, **WHY)
    services.release_due(START + days(13))
    assert kept.account.balance == 7
    unmerge(None, made.pk, reason="x", when=START + days(14))
    assert [(purse.account.balance, purse.account.pending) for purse in two] == [(0, 0), (7, 0)]


def test_a_redemption_of_the_gone_member_that_is_reversed_comes_to_the_kept(two: tuple[Purse, Purse]) -> None:
    kept, gone = two
    earn(gone, 30, lasts=40)
    spent = gone.redeem(12)
    made = merge(None, kept.member.pk, gone.member.pk, **WHY)
    services.reverse(None, spent.pk, reason="returned", key="r1", when=LATER)
    assert [purse.account.balance for purse in two] == [30, 0]
    assert {lot.expires_at for lot in Lot.objects.filter(account=kept.account_id)} == {START + days(40)}
    unmerge(None, made.pk, **WHY)
    assert state(*two) == [((0, 0, 0, 0, 0), []), state(gone)[0]]
    assert gone.lots == [(30, 0, (START + days(40)).date())]


def test_an_adjustment_of_the_gone_member_that_is_reversed_is_taken_from_the_kept(two: tuple[Purse, Purse]) -> None:
    kept, gone = two
    earn(kept, 50)
    given = gone.give(30)
    gone.redeem(5)
    merge(None, kept.member.pk, gone.member.pk, **WHY)
    services.reverse(None, given.pk, reason="by mistake", key="r1", when=LATER)
    assert [purse.account.balance for purse in two] == [45, 0]


def test_nothing_is_given_to_a_merged_member(two: tuple[Purse, Purse]) -> None:
    kept, gone = two
    merge(None, kept.member.pk, gone.member.pk, **WHY)
    with pytest.raises(SubjectGone):
        gone.give(5, LATER)


def test_points_that_lapsed_before_are_not_revived(two: tuple[Purse, Purse]) -> None:
    kept, gone = two
    earn(gone, 30)
    Account.objects.filter(pk=gone.account_id).update(lapses_at=START + days(5))
    merge(None, kept.member.pk, gone.member.pk, **WHY)
    assert [purse.account.balance for purse in two] == [0, 0]
    assert Entry.objects.filter(kind="expire").get().points == -30


Lots = st.lists(
    st.tuples(
        st.integers(1, 500), st.one_of(st.none(), st.integers(11, 400)), st.sampled_from([0, 7_000, 10_000]), st.booleans()
    ),
    max_size=4,
)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(
    st.tuples(Lots, Lots),
    st.tuples(st.integers(0, 60), st.integers(0, 60)),
    st.tuples(st.integers(0, 40), st.integers(0, 40)),
)
def test_merge_and_unmerge_change_nothing_and_never_the_liability(
    django_db_blocker: Any, django_db_setup: None, lots: Any, spent: tuple[int, int], owed: tuple[int, int]
) -> None:
    from tests.factories import make_group

    with django_db_blocker.unblock(), transaction.atomic():
        two = purses(make_group())
        for purse, given_lots, spending, owing in zip(two, lots, spent, owed, strict=True):
            if owing:
                owe(purse, owing)
            for points, lasts, cost, pending in given_lots:
                earn(purse, points, lasts=lasts, cost=cost, pending=pending)
            if spending and purse.account.balance >= spending:
                purse.redeem(spending)
        before, cost = state(*two), liability()
        made = merge(None, two[0].member.pk, two[1].member.pk, **WHY)
        assert liability() == cost
        together = [sum(account[0][at] for account in before) for at in range(4)]
        assert list(state(two[0])[0][0][:4]) == together
        assert state(two[1])[0][0][:4] == (0, 0, 0, 0)
        assert differences() == []
        unmerge(None, made.pk, **WHY)
        assert (state(*two), liability()) == (before, cost)
        assert differences() == []
        assert [member.state for member in Member.objects.order_by("pk")] == ["active", "active"]
        transaction.set_rollback(True)
