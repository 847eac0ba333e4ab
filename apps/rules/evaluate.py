"""What an event earns: pure, so that the API, the batch, the try-out panel, the backtest and the tests agree.

No query, no clock. `RuleSet.matches` is the generated function of `apps.conditions` for all rules at once; here is
what the rules that hold are worth, and what their caps leave of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any, NamedTuple

from apps.activity.facts import EventFacts, LineFacts
from apps.conditions.windows import Window
from apps.members.facts import MemberFacts

HOLDS = -1
"""What `matches` answers for a rule whose condition holds; otherwise the number of the leaf that failed."""

ROUNDING = {"down": ROUND_DOWN, "half_up": ROUND_HALF_UP, "up": ROUND_UP}


@dataclass(frozen=True, slots=True)
class LiveEffect:
    """`points` for each `per` of the amount of the lines that count; a fixed number where `per` is None."""

    point_type_id: int
    points: Decimal
    per: Decimal | None = None
    rounding: str = ROUND_DOWN
    counts: Callable[[LineFacts], bool] | None = None

    def base(self, event: EventFacts) -> Decimal | None:
        """The amount that counts; None where the event has none."""
        if self.counts is None:
            return event.amount
        return sum((line.amount for line in event.lines if self.counts(line)), Decimal(0))

    def worth(self, base: Decimal | None) -> int:
        """Whole points for `base`, rounded as the effect says: exactly, as a quotient cut to some digits would not be."""
        if self.per is None:
            return int(self.points)
        if not base:
            return 0
        whole, rest = divmod(base * self.points, self.per)
        if rest > 0 and (self.rounding == ROUND_UP or (self.rounding == ROUND_HALF_UP and 2 * rest >= self.per)):
            whole += 1
        return int(whole)


@dataclass(frozen=True, slots=True)
class LiveRule:
    """A rule version in force."""

    rule_id: int
    version_id: int
    number: int
    code: str
    name: str
    effects: tuple[LiveEffect, ...]
    cap_per_member_day: int | None = None


Skipped = Sequence[Sequence[int]]
"""For each rule in force whose condition failed: its version and the leaf that failed. As JSON has it: shared, never
changed."""

MOST_VERDICTS = 10_000


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules in force at one unit and time, in the order they are reckoned, and their conditions as one function."""

    rules: tuple[LiveRule, ...]
    matches: Callable[[EventFacts, MemberFacts], tuple[int, ...]]
    point_type_ids: tuple[int, ...] = ()
    windows: frozenset[Window] = frozenset()
    """The windows of the members' histories that the rules ask about."""
    _verdicts: dict[tuple[int, ...], tuple[tuple[LiveRule, ...], Skipped]] = field(default_factory=dict)

    def verdict(self, event: EventFacts, member: MemberFacts) -> tuple[tuple[LiveRule, ...], Skipped]:
        """The rules that hold, and what failed in the others. Events come to few different verdicts: each is kept."""
        leaves = self.matches(event, member)
        verdict = self._verdicts.get(leaves)
        if verdict is None:
            if len(self._verdicts) >= MOST_VERDICTS:
                self._verdicts.clear()
            pairs = list(zip(self.rules, leaves, strict=True))
            held = tuple(rule for rule, leaf in pairs if leaf == HOLDS)
            verdict = held, [[rule.version_id, leaf] for rule, leaf in pairs if leaf != HOLDS]
            self._verdicts[leaves] = verdict
        return verdict


class Award(NamedTuple):
    """`points` that one effect of a rule gives; `cut` is what the cap took of what it was worth."""

    rule: LiveRule
    effect: int
    point_type_id: int
    base: Decimal | None
    points: int
    cut: int

    def why(self) -> dict[str, Any]:
        """The reason as data; `apps.rules.explain` puts it into words."""
        effect = self.rule.effects[self.effect]
        reason: dict[str, Any] = {"points": self.points + self.cut}
        if effect.per is None:
            reason["code"] = "fixed"
        else:
            reason |= {
                "code": "per_amount",
                "amount": format(self.base or 0, "f"),
                "rate": format(effect.points, "f"),
                "per": format(effect.per, "f"),
                "rounding": effect.rounding,
            }
        if self.cut:
            reason |= {"cut": self.cut, "cap": self.rule.cap_per_member_day}
        return reason


class Outcome(NamedTuple):
    """What an event came to: its awards, and why the other rules in force gave none."""

    awards: list[Award]
    skipped: Skipped


def evaluate(event: EventFacts, member: MemberFacts, rules: RuleSet, counters: Mapping[int, int]) -> Outcome:
    """What `event` of `member` earns under `rules`. `counters` holds, by rule, the points of this local day so far."""
    held, skipped = rules.verdict(event, member)
    awards: list[Award] = []
    for rule in held:
        cap = rule.cap_per_member_day
        room = None if cap is None else max(0, cap - counters.get(rule.rule_id, 0))
        for number, effect in enumerate(rule.effects):
            base = None if effect.per is None else effect.base(event)
            worth = effect.worth(base)
            if worth <= 0:
                continue
            granted = worth
            if room is not None:
                granted = min(worth, room)
                room -= granted
            awards.append(Award(rule, number, effect.point_type_id, base, granted, worth - granted))
    return Outcome(awards, skipped)
