"""What is done with rules: draft, save, publish, retire, draft anew, discard.

A published version never changes; its end alone is set, when a later one takes over or the rule is retired. So at no
instant are two versions of one rule in force. What is published starts after its transaction is over, never before:
an event is judged by the version that is in force when it happens, whoever judges it.
"""

import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError

from apps.activity.models import Event
from apps.core.scope import require
from apps.orgs.models import OrgUnit, Program, SpecialDay, Staff
from apps.orgs.querysets import program_of
from apps.orgs.services.actors import signed
from apps.points.models import PointType
from apps.rules.definition import Definition, Faulty, check_definition
from apps.rules.errors import (
    DefinitionFaulty,
    DraftChanged,
    DraftExists,
    DraftInReview,
    EndInThePast,
    NotADraft,
    NothingToRetire,
    ReviewNeeded,
    RuleCodeTaken,
    RuleMisplaced,
    RulePlaceFixed,
    StackingClash,
    StartInThePast,
)
from apps.rules.families import relatives, require_overridable
from apps.rules.models import Rule, RuleVersion
from apps.rules.reading import open_reviews, reaching_beyond

State = RuleVersion.State
SOON = timedelta(seconds=2)
"""How long “now” takes: the version is committed before it starts, also where clocks differ by a little."""


def checked(program: Program, definition: Any) -> Definition:
    """`definition` (decoded JSON), which may name the programme's point types, units and special days.

    Raises DefinitionFaulty.
    """
    point_types = dict(PointType.objects.filter(program=program).values_list("code", "pk"))
    units = dict(OrgUnit.objects.within(program.unit.path).values_list("code", "path"))
    special_days = dict(SpecialDay.objects.filter(program=program).values_list("code", "name"))
    try:
        return check_definition(definition, point_types=point_types, units=units, special_days=special_days)
    except Faulty as error:
        raise DefinitionFaulty(error.faults) from None


@transaction.atomic
def create_rule(
    actor: Staff | None,
    program: Program,
    unit: OrgUnit,
    *,
    code: str,
    name: str,
    definition: Any,
    allows_override: bool = False,
    overrides: Rule | None = None,
    overridden_number: int | None = None,
    when: datetime,
) -> RuleVersion:
    """The first draft of a new rule for events at `unit` and below; with `overrides`, in the place of that one.

    Raises RuleCodeTaken, RuleMisplaced, OverrideMisplaced, AlreadyOverridden, OverrideNotAllowed, DefinitionFaulty,
    NotAllowed.
    """
    require(actor, "rules.add_rule", unit.path)
    _check_place(program, unit)
    locked_program(program.pk)  # who comes second with a code is told so
    if Rule.objects.filter(program=program, code=code).exists():
        raise RuleCodeTaken(code=code)
    if overrides is not None:
        require_overridable(overrides, unit, when)
    content = checked(program, definition)
    rule = Rule(
        program=program, unit=unit, code=code, name=name, allows_override=allows_override, overrides=overrides,
        created_at=when,
    )  # fmt: skip
    signed(rule, actor).save()
    return _draft(actor, rule, 1, content.to_json(), overridden_number, when)


def _check_place(program: Program, unit: OrgUnit) -> None:
    if program_of(unit) != program:
        raise RuleMisplaced(unit=unit.name, program=program.name)


def _draft(
    actor: Staff | None,
    rule: Rule,
    number: int,
    content: dict[str, Any],
    overridden_number: int | None,
    when: datetime,
) -> RuleVersion:
    version = RuleVersion(
        rule=rule, number=number, definition=content, overridden_number=overridden_number,
        created_by=actor, created_at=when, changed_by=actor, changed_at=when,
    )  # fmt: skip
    signed(version, actor).save()
    return version


@transaction.atomic
def change_rule(
    actor: Staff | None, rule: Rule, *, name: str, unit: OrgUnit | None = None, allows_override: bool | None = None
) -> Rule:
    """`rule` with another name, and before anything of it is published another place, unless it overrides one. Where
    it does not allow it any more, the rules that override it go on; no other one begins.

    Raises RulePlaceFixed, DraftInReview, RuleMisplaced, NotAllowed.
    """
    rule = locked_rule(rule.pk)
    require(actor, "rules.change_rule", rule.unit.path)
    if unit is not None and unit != rule.unit:
        require(actor, "rules.change_rule", unit.path)
        is_related = rule.overrides_id is not None or rule.overridden_by.exists()
        if is_related or rule.versions.exclude(state=State.DRAFT).exists():
            raise RulePlaceFixed()
        _require_no_review(rule)
        _check_place(rule.program, unit)
        rule.unit = unit
    elif rule.name == name and allows_override in (None, rule.allows_override):
        return rule
    rule.name = name
    rule.allows_override = rule.allows_override if allows_override is None else allows_override
    signed(rule, actor).save()
    return rule


@transaction.atomic
def save_draft(
    actor: Staff | None, version: RuleVersion, definition: Any, *, revision: int | None = None, when: datetime
) -> RuleVersion:
    """The draft with another content. `revision` is the one that was read; None overwrites whatever is there.

    Raises NotADraft, DraftInReview, DraftChanged, DefinitionFaulty, NotAllowed.
    """
    rule = locked_rule(version.rule_id)
    require(actor, "rules.change_ruleversion", rule.unit.path)
    version = draft_of(rule, version)
    content = checked(rule.program, definition).to_json()
    if content == version.definition:
        return version
    _require_no_review(rule)
    require_read(version, revision)
    version.definition = content
    version.revision += 1
    version.changed_by, version.changed_at = actor, when
    signed(version, actor).save()
    return version


def locked_program(pk: int) -> Program:
    """The programme, locked: what is said of several of its rules is said one after the other. Whoever also locks a
    rule does so afterwards."""
    return Program.objects.select_for_update(no_key=True, of=("self",)).select_related("unit").get(pk=pk)


def locked_rule(pk: int) -> Rule:
    """The rule, locked: the verbs of one rule run one after the other."""
    rules = Rule.objects.select_for_update(no_key=True, of=("self",))
    return rules.select_related("unit", "program__unit", "overrides__unit").get(pk=pk)


def draft_of(rule: Rule, version: RuleVersion) -> RuleVersion:
    """The version, read again under the rule's lock. Raises NotADraft, also where it was discarded meanwhile."""
    found = RuleVersion.objects.select_related("changed_by").filter(rule=rule, pk=version.pk, state=State.DRAFT).first()
    if found is None:
        raise NotADraft()
    found.rule = rule
    return found


def require_read(version: RuleVersion, revision: int | None) -> None:
    """Raises DraftChanged unless `revision` is the one that there is; None is who need not have read it."""
    if revision is not None and revision != version.revision:
        raise DraftChanged(who=str(version.changed_by or ""), at=version.changed_at, revision=version.revision)


def _require_no_review(rule: Rule) -> None:
    if open_reviews([rule]):
        raise DraftInReview()


@transaction.atomic
def publish_version(
    actor: Staff | None,
    version: RuleVersion,
    *,
    starts_at: datetime | None = None,
    revision: int | None = None,
    when: datetime,
) -> RuleVersion:
    """The draft, published: in force from `starts_at`, or as soon as may be. Earlier versions end where it starts.

    A group holds no two rules with one number, nor two ways of taking.
    A start in the past is taken only where no event has happened since that this version could have judged.
    `revision` is the one that the person read. Raises ReviewNeeded, DraftInReview, NotADraft, DraftChanged,
    DefinitionFaulty, StartInThePast, StackingClash, NotAllowed.
    """
    program = locked_program(version.rule.program_id)  # who comes second with a number in a group is told so
    rule = locked_rule(version.rule_id)
    require(actor, "rules.publish_rule", rule.unit.path)
    version = draft_of(rule, version)
    require_read(version, revision)
    if program.reviews_rules:
        raise ReviewNeeded()
    _require_no_review(rule)
    return publish_draft(actor, version, start_of(version, starts_at, when), when)


def start_of(version: RuleVersion, wanted: datetime | None, when: datetime) -> datetime:
    """When `version` would come into force; what it cannot is refused.

    Raises DefinitionFaulty, StartInThePast, StackingClash, and OverrideNotAllowed where it would begin, or begin again,
    to stand in the place of a rule that does not allow it any more.
    """
    rule = version.rule
    if rule.overrides is not None and not reaching_beyond(rule.versions.all(), when).exists():
        require_overridable(rule.overrides, rule.unit, when, own=rule)
    checked(rule.program, version.definition)  # a point type or unit may have gone since it was saved
    start = _start(rule, wanted, when)
    _require_no_clash(rule, version.definition.get("stacking"), start)
    return start


def publish_draft(actor: Staff | None, version: RuleVersion, start: datetime, when: datetime) -> RuleVersion:
    """`version`, in force from `start`, for who holds its programme and rule locked and has asked `start_of`."""
    for earlier in reaching_beyond(version.rule.versions.all(), start):
        earlier.ends_at = max(start, earlier.starts_at or start)
        signed(earlier, actor).save()
    version.state = State.PUBLISHED
    version.starts_at = start
    version.published_by, version.published_at = actor, when
    signed(version, actor).save()
    return version


def _require_no_clash(rule: Rule, stacking: Any, start: datetime) -> None:
    """Raises StackingClash where a published rule of the group takes otherwise, or has the same number in it. Rules
    that stand in each other's place never meet."""
    if not stacking:
        return
    never_met = [rule, *relatives(rule)]
    rivals = RuleVersion.objects.filter(
        rule__program=rule.program_id, definition__stacking__group=stacking["group"]
    ).exclude(rule__in=never_met)  # fmt: skip
    for rival in reaching_beyond(rivals, start).select_related("rule"):
        for why in ("take", "order"):
            if (rival.definition["stacking"][why] == stacking[why]) == (why == "order"):
                raise StackingClash(rule=rival.rule.name, group=stacking["group"], why=why)


def _start(rule: Rule, wanted: datetime | None, when: datetime) -> datetime:
    soon = datetime.fromtimestamp(math.ceil((when + SOON).timestamp()), UTC)
    if wanted is None:
        return soon
    happened = Event.objects.filter(
        program=rule.program_id, org_unit__path__startswith=rule.unit.path, occurred_at__gte=wanted
    )
    if wanted >= soon or not happened.exists():
        return wanted
    if wanted < when:
        raise StartInThePast()
    return soon


@transaction.atomic
def retire_rule(actor: Staff | None, rule: Rule, *, at: datetime | None = None, when: datetime) -> Rule:
    """The rule, in force no longer from `at`, or from as soon as may be; what waits to start never starts.

    Raises EndInThePast, NothingToRetire, NotAllowed.
    """
    rule = locked_rule(rule.pk)
    require(actor, "rules.publish_rule", rule.unit.path)
    if at is not None and at < when:
        raise EndInThePast()
    end = datetime.fromtimestamp(math.ceil((when + SOON).timestamp()), UTC)
    end = end if at is None else max(at, end)
    versions = list(reaching_beyond(rule.versions.all(), end))
    if not versions:
        raise NothingToRetire()
    for version in versions:
        version.ends_at = max(end, version.starts_at or end)
        version.state, version.retired_at = State.RETIRED, when
        signed(version, actor).save()
    return rule


@transaction.atomic
def start_draft(actor: Staff | None, source: RuleVersion, *, when: datetime) -> RuleVersion:
    """A new draft of the rule that says what `source` says. Raises DraftExists, NotAllowed."""
    rule = locked_rule(source.rule_id)
    require(actor, "rules.add_ruleversion", rule.unit.path)
    if rule.versions.filter(state=State.DRAFT).exists():
        raise DraftExists()
    newest = rule.versions.order_by("-number").values_list("number", flat=True)[0]
    return _draft(actor, rule, newest + 1, source.definition, source.overridden_number, when)


@transaction.atomic
def restore_version(
    actor: Staff | None, source: RuleVersion, *, revision: int | None = None, when: datetime
) -> RuleVersion:
    """A draft that says what `source` says: a new one, or the rule's draft overwritten, where `revision` is the one read.

    Raises DraftExists, DraftChanged, DefinitionFaulty, NotAllowed.
    """
    rule = locked_rule(source.rule_id)
    draft = rule.versions.filter(state=State.DRAFT).first()
    if draft is None:
        return start_draft(actor, source, when=when)
    if revision is None:
        raise DraftExists()
    return save_draft(actor, draft, source.definition, revision=revision, when=when)


@transaction.atomic
def discard_draft(actor: Staff | None, version: RuleVersion) -> None:
    """The draft is gone, and with its only version the rule, if nothing hangs on it.

    Raises NotADraft, DraftInReview, NotAllowed.
    """
    rule = locked_rule(version.rule_id)
    require(actor, "rules.delete_ruleversion", rule.unit.path)
    draft = draft_of(rule, version)
    _require_no_review(rule)
    signed(draft, actor).delete()
    if not rule.versions.exists():
        with suppress(ProtectedError):
            signed(rule, actor).delete()
