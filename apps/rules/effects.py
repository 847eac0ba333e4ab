"""What the effects of a rule in force are worth, in whole points: pure.

Every kind answers `worth(event, member, before)` with its points and with what it saw, of which `why` tells later;
`before` are the awards that other effects have given the same event already. Quotients are rounded as the effect says,
and exactly: by whole division, not by a quotient cut to some digits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from apps.activity.facts import EventFacts
from apps.members.facts import MemberFacts
from apps.rules.bases import Bases, Counts
from apps.rules.periods import period_after
from apps.rules.progress import EVER, SMALLEST, Gathered, Progress, as_written

if TYPE_CHECKING:
    from apps.rules.evaluate import Award

HOLDS = -1
"""What a compiled condition answers when it holds; otherwise the number of the leaf that failed."""

CARRY = "carry"
"""Rounded down, and what is left over is carried to the member's next event."""

ROUNDING = {"down": ROUND_DOWN, "half_up": ROUND_HALF_UP, "up": ROUND_UP, CARRY: CARRY}

Worth = tuple[int, Any]


def points_for(base: Decimal | None, points: Decimal, per: Decimal, rounding: str) -> int:
    """`points` for each `per` of `base`, as a whole number; nothing for no base."""
    if not base:
        return 0
    whole, rest = divmod(base * points, per)
    if rest > 0 and (rounding == ROUND_UP or (rounding == ROUND_HALF_UP and 2 * rest >= per)):
        whole += 1
    return int(whole)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A number of points, whatever the event is about."""

    point_type_id: int
    points: int

    carries: ClassVar = False

    def worth(self, event: EventFacts, member: MemberFacts, before: Sequence["Award"]) -> Worth:
        return self.points, None

    def why(self, seen: Any) -> dict[str, Any]:
        return {"code": "fixed"} | ({"steps": seen} if seen is not None and seen > 1 else {})


@dataclass(frozen=True, slots=True)
class Rate:
    """`points` for each `per` of what is measured of the lines that count. One that carries gathers what it measures:
    it gives what the sum is worth after an event, less what it was worth before."""

    point_type_id: int
    points: Decimal
    per: Decimal
    rounding: str = ROUND_DOWN
    counts: Counts = None
    bases: Bases | None = None
    carries: bool = field(init=False, default=False)
    measures: ClassVar[str] = ""
    """What a limit calls it."""
    by_share: ClassVar = True

    def of(self, base: Decimal | None) -> int:
        """What so much of what is measured gives."""
        return points_for(base, self.points, self.per, self.rounding)

    def __post_init__(self) -> None:
        object.__setattr__(self, "carries", self.rounding == CARRY)

    def found(self, bases: Bases, event: EventFacts) -> Sequence[Decimal]:
        """What is measured, as the bases say: of the order, or of each line."""
        raise NotImplementedError

    def gathered(self, event: EventFacts) -> Decimal:
        """All that is measured."""
        raise NotImplementedError

    def worth(self, event: EventFacts, member: MemberFacts, before: Sequence["Award"]) -> Worth:
        if self.bases is not None:
            found = self.found(self.bases, event)
            return sum(self.of(base) for base in found), sum(found, Decimal(0))
        base = self.gathered(event)
        return points_for(base, self.points, self.per, self.rounding), base

    def worth_carried(self, event: EventFacts, progress: Progress) -> Worth:
        base = self.gathered(event)
        after = self.after(progress, base)
        return self.fires(after) - self.fires(progress) + progress.due, (
            base,
            self.shown(progress)[0],
            self.shown(after)[0],
        )

    def start(self, day: date) -> date:
        return EVER

    def after(self, progress: Progress, gathered: Gathered, times: int = 1) -> Progress:
        return progress.plus(gathered, times)

    def fires(self, progress: Progress) -> int:
        return points_for(progress.value, self.points, self.per, ROUND_DOWN)

    def needs(self, fires: int) -> Decimal:
        return (fires * self.per / self.points).quantize(SMALLEST, ROUND_UP)

    def shown(self, progress: Progress) -> tuple[Decimal, Decimal]:
        return (progress.value * self.points) % self.per / self.points, self.per

    def terms(self, seen: Any) -> dict[str, Any]:
        told = {"rate": format(self.points, "f"), "per": format(self.per, "f"), "rounding": self.rounding}
        if self.bases is not None:
            told |= self.bases.terms()
        return told | ({"carried": as_written(seen[1]), "left": as_written(seen[2])} if self.carries else {})


@dataclass(frozen=True, slots=True)
class PerAmount(Rate):
    """What is paid; for the whole event where all lines count."""

    measures: ClassVar[str] = "amount"

    def gathered(self, event: EventFacts) -> Decimal:
        counts = self.counts
        if self.bases is not None:
            return sum(self.found(self.bases, event), Decimal(0))
        if counts is None:
            return event.amount or Decimal(0)
        return sum((line.amount for line in event.lines if counts(line)), Decimal(0))

    def found(self, bases: Bases, event: EventFacts) -> Sequence[Decimal]:
        return bases.amounts(event, self.counts)

    def why(self, seen: Any) -> dict[str, Any]:
        base = seen[0] if self.carries else seen
        return {"code": "per_amount", "amount": format(base, "f")} | self.terms(seen)


@dataclass(frozen=True, slots=True)
class PerQuantity(Rate):
    """How many pieces."""

    measures: ClassVar[str] = "pieces"

    def gathered(self, event: EventFacts) -> Decimal:
        counts = self.counts
        if self.bases is not None:
            return sum(self.found(self.bases, event), Decimal(0))
        return sum((line.quantity for line in event.lines if counts is None or counts(line)), Decimal(0))

    def found(self, bases: Bases, event: EventFacts) -> Sequence[Decimal]:
        return bases.quantities(event, self.counts)

    def why(self, seen: Any) -> dict[str, Any]:
        base = seen[0] if self.carries else seen
        return {"code": "per_quantity", "quantity": format(base, "f")} | self.terms(seen)


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Raises what the event was given before it to `times` as much: of all points of the kind, or only of those that
    no multiplier gave. It comes after every other effect; multipliers follow each other in the order of their rules."""

    point_type_id: int
    times: Decimal
    of_all: bool
    rounding: str = ROUND_DOWN

    carries: ClassVar = False

    def worth(self, event: EventFacts, member: MemberFacts, before: Sequence["Award"]) -> Worth:
        base = sum(
            award.points
            for award in before
            if award.point_type_id == self.point_type_id
            and (self.of_all or not isinstance(award.rule.effects[award.effect], Multiplier))
        )
        return points_for(Decimal(base), self.times - 1, Decimal(1), self.rounding), base

    def why(self, seen: Any) -> dict[str, Any]:
        return {"code": "multiply", "times": format(self.times, "f"), "base": seen, "rounding": self.rounding}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: `points`, or `points` for each `per` of the event's amount."""

    points: Decimal
    per: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table. Of the rows whose conditions hold, the first gives its points, or the one that gives most, or
    all of them together, each rounded by itself."""

    point_type_id: int
    rows: tuple[Row, ...]
    matches: Callable[[EventFacts, MemberFacts], tuple[int, ...]]
    hit: str = "first"
    rounding: str = ROUND_DOWN
    bases: Bases | None = None

    carries: ClassVar = False

    def worth(self, event: EventFacts, member: MemberFacts, before: Sequence["Award"]) -> Worth:
        hits = [number for number, answer in enumerate(self.matches(event, member)) if answer == HOLDS]
        if not hits:
            return 0, hits
        if self.hit == "sum":
            return sum(self._points(number, event) for number in hits), hits
        if self.hit == "first":
            return self._points(hits[0], event), hits[:1]
        best = max(hits, key=lambda number: self._points(number, event))
        return self._points(best, event), [best]

    def _points(self, number: int, event: EventFacts) -> int:
        row = self.rows[number]
        if row.per is None:
            return int(row.points)
        found = [event.amount] if self.bases is None else self.bases.amounts(event, None)
        return sum(points_for(base, row.points, row.per, self.rounding) for base in found)

    def why(self, seen: Any) -> dict[str, Any]:
        terms = {} if self.bases is None or all(self.rows[n].per is None for n in seen) else self.bases.terms()
        return {"code": "table", "hit": self.hit, "rows": [number + 1 for number in seen]} | terms


@dataclass(frozen=True, slots=True)
class Tag:
    """Gives the member a tag, and no points: from the local day of the event or the first of the next period, for so many
    `days`, or to the end of that period, or for ever."""

    tag: str
    start: str = "now"
    days: int | None = None

    point_type_id: ClassVar = None
    carries: ClassVar = False

    def worth(self, event: EventFacts, member: MemberFacts, before: Sequence["Award"]) -> Worth:
        return 0, None

    def why(self, seen: Any) -> dict[str, Any]:
        return {"code": "tag", "tag": self.tag}

    def lasts(self, day: date) -> tuple[date, date | None]:
        """Its first day, and the first one that it no longer holds on, where it is given on `day`."""
        since = day if self.start == "now" else period_after(self.start, day)
        if self.days is not None:
            return since, date.fromordinal(since.toordinal() + self.days)
        return since, None if self.start == "now" else period_after(self.start, since)


@dataclass(frozen=True, slots=True)
class HoldForReview:
    """Gives no points: what the event is given waits until a person has decided on it."""

    reason: str

    point_type_id: ClassVar = None
    carries: ClassVar = False

    def worth(self, event: EventFacts, member: MemberFacts, before: Sequence["Award"]) -> Worth:
        return 0, None

    def why(self, seen: Any) -> dict[str, Any]:
        return {"code": "hold_for_review", "reason": self.reason}


Effect = Fixed | PerAmount | PerQuantity | Multiplier | Table | Tag | HoldForReview
