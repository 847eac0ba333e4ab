"""Working time of a unit: its hours of each weekday, its holidays, and the days worked in their place. Pure.

{"week": {"1": [["09:00", "12:00"], ["13:00", "18:00"]], …, "7": []},
 "closed": [{"first": "2026-10-01", "last": "2026-10-07"}],
 "moved": [{"on": "2026-10-10", "as": 3}]}        a Saturday that is worked like a Wednesday

Spans exclude their end; both days of a closed range belong to it. A moved day is worked also within a closed range.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from apps.orgs.calendar import Range, as_day

MOST_SPANS = 6
MOST_DAYS = 400
"""How far ahead a deadline is looked for: a calendar that is closed for longer gives none."""


def _clock(value: Any) -> time:
    if isinstance(value, str) and len(value) == 5:
        if value == "24:00":
            return time.max
        try:
            return time.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("not_a_time", "not a time of day")


def clock_text(value: time) -> str:
    """A time of day as it is written; the end of the day as 24:00."""
    return "24:00" if value == time.max else value.strftime("%H:%M")


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Moved(_Shape):
    """One day that is worked like another weekday."""

    on: Annotated[date, BeforeValidator(as_day)]
    as_: Annotated[int, Field(ge=1, le=7, alias="as")]


Span = tuple[Annotated[time, BeforeValidator(_clock)], Annotated[time, BeforeValidator(_clock)]]


class WorkingHours(_Shape):
    """When people of a unit can be expected to decide."""

    week: dict[Annotated[int, Field(ge=1, le=7)], Annotated[tuple[Span, ...], Field(max_length=MOST_SPANS)]]
    closed: Annotated[tuple[Range, ...], Field(max_length=200)] = ()
    moved: Annotated[tuple[Moved, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for spans in self.week.values():
            edges = [edge for span in spans for edge in span]
            if edges != sorted(edges) or len(set(edges)) < len(edges):
                raise PydanticCustomError("wrong_order", "the hours of a day are not in order")
        return self

    def to_json(self) -> dict[str, Any]:
        """The JSON that is read back as equal hours; every weekday stands in it."""
        return {
            "week": {
                str(day): [[clock_text(edge) for edge in span] for span in self.week.get(day, ())]
                for day in range(1, 8)
            },
            "closed": [{"first": each.first.isoformat(), "last": each.last.isoformat()} for each in self.closed],
            "moved": [{"on": each.on.isoformat(), "as": each.as_} for each in self.moved],
        }

    @property
    def is_empty(self) -> bool:
        """Whether nobody ever works."""
        return not any(self.week.values())

    def spans_on(self, day: date) -> tuple[Span, ...]:
        for moved in self.moved:
            if moved.on == day:
                return self.week.get(moved.as_, ())
        if any(each.first <= day <= each.last for each in self.closed):
            return ()
        return self.week.get(day.isoweekday(), ())

    def works_at(self, when: datetime, zone: ZoneInfo) -> bool:
        local = when.astimezone(zone)
        return any(first <= local.time() < last for first, last in self.spans_on(local.date()))

    def after(self, start: datetime, hours: int, zone: ZoneInfo) -> datetime | None:
        """The instant at which `hours` hours of working time have gone by since `start`; None where there is no
        working time for that within MOST_DAYS days."""
        left = timedelta(hours=hours)
        for begins, ends in self._periods(start, zone):
            begins = max(begins, start)
            if begins + left <= ends:
                return begins + left
            left -= max(ends - begins, timedelta(0))
        return None

    def _periods(self, start: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        """The spans that end after `start`, as instants."""
        first = start.astimezone(zone).date()
        for day in (first + timedelta(days=n) for n in range(MOST_DAYS)):
            for opens, closes in self.spans_on(day):
                ends = (
                    _instant(day + timedelta(days=1), time.min, zone)
                    if closes == time.max
                    else _instant(day, closes, zone)
                )
                if ends > start:
                    yield _instant(day, opens, zone), ends


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def parse_working_hours(data: Any) -> WorkingHours:
    """The hours that a unit's JSON describes. Raises pydantic's ValidationError."""
    return WorkingHours.model_validate(data)
