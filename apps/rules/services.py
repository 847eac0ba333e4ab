"""What is done with drafts of rules: draft, save, draft anew, discard. Nothing of it earns anything; publishing does."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError

from apps.core.scope import require
from apps.orgs.models import OrgUnit, Program, Staff
from apps.orgs.querysets import program_of
from apps.orgs.services.actors import signed
from apps.rules.errors import DraftExists, RuleCodeTaken, RuleMisplaced, RulePlaceFixed
from apps.rules.families import require_overridable
from apps.rules.locking import checked, draft_of, locked_program, locked_rule, require_not_sent, require_read
from apps.rules.models import Rule, RuleVersion
from apps.rules.publishing import publish_version
from apps.rules.retiring import retire_rule

__all__ = [
    "change_rule", "checked", "create_rule", "discard_draft", "locked_program", "locked_rule", "publish_version",
    "restore_version", "retire_rule", "save_draft", "start_draft",
]  # fmt: skip

State = RuleVersion.State


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
        require_not_sent(rule)
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
    require_not_sent(rule)
    require_read(version, revision)
    version.definition = content
    version.revision += 1
    version.changed_by, version.changed_at = actor, when
    signed(version, actor).save()
    return version


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
    require_not_sent(rule)
    signed(draft, actor).delete()
    if not rule.versions.exists():
        with suppress(ProtectedError):
            signed(rule, actor).delete()
