"""What the home page says from the daily facts: running rules and what they gave, the month's cost, a region's week."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.core.clock import local_day
from apps.core.formats import moment, money_of_micros, month, number, signed
from apps.core.home import Empty, Figure, Link, Panel, Row, section
from apps.orgs.jobs import jobs_held
from apps.orgs.models import Program
from apps.points.models import PostingKind
from apps.reports.models import Movement
from apps.rules.models import RuleVersion
from apps.rules.reading import reaching_beyond

EARNED = (PostingKind.EARN, PostingKind.CLAWBACK)
"""What a rule gave, less what refunds took back of it."""


def _today(programs: list[Program], when: datetime) -> date:
    """The local day where the first programme is; the others are hours away from it."""
    return local_day(when, ZoneInfo(programs[0].time_zone if programs else "UTC"))


def _moved(person: Any) -> QuerySet[Movement]:
    return Movement.objects.visible_to(person, "reports.view_dailyfact")


def _report() -> Link | None:
    page = address("reports_cost")
    return Link(_("Points cost, month by month"), page) if page else None


@section(order=20, permission="rules.change_ruleversion")
def running(person: Any, when: datetime) -> Panel:
    """The rules in force, with what they gave since the first of the month."""
    live = reaching_beyond(RuleVersion.objects.visible_to(person, "rules.change_ruleversion"), when)
    live = live.filter(starts_at__lte=when)
    versions = list(live.select_related("rule__program").order_by("rule__name", "pk")[:12])
    first = _today([version.rule.program for version in versions], when).replace(day=1)
    facts = _moved(person).filter(
        day__gte=first, rule_id__in={version.rule_id for version in versions}, kind__in=EARNED
    )
    sums = facts.values_list("rule_id").annotate(
        given=Sum("points") + Sum("pending_points"), cost=Sum("cost_micros")
    )  # fmt: skip
    given = {rule: (points, cost) for rule, points, cost in sums}
    rows = []
    for version in versions:
        points, cost = given.get(version.rule_id, (0, 0))
        money = money_of_micros(cost, version.rule.program.currency)
        rows.append(
            Row(
                version.rule.name,
                address("rules_rule_change", version.rule_id),
                _version(version),
                _("%(points)s points, %(money)s") % {"points": number(points), "money": money},
                _("Live"),
                "good",
            )
        )
    empty = Empty(_("No rule is in force: no event earns points."), Link(_("Draft a rule"), address("rules_rule_add")))
    note = _("Given since the start of %(month)s") % {"month": month(first)} if rows else ""
    return Panel(_("Running rules"), note, rows=tuple(rows), empty=empty, more=_report())


def _version(version: RuleVersion) -> str:
    program = version.rule.program
    named = {"number": version.number, "program": program}
    if version.ends_at is None:
        return _("Version %(number)s, %(program)s") % named
    until = moment(version.ends_at, ZoneInfo(program.time_zone))
    return _("Version %(number)s, %(program)s, until %(until)s") % {**named, "until": until}


@section(order=10, permission="reports.view_dailyfact")
def cost(person: Any, when: datetime) -> Panel | None:
    """What points cost so far this month, beside the same days of the month before; one figure per programme."""
    if not jobs_held(person) & {"finance", "auditor"}:
        return None
    programs = list(Program.objects.visible_to(person).order_by("unit__path"))
    today = _today(programs, when)
    first = today.replace(day=1)
    earlier = (first - timedelta(days=1)).replace(day=1)
    same_day = min(earlier + timedelta(days=today.day - 1), first - timedelta(days=1))
    facts = _moved(person).filter(day__gte=earlier, day__lte=today, kind__in=EARNED)
    sums = facts.values_list("program").annotate(
        now=Sum("cost_micros", filter=Q(day__gte=first)),
        then=Sum("cost_micros", filter=Q(day__lte=same_day)),
        points=Sum("points", filter=Q(day__gte=first)),
    )
    found = {program: (now or 0, then or 0) for program, now, then, _points in sums}
    report = _report()
    figures = tuple(
        Figure(
            program.name,
            money_of_micros(found[program.pk][0], program.currency),
            _against(*found[program.pk], program.currency, earlier),
            report.address if report else "",
        )
        for program in programs
        if program.pk in found
    )
    title = _("What did points cost in %(month)s so far?") % {"month": month(first)}
    empty = Empty(_("No points were given in this month or the one before."))
    return Panel(title, figures=figures, empty=empty, more=report, is_wide=True)


def _against(now: int, then: int, currency: str, earlier: date) -> str:
    """“+12 % against the same days of April 2026: ¥1,200.00”; without the per cent where then was nothing."""
    values = {"month": month(earlier), "money": money_of_micros(then, currency)}
    if then <= 0:
        return _("Same days of %(month)s: %(money)s") % values
    change = signed(int((Decimal(now - then) * 100 / then).to_integral_value()))
    return _("%(change)s %% against the same days of %(month)s: %(money)s") % {**values, "change": change}


@section(order=31, permission="reports.view_dailyfact")
def week(person: Any, when: datetime) -> Panel | None:
    """What a manager's stores gave and took in seven days, store by store."""
    if "regional_manager" not in jobs_held(person):
        return None
    today = _today(list(Program.objects.visible_to(person).order_by("-unit__depth")[:1]), when)
    facts = _moved(person).filter(day__gt=today - timedelta(days=7), day__lte=today)
    given = Sum("points", filter=Q(kind__in=EARNED), default=0) + Sum(
        "pending_points", filter=Q(kind__in=EARNED), default=0
    )  # fmt: skip
    redeemed = Sum("points", filter=Q(kind=PostingKind.REDEEM), default=0)
    stores = facts.values_list("org_unit__name").annotate(given=given, redeemed=redeemed).order_by("-given")
    rows = tuple(
        Row(
            name,
            note=_("%(points)s points redeemed") % {"points": number(-spent)},
            amount=_("%(points)s points given") % {"points": number(points)},
        )
        for name, points, spent in stores[:8]
    )
    empty = Empty(_("No points moved in your stores in the last seven days."))
    return Panel(_("Your stores in the last 7 days"), rows=rows, empty=empty, more=_report())
