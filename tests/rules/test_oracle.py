"""A month of events under twelve rules: the main road gives what the oracle gives, to the point, by event and by rule.

`oracle.py` says by plain arithmetic what is right, and which policies it goes by. The month is told with events that are
late, out of order and refused, in batches of any size, and by several processes at once.
"""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from typing import Any

import pytest

from apps.activity.incoming import IncomingEvent, IncomingLine
from apps.activity.models import Event
from apps.orgs.models import Program
from apps.points.checking import differences
from apps.points.models import Account, PointType
from apps.rules.models import Rule, RuleVersion, UnitCounter
from apps.rules.pipeline import Processed, process
from benchmarks.measuring import Jobs, team
from tests.factories import CoffeeGroup, make_group
from tests.rules.conftest import START, Till, line, make_till, publish, purchase, refund
from tests.rules.oracle import EAST, RULES, SHARED, TURN, ZONE, Answer, Given, Oracle, day_of, in_turns

MEMBERS = 40
PURCHASES = 600
NOW = START + timedelta(days=200)
FIRST = datetime(2026, 2, 28, 20, tzinfo=UTC)
GOODS = [("A1", "coffee"), ("B2", "coffee"), ("C3", "tea"), ("D4", "gift"), ("E5", "food")]
Versions = dict[int, tuple[str, int]]


def month() -> list[IncomingEvent]:
    """The events in the order in which they are told: most when they happen, some hours or days late. A refund that was
    told before its purchase is told again at the end."""
    chooser = random.Random(20260301)
    events = []
    for number in range(PURCHASES):
        values = where(chooser) | {"channel": chooser.choice(["app", "pos"]), "lines": goods(chooser)}
        events.append(purchase("0", key=f"p{number}", **values))
        if not number % 12:
            values |= {"lines": goods(chooser)}
            events.append(purchase("0", key=f"p{number}-too", **values))
    events += [
        replace(purchase("0", key=f"c{number}", **where(chooser) | {"lines": ()}), kind="check_in")
        for number in range(220)
    ]
    bought = [event for event in events if event.kind == "purchase"]
    for event in chooser.sample(bought, 100):
        for part, share in enumerate(chooser.choice([["1"], ["0.5"], ["0.3"], ["0.3", "0.7"], ["0.3", "0.3", "0.5"]])):
            events.append(given_back(chooser, event, Decimal(share), f"{event.key}-back{part}"))
    told = sorted(events, key=lambda event: event.occurred_at + delay(chooser))
    place = {event.key: at for at, event in enumerate(told)}
    return told + [event for event in told if event.refund_of and place[event.refund_of] > place[event.key]]


def where(chooser: random.Random) -> dict[str, Any]:
    """Who, when and in which store: some members come often, some stores are another programme's."""
    return {
        "member": f"C{min(chooser.randint(1, MEMBERS), chooser.randint(1, MEMBERS))}",
        "store": chooser.choice([*EAST, *EAST, "S101"]),
        "occurred_at": FIRST + timedelta(minutes=30 * chooser.randrange(31 * 48)),
    }


def goods(chooser: random.Random) -> tuple[IncomingLine, ...]:
    return tuple(
        line(f"{chooser.randint(100, 6_000) / 100:.2f}", category, sku, chooser.choice(["1", "2", "3", "0.5"]), number)
        for number, (sku, category) in enumerate(chooser.sample(GOODS, chooser.randint(1, 3)), 1)
    )


def given_back(chooser: random.Random, event: IncomingEvent, share: Decimal, key: str) -> IncomingEvent:
    """Gives back that share of a purchase, some in another store; several shares may come to more than all of it."""
    amount = (event.amount or Decimal(0)) * share
    at = event.occurred_at + timedelta(hours=chooser.choice([0, 1, 5, 30, 100]))
    store = chooser.choice([event.store, event.store, "S002"]) if event.store in EAST else event.store
    return refund(event.key, f"{amount:.2f}", key, event.member_value, store=store, occurred_at=at)


def delay(chooser: random.Random) -> timedelta:
    return timedelta(hours=chooser.choice([0] * 14 + [2, 7, 12, 30, 90, 220]))


MONTH = month()


def asks(field: str, op: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value, **more}


def rate(effect: str, points: str, per: str, rounding: str, lines: Any = None, kind: str = "points") -> dict[str, Any]:
    return {"effect": effect, "point_type": kind, "points": points, "per": per, "rounding": rounding, "lines": lines}


def fixed(points: int, kind: str = "points") -> dict[str, Any]:
    return {"effect": "fixed_points", "point_type": kind, "points": points}


def times(number: str, of: str, rounding: str) -> dict[str, Any]:
    return {"effect": "multiply", "point_type": "points", "times": number, "of": of, "rounding": rounding}


def gathers(of: str, at: str, period: str = "ever") -> dict[str, Any]:
    return {"of": of, "at": at, "fires": "step", "period": period, "lines": None, "attribute": ""}


BOUGHT = asks("event.kind", "eq", "purchase")
TABLE = {"effect": "table", "point_type": "points", "hit": "best", "rounding": "half_up", "rows": [
    {"when": asks("history.orders", "eq", 0, window="ever"), "points": "100", "per": None},
    {"when": asks("history.orders", "ge", 2, window=7), "points": "1", "per": "5"},
    {"when": asks("history.spent", "ge", "300", window="month"), "points": "30", "per": None},
    {"when": asks("event.amount", "ge", "100"), "points": "1", "per": "4"},
    {"when": {"lines": "any", "where": asks("line.category", "eq", "gift")}, "points": "12", "per": None},
]}  # fmt: skip
PUBLISHED: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "weekend in the north": ([times("2", "base", "down")], asks("event.weekday", "in", [6, 7])),
    "coffee": ([rate("points_per_amount", "1", "1", "down", asks("line.category", "eq", "coffee"))], BOUGHT),
    "pieces": (
        [rate("points_per_quantity", "5", "3", "up", asks("line.sku", "in", ["A1", "B2"])), fixed(2)],
        {"all": [BOUGHT, asks("event.channel", "eq", "app")]},
    ),
    "morning": (
        [fixed(7)],
        {"all": [asks("event.kind", "eq", "check_in"), asks("event.weekday", "in", [1, 2, 3, 4, 5]),
                 asks("event.hour", "between", [6, 14])]},
    ),
    "table": ([TABLE], BOUGHT),
    "evening": ([times("1.5", "all", "up"), times("1.25", "base", "half_up")], asks("event.hour", "between", [17, 20])),
    "stars of a store": ([rate("points_per_amount", "1", "1", "down", kind="stars")], BOUGHT),
    "stars of the programme": (
        [fixed(3, "stars")],
        {"any": [asks("event.kind", "eq", "check_in"), asks("event.amount", "ge", "40")]},
    ),
    "forty": ([rate("points_per_amount", "1", "40", "carry")], BOUGHT),
    "in a row": ([fixed(20)], asks("event.kind", "eq", "check_in")),
    "every third": ([fixed(15)], BOUGHT),
    "tea": (
        [fixed(9), rate("points_per_amount", "2", "65", "carry")],
        {"lines": "any", "where": asks("line.category", "eq", "tea")},
    ),
}  # fmt: skip
MORE: dict[str, dict[str, Any]] = {
    "pieces": {"stacking": {"group": "goods", "take": "best", "order": 1}},
    "tea": {"stacking": {"group": "goods", "take": "best", "order": 2}},
    "in a row": {"accumulator": gathers("streak", "2")},
    "every third": {"accumulator": gathers("events", "3", "month")},
}
SECOND = [rate("points_per_amount", "2", "3", "half_up", asks("line.category", "in", ["coffee", "tea"]))]


def opened(group: CoffeeGroup) -> Till:
    """A till of the month's programme, with the rules published."""
    Program.objects.update(time_zone=ZONE.key)
    PointType.objects.create(program=group.east, code="stars", name="Stars")
    till = make_till(group, MEMBERS)
    for name, (effects, condition) in PUBLISHED.items():
        rule, *later = [rule for rule in RULES if rule.name == name]
        limits = [limit._asdict() for limit in rule.limits]
        unit = "EAST" if rule.stores == EAST else "EAST-N"
        ends_at = TURN if later else None
        more = MORE.get(name, {})
        row = publish(group, *effects, condition=condition, limits=limits, unit=unit, ends_at=ends_at, **more)
        Rule.objects.filter(pk=row.rule_id).update(name=name)
        for version in later:
            limits = [limit._asdict() for limit in version.limits]
            row.pk, row.number, row.starts_at, row.ends_at = None, version.version, TURN, None
            row.definition = {"condition": condition, "effects": SECOND, "limits": limits}
            row.save(force_insert=True)
    return till


def read_versions() -> Versions:
    rows = RuleVersion.objects.values_list("pk", "rule__name", "number")
    return {pk: (name, number) for pk, name, number in rows}


def answered(result: Processed, versions: Versions) -> Answer:
    if result.refusal is not None:
        return result.refusal.code
    assert (result.status, result.answer is None) == ("processed", False)
    return [
        Given(*versions[award["version_id"]], award["points"], award["why"].get("earned", award["why"].get("points")))
        for award in result.answer["awards"]  # type: ignore[index]
    ]


@cache
def foretold(size: int) -> tuple[list[Answer], Oracle]:
    """What the oracle says of each event, told in batches of so many."""
    oracle = Oracle()
    answers: dict[int, Answer] = {}
    for start in range(0, len(MONTH), size):
        for place in in_turns(MONTH[start : start + size]):
            answers[start + place] = oracle.tell(MONTH[start + place])
    return [answers[place] for place in range(len(MONTH))], oracle


def test_the_month_has_all_that_the_oracle_is_there_for() -> None:
    """Catches a month in which a rule is never asked, a limit never reached or nothing comes late."""
    answers, oracle = foretold(1)
    given = [given for answer in answers if not isinstance(answer, str) for given in answer]
    assert {(each.rule, each.version) for each in given} == {(rule.name, rule.version) for rule in RULES}
    assert {(each.rule, each.version) for each in given if 0 <= each.points < each.worth} == {
        (rule.name, rule.version) for rule in RULES if rule.limits
    }
    assert {answer for answer in answers if isinstance(answer, str)} == {"unknown_purchase", "refund_too_large"}
    assert any(fired.lost for fired in oracle.fired if fired.brought.rule.name == "every third")
    assert any(fired.lost for fired in oracle.fired if fired.brought.rule.name == "forty")
    newest, late = FIRST, 0
    for event in oracle.known:
        late += event.occurred_at < newest
        newest = max(newest, event.occurred_at)
    assert late > 200


@pytest.mark.parametrize("size", [1, 7, 50, len(MONTH)])
def test_every_event_earns_what_the_oracle_says_in_batches_of(size: int, group: CoffeeGroup) -> None:
    """Catches a limit that a refund frees, a version judged by its arrival, and a wave that forgets the one before."""
    till = opened(group)
    results = [each for start in range(0, len(MONTH), size) for each in till.send(*MONTH[start : start + size])]
    versions = read_versions()
    answers, oracle = foretold(size)
    assert unlike([answered(result, versions) for result in results], answers) == []
    assert (balances(False), balances(True)) == (owned(answers, False), owned(answers, True))
    assert used_up() == due(oracle)
    assert differences() == []


def unlike(told: list[Answer], answers: list[Answer]) -> list[tuple[str, Answer, Answer]]:
    """Where product and oracle differ."""
    pairs = zip(MONTH, told, answers, strict=True)
    return [(event.key, mine, right) for event, mine, right in pairs if mine != right]


def balances(shared: bool) -> dict[int, int]:
    """By member; of stars, which rules with shared limits give, or of points, which the others give."""
    rows = Account.objects.filter(point_type__code="stars" if shared else "points").values_list("member_id", "balance")
    return {member: balance for member, balance in rows if balance}


def owned(answers: list[Answer], shared: bool) -> dict[int, int]:
    """What the answers come to by member."""
    members = dict(Event.objects.values_list("key", "member_id"))
    found: Counter[int] = Counter()
    for event, answer in zip(MONTH, answers, strict=True):
        for given in () if isinstance(answer, str) else answer:
            if (given.rule in SHARED) == shared:
                found[members[event.key]] += given.points
    return {member: points for member, points in found.items() if points}


Used = dict[tuple[str, str, date | None], int]
LIMITS = {rule.name: rule.limits[0] for rule in RULES if rule.name in SHARED}


def used_up() -> Used:
    """How much of each shared limit is used up: by rule, unit and day, of what the limit counts."""
    return {
        (row.rule.name, row.unit.code, row.start if row.period == "day" else None): getattr(
            row, LIMITS[row.rule.name].of
        )
        for row in UnitCounter.objects.filter(points__gt=0).select_related("rule", "unit")
    }


def due(oracle: Oracle) -> Used:
    """The same by the oracle."""
    found: Counter[tuple[str, str, date | None]] = Counter()
    for event, given, _ in oracle.granted:
        limit = LIMITS.get(given.rule)
        if limit is not None and given.points:
            day = day_of(event) if limit.period == "day" else None
            unit = str(event.store) if limit.per == "store" else "EAST"
            found[given.rule, unit, day] += given.points if limit.of == "points" else 1
    return dict(found)


@pytest.mark.faults
def test_four_processes_at_once_give_what_the_oracle_says_but_for_who_gets_the_last_of_a_budget(committed: str) -> None:
    """The members are divided among the processes. Catches counters and histories that are read before they are locked,
    and budgets that end early, or late."""
    till = opened(make_group())
    versions = read_versions()
    with team(4, partial(telling, till, versions)) as tellers:
        told = dict(pair for answers in tellers.ask("tell", 9) for pair in answers)
    answers, oracle = foretold(1)
    ours = [unshared(told[place]) for place in range(len(MONTH))]
    assert unlike(ours, [unshared(answer) for answer in answers]) == []
    assert balances(False) == owned(answers, False)
    used = used_up()
    assert used == due(oracle)
    assert {rule for (rule, *_), much in used.items() if much == LIMITS[rule].most} == SHARED
    assert sum(balances(True).values()) == sum(
        given.points for answer in told.values() if not isinstance(answer, str) for given in answer
        if given.rule in SHARED
    )  # fmt: skip
    assert differences() == []


def telling(till: Till, versions: Versions, number: int) -> Jobs:
    """Tells what a quarter of the members did, in batches of so many."""

    def tell(size: int) -> list[tuple[int, Answer]]:
        places = [place for place, event in enumerate(MONTH) if int(event.member_value[1:]) % 4 == number]
        answers = []
        for start in range(0, len(places), size):
            some = places[start : start + size]
            results = process(None, till.source, [MONTH[place] for place in some], when=NOW)
            answers += [(place, answered(each, versions)) for place, each in zip(some, results, strict=True)]
        return answers

    return {"tell": tell}


def unshared(answer: Answer) -> Answer:
    return answer if isinstance(answer, str) else [given for given in answer if given.rule not in SHARED]
