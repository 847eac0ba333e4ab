"""What the home page says about rules: drafts to finish, budgets that run out; and what the palette finds of them."""

from datetime import datetime
from typing import Any

from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.core.formats import day, number, signed
from apps.core.home import Empty, Link, Panel, Row, section
from apps.core.palette import MOST, Found, source
from apps.rules.budgets import budgets_of
from apps.rules.daily import Standing, standings
from apps.rules.gallery import TEMPLATES
from apps.rules.holding import PERMISSION as DECIDE
from apps.rules.models import HeldEvent, Rule, RuleVersion
from apps.rules.reading import open_requests, reaching_beyond, standing_in_words

HELD_SHOWN = 6


@section(order=6, permission=DECIDE)
def held(person: Any, when: datetime) -> Panel | None:
    """The events that wait for this person's decision; nothing where none does."""
    found = HeldEvent.objects.visible_to(person, DECIDE).filter(decision=None)
    waiting = list(found.select_related("event__program", "event__outcome", "member").order_by("pk")[: HELD_SHOWN + 1])
    if not waiting:
        return None
    rows = tuple(
        Row(
            str(each.member),
            address("rules_heldevent_change", each.pk),
            _("“%(reason)s”, %(day)s") % {"reason": each.reason, "day": day(each.event.occurred_at)},
            amount=signed(each.event.outcome.points),
        )
        for each in waiting[:HELD_SHOWN]
    )
    more = Link(_("All that are held"), f"{address('rules_heldevent_changelist')}?state=open")
    return Panel(_("Points held for review"), rows=rows, more=more)


@section(order=10, permission="rules.change_ruleversion")
def drafts(person: Any, when: datetime) -> Panel:
    found = RuleVersion.objects.visible_to(person, "rules.change_ruleversion").filter(state=RuleVersion.State.DRAFT)
    shown = list(found.select_related("rule").order_by("-created_at", "-pk")[:6])
    in_review = open_requests(version.rule for version in shown)
    rows = tuple(
        Row(
            version.rule.name,
            address("rules_rule_change", version.rule_id),
            _("Version %(number)s, drafted on %(day)s") % {"number": version.number, "day": day(version.created_at)},
            tag=standing_in_words("review" if version.rule_id in in_review else "draft"),
            tone="warn",
        )
        for version in shown
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


@section(order=16, permission="rules.view_rule")
def new_days(person: Any, when: datetime) -> Panel | None:
    """When each programme last told its rules of a new day; nothing where no rule waits for one."""
    live = reaching_beyond(RuleVersion.objects.visible_to(person, "rules.view_rule"), when).filter(starts_at__lte=when)
    found = standings(live, when)
    return Panel(_("Rules of every day"), rows=tuple(_day_row(each, when) for each in found)) if found else None


def _day_row(each: Standing, when: datetime) -> Row:
    last, is_late = each.last, each.is_late(when)
    told = _("The first day is told within the hour.")
    if last is not None:
        members = ngettext("%(n)s member", "%(n)s members", last.events) % {"n": number(last.events)}
        points = ngettext("%(n)s point", "%(n)s points", last.points) % {"n": number(last.points)}
        told = _("%(day)s: %(members)s, %(points)s") % {"day": day(last.day), "members": members, "points": points}
    if is_late:
        told = _("%(told)s. Is the scheduler running? Days are told up to a week later.") % {"told": told}
    tag = _("Late") if is_late else _("Told") if not each.due else _("Due")
    return Row(each.program.name, note=told, tag=tag, tone="bad" if is_late else "good" if not each.due else "warn")


@source(gettext_lazy("Rules"), permission="rules.view_rule", listed="rules_rule_changelist")
def rules(person: Any, term: str) -> list[Found]:
    found = Rule.objects.visible_to(person).filter(name__icontains=term).select_related("unit").order_by("name", "pk")
    return [
        Found(rule.name, str(rule.unit), address("rules_rule_change", rule.pk), "rule") for rule in found[: MOST + 1]
    ]


@source(gettext_lazy("Templates of rules"), permission="rules.add_rule", listed="rules_rule_gallery")
def templates(person: Any, term: str) -> list[Found]:
    language = get_language() or "en"
    start = address("rules_rule_add")
    return [
        Found(
            each.name.in_language(language), _("New rule from a template"), f"{start}?template={each.code}", each.icon
        )
        for each in TEMPLATES.values()
        if term.lower() in each.name.en.lower() or term in each.name.zh
    ][: MOST + 1]
