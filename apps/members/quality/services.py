"""What is done about the quality of data by hand: rules are written, a gate is set, a file below it is let in."""

from typing import Any

from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.core.work import unless_promised
from apps.members.quality.checks import ATTRIBUTE, checks_of
from apps.members.quality.errors import (
    QualityCheckUnfit,
    QualityFieldUnknown,
    QualityRuleTaken,
    QualityShareImpossible,
    QualityUnitUnfit,
)
from apps.members.quality.measuring import definitions_near, rules_measured_by
from apps.members.quality.models import MOST_WEIGHT, QualityGate, QualityRule
from apps.orgs.models import OrgUnit, Program
from apps.orgs.services.actors import signed

ADD, CHANGE, DELETE = (f"members.{verb}_qualityrule" for verb in ("add", "change", "delete"))
GATE = "members.change_qualitygate"
CHANGEABLE = frozenset({"wanted_pct", "weight", "is_active"})


@in_transaction
def create_rule(actor: Any, unit: OrgUnit, *, field: str, check_code: str, **values: Any) -> QualityRule:
    """A new rule for the members of `unit`, measured at once in the background.

    Raises QualityUnitUnfit, QualityFieldUnknown, QualityCheckUnfit, QualityRuleTaken, QualityShareImpossible, NotAllowed.
    """
    require(actor, ADD, unit.path)
    if unit.kind not in (OrgUnit.Kind.GROUP, OrgUnit.Kind.COMPANY):
        raise QualityUnitUnfit()
    rule = QualityRule(unit=unit, field=field, check_code=check_code)
    if not checks_of(field) or (field.startswith(ATTRIBUTE) and not _is_defined(rule)):
        raise QualityFieldUnknown(unit=unit.name)
    if check_code not in checks_of(field):
        raise QualityCheckUnfit()
    if QualityRule.objects.filter(unit=unit, field=field, check_code=check_code).exists():
        raise QualityRuleTaken()
    _put(rule, values)
    signed(rule, actor).save()
    unless_promised("apps.members.tasks.measure_quality", rule.pk)
    return rule


@in_transaction
def change_rule(actor: Any, rule_id: int, **values: Any) -> QualityRule:
    """The rule with another share, weight or state. Raises QualityShareImpossible, NotAllowed."""
    rule = _locked(actor, rule_id, CHANGE)
    _put(rule, values)
    signed(rule, actor).save()
    if rule.is_active:
        unless_promised("apps.members.tasks.measure_quality", rule.pk)
    return rule


@in_transaction
def delete_rule(actor: Any, rule_id: int) -> None:
    """Goes with what was measured. Raises NotAllowed."""
    signed(_locked(actor, rule_id, DELETE), actor).delete()


@in_transaction
def set_gate(actor: Any, program: Program, wanted_pct: int) -> QualityGate:
    """How accurate the programme's data must be. Raises QualityShareImpossible, NotAllowed."""
    require(actor, GATE, program.unit.path)
    if not 1 <= wanted_pct <= 100:
        raise QualityShareImpossible()
    gate = QualityGate.objects.select_for_update().filter(program=program).first() or QualityGate(program=program)
    gate.wanted_pct = wanted_pct
    signed(gate, actor).save()
    return gate


@in_transaction
def ask_to_measure(actor: Any) -> int:
    """Has every rule measured that `actor` may have measured, in the background; how many."""
    rules = rules_measured_by(actor)
    for rule_id in rules:
        unless_promised("apps.members.tasks.measure_quality", rule_id)
    return len(rules)


def _locked(actor: Any, rule_id: int, permission: str) -> QualityRule:
    rule = QualityRule.objects.select_for_update(of=("self",)).select_related("unit").get(pk=rule_id)
    require(actor, permission, rule.unit.path)
    return rule


def _is_defined(rule: QualityRule) -> bool:
    key = rule.field.removeprefix(ATTRIBUTE)
    return any(each.key == key and each.is_active for each in definitions_near(rule))


def _put(rule: QualityRule, values: dict[str, Any]) -> None:
    for name in CHANGEABLE & values.keys():
        setattr(rule, name, values[name])
    if not 1 <= rule.wanted_pct <= 100 or not 1 <= rule.weight <= MOST_WEIGHT:
        raise QualityShareImpossible()
