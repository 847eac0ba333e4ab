"""Expiry policies, exactly, over daylight saving, leap days and month ends (promise R11)."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from apps.points.expiry import expires_at, lapses_at, last_good_day, parse_policy

ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Africa/Cairo")]


@pytest.mark.parametrize(
    ("policy", "earned_on", "last"),
    [
        ({"kind": "after_days", "days": 1}, date(2024, 2, 28), date(2024, 2, 29)),
        ({"kind": "after_days", "days": 365}, date(2024, 2, 29), date(2025, 2, 28)),
        ({"kind": "end_of", "period": "month"}, date(2024, 2, 3), date(2024, 2, 29)),
        ({"kind": "end_of", "period": "month", "plus_days": 15}, date(2026, 12, 31), date(2027, 1, 15)),
        ({"kind": "end_of", "period": "quarter"}, date(2026, 1, 1), date(2026, 3, 31)),
        ({"kind": "end_of", "period": "quarter"}, date(2026, 12, 1), date(2026, 12, 31)),
        ({"kind": "end_of", "period": "year", "plus_years": 1}, date(2026, 5, 5), date(2027, 12, 31)),
        ({"kind": "never"}, date(2026, 5, 5), None),
        ({}, date(2026, 5, 5), None),
        ({"kind": "inactivity", "days": 30}, date(2026, 5, 5), None),
    ],
)
def test_the_last_good_day_follows_the_policy(policy: dict, earned_on: date, last: date | None) -> None:
    assert last_good_day(parse_policy(policy), earned_on) == last


def test_points_expire_at_the_end_of_the_programmes_local_day() -> None:
    policy = parse_policy({"kind": "after_days", "days": 7})
    assert expires_at(policy, date(2026, 3, 1), ZoneInfo("Asia/Shanghai")) == datetime(2026, 3, 8, 16, tzinfo=UTC)


def test_a_day_that_daylight_saving_shortens_still_ends_at_its_own_midnight() -> None:
    policy = parse_policy({"kind": "end_of", "period": "month"})
    berlin = ZoneInfo("Europe/Berlin")
    assert expires_at(policy, date(2026, 3, 5), berlin) == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert expires_at(policy, date(2026, 2, 5), berlin) == datetime(2026, 2, 28, 23, tzinfo=UTC)


def test_inactivity_counts_whole_days_after_the_last_active_one() -> None:
    policy = parse_policy({"kind": "inactivity", "days": 30})
    assert lapses_at(policy, date(2026, 3, 1), ZoneInfo("Asia/Shanghai")) == datetime(2026, 3, 31, 16, tzinfo=UTC)


@given(
    st.sampled_from(ZONES),
    st.dates(date(1995, 1, 1), date(2060, 1, 1)),
    st.sampled_from(["month", "quarter", "year"]),
    st.integers(0, 400),
)
def test_the_last_good_day_is_good_to_its_last_second_and_the_next_is_not(
    zone: ZoneInfo, earned_on: date, period: str, plus: int
) -> None:
    policy = parse_policy({"kind": "end_of", "period": period, "plus_days": plus})
    last, gone = last_good_day(policy, earned_on), expires_at(policy, earned_on, zone)
    assert last is not None
    assert gone is not None
    assert last >= earned_on
    assert gone.astimezone(zone).date() > last
    before = datetime.fromtimestamp(gone.timestamp() - 1, zone)
    assert before.date() == last


@pytest.mark.parametrize(
    "wrong", [{"kind": "after_days", "days": 0}, {"kind": "someday"}, {"kind": "end_of", "period": "week"}]
)
def test_a_wrong_policy_is_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        parse_policy(wrong)
