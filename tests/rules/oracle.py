"""What twelve rules give a month of events, by plain arithmetic: the oracle that the main road is held against.

Written from the design and from what the rules say in words, not from the code, of which it uses nothing. Numbers are
fractions; nothing is counted along the way, but every sum is made anew from all that was given so far. The policies:

* Events are reckoned in the order in which they are told, with what is known at that moment: a late event counts for
  what is told after it and changes nothing that was given before.
* The version in force when an event happened judges it, whenever it is told; so do its local hour, weekday and periods.
* What a member did before an event is what happened earlier, or at the same instant and was told earlier, in the same
  programme. The event itself is none of it.
* Multipliers come after all other effects, and raise what limits have left. A rule's limits bind all its effects
  together; times are events that were given anything. All versions of a rule use up the same limits.
* A refund takes back of each award ⌊points × refunded ÷ paid⌋ in all, less what earlier refunds took. It frees no limit.
  One whose purchase was not told yet is refused, and so is one of more than is left; what is refused never happened.
* Of the rules of a group that hold, only the one that gives most by itself gives anything; at a tie, the first.
* A rule that gathers gives by what an event adds to all that its member brought in the period and did not give back: the
  steps reached with it, less those reached without it. What is left over is carried on. Of the rules of a group only the
  one that is taken carries anything on; goals count in any case.
* A refund lowers what was brought: an amount by its share, a count once all is given back. Steps that are no longer
  reached are undone: those of the purchase itself first, then the latest; of what `n` steps gave, k of them take back
  ⌊points × k ÷ n⌋ in all.
* In a batch, a refund of a purchase of the same batch waits for the next turn, and with it what its member does later;
  so does a refund behind another event of its member.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from math import ceil, floor
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
"""Of the programme; its clocks change in the month that is told."""
TURN = datetime(2026, 3, 14, 11, tzinfo=UTC)
"""When the second version of the coffee rule comes into force: at noon."""
ALWAYS, NEVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
NORTH, EAST = ("S001", "S002"), ("S001", "S002", "S003")


class Event(Protocol):
    """An event as it is told; lines have `sku`, `category`, `quantity` and `amount`."""

    @property
    def key(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def member_value(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def store(self) -> str | None: ...
    @property
    def channel(self) -> str: ...
    @property
    def refund_of(self) -> str | None: ...
    @property
    def lines(self) -> Sequence[Any]: ...


class Given(NamedTuple):
    """What one effect gave: `points` of the `worth` that it had before limits. Of a refund: what it took back of so much
    worth."""

    rule: str
    version: int
    points: int
    worth: int


Answer = list[Given] | str
"""What an event came to; a text is the code of its refusal."""


def paid(event: Event) -> Fraction:
    return sum((Fraction(line.amount) for line in event.lines), Fraction(0))


def day_of(event: Event) -> date:
    return local_day(event.occurred_at)


@cache
def local_day(at: datetime) -> date:
    return at.astimezone(ZONE).date()


@dataclass(frozen=True)
class Moment:
    """An event and what is known of its member before it."""

    event: Event
    past: list[Event]

    @property
    def local(self) -> datetime:
        return self.event.occurred_at.astimezone(ZONE)

    @property
    def is_purchase(self) -> bool:
        return self.event.kind == "purchase"

    def paid_for(self, *categories: str) -> Fraction:
        return sum((Fraction(line.amount) for line in self.event.lines if line.category in categories), Fraction(0))

    def pieces_of(self, *skus: str) -> Fraction:
        return sum((Fraction(line.quantity) for line in self.event.lines if line.sku in skus), Fraction(0))

    def orders(self, days: int | None = None) -> int:
        first = date.min if days is None else self.local.date() - timedelta(days=days - 1)
        return sum(event.kind == "purchase" and day_of(event) >= first for event in self.past)

    def spent_this_month(self) -> Fraction:
        first = self.local.date().replace(day=1)
        signs = {"purchase": 1, "refund": -1, "check_in": 0}
        return sum((signs[each.kind] * paid(each) for each in self.past if day_of(each) >= first), Fraction(0))


PERIODS: dict[str, Callable[[date], Any]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: (day.year, day.month),
    "ever": lambda day: None,
}


class Limit(NamedTuple):
    per: str
    period: str
    of: str
    most: int


@dataclass(frozen=True)
class Rule:
    """One version of a rule: what its effects are worth, or what each adds to so many points that were given before: to
    all of them, or to the base, which no multiplier gave."""

    name: str
    holds: Callable[[Moment], bool]
    worth: tuple[Callable[[Moment], int], ...] = ()
    raises: tuple[tuple[str, Callable[[int], int]], ...] = ()
    limits: tuple[Limit, ...] = ()
    stores: tuple[str, ...] = EAST
    since: datetime = ALWAYS
    until: datetime = NEVER
    version: int = 1
    group: str = ""
    goals: Callable[[list["Left"]], int] | None = None
    """Of a rule that gives at its goals: how many are reached with what was brought; each goal is worth so much again."""
    carries: Callable[[list["Left"]], int] | None = None
    """Of a rule that carries on: what all that was brought is worth."""
    period: str = "ever"


class Left(NamedTuple):
    """An event that counts, and how much of what was paid for it was not given back."""

    event: Event
    amount: Fraction


def in_a_row(brought: list[Left]) -> int:
    """For every two days in a row one."""
    days = sorted({day_of(event) for event, _ in brought})
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return sum(len(run) // 2 for run in runs)


def half_up(number: Fraction) -> int:
    return floor(number + Fraction(1, 2))


def best_row(moment: Moment) -> int:
    amount = paid(moment.event)
    return max(
        100 if moment.orders() == 0 else 0,
        half_up(amount / 5) if moment.orders(7) >= 2 else 0,
        30 if moment.spent_this_month() >= 300 else 0,
        half_up(amount / 4) if amount >= 100 else 0,
        12 if any(line.category == "gift" for line in moment.event.lines) else 0,
    )


RULES = [
    Rule(
        "weekend in the north",
        lambda moment: moment.local.isoweekday() in (6, 7),
        raises=(("base", lambda points: points),),
        stores=NORTH,
    ),
    Rule(
        "coffee",
        lambda moment: moment.is_purchase,
        (lambda moment: floor(moment.paid_for("coffee")),),
        limits=(Limit("member", "day", "points", 60),),
        until=TURN,
    ),
    Rule(
        "coffee",
        lambda moment: moment.is_purchase,
        (lambda moment: half_up(moment.paid_for("coffee", "tea") * 2 / 3),),
        limits=(Limit("member", "day", "points", 80),),
        since=TURN,
        version=2,
    ),
    Rule(
        "pieces",
        lambda moment: moment.is_purchase and moment.event.channel == "app",
        (lambda moment: ceil(moment.pieces_of("A1", "B2") * 5 / 3), lambda moment: 2),
        limits=(Limit("member", "week", "points", 25),),
        group="goods",
    ),
    Rule(
        "morning",
        lambda moment: (
            moment.event.kind == "check_in" and moment.local.isoweekday() <= 5 and 6 <= moment.local.hour < 15
        ),
        (lambda moment: 7,),
        limits=(Limit("member", "month", "times", 2),),
    ),
    Rule("table", lambda moment: moment.is_purchase, (best_row,)),
    Rule(
        "evening",
        lambda moment: 17 <= moment.local.hour < 21,
        raises=(
            ("all", lambda points: ceil(Fraction(points, 2))),
            ("base", lambda points: half_up(Fraction(points, 4))),
        ),
        limits=(Limit("member", "day", "points", 50),),
    ),
    Rule(
        "stars of a store",
        lambda moment: moment.is_purchase,
        (lambda moment: floor(paid(moment.event)),),
        limits=(Limit("store", "day", "points", 400),),
    ),
    Rule(
        "stars of the programme",
        lambda moment: moment.event.kind == "check_in" or paid(moment.event) >= 40,
        (lambda moment: 3,),
        limits=(Limit("programme", "ever", "times", 250),),
    ),
    Rule("forty", lambda moment: moment.is_purchase, carries=lambda all: floor(sum(left.amount for left in all) / 40)),
    Rule("in a row", lambda moment: moment.event.kind == "check_in", (lambda moment: 20,), goals=in_a_row),
    Rule(
        "every third",
        lambda moment: moment.is_purchase,
        (lambda moment: 15,),
        goals=lambda all: sum(left.amount > 0 for left in all) // 3,
        period="month",
    ),
    Rule(
        "tea",
        lambda moment: moment.paid_for("tea") > 0,
        (lambda moment: 9,),
        carries=lambda all: floor(2 * sum(left.amount for left in all) / 65),
        group="goods",
    ),
]
"""In the order in which they were made."""
RAISING = {rule.name for rule in RULES if rule.raises}
SHARED = {rule.name for rule in RULES if any(limit.per != "member" for limit in rule.limits)}
"""Rules that many members use up together: they give stars, the others points, and no multiplier raises stars."""


class Granted(NamedTuple):
    """Points of an event; `by_steps` where what was brought decides on them."""

    event: Event
    given: Given
    by_steps: bool = False


class Brought(NamedTuple):
    """What counts for a rule, as a goal or as what it carries on."""

    rule: Rule
    event: Event


@dataclass
class Fired:
    """Steps that an event reached, and how many of them were undone."""

    brought: Brought
    steps: int
    lost: int = 0


@dataclass
class Oracle:
    """Answers events one by one, in the order in which they are told."""

    known: list[Event] = field(default_factory=list)
    granted: list[Granted] = field(default_factory=list)
    brought: list[Brought] = field(default_factory=list)
    fired: list[Fired] = field(default_factory=list)

    def tell(self, event: Event) -> Answer:
        """What the event comes to."""
        answer = self._take_back(event) if event.kind == "refund" else self._give(event)
        if not isinstance(answer, str):
            self.known.append(event)
        return answer

    def _take_back(self, refund: Event) -> Answer:
        bought = [event for event in self.known if event.key == refund.refund_of]
        if not bought:
            return "unknown_purchase"
        whole = paid(bought[0])
        before = sum((paid(event) for event in self.known if event.refund_of == refund.refund_of), Fraction(0))
        if before + paid(refund) > whole:
            return "refund_too_large"
        taken = []
        for other, given, by_steps in self.granted:
            if other is bought[0] and not by_steps:
                points = floor(given.points * (before + paid(refund)) / whole) - floor(given.points * before / whole)
                if points:
                    taken.append(Given(given.rule, given.version, -points, given.points))
        mine = [brought for brought in self.brought if brought.event is bought[0]]
        for brought in sorted(mine, key=lambda brought: brought.rule.goals is None):
            reached = self._reached(brought)
            self.known.append(refund)
            lost = reached - self._reached(brought)
            self.known.remove(refund)
            taken += self._undo(brought, lost)
        return taken

    def _undo(self, brought: Brought, lost: int) -> list[Given]:
        taken = []
        firings = [each for each in self.fired if self._is_same_card(each.brought, brought)]
        firings.reverse()
        for fired in sorted(firings, key=lambda each: each.brought.event is not brought.event):
            part = min(lost, fired.steps - fired.lost)
            if part <= 0:
                continue
            lost -= part
            for event, given, by_steps in self.granted:
                if event is fired.brought.event and given.rule == brought.rule.name and by_steps:
                    points = (
                        given.points * (fired.lost + part) // fired.steps - given.points * fired.lost // fired.steps
                    )
                    if points:
                        taken.append(Given(given.rule, given.version, -points, given.points))
            fired.lost += part
        return taken

    def _is_same_card(self, one: Brought, other: Brought) -> bool:
        period = PERIODS[one.rule.period]
        return (
            one.rule is other.rule
            and one.event.member_value == other.event.member_value
            and period(day_of(one.event)) == period(day_of(other.event))
        )

    def _reached(self, brought: Brought) -> int:
        """How many steps its member has reached."""
        counted = brought.rule.goals or brought.rule.carries
        assert counted is not None
        left = [
            Left(each.event, paid(each.event) - self._refunded(each.event))
            for each in self.brought
            if self._is_same_card(each, brought)
        ]
        return counted(left)

    def _refunded(self, event: Event) -> Fraction:
        return sum((paid(each) for each in self.known if each.refund_of == event.key), Fraction(0))

    def _bring(self, rule: Rule, event: Event) -> int:
        """How many steps the event reaches."""
        brought = Brought(rule, event)
        before = self._reached(brought)
        self.brought.append(brought)
        steps = self._reached(brought) - before
        if steps > 0:
            self.fired.append(Fired(brought, steps))
        return steps

    def _give(self, event: Event) -> list[Given]:
        past = [
            other
            for other in self.known
            if other.member_value == event.member_value
            and (other.store in EAST) == (event.store in EAST)
            and other.occurred_at <= event.occurred_at
        ]
        moment = Moment(event, past)
        rules = [
            rule
            for rule in RULES
            if event.store in rule.stores and rule.since <= event.occurred_at < rule.until and rule.holds(moment)
        ]
        steps = {rule.name: self._bring(rule, event) for rule in rules if rule.goals is not None}
        rules = [rule for rule in rules if steps.get(rule.name, 1) > 0]
        rules = self._best_of_groups(rules, moment)
        for rule in rules:
            for worth in rule.worth:
                self._grant(rule, event, worth(moment) * steps.get(rule.name, 1), by_steps=rule.goals is not None)
            if rule.carries is not None:
                self._grant(rule, event, self._bring(rule, event), by_steps=True)
        for rule in rules:
            for of, raised in rule.raises:
                left_out = SHARED if of == "all" else SHARED | RAISING
                base = sum(given.points for given in self._given_for(event) if given.rule not in left_out)
                self._grant(rule, event, raised(base))
        return self._given_for(event)

    def _best_of_groups(self, rules: list[Rule], moment: Moment) -> list[Rule]:
        for group in {rule.group for rule in rules if rule.group}:
            rivals = [rule for rule in rules if rule.group == group]
            best = max(rivals, key=lambda rule: self._alone(rule, moment))
            rules = [rule for rule in rules if rule.group != group or rule is best]
        return rules

    def _alone(self, rule: Rule, moment: Moment) -> int:
        """What the rule gives by itself."""
        worth = sum(each(moment) for each in rule.worth)
        if rule.carries is not None:
            self.brought.append(Brought(rule, moment.event))
            after = self._reached(self.brought[-1])
            self.brought.pop()
            worth += after - self._reached(Brought(rule, moment.event))
        return min([worth, *(self._room(rule.name, limit, moment.event) for limit in rule.limits)])

    def _grant(self, rule: Rule, event: Event, worth: int, *, by_steps: bool = False) -> None:
        if worth > 0:
            points = min([worth, *(self._room(rule.name, limit, event) for limit in rule.limits)])
            self.granted.append(Granted(event, Given(rule.name, rule.version, points, worth), by_steps))

    def _room(self, name: str, limit: Limit, event: Event) -> int:
        mine = whose(limit, event)
        used = [
            (other.key, given.points)
            for other, given, _ in self.granted
            if given.rule == name and given.points and whose(limit, other) == mine
        ]
        if limit.of == "points":
            return max(0, limit.most - sum(points for _, points in used))
        return 10**9 if len({key for key, _ in used} - {event.key}) < limit.most else 0

    def _given_for(self, event: Event) -> list[Given]:
        return [given for other, given, _ in self.granted if other is event]


def whose(limit: Limit, event: Event) -> tuple[Any, Any]:
    """Which member, store or programme, and which of its periods, an event is held against."""
    who = {"member": event.member_value, "store": event.store, "programme": None}[limit.per]
    return who, PERIODS[limit.period](day_of(event))


def in_turns(batch: Iterable[Event]) -> list[int]:
    """The places of a batch's events in the order in which they are reckoned."""
    by_member: dict[str, int] = {}
    by_key: dict[str, int] = {}
    turns = []
    for event in batch:
        after = [by_key[key] + 1 for key in (event.key, event.refund_of) if key in by_key]
        if event.refund_of and event.store in EAST and event.member_value in by_member:
            after.append(by_member[event.member_value] + 1)
        by_member[event.member_value] = by_key[event.key] = max([by_member.get(event.member_value, 0), *after])
        turns.append(by_key[event.key])
    return sorted(range(len(turns)), key=turns.__getitem__)
