"""What a member did, with the reason of each award: moments of the member's timeline."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.activity.models import Event
from apps.core.addresses import address
from apps.core.formats import money
from apps.members.fields import attribute_fields
from apps.members.page import Action, Asked, action
from apps.members.querysets import definitions_of
from apps.members.timeline import Mark, Moment, Moved, Row, Source, register
from apps.orgs.models import OrgUnit, SpecialDay
from apps.points.moments import MADE_BY_EVENT, Purses, purses_on, reversals_of
from apps.rules.codes.reading import prize_in_words
from apps.rules.codes.services import REDEEM
from apps.rules.explain import Reason, progress, reasons, releases, special_days_named, units_named, why_not
from apps.rules.member_goals import in_force
from apps.rules.models import HeldDecision, RuleVersion
from apps.rules.sentences import Names

ICONS = {
    Event.Kind.PURCHASE: "shopping_bag", Event.Kind.REFUND: "assignment_return", Event.Kind.CHECK_IN: "where_to_vote",
    Event.Kind.REVIEW: "rate_review", Event.Kind.REFERRAL: "group_add", Event.Kind.REGISTRATION: "how_to_reg",
    Event.Kind.BIRTHDAY: "cake", Event.Kind.CODE: "qr_code_2", Event.Kind.DAY: "today", Event.Kind.FRIEND: "group",
    Event.Kind.FRIEND_REFUND: "assignment_return",
}  # fmt: skip


@dataclass
class Why:
    """What an event came to, and why."""

    reasons: list[tuple[Moved, Reason]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    progress: list[str] = field(default_factory=list)
    not_given: list[str] = field(default_factory=list)


def events_of(asked: Asked) -> "QuerySet[Any]":
    return Event.objects.visible_to(asked.person).filter(member=asked.member)


def tell_events(asked: Asked, rows: list[Row]) -> Iterable[Moment]:
    """Four queries at most, and the accounts, however long the history."""
    purses = asked.once(purses_on)
    moments = {row.id: _of_event(asked, row) for row in rows}
    _explain(asked, moments, purses)
    return moments.values()


def _of_event(asked: Asked, row: Row) -> Moment:
    facts = row.facts
    return Moment(
        row, kind_in_words(facts["kind"]), detail=_detail(facts), place=facts["place"],
        amount=money(Decimal(facts["amount"]), facts["currency"]) if facts["amount"] is not None else "",
        mark=_held(facts["verdict"]) if facts["held"] else None, icon=ICONS.get(facts["kind"], ""),
        address=address("activity_event_change", row.id), template="rules/moment_why.html", more=Why(),
        reversals=reversals_of(asked, facts["made"] or ()),
    )  # fmt: skip


def _detail(facts: Mapping[str, Any]) -> str:
    """The number of an order; of a code its batch and what it drew."""
    if facts["kind"] == Event.Kind.CODE:
        return _("%(batch)s: %(prize)s") % {
            "batch": facts["batch"] or "",
            "prize": prize_in_words(facts["prize"] or ""),
        }
    return _("Order %(number)s") % {"number": facts["order_no"]} if facts["order_no"] else ""


def _held(verdict: str | None) -> Mark:
    if verdict is None:
        return Mark(_("Held for review"), "warn")
    if verdict == HeldDecision.Verdict.RELEASED:
        return Mark(_("Released after review"), "good")
    return Mark(_("Refused after review"), "bad")


def kind_in_words(kind: str) -> str:
    """A kind of event as people read it; custom kinds as they are."""
    return str(dict(Event.Kind.choices).get(kind, kind))


def _explain(asked: Asked, moments: Mapping[int, Moment], purses: Purses) -> None:
    """Adds to events what they came to, and why. Two queries, and one where versions no longer in force are named."""
    answers = {
        pk: moment.row.facts["answer"] for pk, moment in moments.items() if moment.row.facts["answer"] is not None
    }
    judging = {pk: _judging(answer) for pk, answer in answers.items()}
    named_versions = {pk for versions in judging.values() for pk in versions}
    found = {version.pk: version for version in asked.once(in_force) if version.pk in named_versions}
    if older := named_versions - found.keys():
        seen = RuleVersion.objects.visible_to(asked.person).filter(pk__in=older).select_related("rule__overrides")
        found |= {version.pk: version for version in seen}
    instead = {
        pk: _("%(rule)s: “%(own)s” stands in its place.")
        % {"rule": version.rule.overrides.name, "own": version.rule.name}
        for pk, version in found.items()
        if version.rule.overrides is not None
    }
    definitions = {pk: version.definition for pk, version in found.items()}
    names = {
        pk: _("%(rule)s, version %(number)s") % {"rule": version.rule.name, "number": version.number}
        for pk, version in found.items()
    }
    codes = units_named(definitions.values())
    units = dict(OrgUnit.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}
    days: dict[int, dict[str, str]] = {}
    if codes := special_days_named(definitions.values()):
        for day in SpecialDay.objects.filter(
            code__in=codes, program__in={version.rule.program_id for version in found.values()}
        ):
            days.setdefault(day.program_id, {})[day.code] = day.name
    attributes = attribute_fields(definitions_of(asked.member))
    for pk, answer in answers.items():
        moment, facts = moments[pk], moments[pk].row.facts
        program_id, currency, item = facts["program"], facts["currency"], moment.more
        named = Names(units=units, special_days=days.get(program_id, {}), attributes=attributes)
        why = reasons(answer, definitions, currency, named)
        item.reasons = [(purses.moved(reason.points, program_id, reason.point_type), reason) for reason in why]
        item.released = releases(answer, names)
        item.progress = progress(answer, currency)
        item.not_given = why_not(answer.get("skipped"), names, definitions, named)
        item.not_given += dict.fromkeys(instead[each] for each in judging[pk] if each in instead)
        moment.in_file = [
            *(" ".join(filter(None, (reason.title, *reason.sentences))) for reason in why),
            *item.released,
        ]
        sums = Counter[str]()
        for moved, _reason in item.reasons:
            sums[moved.name] += moved.points
        moment.moved = [Moved(points, name) for name, points in sums.items()] or [Moved(0)]


def _judging(answer: Mapping[str, Any]) -> list[int]:
    """The versions that an answer tells of, whether they gave points or not."""
    told = [each.get("version_id") for part in ("awards", "released") for each in answer.get(part) or ()]
    return [version for version in (*told, *(pair[0] for pair in answer.get("skipped") or ())) if version]


@action(order=20, permission=REDEEM)
def redeeming(asked: Asked) -> Action:
    return Action(_("Redeem a code"), address("rules_codebatch_redeem", asked.member.pk), "qr_code_2")


register(
    Source(
        "event", gettext_lazy("Events"), "bolt", "activity.view_event", events_of, "occurred_at",
        {
            "kind": "kind", "amount": Cast("amount", TextField()), "order_no": "order_no", "program": "program_id",
            "currency": "program__currency", "place": "org_unit__name", "answer": "outcome__answer",
            "batch": F("attributes__code_batch"), "prize": F("attributes__prize"), "held": "held_event__pk",
            "verdict": "held_event__decision__verdict", "made": MADE_BY_EVENT,
        },
        tell_events, 10,
    )
)  # fmt: skip
