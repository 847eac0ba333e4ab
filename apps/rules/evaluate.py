"""What an event earns: pure, so that the API, the batch, the try-out panel, the backtest and the tests agree.

No query, no clock. `RuleSet.matches` is the generated function of `apps.conditions` for all rules at once; here is
what the rules that hold are worth, and what their limits leave of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from apps.activity.facts import EventFacts
from apps.conditions.windows import Window
from apps.members.facts import MemberFacts
from apps.rules.effects import CARRY, HOLDS, Effect, Fixed, HoldForReview, Multiplier, Rate, Tag
from apps.rules.progress import EVER, NOTHING, Accumulator, Gathered, Gatherer, Progress, as_written
from apps.rules.validity import LiveValidity


@dataclass(frozen=True, slots=True)
class LiveLimit:
    """At most `most` points or times of a rule, for each `per` and local `period`. Of money or pieces that earn, and of
    what points cost, `most` is in millionths, as everything counted of them is."""

    per: str
    period: str
    of: str
    most: int

    @property
    def cap(self) -> int | str:
        """`most` as a definition has it."""
        return self.most if self.of in ("points", "times") else format(whole_of(self.most).normalize(), "f")


def millionths(value: Decimal | int | str) -> int:
    """
    >>> millionths("12.5")
    12500000
    """
    return int(Decimal(value).scaleb(6))


def whole_of(value: int) -> Decimal:
    """What so many millionths are."""
    return Decimal(value).scaleb(-6)


@dataclass(frozen=True, slots=True)
class LiveStacking:
    """Of the rules of one `group` only one gives points to an event: the best, or the first in `order` that gives any; or
    all of them, reckoned in their order, where they `take` the sum."""

    group: str
    take: str
    order: int


@dataclass(frozen=True, slots=True)
class LiveRule:
    """A rule version in force."""

    rule_id: int
    version_id: int
    number: int
    code: str
    name: str
    effects: tuple[Effect, ...]
    limits: tuple[LiveLimit, ...] = ()
    stacking: LiveStacking | None = None
    validity: LiveValidity | None = None
    costs: tuple[int, ...] = ()
    """What a point of each effect costs, in millionths."""
    accumulator: Accumulator | None = None
    """Where it has one, the rule gives only when that fires; fixed points for each step that is reached at once."""

    def gatherer(self, name: str) -> Gatherer | None:
        """What gathers under that name: `events`, or `carry 0` for the first effect."""
        if self.accumulator is not None and name == self.accumulator.of:
            return self.accumulator
        carrying = (effect for number, effect in enumerate(self.effects) if name == carry_name(number))
        return next((effect for effect in carrying if effect.carries), None)  # type: ignore[return-value]

    @property
    def gives_tags(self) -> bool:
        return any(isinstance(effect, Tag) for effect in self.effects)

    @property
    def gathers(self) -> bool:
        return self.accumulator is not None or any(effect.carries for effect in self.effects)

    def undone_by(self, effect: int) -> str | None:
        """What gathers decides on what that effect gives, so that a refund undoes steps of it; None where it takes its
        share instead."""
        given = self.effects[effect]
        if given.carries:
            return carry_name(effect)
        return self.accumulator.of if self.accumulator is not None and isinstance(given, Fixed) else None


Skipped = Sequence[Sequence[int]]
"""For each rule in force whose condition failed: its version and the leaf that failed. As JSON has it: shared, never
changed."""

Steps = tuple[tuple[LiveRule, int, Effect], ...]
"""The effects of rules that hold, in the order they are reckoned: rule by rule, and multipliers after all others."""

Rivals = tuple[tuple[LiveRule, ...], ...]
"""The groups in which several rules hold, by name; the rules of each in their order."""

OUTDONE = -2
"""Stands for the leaf that failed where a rule held, but another of its group was taken."""


def carry_name(effect: int) -> str:
    """What an effect that carries its remainder on is called among what its rule gathers."""
    return f"{CARRY} {effect}"


def is_carry(name: str) -> bool:
    """Whether an effect's remainder is gathered under that name; else it is what a goal counts."""
    return name.startswith(CARRY)


MOST_VERDICTS = 10_000
WITHOUT_END = 10**30
"""Points that no effect is worth."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules in force at one unit and time, in the order they are reckoned, and their conditions as one function."""

    rules: tuple[LiveRule, ...]
    matches: Callable[[EventFacts, MemberFacts], tuple[int, ...]]
    point_type_ids: tuple[int, ...] = ()
    windows: frozenset[Window] = frozenset()
    """The windows of the members' histories that the rules ask about."""
    short_windows: frozenset[tuple[str, Window]] = frozenset()
    """What they ask about the minutes before an event."""
    asks_tags: bool = False
    """Whether a rule asks about the members' tags."""
    point_windows: frozenset[Window] = frozenset()
    """The windows over which they ask about points that members earned or spent."""
    limited: tuple[LiveRule, ...] = field(init=False)
    """The rules that have limits."""
    gathers: bool = field(init=False)
    """Whether a rule gathers something of the members' events."""
    tags: bool = field(init=False)
    """Whether a rule gives members a tag."""
    holds: bool = field(init=False)
    """Whether a rule has events wait for a review."""
    are_plain: bool = field(init=False)
    """Whether they give points, and do nothing of all this."""
    _verdicts: dict[tuple[int, ...], tuple[Steps, Rivals, Skipped]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "limited", tuple(rule for rule in self.rules if rule.limits))
        object.__setattr__(self, "gathers", any(rule.gathers for rule in self.rules))
        object.__setattr__(self, "tags", any(rule.gives_tags for rule in self.rules))
        effects = (effect for rule in self.rules for effect in rule.effects)
        object.__setattr__(self, "holds", any(isinstance(effect, HoldForReview) for effect in effects))
        object.__setattr__(self, "are_plain", not (self.gathers or self.tags or self.holds))

    @property
    def may_turn(self) -> bool:
        """Whether what rules ask about a member may change from one event of a wave to the next, unlike what they ask
        about what the member did: that is read for each event."""
        return self.asks_tags or bool(self.point_windows)

    def starts(self, day: date) -> list[date]:
        """The first days of the periods that events of local `day` are gathered in."""
        gatherers: list[Any] = [rule.accumulator for rule in self.rules if rule.accumulator is not None]
        gatherers += [effect for rule in self.rules for effect in rule.effects if effect.carries]
        return sorted({gatherer.start(day) for gatherer in gatherers})

    def verdict(self, event: EventFacts, member: MemberFacts) -> tuple[Steps, Rivals, Skipped]:
        """What is to be reckoned, which rules rival each other, and what failed in the rules that do not hold. Events
        come to few different verdicts: each is kept."""
        leaves = self.matches(event, member)
        verdict = self._verdicts.get(leaves)
        if verdict is None:
            if len(self._verdicts) >= MOST_VERDICTS:
                self._verdicts.clear()
            pairs = list(zip(self.rules, leaves, strict=True))
            held = [rule for rule, leaf in pairs if leaf == HOLDS]
            steps = [(rule, number, effect) for rule in held for number, effect in enumerate(rule.effects)]
            steps.sort(key=lambda step: (isinstance(step[2], Multiplier), _place(step[0])))
            verdict = tuple(steps), _rivals(held), [[rule.version_id, leaf] for rule, leaf in pairs if leaf != HOLDS]
            self._verdicts[leaves] = verdict
        return verdict


def _rivals(held: Sequence[LiveRule]) -> Rivals:
    groups: dict[str, list[LiveRule]] = {}
    for rule in held:
        if rule.stacking is not None and rule.stacking.take != "sum":
            groups.setdefault(rule.stacking.group, []).append(rule)
    several = [sorted(rules, key=_order) for _, rules in sorted(groups.items()) if len(rules) > 1]
    return tuple(tuple(rules) for rules in several)


def _place(rule: LiveRule) -> tuple[str, int]:
    """Where a rule of a group that adds up is reckoned: after those without, group by group, in its order."""
    if rule.stacking is None or rule.stacking.take != "sum":
        return "", 0
    return rule.stacking.group, rule.stacking.order


def _order(rule: LiveRule) -> int:
    return rule.stacking.order if rule.stacking is not None else 0


class Award(NamedTuple):
    """`points` that one effect of a rule gives; `cut` is what `limit` took of what it was worth, `seen` what the
    effect was reckoned from; `measured`, where a limit counts that, so many millionths of it as the limits left."""

    rule: LiveRule
    effect: int
    point_type_id: int
    seen: Any
    points: int
    cut: int
    limit: LiveLimit | None = None
    measured: int = 0

    def why(self) -> dict[str, Any]:
        """The reason as data; `apps.rules.explain` puts it into words."""
        reason = {"points": self.points + self.cut} | self.rule.effects[self.effect].why(self.seen)
        if self.limit is not None:
            reason |= {
                "cut": self.cut,
                "cap": self.limit.cap,
                "limit": {"per": self.limit.per, "period": self.limit.period, "of": self.limit.of},
            }
        return reason


class Card(NamedTuple):
    """Where a member's progress stands: of which rule, of what (see `LiveRule.gatherer`), from which day on."""

    rule_id: int
    name: str
    start: date


class Counted(NamedTuple):
    """What an event adds to a card: `gathered`, and how often the rule fires by it."""

    rule: LiveRule
    card: Card
    gathered: Gathered
    fired: int
    after: Progress

    def to_json(self) -> dict[str, Any]:
        """As an answer tells it, and as a refund reads it later."""
        gatherer = self.rule.gatherer(self.card.name)
        done, of = gatherer.shown(self.after) if gatherer is not None else (0, 0)
        return {
            "rule": self.rule.code,
            "rule_id": self.rule.rule_id,
            "rule_name": self.rule.name,
            "version": self.rule.number,
            "version_id": self.rule.version_id,
            "of": self.card.name,
            "since": self.card.start.isoformat(),
            "gathered": as_written(self.gathered),
            "fired": self.fired,
            "done": as_written(Decimal(done)),
            "goal": as_written(Decimal(of)),
        }


class Outcome(NamedTuple):
    """What an event came to: its awards, why the other rules in force gave none, what was gathered, which tags the member
    gets of which rules, and which rules have the event wait for a review, whether or not a rival of their group was
    taken."""

    awards: list[Award]
    skipped: Skipped
    counted: Sequence[Counted] = ()
    tagged: Sequence[tuple[LiveRule, Tag]] = ()
    holding: Sequence[tuple[LiveRule, HoldForReview]] = ()


Used = Mapping[tuple[int, LiveLimit], int]
"""How much of a rule's limit is used up, by the rule's id and the limit; what is missing is unused."""
Cards = Mapping[Card, Progress]
"""What the member has gathered before the event."""
NO_CARDS: Cards = {}
NOTHING_FIRED: Mapping[int, int] = {}


def evaluate(event: EventFacts, member: MemberFacts, rules: RuleSet, used: Used, cards: Cards = NO_CARDS) -> Outcome:
    """What `event` of `member` earns under `rules`."""
    steps, rivals, skipped = rules.verdict(event, member)
    if rules.are_plain and not rivals:
        return Outcome(_awards(event, member, steps, used), skipped)
    counted: list[Counted] = []
    if rules.gathers:
        counted = _counted(event, steps, cards)
        silent = {each.rule.rule_id for each in counted if each.fired <= 0}
        steps = tuple(step for step in steps if step[0].rule_id not in silent)
        firing = (tuple(rule for rule in group if rule.rule_id not in silent) for group in rivals)
        rivals = tuple(group for group in firing if len(group) > 1)
    fired = {each.rule.rule_id: each.fired for each in counted}
    holding = [(rule, effect) for rule, _, effect in steps if isinstance(effect, HoldForReview)] if rules.holds else []
    if rivals:
        outdone = _outdone(event, member, steps, rivals, used, fired, cards)
        steps = tuple(step for step in steps if step[0] not in outdone)
        skipped = [*skipped, *([rule.version_id, OUTDONE] for group in rivals for rule in group if rule in outdone)]
    awards = _awards(event, member, steps, used, fired, cards)
    if rules.gathers:
        counted += _carried(event, steps, cards)
    tagged = [(rule, effect) for rule, _, effect in steps if isinstance(effect, Tag)] if rules.tags else []
    return Outcome(awards, skipped, counted, tagged, holding)


def _counted(event: EventFacts, steps: Steps, cards: Cards) -> list[Counted]:
    """What the accumulators of the rules that hold make of the event. It counts for a rule, too, that is outdone."""
    rules = {rule.rule_id: rule for rule, _, _ in steps if rule.accumulator is not None}
    return [
        _count(event, rule, rule.accumulator.of, rule.accumulator, cards)
        for rule in rules.values()
        if rule.accumulator is not None
    ]


def _carried(event: EventFacts, steps: Steps, cards: Cards) -> list[Counted]:
    """What is carried on by the effects that were reckoned."""
    return [
        _count(event, rule, carry_name(number), effect, cards)  # type: ignore[arg-type]
        for rule, number, effect in steps
        if effect.carries
    ]


def _count(event: EventFacts, rule: LiveRule, name: str, gatherer: Gatherer, cards: Cards) -> Counted:
    card = Card(rule.rule_id, name, gatherer.start(event.date))
    before = cards.get(card, NOTHING)
    gathered = gatherer.gathered(event)
    after = gatherer.after(before, gathered)
    fired = gatherer.fires(after) - gatherer.fires(before) + before.due
    return Counted(rule, card, gathered, fired, replace(after, due=0) if before.due else after)


def _awards(
    event: EventFacts,
    member: MemberFacts,
    steps: Steps,
    used: Used,
    fired: Mapping[int, int] = NOTHING_FIRED,
    cards: Cards = NO_CARDS,
) -> list[Award]:
    awards: list[Award] = []
    for rule, number, effect in steps:
        if effect.carries:
            card = Card(rule.rule_id, carry_name(number), EVER)
            points, seen = effect.worth_carried(event, cards.get(card, NOTHING))  # type: ignore[union-attr]
        else:
            points, seen = effect.worth(event, member, awards)
        if points <= 0 or effect.point_type_id is None:
            continue
        if rule.accumulator is not None and isinstance(effect, Fixed):
            seen = fired[rule.rule_id]
            points *= seen
        if not rule.limits:
            awards.append(Award(rule, number, effect.point_type_id, seen, points, 0))
            continue
        limit = None
        granted = points
        for each in rule.limits:
            room = _room(rule, number, each, seen, used, awards)
            if room < granted:
                granted, limit = room, each
        measured = _measured(rule, number, seen, used, awards)
        awards.append(Award(rule, number, effect.point_type_id, seen, granted, points - granted, limit, measured))
    return awards


def _outdone(
    event: EventFacts,
    member: MemberFacts,
    steps: Steps,
    rivals: Rivals,
    used: Used,
    fired: Mapping[int, int],
    cards: Cards,
) -> list[LiveRule]:
    """The rules whose rivals are taken. Group by group in the order of their names: each rule is reckoned as if it
    were alone of its group, with what is decided of the groups before and without those behind."""
    waiting = [rule for group in rivals for rule in group]
    outdone: list[LiveRule] = []
    for group in rivals:
        waiting = [rule for rule in waiting if rule not in group]
        given = []
        for rule in group:
            others = [*(each for each in group if each is not rule), *waiting, *outdone]
            alone = _awards(event, member, tuple(step for step in steps if step[0] not in others), used, fired, cards)
            given.append(sum(award.points for award in alone if award.rule is rule))
        takes_best = group[0].stacking is not None and group[0].stacking.take == "best"
        taken = given.index(max(given)) if takes_best else next((n for n, points in enumerate(given) if points), 0)
        outdone += [rule for n, rule in enumerate(group) if n != taken]
    return outdone


def _room(rule: LiveRule, number: int, limit: LiveLimit, seen: Any, used: Used, awards: Sequence[Award]) -> int:
    """How many points the limit leaves of what an effect is worth. The times of a rule are counted by event, not by
    effect."""
    effect, left = rule.effects[number], limit.most - used.get((rule.rule_id, limit), 0)
    match limit.of:
        case "points":
            return max(0, left - sum(award.points for award in awards if award.rule is rule))
        case "times":
            return WITHOUT_END if left > 0 else 0
        case "cost":
            left -= sum(award.points * rule.costs[award.effect] for award in awards if award.rule is rule)
            return max(0, left) // rule.costs[number] if rule.costs[number] else WITHOUT_END
    if not isinstance(effect, Rate) or effect.measures != limit.of:
        return WITHOUT_END
    left = max(0, left - measured_of(limit.of, effect.point_type_id, rule, awards))
    return effect.of(whole_of(left)) if left < millionths(seen or 0) else WITHOUT_END


def _measured(rule: LiveRule, number: int, seen: Any, used: Used, awards: Sequence[Award]) -> int:
    """How much of the money or the pieces of an effect earned, where limits count them."""
    effect = rule.effects[number]
    if not isinstance(effect, Rate):
        return 0
    left = [
        limit.most - used.get((rule.rule_id, limit), 0) - measured_of(limit.of, effect.point_type_id, rule, awards)
        for limit in rule.limits
        if limit.of == effect.measures
    ]
    return max(0, min(millionths(seen or 0), *left)) if left else 0


def measured_of(of: str, point_type_id: int, rule: LiveRule, awards: Iterable[Award]) -> int:
    """How much of it awards of one kind of points were reckoned from; the same money may earn two kinds."""
    return sum(
        award.measured
        for award in awards
        if award.rule is rule and award.points and award.point_type_id == point_type_id
        and getattr(rule.effects[award.effect], "measures", "") == of
    )  # fmt: skip
