"""Measuring: one statement per rule over all members that it judges, kept by store, source and week of joining."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, DateField, Exists, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce, NullIf, TruncWeek

from apps.core.scope import reach_of
from apps.core.transactions import in_transaction
from apps.members.models import AttributeDefinition, Identifier, Member, MemberChange
from apps.members.quality.checks import question
from apps.members.quality.models import QualityDay, QualityFigure, QualityRule
from apps.members.services.rows import today_at
from apps.orgs.models import OrgUnit
from apps.orgs.querysets import paths_above

MEASURE = "members.measure_qualityrule"
WEEKS = 26
KEPT_DAYS = 400
API, BY_HAND, STUDIO = "@api", "@hand", "@studio"
"""Where members come from that no source system tells of."""


def definitions_near(rule: QualityRule) -> list[AttributeDefinition]:
    """The attributes that members of the rule's unit have, and those of the companies below. One query."""
    near = AttributeDefinition.objects.filter(unit__path__in=paths_above(rule.unit.path)) | (
        AttributeDefinition.objects.filter(unit__path__startswith=rule.unit.path)
    )
    return list(near.select_related("unit").order_by("position", "pk"))


def judged_by(rule: QualityRule) -> Any:
    """The members of the rule's unit who have not left."""
    return Member.objects.filter(state=Member.State.ACTIVE, home_unit__path__startswith=rule.unit.path)


def members_at_fault(rule: QualityRule, when: datetime, place: OrgUnit | None = None, source: str = "") -> Any:
    """Of all members, those at fault, of `place` and from `source` where these are told, as figures tell them apart; to be
    narrowed to what the reader may see. Two queries, and its own."""
    asked = question(rule.field, rule.check_code, today_at(rule.unit, when), definitions_near(rule))
    found = judged_by(rule).filter(asked.at_fault)
    if place is not None:
        found = found.filter(home_unit__path__startswith=place.path)
    return found.alias(told_by=_source()).filter(told_by=source) if source else found


def _source() -> Any:
    """The system that first told of a member; of others, whether a client of the API, a person or the studio made them."""
    first = Identifier.objects.filter(member=OuterRef("pk")).order_by("pk").values("source")[:1]
    made = MemberChange.objects.filter(member=OuterRef("pk"), kind=MemberChange.Kind.CREATED)
    by_whom = Case(
        When(Exists(made.filter(client__isnull=False)), then=Value(API)),
        When(Exists(made.filter(actor__isnull=False)), then=Value(BY_HAND)),
        default=Value(STUDIO), output_field=CharField(),
    )  # fmt: skip
    return Coalesce(NullIf(Subquery(first), Value("")), by_whom, output_field=CharField())


def _week(today: date) -> Any:
    """The Monday of the week of joining, of the last weeks; of earlier ones NULL."""
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    week = TruncWeek("joined_on", output_field=DateField())
    return Case(When(joined_on__gte=first, then=week), default=None, output_field=DateField())


@in_transaction
def measure_rule(rule_id: int, when: datetime) -> int:
    """Measures one rule anew; how many members are at fault. Does nothing for one that is gone or not active."""
    rule = QualityRule.objects.select_for_update(of=("self",)).select_related("unit").filter(pk=rule_id).first()
    if rule is None or not rule.is_active:
        return 0
    today = today_at(rule.unit, when)
    asked = question(rule.field, rule.check_code, today, definitions_near(rule))
    found = (
        judged_by(rule)
        .filter(asked.judged)
        .annotate(told_by=_source(), joined_in=_week(today))
        .values("home_unit", "told_by", "joined_in")
        .annotate(judged=Count("pk"), faulty=Count("pk", filter=asked.fault))
        .order_by()
    )
    rows = list(found)
    rule.figures.all().delete()
    QualityFigure.objects.bulk_create(
        QualityFigure(
            rule=rule, unit_id=row["home_unit"], source=row["told_by"], week=row["joined_in"], members=row["judged"],
            at_fault=row["faulty"],
        )
        for row in rows
    )  # fmt: skip
    _keep_day(rule, today, rows)
    rule.measured_at = when
    rule.save(update_fields=["measured_at"])
    return sum(row["faulty"] for row in rows)


def _keep_day(rule: QualityRule, today: date, rows: Sequence[dict[str, Any]]) -> None:
    members, faulty = Counter[int](), Counter[int]()
    for row in rows:
        members[row["home_unit"]] += row["judged"]
        faulty[row["home_unit"]] += row["faulty"]
    rule.days.filter(day=today).delete()
    rule.days.filter(day__lt=today - timedelta(days=KEPT_DAYS)).delete()
    QualityDay.objects.bulk_create(
        QualityDay(rule=rule, unit_id=unit, day=today, members=number, at_fault=faulty[unit])
        for unit, number in members.items()
    )


def rules_in_force() -> list[int]:
    return list(QualityRule.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True))


def rules_measured_by(actor: Any) -> list[int]:
    """The rules that `actor` may have measured: those for members of whom some are within reach."""
    reach = reach_of(actor, MEASURE)
    rules = QualityRule.objects.visible_to(actor).filter(is_active=True).select_related("unit").order_by("pk")
    return [
        rule.pk
        for rule in rules
        if reach.covers(rule.unit.path) or any(root.startswith(rule.unit.path) for root in reach.paths)
    ]


def weighted(part: str) -> Any:
    """`members` or `at_fault` of figures, each as often as its rule weighs."""
    return F(part) * F("rule__weight")
