"""What points cost: one question, added up by month, by org unit and by rule, and held against the ledger itself."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import F, Sum, Value
from django.db.models.functions import TruncMonth

from apps.orgs.models import OrgUnit
from apps.points.models import Entry
from apps.reports.questions import Question, movements
from apps.reports.sums import Sums
from apps.rules.models import Rule


@dataclass(frozen=True)
class MonthLine:
    month: date
    sums: Sums


@dataclass(frozen=True)
class UnitLine:
    """What moved in `unit`; `is_itself` where that is only the unit asked about and nothing below it."""

    unit: OrgUnit
    is_itself: bool
    sums: Sums


@dataclass(frozen=True)
class RuleLine:
    """What moved of points that `rule` gave. Without a rule: given by hand, or by a rule that the reader cannot see."""

    rule_id: int
    rule: Rule | None
    sums: Sums


@dataclass(frozen=True)
class CostReport:
    months: tuple[MonthLine, ...]
    units: tuple[UnitLine, ...]
    rules: tuple[RuleLine, ...]
    total: Sums

    @property
    def is_empty(self) -> bool:
        return self.total.entries == 0


def cost_report(person: Any, question: Question, units: Iterable[OrgUnit]) -> CostReport:
    """The answer to `question`, from facts and what is not folded yet, in one statement; the rules' names in another.

    `units` are those that `person` sees.
    """
    months: dict[date, Sums] = {month: Sums() for month in question.months}
    places: dict[str, Sums] = defaultdict(Sums)
    rules: dict[int, Sums] = defaultdict(Sums)
    total = Sums()
    moved = movements(person, question).annotate(month=TruncMonth("day"), place=question.place())
    sums = moved.values_list("month", "place", "rule_id", "kind").annotate(
        Sum("entries"), moved_points=Sum(F("points") + F("pending_points")), cost=Sum("cost_micros")
    )
    for month, place, rule, kind, entries, points, cost in sums.order_by():
        for line in (months[month], places[place], rules[rule], total):
            line.add(kind, entries, int(points), int(cost))
    by_path = {unit.path: unit for unit in units}
    seen = Rule.objects.visible_to(person).in_bulk([rule for rule in rules if rule])
    return CostReport(
        tuple(MonthLine(month, line) for month, line in months.items()),
        tuple(
            UnitLine(by_path[path], question.unit is not None and path == question.unit.path, places[path])
            for path in sorted(places)
        ),
        tuple(
            RuleLine(rule, seen.get(rule), rules[rule])
            for rule in sorted(rules, key=lambda rule: (-rules[rule].points["given"], rule))
        ),
        total,
    )


@dataclass(frozen=True)
class Tie:
    """What reports say less what the entries of the ledger add up to: all zero, or the facts are wrong."""

    entries: int
    points: int
    cost_micros: int
    ledger_entries: int

    @property
    def holds(self) -> bool:
        return not (self.entries or self.points or self.cost_micros)


def tie(person: Any, question: Question) -> Tie:
    """Holds the report against the ledger's own entries, both as of one moment: one statement that reads them all."""
    ledger = Entry.objects.filter(question.within())
    if question.point_type is not None:
        ledger = ledger.filter(account__point_type=question.point_type)
    reported = movements(person, question).annotate(side=Value("reported"), row=F("entries"))
    counted = ledger.annotate(side=Value("counted"), row=Value(1))
    sides = {"reported": (0, 0, 0), "counted": (0, 0, 0)}
    for side, entries, points, cost in _added_up(reported).union(_added_up(counted), all=True):
        sides[side] = (int(entries), int(points), int(cost))
    entries, points, cost = (mine - theirs for mine, theirs in zip(sides["reported"], sides["counted"], strict=True))
    return Tie(entries, points, cost, ledger_entries=sides["counted"][0])


def _added_up(rows: Any) -> Any:
    """One row, or none where nothing moved."""
    moved = Sum(F("points") + F("pending_points"), default=0)
    return (
        rows.values_list("side")
        .annotate(rows=Sum("row", default=0), moved=moved, cost=Sum("cost_micros", default=0))
        .order_by()
    )


def ledger_is_small() -> bool:
    """Whether reading the whole ledger takes no longer than a page may; as the planner estimates."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'points_entry'::regclass")
        rows: float = cursor.fetchone()[0]
    return rows < 500_000
