"""What rules gather of a member's events: stamps, sums, different values, days in a row, remainders. Pure.

A rule that gathers fires when its goal is reached, or at every step. How often it has fired is written down nowhere: it
follows from what is gathered, so that each event fires by the difference that it makes, and a refund, which takes away
what its purchase brought, says by the same difference what is lost.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any, Protocol

from apps.activity.facts import EventFacts, LineFacts
from apps.conditions.compiling import as_number, as_text
from apps.rules.periods import period_start

EVER = date.min
MOST_VALUES = 500
"""Different values that are kept of one member, rule and period; goals and steps are far below."""
KEPT_DAYS = 62
"""How long before the newest day of a streak a late event still finds its place in it."""
MOST_FIRED = 50
"""Events that are remembered to have fired, the latest of a period."""
SMALLEST = Decimal("0.000001")
"""What is kept of a sum: nothing smaller counts, so that it is the same read back."""
MOST_TOLD = Decimal(10) ** 12
"""What one event's attribute adds to a sum at most, whatever it says: far above any goal, and it can be kept."""

Gathered = Decimal | tuple[str, ...]
"""What one event brings: an amount, or values."""


@dataclass(frozen=True, slots=True)
class Firing:
    """An event at which a rule fired: how many steps at once, and how many of them refunds have undone."""

    event_id: int
    steps: int
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """What a member has gathered for a rule in one period."""

    value: Decimal = Decimal(0)
    seen: Mapping[str, int] = field(default_factory=dict)
    """How many events brought each value; of a streak each day, as its ordinal."""
    run: tuple[int, int] = (0, 0)
    """Of a streak: the last day that is no longer kept, and how many days in a row ended with it."""
    done: int = 0
    """Of a streak: how often those fired that are no longer kept."""
    fired: tuple[Firing, ...] = ()
    due: int = 0
    """Steps that were reached when two members became one, and that the next event fires."""

    def plus(self, gathered: Gathered, times: int = 1) -> "Progress":
        """With what an event brings; without it, where `times` is −1."""
        if isinstance(gathered, Decimal):
            return replace(self, value=self.value + times * gathered)
        seen = dict(self.seen)
        for text in gathered:
            number = seen.pop(text, 0) + times
            if number > 0 and (text in self.seen or len(seen) < MOST_VALUES):
                seen[text] = number
        return replace(self, seen=seen)

    def with_firing(self, event_id: int, steps: int) -> "Progress":
        return replace(self, fired=(*self.fired, Firing(event_id, steps))[-MOST_FIRED:])

    def to_json(self) -> dict[str, Any]:
        parts = {
            "seen": self.seen,
            "run": self.run if self.run[1] else (),
            "done": self.done,
            "fired": [(each.event_id, each.steps, each.lost) for each in self.fired],
            "due": self.due,
        }
        return {name: part for name, part in parts.items() if part}

    @classmethod
    def from_json(cls, value: str, state: Mapping[str, Any]) -> "Progress":
        fired = tuple(Firing(*each) for each in state.get("fired", ()))
        last, length = state.get("run", (0, 0))
        return cls(
            Decimal(value), state.get("seen", {}), (last, length), state.get("done", 0), fired, state.get("due", 0)
        )


NOTHING = Progress()


class Gatherer(Protocol):
    """What gathers: the accumulator of a rule, or an effect that carries its remainder on."""

    @property
    def by_share(self) -> bool:
        """Whether a refund of a part takes its share; otherwise only one of the whole takes anything."""

    def start(self, day: date) -> date:
        """The first day of the period that an event of local `day` counts in."""

    def gathered(self, event: EventFacts) -> Gathered: ...

    def after(self, progress: Progress, gathered: Gathered, times: int = 1) -> Progress:
        """With what an event brings (without it, where `times` is −1)."""

    def fires(self, progress: Progress) -> int:
        """How often so much has fired in all."""

    def needs(self, fires: int) -> Decimal:
        """The sum that fires so often."""

    def shown(self, progress: Progress) -> tuple[Decimal, Decimal]:
        """How far it is to the next time, as “7 of 10”."""


OF_LINES: dict[str, Callable[[LineFacts], Any]] = {
    "amount": lambda line: line.amount,
    "pieces": lambda line: line.quantity,
    "articles": lambda line: line.sku,
    "categories": lambda line: line.category,
}
OF_EVENTS: dict[str, Callable[[EventFacts], Any]] = {
    "stores": lambda event: event.unit_path,
    "channels": lambda event: event.channel,
    "days": lambda event: str(event.date.toordinal()),
    "streak": lambda event: str(event.date.toordinal()),
}


@dataclass(frozen=True, slots=True)
class Accumulator:
    """Gathers what the events of a rule bring in each `period`, and fires `at` so much: once, or at `every` step.

    `of` says what: events, the amount or pieces of the lines that count, how many different stores, channels, days,
    articles or categories, the numbers or the different values of an attribute, or days in a row.
    """

    of: str
    at: Decimal
    every: bool = False
    period: str = "ever"
    counts: Callable[[LineFacts], bool] | None = None
    attribute: str = ""

    @property
    def by_share(self) -> bool:
        return self.of in ("amount", "pieces")

    def start(self, day: date) -> date:
        return period_start(self.period, day)

    def gathered(self, event: EventFacts) -> Gathered:
        match self.of:
            case "events":
                return Decimal(1)
            case "attribute_sum":
                told = as_number(event.attributes.get(self.attribute)) or Decimal(0)
                return min(max(Decimal(0), told), MOST_TOLD).quantize(SMALLEST, ROUND_DOWN)
            case "attribute_values":
                values = [as_text(event.attributes.get(self.attribute))]
            case "amount" if self.counts is None:
                return event.amount or Decimal(0)
            case "amount" | "pieces":
                return sum((OF_LINES[self.of](line) for line in self._lines(event)), Decimal(0))
            case "articles" | "categories":
                values = [OF_LINES[self.of](line) for line in self._lines(event)]
            case _:
                values = [OF_EVENTS[self.of](event)]
        return tuple(dict.fromkeys(value for value in values if value))

    def _lines(self, event: EventFacts) -> Iterator[LineFacts]:
        return (line for line in event.lines if self.counts is None or self.counts(line))

    def after(self, progress: Progress, gathered: Gathered, times: int = 1) -> Progress:
        if self.of != "streak" or isinstance(gathered, Decimal):
            return progress.plus(gathered, times)
        kept = progress.plus(tuple(day for day in gathered if int(day) > progress.run[0]), times)
        return self._forget(kept)

    def fires(self, progress: Progress) -> int:
        if self.of == "streak":
            return progress.done + sum(self._fires_at(length) for _, length in _runs(progress))
        return self._fires_at(self._reached(progress))

    def needs(self, fires: int) -> Decimal:
        return self.at * (fires if self.every else min(fires, 1))

    def shown(self, progress: Progress) -> tuple[Decimal, Decimal]:
        if progress.due:
            return self.at, self.at
        reached = self._reached(progress)
        return (reached % self.at if self.every else min(reached, self.at)), self.at

    def short_of(self, gathered: Gathered) -> Progress:
        """Where a member stands whom an event that brings so much takes to the goal, or exactly to a step."""
        brought = gathered if isinstance(gathered, Decimal) else Decimal(len(gathered))
        missing = (self.at - brought % self.at) % self.at if self.every else max(Decimal(0), self.at - brought)
        if isinstance(gathered, Decimal):
            return Progress(value=missing)
        last = int(gathered[0]) if self.of == "streak" else 0
        return Progress(seen={str(last - number): 1 for number in range(1, int(missing) + 1)})

    def shown_on(self, progress: Progress, day: date) -> tuple[Decimal, Decimal]:
        """How far it is on a local day: a streak that ended before the day before is broken."""
        if self.of == "streak" and (_runs(progress) or [progress.run])[-1][0] < day.toordinal() - 1:
            return Decimal(0), self.at
        return self.shown(progress)

    def _reached(self, progress: Progress) -> Decimal:
        """The sum, the number of values, or how long the latest streak is."""
        if self.of == "streak":
            return Decimal(_runs(progress)[-1][1] if progress.seen else 0)
        return progress.value if self.of in SUMS else Decimal(len(progress.seen))

    def _fires_at(self, reached: Decimal | int) -> int:
        return int(reached // self.at) if self.every else int(reached >= self.at)

    def _forget(self, progress: Progress) -> Progress:
        """Without the days that are too long ago; what they came to is kept as two numbers."""
        days = sorted(map(int, progress.seen))
        seen, (last, length), done = dict(progress.seen), progress.run, progress.done
        for day in days:
            if day > days[-1] - KEPT_DAYS:
                break
            if day != last + 1:
                done, length = done + self._fires_at(length), 0
            last, length = day, length + 1
            del seen[str(day)]
        return replace(progress, seen=seen, run=(last, length), done=done)


SUMS = ("events", "amount", "pieces", "attribute_sum")


def _runs(progress: Progress) -> list[tuple[int, int]]:
    """The days in a row that are kept: their last day and how many they are, the oldest first."""
    runs = [progress.run] if progress.run[1] else []
    for day in sorted(map(int, progress.seen)):
        if runs and day == runs[-1][0] + 1:
            runs[-1] = day, runs[-1][1] + 1
        else:
            runs.append((day, 1))
    return runs


def given_back(gathered: Gathered, before: Decimal | None, after: Decimal, amount: Decimal, by_share: bool) -> Gathered:
    """What a refund takes away of what its purchase of `amount` brought, where so much had been given back `before` it
    (None: it is the first) and `after` it: its share, or else everything at the one by which all is given back.

    >>> given_back(Decimal(30), Decimal(0), Decimal(10), Decimal(20), True)
    Decimal('15.000000')
    >>> given_back(("S1",), Decimal(0), Decimal(10), Decimal(20), False)
    ()
    >>> given_back(Decimal(1), Decimal(20), Decimal(20), Decimal(20), False)
    Decimal('0')
    """
    if by_share and amount and isinstance(gathered, Decimal):
        return _share(gathered, after, amount) - _share(gathered, before or Decimal(0), amount)
    if after >= amount and (before is None or before < amount):
        return gathered
    return Decimal(0) if isinstance(gathered, Decimal) else ()


def _share(gathered: Decimal, part: Decimal, amount: Decimal) -> Decimal:
    return (gathered * part / amount).quantize(SMALLEST, ROUND_DOWN)


def undone(progress: Progress, event_id: int, steps: int) -> tuple[Progress, list[tuple[Firing, int]]]:
    """Undoes `steps` of what fired: at this event first, then at the latest. What was undone, with how many steps of it."""
    fired = list(progress.fired)
    order = sorted(range(len(fired)), key=lambda n: (fired[n].event_id != event_id, -n))
    found = []
    for n in order:
        part = min(steps, fired[n].steps - fired[n].lost)
        if part > 0:
            found.append((fired[n], part))
            fired[n] = replace(fired[n], lost=fired[n].lost + part)
            steps -= part
    return replace(progress, fired=tuple(fired)), found


def as_gathered(written: Any) -> Gathered:
    """What an answer says was gathered."""
    return tuple(written) if isinstance(written, Sequence) and not isinstance(written, str) else Decimal(written)


def as_written(gathered: Gathered) -> Any:
    return f"{gathered.normalize():f}" if isinstance(gathered, Decimal) else list(gathered)
