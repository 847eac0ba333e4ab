"""Special days: the days of a programme's calendar on which something is different, such as a member day. Pure.

{"kind": "on_dates", "ranges": [{"first": "2026-02-10", "last": "2026-02-20"}, …]}    both ends belong to it
{"kind": "each_year", "month": 5, "day": 8}       29 February comes in leap years only
{"kind": "each_month", "day": 8}                  the 31st comes in months that have it
{"kind": "each_week", "weekday": 2}               1 Monday to 7 Sunday
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

MOST_RANGES = 100
LEAP_YEAR = 2000


def as_day(value: Any) -> date:
    """A written day. Raises what pydantic shows at the field."""
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    if type(value) is date:
        return value
    raise PydanticCustomError("not_a_date", "not a date")


class _Days(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Range(_Days):
    """From the first day to the last, both included."""

    first: Annotated[date, BeforeValidator(as_day)]
    last: Annotated[date, BeforeValidator(as_day)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise PydanticCustomError("wrong_order", "the last day is before the first")
        return self


class OnDates(_Days):
    """Days that are named one by one, or as ranges."""

    kind: Literal["on_dates"] = "on_dates"
    ranges: Annotated[tuple[Range, ...], Field(min_length=1, max_length=MOST_RANGES)]

    def holds(self, on: date) -> bool:
        return any(each.first <= on <= each.last for each in self.ranges)


class EachYear(_Days):
    """One day of every year; 29 February in leap years only."""

    kind: Literal["each_year"] = "each_year"
    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=1, le=31)]

    @model_validator(mode="after")
    def _exists(self) -> Self:
        if self.day > monthrange(LEAP_YEAR, self.month)[1]:
            raise PydanticCustomError("no_such_day", "the month has no such day")
        return self

    def holds(self, on: date) -> bool:
        return (on.month, on.day) == (self.month, self.day)


class EachMonth(_Days):
    """One day of every month that has it."""

    kind: Literal["each_month"] = "each_month"
    day: Annotated[int, Field(ge=1, le=31)]

    def holds(self, on: date) -> bool:
        return on.day == self.day


class EachWeek(_Days):
    """One day of every week: 1 Monday to 7 Sunday."""

    kind: Literal["each_week"] = "each_week"
    weekday: Annotated[int, Field(ge=1, le=7)]

    def holds(self, on: date) -> bool:
        return on.isoweekday() == self.weekday


Days = Annotated[OnDates | EachYear | EachMonth | EachWeek, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[OnDates | EachYear | EachMonth | EachWeek] = TypeAdapter(Days)


def parse_days(data: Any) -> OnDates | EachYear | EachMonth | EachWeek:
    """The days that a special day's JSON describes. Raises pydantic's ValidationError."""
    return _ADAPTER.validate_python(data)


@dataclass(slots=True)
class Calendar:
    """A programme's special days by code; what a local day is, is worked out once."""

    days: dict[str, OnDates | EachYear | EachMonth | EachWeek]
    _by_date: dict[date, tuple[str, ...] | None] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[tuple[str, Any]]) -> Self:
        """The calendar of rows of code and JSON."""
        return cls({code: parse_days(data) for code, data in rows})

    def on(self, day: date) -> tuple[str, ...] | None:
        """The codes of what `day` is; None where it is a day like any other."""
        if not self.days:
            return None
        if day not in self._by_date:
            self._by_date[day] = tuple(code for code, days in self.days.items() if days.holds(day)) or None
        return self._by_date[day]
