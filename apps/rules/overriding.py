"""A unit's own rule in the place of one from above: begun as a copy, told how far both have gone apart, and led back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.text import slugify

from apps.core.scope import require
from apps.orgs.models import OrgUnit, Staff
from apps.orgs.services.actors import signed
from apps.rules.comparing import differences
from apps.rules.errors import DraftExists, NothingInForce
from apps.rules.models import Rule, RuleVersion
from apps.rules.reading import Standing, standing
from apps.rules.sentences import Names
from apps.rules.services import create_rule, locked_program, locked_rule, save_draft, start_draft
from apps.rules.starting import free_code


@transaction.atomic
def override_rule(actor: Staff | None, rule: Rule, unit: OrgUnit, *, when: datetime) -> RuleVersion:
    """The first draft of a rule of `unit` in the place of `rule`: a copy of the version in force.

    Raises NothingInForce, OverrideMisplaced, AlreadyOverridden, OverrideNotAllowed, RuleMisplaced, NotAllowed.
    """
    require(actor, "rules.add_rule", unit.path)
    program = locked_program(rule.program_id)
    rule = locked_rule(rule.pk)
    source = _in_force(rule, when)
    code = free_code([program], slugify(f"{rule.code[:35]}-{unit.code}")[:54])
    name = f"{rule.name[:80]} · {unit.name}"[:120]
    return create_rule(
        actor, program, unit, code=code, name=name, definition=source.definition,
        overrides=rule, overridden_number=source.number, when=when,
    )  # fmt: skip


@transaction.atomic
def take_over(actor: Staff | None, rule: Rule, *, revision: int | None = None, when: datetime) -> RuleVersion:
    """A draft of `rule` that says what the rule in whose place it stands says now: a new one, or the rule's draft
    overwritten, where `revision` is the one that the person read.

    Raises NothingInForce, DraftExists, DraftInReview, DraftChanged, NotAllowed.
    """
    rule = locked_rule(rule.pk)
    require(actor, "rules.change_ruleversion", rule.unit.path)
    source = _in_force(rule.overrides, when)
    draft = rule.versions.filter(state=RuleVersion.State.DRAFT).first()
    if draft is None:
        draft = start_draft(actor, rule.versions.order_by("-number")[0], when=when)
        revision = draft.revision
    elif revision is None:
        raise DraftExists()
    draft = save_draft(actor, draft, source.definition, revision=revision, when=when)
    if draft.overridden_number != source.number:
        draft.overridden_number = source.number
        signed(draft, actor).save()
    return draft


def _in_force(rule: Rule | None, when: datetime) -> RuleVersion:
    live = standing(rule.versions.order_by("-number"), when).live if rule is not None else None
    if live is None:
        raise NothingInForce(rule=rule.name if rule is not None else "")
    return live


@dataclass(frozen=True)
class Drift:
    """How far a rule and the one in whose place it stands have gone apart."""

    rule: Rule
    stands: Standing
    base: RuleVersion | None
    """The version that it was made from; None where that is not known."""
    now: RuleVersion | None
    """What is in force above."""
    since: Sequence[str]
    """What changed above since it was made."""
    apart: Sequence[str]
    """From what is in force above to what this rule says."""


def drift_of(
    rule: Rule,
    versions: Mapping[int, Sequence[RuleVersion]],
    above: Sequence[RuleVersion],
    names: Names,
    language: str,
    when: datetime,
) -> Drift:
    """Of `rule`, whose versions are in `versions` by its id, from the rule whose versions are `above`. No query."""
    stands, now = standing(versions[rule.pk], when), standing(above, when).live
    said = stands.shown
    base = next((each for each in above if said is not None and each.number == said.overridden_number), None)
    since = differences(base.definition, now.definition, names, language) if base and now else []
    apart = differences(now.definition, said.definition, names, language) if said and now else []
    return Drift(rule, stands, base, now, since, apart)
