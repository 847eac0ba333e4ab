"""Units and programmes."""

import re
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from apps.orgs.errors import (
    CodeTaken,
    ProgramFixed,
    ProgramMisplaced,
    UnitMisplaced,
    UnknownCurrency,
    UnknownTimeZone,
)
from apps.orgs.models import OrgUnit, Program, Staff
from apps.orgs.services.actors import require, signed

Kind = OrgUnit.Kind

PARENTS: dict[str, frozenset[str | None]] = {
    Kind.GROUP: frozenset({None}),
    Kind.COMPANY: frozenset({Kind.GROUP}),
    Kind.REGION: frozenset({Kind.COMPANY, Kind.REGION}),
    # A web shop belongs to no region.
    Kind.STORE: frozenset({Kind.REGION, Kind.COMPANY}),
}


@transaction.atomic
def create_unit(
    parent: OrgUnit | None,
    kind: str,
    code: str,
    name: str,
    *,
    opened_on: date | None = None,
    actor: Staff | None = None,
) -> OrgUnit:
    """The new unit below `parent` (None for the group). Locks the parent.

    Raises UnitMisplaced, CodeTaken, NotAllowed.
    """
    require(actor, "orgs.add_orgunit", parent)
    parent_kind = None if parent is None else parent.kind
    if parent_kind not in PARENTS.get(kind, frozenset()):
        labels = dict(Kind.choices)
        raise UnitMisplaced(kind=labels.get(kind, kind), parent=parent_kind and labels[parent_kind])
    if OrgUnit.objects.filter(code=code).exists():
        raise CodeTaken(value=code)
    unit: OrgUnit = signed(OrgUnit(kind=kind, code=code, name=name, opened_on=opened_on), actor)
    if parent is None:
        OrgUnit.add_root(instance=unit)
    else:
        # Read again under the lock: treebeard computes the new path from the parent's number of children.
        OrgUnit.objects.select_for_update(no_key=True).get(pk=parent.pk).add_child(instance=unit)
    return unit


@transaction.atomic
def change_unit(
    unit: OrgUnit, *, name: str, opened_on: date | None, is_active: bool, actor: Staff | None = None, reason: str = ""
) -> OrgUnit:
    """`unit` with new particulars; its kind, code and place stay. Raises NotAllowed."""
    unit = OrgUnit.objects.select_for_update(no_key=True).get(pk=unit.pk)
    require(actor, "orgs.change_orgunit", unit)
    unit.name, unit.opened_on, unit.is_active = name, opened_on, is_active
    signed(unit, actor, reason).save()
    return unit


@transaction.atomic
def create_program(
    unit: OrgUnit,
    *,
    code: str,
    name: str,
    currency: str = "CNY",
    time_zone: str = "Asia/Shanghai",
    allows_debt: bool = True,
    grace_days: int = 30,
    reviews_rules: bool = False,
    actor: Staff | None = None,
) -> Program:
    """The new programme of `unit`, a company or the group.

    Raises ProgramMisplaced, CodeTaken, UnknownCurrency, UnknownTimeZone, NotAllowed.
    """
    require(actor, "orgs.add_program", unit)
    if unit.kind not in (Kind.GROUP, Kind.COMPANY):
        raise ProgramMisplaced(unit=unit.name, taken=False)
    if Program.objects.filter(unit=unit).exists():
        raise ProgramMisplaced(unit=unit.name, taken=True)
    if Program.objects.filter(code=code).exists():
        raise CodeTaken(value=code)
    if not re.fullmatch("[A-Z]{3}", currency):
        raise UnknownCurrency(value=currency)
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownTimeZone(value=time_zone) from None
    program = Program(
        unit=unit, code=code, name=name, currency=currency, time_zone=time_zone,
        allows_debt=allows_debt, grace_days=grace_days, reviews_rules=reviews_rules,
    )  # fmt: skip
    signed(program, actor).save()
    return program


@transaction.atomic
def change_program(program: Program, *, actor: Staff | None = None, reason: str = "", **values: Any) -> Program:
    """`program` with a new name, `allows_debt`, `grace_days` or `reviews_rules`. Raises ProgramFixed, NotAllowed."""
    program = Program.objects.select_for_update(no_key=True, of=("self",)).select_related("unit").get(pk=program.pk)
    require(actor, "orgs.change_program", program.unit)
    if set(values) - {"name", "allows_debt", "grace_days", "reviews_rules"}:
        raise ProgramFixed()
    for name, value in values.items():
        setattr(program, name, value)
    signed(program, actor, reason).save()
    return program
