"""Evaluation of rules: the studio's, against Python written out for just these twenty rules and nothing else."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, Decimal
from itertools import count
from typing import Any

from apps.activity.facts import EventFacts, LineFacts
from apps.members.facts import MemberFacts
from apps.rules.effects import Fixed, PerAmount
from apps.rules.evaluate import LiveLimit, LiveRule, Outcome, RuleSet, evaluate
from apps.rules.snapshot import Version, build_rule_set
from benchmarks.measuring import Figure, agree, by_turns, rate_of
from benchmarks.world import CATEGORIES, conditions, effects

PATHS = {"EAST": "00010001", "WEST-N": "000100020001"}
Evaluated = tuple[list[tuple[int, int, int, Decimal | None]], list[tuple[int, int]]]


def evaluations(quick: bool) -> list[Figure]:
    """Twenty rules of four conditions over many purchases, on one core."""
    size, pairs = (50, 1) if quick else (20_000, 7)
    rules, written_out = rule_set(), write_out()
    subjects = [(event(number), member(number)) for number in range(size)]
    agree(
        "evaluate",
        [plain(evaluate(facts, person, rules, {})) for facts, person in subjects],
        [written_out(facts, person, {}) for facts, person in subjects],
    )

    def product() -> None:
        for facts, person in subjects:
            evaluate(facts, person, rules, {})

    def limit() -> None:
        for facts, person in subjects:
            written_out(facts, person, {})

    seen = by_turns(
        lambda: rate_of(size, product, time.process_time), lambda: rate_of(size, limit, time.process_time), pairs
    )
    return [Figure("evaluate", seen.percent, 40, seen=seen.seen)]


def rule_set() -> RuleSet:
    """The world's rules, compiled as the studio compiles them."""
    versions = []
    for number, condition in enumerate(conditions()):
        (effect,) = effects(number)
        per = effect.get("per")
        worth = PerAmount(1, Decimal(effect["points"]), Decimal(per)) if per else Fixed(1, effect["points"])
        limits = (LiveLimit("member", "day", "points", 1_000_000),) if number == 1 else ()
        live = LiveRule(number, number, 1, f"rule{number}", f"Rule {number}", (worth,), limits)
        versions.append(Version(live, condition, "", datetime(2020, 1, 1, tzinfo=UTC), None))
    return build_rule_set(versions, PATHS)


def plain(outcome: Outcome) -> Evaluated:
    awards = [(award.rule.version_id, award.points, award.cut, award.seen) for award in outcome.awards]
    return awards, [(version, leaf) for version, leaf in outcome.skipped]


def event(number: int) -> EventFacts:
    amounts = Decimal(f"{10 + number % 90}.50"), Decimal(f"{5 + number % 7}.25")
    lines = tuple(LineFacts(f"A{number % 50}", CATEGORIES[number % 5], Decimal(1), amount) for amount in amounts)
    channel = "app" if number % 2 else "till"
    weekday, day = number % 7 + 1, date(2026, 3, 1 + number % 28)
    return EventFacts(
        "purchase",
        sum(amounts, Decimal(0)),
        channel,
        f"00010001000{number % 3}",
        None,
        {},
        lines,
        number % 24,
        weekday,
        day,
    )


def member(number: int) -> MemberFacts:
    return MemberFacts(number, "000100010001", date(2026, 1, 1), {"level": "silver"})


READS = {
    "event.kind": "event.kind",
    "event.amount": "event.amount",
    "event.store": "event.unit_path",
    "event.channel": "event.channel",
    "event.hour": "event.hour",
    "member.joined_on": "member.joined_on",
    "member.attributes.level": 'member.attributes.get("level")',
}
TESTS = {
    "eq": "{v} == {c}",
    "ge": "({v} is not None and {v} >= {c})",
    "gt": "({v} is not None and {v} > {c})",
    "lt": "({v} is not None and {v} < {c})",
    "within": "({v} is not None and {v}.startswith({c}))",
}


def write_out() -> Callable[[EventFacts, MemberFacts, dict[int, int]], Evaluated]:
    """The function a programmer would write by hand for these rules: no objects, no loops, no look-ups."""
    names = {field: f"v{number}" for number, field in enumerate(READS)}
    body = [f"    {name} = {READS[field]}" for field, name in names.items()]
    known: dict[str, Any] = {"ROUND_DOWN": ROUND_DOWN}
    numbers = count()
    for number, condition in enumerate(conditions()):
        for leaf_number, leaf in enumerate(condition["all"]):
            constant = f"c{next(numbers)}"
            known[constant] = typed(leaf)
            test = TESTS[leaf["op"]].format(v=names[leaf["field"]], c=constant)
            body.append(f"    {'el' if leaf_number else ''}if not {test}: skipped.append(({number}, {leaf_number}))")
        body += ["    else:", *(f"        {line}" for line in reward(number))]
    text = [
        "def written_out(event, member, counters):",
        "    awards, skipped = [], []",
        *body,
        "    return awards, skipped",
    ]
    exec("\n".join(text), known)  # noqa: S102 -- our own text
    made: Callable[[EventFacts, MemberFacts, dict[int, int]], Evaluated] = known["written_out"]
    return made


def typed(leaf: dict[str, Any]) -> Any:
    match leaf["field"]:
        case "event.amount":
            return Decimal(leaf["value"])
        case "member.joined_on":
            return date.fromisoformat(leaf["value"])
        case "event.store":
            return tuple(PATHS[code] for code in leaf["value"])
    return leaf["value"]


def reward(number: int) -> list[str]:
    """What a rule that holds is worth, in Python."""
    if number % 2 == 0:
        worth = "worth, base = int(event.amount.to_integral_value(ROUND_DOWN)), event.amount"
    else:
        worth = "worth, base = 5, None"
    if number != 1:
        return [worth, f"if worth > 0: awards.append(({number}, worth, 0, base))"]
    return [
        worth,
        "room = max(0, 1_000_000 - counters.get(1, 0))",
        "granted = min(worth, room)",
        "awards.append((1, granted, worth - granted, base))",
    ]
