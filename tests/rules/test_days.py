"""Promise R11: caps and expiry follow the programme's own days, over daylight saving, leap day and month ends, and
whenever and in whatever order events arrive."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.orgs.models import Program
from apps.points.checking import differences
from apps.points.models import Entry, Lot
from apps.points.services import adjust, expire_due, redeem
from apps.rules import snapshot
from tests.rules.conftest import START, Till, publish, purchase, refund

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns")
TURNS = [
    datetime(2026, 3, 8, 5, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 4, 30, tzinfo=UTC), datetime(2028, 2, 29, 12, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC),
    datetime(2026, 12, 31, 20, tzinfo=UTC), datetime(2026, 4, 30, 16, tzinfo=UTC),
]  # fmt: skip
"""Moments where clocks change, and where days, months and years end in one of the zones."""
CAP = 100
LATER = datetime(2030, 1, 1, tzinfo=UTC)

moments = st.builds(
    lambda turn, minutes: turn + timedelta(minutes=minutes), st.sampled_from(TURNS), st.integers(-2_000, 2_000)
)
histories = st.lists(st.tuples(moments, st.integers(1, 80)), min_size=1, max_size=12)


@contextmanager
def rolled_back() -> Iterator[None]:
    """An example that leaves nothing behind, the configuration's epoch included."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    snapshot.forget()


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(ZONES), histories, st.randoms(use_true_random=False), moments)
def test_caps_and_expiry_follow_the_programmes_days_in_any_order(
    till: Till, zone: str, history: list[tuple[datetime, int]], shuffler: object, as_of: datetime
) -> None:
    """Catches the server's own day in the place of the programme's, and a month that ends in UTC."""
    expected = {day: min(CAP, points) for day, points in by_day(history, zone).items()}
    left = sum(points for day, points in expected.items() if local(as_of, zone) <= end_of_month(day))
    events = [
        purchase(str(Decimal(amount)), key=f"e{number}", occurred_at=at) for number, (at, amount) in enumerate(history)
    ]
    shuffler.shuffle(events)  # type: ignore[attr-defined]
    for size in (1, len(events)):
        with rolled_back():
            prepare(till, zone)
            for start in range(0, len(events), size):
                till.send(*events[start : start + size], when=LATER)
            assert earned_by_day() == expected
            assert sum(expected.values()) - expire_due(as_of).points == till.account().balance == left
            assert expire_due(as_of).lots == 0
            assert differences() == []


def prepare(till: Till, zone: str) -> None:
    kind = till.group.point_types["east"]
    kind.expiry = {"kind": "end_of", "period": "month"}
    kind.save()
    Program.objects.update(time_zone=zone)
    publish(till.group, cap=CAP)


def local(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def by_day(history: list[tuple[datetime, int]], zone: str) -> dict[date, int]:
    found: dict[date, int] = defaultdict(int)
    for at, points in history:
        found[local(at, zone)] += points
    return dict(found)


def earned_by_day() -> dict[date, int]:
    found: dict[date, int] = defaultdict(int)
    for day, points in Lot.objects.values_list("event__day", "earned"):
        found[day] += points
    return dict(found)


def inactive_after(till: Till, days: int) -> None:
    kind = till.group.point_types["east"]
    kind.expiry = {"kind": "inactivity", "days": days}
    kind.save()


@pytest.mark.django_db
@pytest.mark.parametrize("is_swept", [True, False])
@pytest.mark.parametrize("size", [1, 3])
def test_an_event_after_the_lapse_revives_nothing_whether_or_not_the_sweep_came_first(
    till: Till, is_swept: bool, size: int
) -> None:
    """Catches a lapse that only the sweep knows of: an event before it would move the day on."""
    inactive_after(till, 30)
    publish(till.group)
    days = (0, 10, 45)
    events = [purchase("100", key=f"e{day}", occurred_at=START + timedelta(days=day)) for day in days]
    for number in range(0, 3, size):
        if is_swept and size == 1:
            expire_due(events[number].occurred_at)
        till.send(*events[number : number + size])
    assert [(lot.earned, lot.remaining) for lot in Lot.objects.order_by("earned_at")] == [
        (100, 0),
        (100, 0),
        (100, 100),
    ]
    assert till.account().balance == 100
    expire_due(START + timedelta(days=45 + 30))
    assert till.account().balance == 100
    expire_due(START + timedelta(days=45 + 32))
    assert till.account().balance == 0


@pytest.mark.django_db
def test_points_given_by_hand_revive_nothing(till: Till) -> None:
    inactive_after(till, 30)
    publish(till.group)
    till.send(purchase("100"))
    kind = till.group.point_types["east"]
    adjust(None, till.member().pk, kind.pk, 5, reason="sorry", key="a1", when=START + timedelta(days=40))
    assert till.account().balance == 5


@pytest.mark.django_db
@pytest.mark.parametrize("size", [1, 2])
def test_a_refund_takes_from_points_earned_in_its_own_batch(till: Till, size: int) -> None:
    """Catches an account's new lots being unknown to what comes after them in the wave."""
    publish(till.group)
    till.send(purchase("100", key="old"))
    redeem(None, till.account().pk, 100, key="r1", unit=till.group["S001"], when=START)
    rest = [purchase("60", key="new", occurred_at=START), refund("old", "100")]
    for number in range(0, 2, size):
        till.send(*rest[number : number + size])
    assert (till.account().balance, till.account().debt) == (-40, 40)
    assert [(lot.earned, lot.remaining) for lot in Lot.objects.order_by("pk")] == [(100, 0), (60, 0)]
    assert sorted(Entry.objects.filter(kind="clawback").values_list("points", flat=True)) == [-60, -40]
