"""What a reader asks of the cost report: which programme, which months, which part of the tree.

What the reader does not see is not there: another company's code is answered as one that nobody has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, F, Max, Min, Q, QuerySet, Value, When
from django.db.models.functions import Substr

from apps.core.errors import LoyaltyError
from apps.core.scope import STEP
from apps.orgs.models import OrgUnit, Program
from apps.points.models import PointType
from apps.reports.models import Movement

PERMISSION = "reports.view_dailyfact"
SHOWN, MOST = 12, 60
"""Months shown when none are asked for, and at most."""


class NothingSuch(LoyaltyError):
    """The code names nothing that the reader sees."""

    code = "nothing_such"


@dataclass(frozen=True)
class Question:
    """One programme's points in the months from `first` to `last`, both included and given by their first day.

    `unit` is where to look; None is everything the reader sees, whose highest units are `tops`. `point_type` None is
    every one of the programme's.
    """

    program: Program
    first: date
    last: date
    unit: OrgUnit | None
    point_type: PointType | None
    tops: tuple[OrgUnit, ...]

    @property
    def months(self) -> list[date]:
        return months_between(self.first, self.last)

    @property
    def end(self) -> date:
        """The first day after the period."""
        return month_after(self.last)

    def within(self) -> Q:
        """The rows of the programme, period and part of the tree, of anything with a day and a unit."""
        places = Q()
        for unit in (self.unit,) if self.unit else self.tops:
            places |= Q(org_unit__path__startswith=unit.path)
        return places & Q(program=self.program, day__gte=self.first, day__lt=self.end)

    def place(self) -> Any:
        """The path of the unit that a row counts for: one level below `unit`, or the top that holds it."""
        if self.unit is not None:
            return Substr("org_unit__path", 1, len(self.unit.path) + STEP)
        return Case(
            *(When(org_unit__path__startswith=top.path, then=Value(top.path)) for top in self.tops),
            default=F("org_unit__path"),
        )


@dataclass(frozen=True)
class Choices:
    """What a reader may ask for. `units` are in tree order; `first` and `last` are the months with movements."""

    programs: tuple[Program, ...]
    point_types: tuple[PointType, ...]
    units: tuple[OrgUnit, ...]
    first: date | None
    last: date | None


def movements(person: Any, question: Question) -> QuerySet[Movement]:
    rows = Movement.objects.visible_to(person, PERMISSION).filter(question.within())
    return rows.filter(point_type=question.point_type) if question.point_type else rows


def read_question(person: Any, asked: Mapping[str, str]) -> tuple[Question | None, Choices]:
    """The question in an address, and what else may be asked; None where no programme is in sight. Three queries.

    Raises NothingSuch for a code that the person does not see.
    """
    kinds = PointType.objects.visible_to(person).select_related("program").order_by("program__unit__path", "pk")
    types = list(kinds)
    programs = list({kind.program_id: kind.program for kind in types}.values())
    units = list(OrgUnit.objects.visible_to(person, PERMISSION))
    tops = _tops(units)
    if not programs or not tops:
        return None, Choices(tuple(programs), (), tuple(units), None, None)
    program = _named(programs, asked.get("program", "")) or programs[0]
    mine = [kind for kind in types if kind.program_id == program.pk]
    unit = _named(units, asked.get("unit", "")) or (tops[0] if len(tops) == 1 else None)
    earliest, latest = _days(person, program)
    choices = Choices(tuple(programs), tuple(mine), tuple(units), earliest, latest)
    last = parse_month(asked.get("to", "")) or latest or earliest
    if last is None:
        return None, choices
    first = parse_month(asked.get("from", "")) or max(earliest or last, months_before(last, SHOWN - 1))
    first, last = min(first, last), max(first, last)
    first = max(first, months_before(last, MOST - 1))
    kind = _named(mine, asked.get("type", ""))
    return Question(program, first, last, unit, kind, tuple(tops)), choices


def _days(person: Any, program: Program) -> tuple[date | None, date | None]:
    """The first and the last month in which points of `program` moved."""
    rows = Movement.objects.visible_to(person, PERMISSION).filter(program=program)
    days = rows.aggregate(earliest=Min("day"), latest=Max("day"))
    return tuple(day and day.replace(day=1) for day in (days["earliest"], days["latest"]))


def _named(rows: Sequence[Any], code: str) -> Any:
    """The row with `code`; None where no code is given."""
    if not code:
        return None
    found = next((row for row in rows if row.code == code), None)
    if found is None:
        raise NothingSuch()
    return found


def _tops(units: Sequence[OrgUnit]) -> list[OrgUnit]:
    """Those of `units`, which are in tree order, that lie below no other."""
    tops: list[OrgUnit] = []
    for unit in units:
        if not tops or not unit.path.startswith(tops[-1].path):
            tops.append(unit)
    return tops


def parse_month(text: str) -> date | None:
    """The first day of a month written `2026-05`; None for anything else, and where the calendar has no next month.

    >>> parse_month("2026-05"), parse_month("2026-13"), parse_month(""), parse_month("9999-12")
    (datetime.date(2026, 5, 1), None, None, None)
    """
    try:
        month = date.fromisoformat(f"{text}-01")
        return month if month_after(month) else None
    except ValueError:
        return None


def months_before(month: date, number: int) -> date:
    """The first day of the month `number` months before `month`; negative numbers go on.

    >>> months_before(date(2026, 2, 1), 3), months_before(date(2026, 12, 1), -1)
    (datetime.date(2025, 11, 1), datetime.date(2027, 1, 1))
    """
    index = max(12, month.year * 12 + month.month - 1 - number)
    return date(index // 12, index % 12 + 1, 1)


def month_after(month: date) -> date:
    return months_before(month, -1)


def months_between(first: date, last: date) -> list[date]:
    """Both included."""
    months = []
    while first <= last:
        months.append(first)
        first = month_after(first)
    return months
