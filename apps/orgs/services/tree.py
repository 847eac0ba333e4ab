"""Units and programmes. What a programme allows decides about points and about who must say yes: a policy may hold it."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.orgs.errors import (
    CodeTaken,
    ProgramFixed,
    ProgramMisplaced,
    UnitMisplaced,
    UnknownCurrency,
    UnknownTimeZone,
)
from apps.orgs.gate import Approval, Done, Effect, Line, Subject, SubjectGone, pass_gate, register
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


PROGRAM_FIELD = Field("request.program", Type.TEXT, Words("programme", "计划"), "request.program")
TERMS = ("allows_debt", "grace_days", "reviews_rules")
"""What of a programme a policy may hold. A name is only a name."""
CHANGES = {
    "allows_debt": Words("whether refunds may lead into debt", "退款可否欠分"),
    "grace_days": Words("the days of grace", "宽限天数"),
    "reviews_rules": Words("whether rules are reviewed", "规则是否须审核"),
}


class ProgramTerms(Subject):
    """What a programme allows, all of it, as it would be."""

    code: ClassVar[str] = "orgs.program"
    label: ClassVar[Words] = Words("Terms of a programme", "计划条款")
    icon: ClassVar[str] = "loyalty"
    permission: ClassVar[str] = "orgs.change_program"
    view: ClassVar[str] = "orgs.view_program"
    fields: ClassVar = (
        Field(
            "request.changes", Type.TAGS, Words("what changes", "变更内容"), "request.changes",
            choices=tuple(CHANGES.items()), is_closed=True,
        ),
        PROGRAM_FIELD,
    )  # fmt: skip
    labels: ClassVar[Mapping[str, Words]] = {
        "allows_debt": Words("Refunds may lead into debt", "退款可欠分"),
        "grace_days": Words("Days of grace", "宽限天数"),
        "reviews_rules": Words("Rules are reviewed", "规则须审核"),
    }

    program: int
    allows_debt: bool
    grace_days: int
    reviews_rules: bool

    def _program(self) -> Program:
        program: Program | None = Program.objects.select_related("unit").filter(pk=self.program).first()
        if program is None:
            raise SubjectGone()
        return program

    def place(self) -> OrgUnit:
        return self._program().unit

    def about(self) -> str:
        return f"program:{self.program}"

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        program = self._program()
        changed = tuple(name for name in TERMS if getattr(program, name) != getattr(self, name))
        return {"changes": changed, "program": program.code}

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        program = self._program()
        shapes = {"grace_days": "number"}
        return Effect(
            tuple(Line(name, getattr(program, name), getattr(self, name), shapes.get(name, "text")) for name in TERMS)
        )

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        values = {name: getattr(self, name) for name in TERMS}
        program = change_program(
            self._program(), actor=approval.requester, reason=approval.reason, approval=approval, when=when, **values
        )
        return Done({"program": program.name}, program)

    def title(self) -> Words:
        return Words("Terms of {name}", "{name}的条款").format(name=self._program().name)

    def address(self) -> str:
        return address("orgs_program_change", self.program)


register(ProgramTerms)


def terms_of(program: Program, **values: Any) -> ProgramTerms:
    """What is asked for when `program` is to have `values`; what they leave out stays."""
    return ProgramTerms(program=program.pk, **{name: values.get(name, getattr(program, name)) for name in TERMS})


@transaction.atomic
def change_program(
    program: Program,
    *,
    actor: Staff | None = None,
    reason: str = "",
    when: datetime | None = None,
    approval: Approval | None = None,
    **values: Any,
) -> Program:
    """`program` with a new name, `allows_debt`, `grace_days` or `reviews_rules`. All but the name passes the gate, for
    which a person's change needs its instant.

    Raises ProgramFixed, NotAllowed, ApprovalNeeded.
    """
    if set(values) - {"name", *TERMS}:
        raise ProgramFixed()
    program = Program.objects.select_related("unit").get(pk=program.pk)
    require(actor, "orgs.change_program", program.unit)
    wanted = terms_of(program, **values)
    if actor is not None and (approval is not None or wanted != terms_of(program)):
        if when is None:
            raise ValueError("a person's change of a programme needs its instant")
        pass_gate(wanted, actor, approval, when, reason=reason)
    program = Program.objects.select_for_update(no_key=True, of=("self",)).select_related("unit").get(pk=program.pk)
    for name, value in values.items():
        setattr(program, name, value)
    signed(program, actor, reason).save()
    return program
