"""What the home page says about rules: drafts to publish, budgets that run out; and what the palette finds of them."""

from datetime import datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.core.formats import day
from apps.core.home import Empty, Link, Panel, Row, section
from apps.core.palette import MOST, Found, source
from apps.rules.budgets import budgets_of
from apps.rules.gallery import TEMPLATES
from apps.rules.models import Rule, RuleVersion
from apps.rules.reading import reaching_beyond


@section(order=10, permission="rules.change_ruleversion")
def drafts(person: Any, when: datetime) -> Panel:
    found = RuleVersion.objects.visible_to(person, "rules.change_ruleversion").filter(state=RuleVersion.State.DRAFT)
    rows = tuple(
        Row(
            version.rule.name,
            address("rules_rule_change", version.rule_id),
            _("Version %(number)s, drafted on %(day)s") % {"number": version.number, "day": day(version.created_at)},
            tag=str(version.get_state_display()),
            tone="warn",
        )
        for version in found.select_related("rule").order_by("-created_at", "-pk")[:6]
    )
    empty = Empty(
        _("A draft changes nothing until it is published. Start one, try it on last month, then publish it."),
        Link(_("Begin from a template"), address("rules_rule_gallery")),
    )
    return Panel(_("Drafts to finish"), rows=rows, empty=empty)


@section(order=15, permission="rules.view_rule")
def budgets(person: Any, when: datetime) -> Panel | None:
    """The budgets that are nearly or wholly used up; nothing where all is well."""
    live = reaching_beyond(RuleVersion.objects.visible_to(person, "rules.view_rule"), when).filter(
        starts_at__lte=when, definition__limits__contains=[{"per": "programme"}]
    )
    live = live.select_related("rule__program")
    short = [budget for budget in budgets_of(live, when) if budget.tone != "good"]
    if not short:
        return None
    rows = tuple(
        Row(
            budget.version.rule.name,
            address("rules_rule_change", budget.version.rule_id),
            budget.sentence(),
            tag=_("Used up") if budget.tone == "bad" else _("Nearly used up"),
            tone=budget.tone,
        )
        for budget in sorted(short, key=lambda each: -each.percent)[:6]
    )
    return Panel(_("Budgets running out"), rows=rows)


@source(permission="rules.view_rule")
def rules(person: Any, term: str) -> list[Found]:
    found = Rule.objects.visible_to(person).filter(name__icontains=term).select_related("unit").order_by("name", "pk")
    return [Found(rule.name, str(rule.unit), address("rules_rule_change", rule.pk), "rule") for rule in found[:MOST]]


@source(permission="rules.add_rule")
def templates(person: Any, term: str) -> list[Found]:
    language = get_language() or "en"
    start = address("rules_rule_add")
    return [
        Found(
            each.name.in_language(language), _("New rule from a template"), f"{start}?template={each.code}", each.icon
        )
        for each in TEMPLATES.values()
        if term.lower() in each.name.en.lower() or term in each.name.zh
    ][:MOST]
