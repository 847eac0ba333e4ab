"""What the page of the cost report shows, in the reader's language: choices, tables, chart, and how it ties."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.core.formats import MICROS, moment, money_of_micros, month, number
from apps.core.home import Empty, Link
from apps.core.scope import STEP
from apps.orgs.models import OrgUnit
from apps.reports.cost import CostReport, RuleLine, Tie
from apps.reports.questions import Choices, Question, month_after, months_between
from apps.reports.sums import COLUMNS, GIVEN, TAKEN_BACK
from apps.reports.tables import Line, Table, column_names


@dataclass(frozen=True)
class Choice:
    value: str
    text: str
    is_chosen: bool


@dataclass(frozen=True)
class Field:
    """A box of the form above the report."""

    name: str
    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Figure:
    name: str
    cost: str
    points: str


@dataclass(frozen=True)
class TieLine:
    """Whether the report ties to the ledger, in a sentence; `check` leads to finding out where that takes long."""

    text: str
    tone: str = ""
    check: str = ""


@dataclass(frozen=True)
class CostPage:
    """Everything that the template shows. Without `question` nothing has moved where the reader looks."""

    fields: tuple[Field, ...]
    empty: Empty | None
    question: Question | None = None
    heading: str = ""
    finding: str = ""
    crumbs: tuple[Link, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    columns: tuple[str, ...] = ()
    chart: dict[str, Any] | None = None
    tie: TieLine | None = None
    query: str = ""


def cost_page(
    person: Any,
    question: Question | None,
    choices: Choices,
    report: CostReport | None,
    held: Tie | None,
    when: datetime,
) -> CostPage:
    if question is None or report is None:
        draft = Link(_("Draft a rule"), address("rules_rule_add")) if person.has_perm("rules.add_rule") else None
        text = _(
            "No points have moved yet. As soon as a rule in force gives points, what they cost appears here, month by month."
        )
        return CostPage((), Empty(text, draft))
    fields = tuple(_fields(question, choices))
    heading, crumbs = _heading(question), tuple(_crumbs(question, choices))
    if report.is_empty:
        everything = Link(_("Show everything"), f"?{urlencode({'program': question.program.code})}")
        empty = Empty(_("Nothing moved in these months at the place you chose."), everything)
        return CostPage(fields, empty, question, heading, crumbs=crumbs)
    names, currency = column_names(), question.program.currency
    return CostPage(
        fields=fields,
        empty=None,
        question=question,
        heading=heading,
        finding=_finding(report, currency),
        crumbs=crumbs,
        figures=tuple(
            Figure(
                names[column],
                money_of_micros(cost, currency),
                _("%(points)s points") % {"points": number(points)},
            )
            for column, points, cost in report.total.pairs()
        ),
        tables=tuple(tables_of(question, report, lists_entries=person.has_perm("points.view_entry"))),
        columns=tuple(names.values()),
        chart=_chart(question, report),
        tie=_tie_line(question, held, when),
        query=_query(question),
    )


# -- Tables --------------------------------------------------------------------------------------------------------


def tables_of(question: Question, report: CostReport, *, lists_entries: bool = False) -> list[Table]:
    """By month, by org unit, by rule; each adds up to the same total."""
    currency = question.program.currency

    def entries(**more: Any) -> str:
        return _entries(question, **more) if lists_entries else ""

    months = tuple(
        Line(
            line.month,
            line.sums,
            _address(question, first=line.month, last=line.month),
            entries(first=line.month, end=month_after(line.month)),
        )
        for line in report.months
    )
    units = tuple(
        Line(
            _("Directly at %(unit)s") % {"unit": line.unit} if line.is_itself else str(line.unit),
            line.sums,
            "" if line.is_itself else _address(question, unit=line.unit),
            entries(unit=line.unit, is_itself=line.is_itself),
        )
        for line in report.units
    )
    rules = tuple(
        Line(_rule_name(line), line.sums, _rule_page(line), entries(rule_id=line.rule_id)) for line in report.rules
    )
    total = Line(_("Total"), report.total, entries_address=entries())
    return [
        Table("months", _("By month"), _("Month"), currency, months, total),
        Table("units", _("By org unit"), _("Org unit"), currency, units, total),
        Table("rules", _("By rule"), _("Rule"), currency, rules, total),
    ]


def _rule_name(line: RuleLine) -> str:
    if line.rule is not None:
        return line.rule.name
    return _("A rule that you do not see") if line.rule_id else _("Without a rule: given or taken by hand")


def _rule_page(line: RuleLine) -> str:
    return address("rules_rule_change", line.rule.pk) if line.rule is not None else ""


def _entries(
    question: Question,
    *,
    first: date | None = None,
    end: date | None = None,
    unit: OrgUnit | None = None,
    is_itself: bool = False,
    rule_id: int | None = None,
) -> str:
    """The list of the entries that a line is made of; empty where no list tells them apart."""
    place = unit or question.unit
    if question.point_type is not None or (place is None and len(question.tops) > 1):
        return ""
    asked: dict[str, Any] = {
        "program__id__exact": question.program.pk,
        "day__gte": (first or question.first).isoformat(),
        "day__lt": (end or question.end).isoformat(),
    }
    place = place or question.tops[0]
    asked["org_unit__id__exact" if is_itself else "within"] = place.pk if is_itself else place.code
    if rule_id is not None:
        asked |= {"rule_id": rule_id} if rule_id else {"rule_id__isnull": "1"}
    return f"{address('points_entry_changelist')}?{urlencode(asked)}"


# -- Choices -------------------------------------------------------------------------------------------------------


def _query(question: Question, **changes: Any) -> str:
    unit = changes.get("unit", question.unit)
    asked = {
        "program": question.program.code,
        "from": f"{changes.get('first', question.first):%Y-%m}",
        "to": f"{changes.get('last', question.last):%Y-%m}",
        "unit": unit.code if unit else "",
        "type": question.point_type.code if question.point_type else "",
    }
    return urlencode({name: value for name, value in asked.items() if value})


def _address(question: Question, **changes: Any) -> str:
    return f"?{_query(question, **changes)}"


def _fields(question: Question, choices: Choices) -> Iterator[Field]:
    if len(choices.programs) > 1:
        programs = (Choice(each.code, str(each), each == question.program) for each in choices.programs)
        yield Field("program", _("Programme"), tuple(programs))
    months = months_between(
        min(choices.first or question.first, question.first), max(choices.last or question.last, question.last)
    )[::-1]
    for name, label, chosen in (("from", _("From"), question.first), ("to", _("To"), question.last)):
        yield Field(name, label, tuple(Choice(f"{each:%Y-%m}", month(each), each == chosen) for each in months))
    yield Field("unit", _("Org unit"), tuple(_units(question, choices)))
    if len(choices.point_types) > 1:
        types = (Choice(each.code, str(each), each == question.point_type) for each in choices.point_types)
        yield Field("type", _("Point type"), (Choice("", _("All"), question.point_type is None), *types))


def _units(question: Question, choices: Choices) -> Iterator[Choice]:
    """What has something below it, and where the reader is; stores are reached by opening their region."""
    if len(question.tops) > 1:
        yield Choice("", _("Everything you see"), question.unit is None)
    highest = min(len(unit.path) for unit in question.tops)
    for unit in choices.units:
        if unit.kind != OrgUnit.Kind.STORE or unit == question.unit or unit in question.tops:
            indent = "\u2003" * ((len(unit.path) - highest) // STEP)
            yield Choice(unit.code, f"{indent}{unit}", unit == question.unit)


def _crumbs(question: Question, choices: Choices) -> Iterator[Link]:
    """The way down to the unit asked about; the last one has no address."""
    if len(question.tops) > 1:
        yield Link(_("Everything you see"), _address(question, unit=None) if question.unit else "")
    for unit in choices.units:
        if question.unit is not None and question.unit.path.startswith(unit.path):
            yield Link(str(unit), "" if unit == question.unit else _address(question, unit=unit))


# -- Words ---------------------------------------------------------------------------------------------------------


def _heading(question: Question) -> str:
    if question.first == question.last:
        return _("What did points cost in %(month)s?") % {"month": month(question.first)}
    return _("What did points cost from %(first)s to %(last)s?") % {
        "first": month(question.first), "last": month(question.last),
    }  # fmt: skip


def _finding(report: CostReport, currency: str) -> str:
    given, back = report.total.cost_micros[GIVEN], report.total.cost_micros[TAKEN_BACK]
    values = {
        "given": money_of_micros(given, currency),
        "back": money_of_micros(-back, currency),
        "cost": money_of_micros(given + back, currency),
    }
    if back:
        return _("%(cost)s: %(given)s were given, %(back)s came back with refunds.") % values
    return _("%(cost)s; nothing came back with refunds.") % values


def _tie_line(question: Question, held: Tie | None, when: datetime) -> TieLine:
    if held is None:
        text = _("The ledger is large: holding this report against every entry takes some seconds.")
        return TieLine(text, check=f"{_address(question)}&tie=1")
    values = {
        "entries": number(held.ledger_entries),
        "at": moment(when, ZoneInfo(question.program.time_zone)),
        "points": number(held.points),
        "cost": money_of_micros(held.cost_micros, question.program.currency),
    }
    if held.holds:
        text = _("Ties to the ledger: difference 0. Held against %(entries)s entries on %(at)s.")
        return TieLine(text % values, "good")
    text = _(
        "Does not tie to the ledger: the report says %(points)s points and %(cost)s more than its entries."
        " Your administrator makes the facts again. Held against %(entries)s entries on %(at)s."
    )
    return TieLine(text % values, "bad")


def _chart(question: Question, report: CostReport) -> dict[str, Any]:
    """Cost by month, one stacked bar a month: what was given above the axis, what left again below."""
    names = column_names()
    return {
        "language": get_language(),
        "currency": question.program.currency,
        "label": _("Cost in %(currency)s") % {"currency": question.program.currency},
        "months": [month(line.month) for line in report.months],
        "series": [
            {
                "name": names[column],
                "column": column,
                # As text: a float would be rounded on the way.
                "values": [str(line.sums.cost_micros[column] / MICROS) for line in report.months],
            }
            for column in COLUMNS
            if any(line.sums.cost_micros[column] for line in report.months)
        ],
    }
