"""What the verbs of rules begin with: the programme and the rule locked, the draft as it is then, and whether it may be
changed."""

from typing import Any

from apps.members.fields import attribute_fields
from apps.members.querysets import definitions_for
from apps.orgs.models import OrgUnit, Program, SpecialDay
from apps.points.models import PointType
from apps.rules.definition import Definition, Faulty, check_definition
from apps.rules.errors import DefinitionFaulty, DraftChanged, DraftInReview, NotADraft
from apps.rules.models import Rule, RuleVersion
from apps.rules.reading import open_requests


def checked(program: Program, definition: Any) -> Definition:
    """`definition` (decoded JSON), which may name the programme's point types, units and special days, and
    members' attributes as they are defined.

    Raises DefinitionFaulty.
    """
    point_types = dict(PointType.objects.filter(program=program).values_list("code", "pk"))
    units = dict(OrgUnit.objects.within(program.unit.path).values_list("code", "path"))
    special_days = dict(SpecialDay.objects.filter(program=program).values_list("code", "name"))
    try:
        return check_definition(
            definition, point_types=point_types, units=units, special_days=special_days,
            attributes=attribute_fields(definitions_for(program.unit)),
        )  # fmt: skip
    except Faulty as error:
        raise DefinitionFaulty(error.faults) from None


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
    found = (
        RuleVersion.objects.select_related("changed_by")
        .filter(rule=rule, pk=version.pk, state=RuleVersion.State.DRAFT)
        .first()
    )
    if found is None:
        raise NotADraft()
    found.rule = rule
    return found


def require_read(version: RuleVersion, revision: int | None) -> None:
    """Raises DraftChanged unless `revision` is the one that there is; None is who need not have read it."""
    if revision is not None and revision != version.revision:
        raise DraftChanged(who=str(version.changed_by or ""), at=version.changed_at, revision=version.revision)


def require_not_sent(rule: Rule, but: int | None = None) -> None:
    """Raises DraftInReview where the draft of `rule` waits for a decision, by another request than `but`."""
    waiting = open_requests([rule]).get(rule.pk)
    if waiting is not None and waiting.pk != but:
        raise DraftInReview()
