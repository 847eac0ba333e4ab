"""A member as conditions read them. Pure; values only, nothing personal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class OrderNumbers:
    """Which order of the member the one at hand is, by window: the first of it is 1. None for what is no order."""

    before: Mapping[int | str, int]
    is_order: bool

    def get(self, window: int | str, _missing: Any = None) -> int | None:
        return self.before.get(window, 0) + 1 if self.is_order else None


@dataclass(frozen=True, slots=True)
class History:
    """What the member had done up to some moment, over the windows that were asked for."""

    orders: Mapping[int | str, int] = field(default_factory=dict)
    spent: Mapping[int | str, Decimal] = field(default_factory=dict)
    visits: Mapping[int | str, int] = field(default_factory=dict)
    check_ins: Mapping[int | str, int] = field(default_factory=dict)
    days_since_order: int | None = None
    events: Mapping[int | str, int] = field(default_factory=dict)
    device_events: Mapping[int | str, int] = field(default_factory=dict)
    """Over short windows."""
    points_earned: Mapping[int | str, int] = field(default_factory=dict)
    points_spent: Mapping[int | str, int] = field(default_factory=dict)
    is_order: bool = False
    """Whether what the member does at that moment is an order."""

    @property
    def order_numbers(self) -> OrderNumbers:
        return OrderNumbers(self.orders, self.is_order)


NO_HISTORY = History()


@dataclass(frozen=True, slots=True)
class Birthday:
    """A birthday as it is asked about on a local day; all of it is None where it is unknown.

    `month_day` is month × 100 + day. Who was born on 29 February has their birthday on 1 March in other years.
    """

    month_day: int | None = None
    year: int | None = None
    asked_on: date = date.min

    @classmethod
    def of(cls, born: date, asked_on: date) -> "Birthday":
        return cls(born.month * 100 + born.day, born.year, asked_on)

    @property
    def age(self) -> int | None:
        """Whole years; None where the year is unknown, and before it."""
        if self.month_day is None or self.year is None:
            return None
        years = self.asked_on.year - self.year - (self._in_year(self.asked_on.year) > self.asked_on)
        return years if years >= 0 else None

    @property
    def days_ahead(self) -> int | None:
        """How many days until the next; 0 on the day itself."""
        if self.month_day is None:
            return None
        year = self.asked_on.year
        this, following = self._in_year(year), self._in_year(year + 1)
        return ((this if this >= self.asked_on else following) - self.asked_on).days

    @property
    def is_this_month(self) -> bool | None:
        if self.month_day is None:
            return None
        return self._in_year(self.asked_on.year).month == self.asked_on.month

    def _in_year(self, year: int) -> date:
        month, day = divmod(self.month_day or 0, 100)
        return date(year, month, 1) + timedelta(days=day - 1)


NO_BIRTHDAY = Birthday()


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """One member; `home_path` is the materialised path of the unit that enrolled them."""

    id: int
    home_path: str
    joined_on: date
    attributes: Mapping[str, Any]
    history: History = NO_HISTORY
    birthday: Birthday = NO_BIRTHDAY
    tags: tuple[str, ...] = ()
    """The tags that hold on the day of the event."""
    asked_on: date = date.min
    """The local day of the event."""
    was_brought: bool = False
    """Whether another member's recommendation brought them."""

    @property
    def joining(self) -> Birthday:
        """The day of joining, with its anniversaries."""
        return Birthday.of(self.joined_on, self.asked_on)
