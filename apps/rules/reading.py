"""Reads of rules that have a name: where a rule stands, its versions, what the codes in them are called."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext as _

from apps.approvals.models import ApprovalRequest
from apps.members.fields import attribute_fields
from apps.members.querysets import definitions_at, governing
from apps.orgs.models import OrgUnit, Program, SpecialDay
from apps.points.models import PointType
from apps.rules.models import Rule, RuleVersion
from apps.rules.sentences import Names

State = RuleVersion.State
PUBLICATION = "rules.publication"
"""The kind of request that publishes a draft."""


def standing_of(version: RuleVersion, when: datetime) -> str:
    """draft, scheduled, live or over."""
    if version.state == State.DRAFT:
        return "draft"
    if version.ends_at is not None and version.ends_at <= max(when, version.starts_at or when):
        return "over"
    return "scheduled" if version.starts_at is not None and version.starts_at > when else "live"


def standing_in_words(standing: str) -> str:
    return {
        "draft": _("Draft"), "review": _("In review"), "scheduled": _("Scheduled"), "live": _("Live"), "over": _("Over"),
    }[standing]  # fmt: skip


TONES = {"draft": "warn", "review": "warn", "scheduled": "warn", "live": "good", "over": ""}


@dataclass(frozen=True)
class Standing:
    """Where a rule stands: its draft and the open request to publish it, what is in force or scheduled, what it was last."""

    draft: RuleVersion | None
    live: RuleVersion | None
    scheduled: RuleVersion | None
    last: RuleVersion | None
    review: ApprovalRequest | None = None

    @property
    def draft_name(self) -> str:
        return "draft" if self.review is None else "review"

    @property
    def shown(self) -> RuleVersion | None:
        """The version that says what the rule is now."""
        return self.live or self.scheduled or self.draft or self.last

    @property
    def name(self) -> str:
        if self.live is not None:
            return "live"
        return "scheduled" if self.scheduled is not None else self.draft_name if self.draft is not None else "over"

    @property
    def was_published(self) -> bool:
        return self.last is not None


def standing(versions: Iterable[RuleVersion], when: datetime, review: ApprovalRequest | None = None) -> Standing:
    """Of one rule's versions, newest first, and the open request to publish its draft."""
    found: dict[str, RuleVersion] = {}
    last = None
    for version in versions:
        found.setdefault(standing_of(version, when), version)
        if version.state != State.DRAFT and last is None:
            last = version
    return Standing(found.get("draft"), found.get("live"), found.get("scheduled"), last, review)


def about_rule(rule_id: int) -> str:
    """What requests call a rule."""
    return f"rule:{rule_id}"


def open_requests(rules: Iterable[Rule]) -> dict[int, ApprovalRequest]:
    """The open request to publish the draft of each of `rules` that has one, by the rule's id. One query."""
    by_name = {about_rule(rule.pk): rule.pk for rule in rules}
    found = ApprovalRequest.objects.filter(
        kind=PUBLICATION, about__in=list(by_name), state=ApprovalRequest.State.OPEN
    ).select_related("requester")
    return {by_name[request.about]: request for request in found}


def versions_by_rule(rules: Iterable[Rule]) -> dict[int, list[RuleVersion]]:
    """Every version of each of `rules`, newest first. One query."""
    found: dict[int, list[RuleVersion]] = {rule.pk: [] for rule in rules}
    versions = RuleVersion.objects.filter(rule__in=found).select_related("created_by", "changed_by", "published_by")
    for version in versions.order_by("rule_id", "-number"):
        found[version.rule_id].append(version)
    return found


def reaching_beyond(versions: Any, instant: datetime) -> Any:
    """Those of a queryset of versions that are published and in force at some time from `instant` on."""
    open_or_later = Q(ends_at__isnull=True) | Q(ends_at__gt=instant)
    return versions.exclude(state=State.DRAFT).filter(open_or_later).exclude(ends_at=F("starts_at"))


def names_of(programs: Iterable[Program]) -> dict[int, Names]:
    """What codes are called in each of `programs`, by its id. Four queries and one for each programme's units."""
    wanted = {program.pk: program for program in programs}
    kinds: dict[int, dict[str, str]] = {pk: {} for pk in wanted}
    rows = PointType.objects.filter(program__in=wanted).order_by("pk")
    for pk, code, name in rows.values_list("program_id", "code", "name"):
        kinds[pk][code] = name
    units = {
        pk: dict(OrgUnit.objects.within(program.unit.path).values_list("code", "name"))
        for pk, program in wanted.items()
    }
    days: dict[int, dict[str, str]] = {pk: {} for pk in wanted}
    for pk, code, name in SpecialDay.objects.filter(program__in=wanted).values_list("program_id", "code", "name"):
        days[pk][code] = name
    defined = definitions_at(program.unit.path for program in wanted.values())
    return {
        pk: Names(
            program.currency, kinds[pk], units[pk], special_days=days[pk],
            attributes=attribute_fields(governing(defined, program.unit.path)),
        )
        for pk, program in wanted.items()
    }  # fmt: skip


def place_of(rule: Rule) -> str:
    """Where a rule applies, if it is not its programme's whole unit."""
    return "" if rule.unit_id == rule.program.unit_id else rule.unit.name
