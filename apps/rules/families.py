"""Which rule stands where: a unit's own rule in the place of one from above it, the nearest of all that do.

A rule, those that override it, and those that override them are one family. At a unit, of its family's versions in
force, only that of the nearest rule applies; where none nearer is in force, the one from above does again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from apps.orgs.models import OrgUnit
from apps.rules.errors import AlreadyOverridden, OverrideMisplaced, OverrideNotAllowed
from apps.rules.models import Rule, RuleVersion
from apps.rules.reading import reaching_beyond


class Placed(Protocol):
    """What `nearest` chooses from. `family` is 0 for what is alone."""

    @property
    def family(self) -> int: ...
    @property
    def unit_path(self) -> str: ...


Each = TypeVar("Each", bound=Placed)


def families_of(overridden: Mapping[int, int]) -> dict[int, int]:
    """The family of each rule that has one, as the id of its uppermost rule. `overridden` maps a rule to the one it
    overrides."""

    def uppermost(rule: int) -> int:
        while rule in overridden:
            rule = overridden[rule]
        return rule

    return {rule: uppermost(rule) for rule in {*overridden, *overridden.values()}}


def read_families(program_id: int | None = None) -> dict[int, int]:
    """`families_of` the rules of a programme, or of all. One query."""
    rules = Rule.objects.filter(overrides__isnull=False)
    rules = rules if program_id is None else rules.filter(program=program_id)
    return families_of({pk: above for pk, above in rules.values_list("pk", "overrides_id") if above is not None})


def nearest(placed: Iterable[Each]) -> list[Each]:
    """Of each family only what stands at the lowest unit, in the order given; all must lie on one way up the tree."""
    found = list(placed)
    kept: dict[int, Each] = {}
    for each in found:
        if each.family and (each.family not in kept or len(each.unit_path) > len(kept[each.family].unit_path)):
            kept[each.family] = each
    return [each for each in found if not each.family or kept[each.family] is each]


def relatives(rule: Rule) -> list[Rule]:
    """The other rules of its family. Two queries."""
    families = read_families(rule.program_id)
    mine = families.get(rule.pk)
    ids = [pk for pk, family in families.items() if family == mine and pk != rule.pk] if mine else []
    return list(Rule.objects.filter(pk__in=ids).select_related("unit"))


def require_overridable(rule: Rule, unit: OrgUnit, when: datetime, own: Rule | None = None) -> None:
    """Raises OverrideMisplaced, AlreadyOverridden or OverrideNotAllowed where no rule of `unit` may stand in the place
    of `rule`. Rules between them that are in force, or will be, have to allow it too. `own` is the rule of `unit`."""
    if not unit.path.startswith(rule.unit.path) or unit.pk == rule.unit_id:
        raise OverrideMisplaced(unit=unit.name, rule=rule.name, place=rule.unit.name)
    others = [each for each in relatives(rule) if own is None or each.pk != own.pk]
    taken = next((each for each in others if each.unit_id == unit.pk), None)
    if taken is not None:
        raise AlreadyOverridden(unit=unit.name, rule=taken.name)
    for each in (rule, *_closed(rule, others, when)):
        if not each.allows_override and unit.path.startswith(each.unit.path):
            raise OverrideNotAllowed(rule=each.name, place=each.unit.name)


def _closed(rule: Rule, others: Iterable[Rule], when: datetime) -> list[Rule]:
    """The rules of the family below `rule` that are in force, or will be, and let nobody stand in their place."""
    strict = [each for each in others if not each.allows_override and len(each.unit.path) > len(rule.unit.path)]
    going_on = reaching_beyond(RuleVersion.objects.filter(rule__in=strict), when)
    standing = set(going_on.values_list("rule_id", flat=True))
    return [each for each in strict if each.pk in standing]


def open_units(rule: Rule, units: Iterable[OrgUnit], when: datetime) -> list[OrgUnit]:
    """Those of `units` where a rule may stand in the place of `rule`, as `require_overridable` says. Three queries."""
    if not rule.allows_override:
        return []
    others = relatives(rule)
    taken = {rule.unit_id, *(each.unit_id for each in others)}
    closed = [each.unit.path for each in _closed(rule, others, when)]
    return [
        unit
        for unit in units
        if unit.path.startswith(rule.unit.path)
        and unit.pk not in taken
        and not any(unit.path.startswith(path) for path in closed)
    ]
