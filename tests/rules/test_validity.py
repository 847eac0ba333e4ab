"""Points that expire and become spendable as their rule says: by the day of earning, or once an event confirms it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.activity.incoming import IncomingEvent
from apps.core.clock import local_day
from apps.points.models import Lot, PointType, Posting
from apps.points.services import expire_due, release_due
from apps.rules.definition import Faulty, check_definition
from apps.rules.pipeline import process
from apps.rules.validity import Dates, live_validity
from tests.rules.conftest import PER_YUAN, PURCHASE, START, Till, publish, purchase, refund

ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Africa/Cairo")]
KIND = Dates(datetime(2099, 1, 1, tzinfo=UTC), None, False)
FIXED = {"effect": "fixed_points", "point_type": "points", "points": 10}
DELIVERED: dict[str, Any] = {"expiry": None, "pending": {"until": "delivery"}}
LATER = START + timedelta(days=200)

policies = st.one_of(
    st.none(),
    st.just({"kind": "never"}),
    st.builds(lambda days: {"kind": "after_days", "days": days}, st.integers(1, 800)),
    st.builds(
        lambda period, years, days: {"kind": "end_of", "period": period, "plus_years": years, "plus_days": days},
        st.sampled_from(["month", "quarter", "year"]), st.integers(0, 3), st.integers(0, 60),
    ),
)  # fmt: skip


def delivery(of: str | None, key: str = "d1", kind: str = "delivery", member: str = "C1") -> IncomingEvent:
    return IncomingEvent(key, kind, "card", member, START + timedelta(days=3), store="S001", confirms=of)


def faults_of(validity: Any) -> list[tuple[str, str]]:
    data = {"condition": PURCHASE, "effects": [PER_YUAN], "validity": validity}
    with pytest.raises(Faulty) as caught:
        check_definition(data, point_types={"points": 1}, units={})
    assert all(fault.message.en and fault.message.zh for fault in caught.value.faults)
    return [("/".join(map(str, fault.path)), fault.code) for fault in caught.value.faults]


@given(st.sampled_from(ZONES), st.dates(date(1995, 1, 1), date(2060, 1, 1)), policies, st.integers(0, 400))
def test_what_may_be_saved_can_be_spent_whenever_it_was_earned(
    zone: ZoneInfo, day: date, policy: Any, days: int
) -> None:
    """Catches days counted in hours, and points that are gone before they are there."""
    validity = {"expiry": policy, "pending": {"days": days}}
    try:
        checked = check_definition(
            {"condition": PURCHASE, "effects": [PER_YUAN], "validity": validity}, point_types={"points": 1}, units={}
        ).to_json()
    except Faulty:
        assume(False)
    live = live_validity(checked["validity"])
    assert live is not None
    dates = live.dates(day, zone, KIND)
    assert dates.is_pending == (days > 0)
    if dates.releases_at is not None:
        assert local_day(dates.releases_at, zone) == day + timedelta(days=days)
        assert local_day(dates.releases_at - timedelta(seconds=1), zone) < day + timedelta(days=days)
    if policy is None:
        assert dates.expires_at == KIND.expires_at
    elif dates.expires_at is not None and dates.releases_at is not None:
        assert dates.releases_at < dates.expires_at


@pytest.mark.parametrize(
    ("validity", "faults"),
    [
        ({}, [("validity", "says_nothing")]),
        ("soon", [("validity", "model_type")]),
        ({"pending": {"days": "x"}}, [("validity/pending/days", "int_parsing")]),
        ({"pending": {"days": -1}}, [("validity/pending/days", "greater_than_equal")]),
        ({"pending": {"until": "Delivered!"}}, [("validity/pending/until", "string_pattern_mismatch")]),
        ({"pending": {"until": "refund"}}, [("validity/pending", "no_confirming")]),
        ({"pending": {"until": "delivery", "days": 3}}, [("validity/pending/days", "extra_forbidden")]),
        ({"expiry": {"kind": "inactivity", "days": 3}}, [("validity/expiry", "union_tag_invalid")]),
        ({"expiry": {"kind": "after_days", "days": 0}}, [("validity/expiry/days", "greater_than_equal")]),
        ({"expiry": {"kind": "after_days", "days": 7}, "pending": {"days": 8}}, [("validity", "gone_before")]),
        ({"expiry": {"kind": "end_of", "period": "month"}, "pending": {"days": 1}}, [("validity", "gone_before")]),
        (
            {"expiry": {"kind": "end_of", "period": "month", "plus_years": 1}, "pending": {"days": 366}},
            [("validity", "gone_before")],
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_at_its_place(validity: Any, faults: Any) -> None:
    assert faults_of(validity) == faults


@pytest.mark.django_db
def test_a_rules_own_dates_stand_in_for_those_of_the_kind_of_points(till: Till) -> None:
    PointType.objects.update(pending_days=30)
    publish(till.group, validity={"expiry": {"kind": "after_days", "days": 20}, "pending": {"days": 14}})
    publish(till.group, FIXED, validity={"expiry": None, "pending": {"days": 0}})
    publish(till.group, FIXED | {"points": 1})
    till.send(purchase("100"))
    midnight = datetime(2026, 2, 28, 16, tzinfo=UTC)
    of_kind = Lot.objects.get(earned=1).expires_at
    assert [
        (lot.earned, lot.is_pending, lot.releases_at, lot.expires_at) for lot in Lot.objects.order_by("-earned")
    ] == [
        (100, True, midnight + timedelta(days=14), midnight + timedelta(days=21)),
        (10, False, None, of_kind),
        (1, True, midnight + timedelta(days=30), of_kind),
    ]
    release_due(midnight + timedelta(days=14))
    assert till.account().balance == 110
    assert expire_due(midnight + timedelta(days=21)).points == 100


@pytest.mark.django_db
def test_the_first_event_that_confirms_releases_what_waits_and_no_other(till: Till) -> None:
    publish(till.group, validity=DELIVERED)
    publish(till.group, FIXED, validity={"expiry": None, "pending": {"until": "review"}})
    (bought,) = till.send(purchase("100", "p1"))
    assert bought.answer is not None
    assert [(award["state"], award["why"].get("until")) for award in bought.answer["awards"]] == [
        ("pending", "delivery"), ("pending", "review"),
    ]  # fmt: skip
    release_due(LATER)
    assert (till.account().balance, till.account().pending) == (0, 110)
    till.send(delivery("p1", "shipped", kind="shipping"), delivery(None, "of another order"))
    assert till.account().balance == 0
    (done, again, twice) = till.send(delivery("p1"), delivery("p1", "d2"), delivery("p1"))
    assert done.answer is not None
    assert [each["points"] for each in done.answer["released"]] == [100]
    assert (again.answer or {}).get("released") is None
    assert (twice.status, twice.answer) == ("repeated", done.answer)
    assert (till.account().balance, till.account().pending) == (100, 10)
    assert Posting.objects.filter(kind="release").count() == 1


@pytest.mark.django_db
def test_a_purchase_and_what_confirms_it_may_come_in_one_batch_and_both_earn(till: Till) -> None:
    publish(till.group, validity=DELIVERED)
    publish(till.group, FIXED, condition={"all": [{"field": "event.kind", "op": "eq", "value": "delivery"}]})
    till.send(purchase("100", "p1"), delivery("p1"))
    assert (till.account().balance, till.account().pending) == (110, 0)


@pytest.mark.django_db
def test_a_refund_before_the_delivery_takes_the_pending_points_back(till: Till) -> None:
    publish(till.group, validity=DELIVERED)
    till.send(purchase("100", "p1"), refund("p1", "30"))
    assert (till.account().balance, till.account().pending, till.account().debt) == (0, 70, 0)
    till.send(delivery("p1"))
    till.send(refund("p1", "20"))
    assert (till.account().balance, till.account().pending, till.account().debt) == (50, 0, 0)


@pytest.mark.django_db
def test_points_whose_day_is_over_when_they_are_confirmed_expire_that_night(till: Till) -> None:
    publish(till.group, validity=DELIVERED | {"expiry": {"kind": "after_days", "days": 1}})
    till.send(purchase("100", "p1"), delivery("p1"))
    assert expire_due(START + timedelta(days=4)).points == 100
    assert till.account().balance == 0


@pytest.mark.django_db
def test_who_confirms_what_is_not_there_is_refused_alone(till: Till) -> None:
    publish(till.group, validity=DELIVERED)
    till.send(purchase("100", "p1"))
    results = till.send(delivery("nothing"), delivery("p1", "d2", member="C2"), delivery("p1", "d3"))
    assert [(each.status, each.refusal and each.refusal.code) for each in results] == [
        ("refused", "unknown_confirmed"), ("refused", "unknown_confirmed"), ("processed", None),
    ]  # fmt: skip
    assert till.account().balance == 100


@pytest.mark.django_db
def test_only_events_that_confirm_cost_a_statement_more(till: Till, django_assert_num_queries: Any) -> None:
    publish(till.group, validity=DELIVERED)
    till.send(purchase("1", "warm"), delivery("warm", "w"))
    events = [purchase("10", f"p{number}") for number in range(3)]
    process(None, till.source, [purchase("1")], when=LATER)
    with django_assert_num_queries(2):
        till.send(*events)
    with django_assert_num_queries(5):
        till.send(*[delivery(event.key, f"d{event.key}") for event in events])
