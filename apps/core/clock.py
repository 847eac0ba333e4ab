"""Time: the one place that asks the clock, and half-open periods.

Instants are aware and in UTC; a local day is a programme's. A period includes its start and excludes its end.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present instant. Only entry points call this; services take `when`."""
    return datetime.now(UTC)


def local_day(when: datetime, zone: ZoneInfo) -> date:
    """The calendar day of `when` in `zone`."""
    return when.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of `day` in `zone`, in UTC; also the end, excluded, of the day before.

    Where daylight saving skips midnight, the first instant that exists.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    instant = midnight.astimezone(UTC)
    # A skipped midnight maps to an instant of the day before or of a shifted hour: walk to the first real one.
    while instant.astimezone(zone).date() < day:
        instant += timedelta(minutes=15)
    while (instant - timedelta(minutes=15)).astimezone(zone).date() == day:
        instant -= timedelta(minutes=15)
    return instant


@dataclass(frozen=True)
class Period:
    """From `start`, included, to `end`, excluded; None leaves a side open."""

    start: datetime | None
    end: datetime | None

    def __contains__(self, when: datetime) -> bool:
        return (self.start is None or self.start <= when) and (self.end is None or when < self.end)
