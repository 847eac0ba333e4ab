"""Worked examples of every verb of the ledger; the fixture checks every promise after each."""

import pytest

from apps.orgs.models import Program
from apps.points import services
from apps.points.errors import (
    AlreadyReversed,
    DebtNotAllowed,
    HoldEnded,
    KeyReused,
    NotEnoughPoints,
    NotReversible,
    PointsMustBePositive,
    ReasonMissing,
)
from apps.points.models import Entry, Hold, Posting
from tests.points.conftest import START, Purse, days

YEAR = {"kind": "after_days", "days": 365}


def test_spending_takes_the_lot_that_expires_first(purse: Purse) -> None:
    purse.give(100)
    purse.expiry({"kind": "after_days", "days": 10})
    purse.give(50)
    purse.expiry(YEAR)
    purse.give(70)
    purse.redeem(80)
    assert [lot[0] for lot in purse.lots] == [100, 0, 40]
    assert purse.account.balance == 140


def test_more_than_there_is_cannot_be_spent_and_nothing_changes(purse: Purse) -> None:
    purse.give(10)
    with pytest.raises(NotEnoughPoints) as refusal:
        purse.redeem(11)
    assert refusal.value.data == {"wanted": 11, "available": 10}
    assert purse.account.balance == 10
    assert Posting.objects.count() == 1


def test_points_past_their_day_cannot_be_spent_even_before_the_nightly_run(purse: Purse) -> None:
    purse.expiry({"kind": "after_days", "days": 1})
    purse.give(10)
    with pytest.raises(NotEnoughPoints):
        purse.redeem(1, START + days(3))


def test_the_same_key_twice_posts_once_and_answers_the_same(purse: Purse) -> None:
    purse.give(100)
    assert purse.redeem(30, key="till-1").pk == purse.redeem(30, key="till-1").pk
    assert purse.account.balance == 70
    with pytest.raises(KeyReused):
        purse.redeem(31, key="till-1")
    assert purse.account.balance == 70


def test_a_hold_keeps_points_from_others_until_captured(purse: Purse) -> None:
    purse.give(100)
    held = purse.hold(80)
    with pytest.raises(NotEnoughPoints):
        purse.redeem(21)
    services.capture(None, held.pk, when=START)
    services.capture(None, held.pk, when=START)
    assert (purse.account.balance, purse.account.held) == (20, 0)
    with pytest.raises(HoldEnded):
        services.void(None, held.pk, when=START)


def test_a_void_gives_back_and_a_late_capture_is_refused(purse: Purse) -> None:
    purse.give(100)
    held, late = purse.hold(80), purse.hold(20)
    services.void(None, held.pk, when=START)
    with pytest.raises(HoldEnded) as refusal:
        services.capture(None, late.pk, when=START + days(1))
    assert refusal.value.data["state"] == "lapsed"
    assert services.void_lapsed_holds(START + days(1)) == 1
    assert Hold.objects.get(pk=late.pk).state == "voided"
    assert (purse.account.balance, purse.account.held, purse.account.available) == (100, 0, 100)


def test_held_points_outlive_their_lots_expiry_until_the_hold_ends(purse: Purse) -> None:
    purse.expiry({"kind": "after_days", "days": 1})
    purse.give(100)
    held = purse.hold(60, minutes=60 * 24 * 5)
    assert services.expire_due(START + days(3)).points == 40
    assert purse.account.balance == 60
    services.void(None, held.pk, when=START + days(3))
    assert services.expire_due(START + days(4)).points == 60
    assert purse.account.balance == 0


def test_expiry_runs_again_without_effect(purse: Purse) -> None:
    purse.expiry({"kind": "after_days", "days": 1})
    purse.give(100)
    purse.give(11)
    assert services.expire_due(START + days(1)).points == 0
    assert services.expire_due(START + days(2)).points == 111
    assert services.expire_due(START + days(2)).points == 0
    assert purse.account.balance == 0
    assert Entry.objects.filter(kind="expire").count() == 2


def test_an_inactive_account_lapses_as_a_whole_and_activity_postpones_it(purse: Purse) -> None:
    purse.expiry({"kind": "inactivity", "days": 30})
    purse.give(100)
    purse.redeem(1, START + days(20))
    assert services.expire_due(START + days(40)).points == 0
    assert services.expire_due(START + days(51)).points == 99
    assert purse.account.balance == 0


def test_reversing_a_redemption_returns_points_to_their_lots_with_their_old_expiry(purse: Purse) -> None:
    purse.expiry(YEAR)
    purse.give(100)
    before = purse.lots
    spent = purse.redeem(60)
    services.reverse(None, spent.pk, reason="cancelled", key="r1", when=START)
    assert purse.lots == before
    with pytest.raises(AlreadyReversed):
        services.reverse(None, spent.pk, reason="again", key="r2", when=START)
    assert services.reverse(None, spent.pk, reason="cancelled", key="r1", when=START).points == 60


def test_points_that_expired_meanwhile_come_back_with_days_of_grace(purse: Purse) -> None:
    purse.expiry({"kind": "after_days", "days": 1})
    purse.give(100)
    spent = purse.redeem(60)
    services.expire_due(START + days(5))
    services.reverse(None, spent.pk, reason="cancelled", key="r1", when=START + days(5))
    assert purse.account.balance == 60
    remaining, _, expires = purse.lots[-1]
    assert (remaining, expires) == (60, (START + days(5 + 30)).date())


def test_points_given_back_to_an_account_that_lapsed_have_days_of_grace_too(purse: Purse) -> None:
    purse.expiry({"kind": "inactivity", "days": 30})
    purse.give(100)
    spent = purse.redeem(60)
    assert services.expire_due(START + days(31)).points == 40
    services.reverse(None, spent.pk, reason="cancelled", key="r1", when=START + days(31))
    assert purse.redeem(10, START + days(32)).points == -10
    assert services.expire_due(START + days(33)).points == 0


def test_reversing_an_award_already_spent_leaves_debt_that_later_earning_pays(purse: Purse) -> None:
    given = purse.give(100)
    purse.redeem(80)
    services.reverse(None, given.pk, reason="mistake", key="r1", when=START)
    assert (purse.account.balance, purse.account.debt, purse.account.available) == (-80, 80, 0)
    purse.give(100)
    assert (purse.account.balance, purse.account.debt) == (20, 0)
    assert purse.lots[-1][0] == 20


def test_a_programme_without_debt_refuses_what_is_spent(purse: Purse) -> None:
    Program.objects.update(allows_debt=False)
    given = purse.give(100)
    purse.redeem(80)
    with pytest.raises(DebtNotAllowed) as refusal:
        services.reverse(None, given.pk, reason="mistake", key="r1", when=START)
    assert refusal.value.data == {"missing": 80}
    assert purse.account.balance == 20


def test_only_awards_redemptions_and_adjustments_can_be_reversed(purse: Purse) -> None:
    purse.expiry({"kind": "after_days", "days": 1})
    purse.give(5)
    services.expire_due(START + days(9))
    with pytest.raises(NotReversible):
        services.reverse(None, Posting.objects.get(kind="expire").pk, reason="no", key="r", when=START)


def test_an_adjustment_needs_points_and_a_reason(purse: Purse) -> None:
    with pytest.raises(PointsMustBePositive):
        purse.give(0)
    with pytest.raises(ReasonMissing):
        services.adjust(None, purse.member.pk, purse.group.point_types["east"].pk, 5, reason=" ", key="k", when=START)
    with pytest.raises(NotEnoughPoints):
        purse.give(-1)
    assert Posting.objects.count() == 0
