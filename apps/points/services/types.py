"""Point types: kinds of points of a programme, and the terms on which they are given."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from apps.approvals.models import ApprovalRequest
from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.formats import MICROS
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.orgs.gate import Approval, Done, Effect, Line, Plain, Subject, SubjectGone, pass_gate, register
from apps.orgs.models import OrgUnit, Program, Staff
from apps.orgs.services.actors import signed
from apps.points.asked import PROGRAM_FIELD
from apps.points.errors import PointTypeCodeTaken, PointTypeFixed
from apps.points.expiry import parse_policy
from apps.points.models import PointType
from apps.points.services.asking import ask
from apps.points.words import policy_sentence

CHANGE = "points.change_pointtype"
TERMS = ("expiry", "pending_days", "unit_cost_micros", "funder")
"""What decides about points and money: a policy may hold it. A name is only a name."""
CHANGEABLE = frozenset({"name", *TERMS})
LABELS: Mapping[str, Words] = {
    "expiry": Words("Expiry", "有效期"),
    "pending_days": Words("Days until points can be spent", "待生效天数"),
    "cost": Words("Cost of a point", "每积分成本"),
    "funder": Words("Funded by", "承担方"),
}
BEFORE, AFTER = Words("Before: {sentence}", "之前：{sentence}"), Words("After: {sentence}", "之后：{sentence}")
TITLE = Words("Terms of {name}, {program}", "{program}的{name}规则")
CHANGES = {
    "expiry": Words("the expiry changes", "有效期变更"),
    "pending_days": Words("the waiting time changes", "待生效时间变更"),
    "unit_cost_micros": Words("the cost of a point changes", "积分成本变更"),
    "funder": Words("who pays changes", "承担方变更"),
}


class PointTypeTerms(Subject):
    """The terms of a point type, all of them, as they would be."""

    code: ClassVar[str] = "points.point_type"
    label: ClassVar[Words] = Words("Terms of a point type", "积分类型规则")
    icon: ClassVar[str] = "toll"
    permission: ClassVar[str] = CHANGE
    view: ClassVar[str] = "points.view_pointtype"
    fields: ClassVar = (
        Field(
            "request.changes", Type.TAGS, Words("what changes", "变更内容"), "request.changes",
            choices=tuple(CHANGES.items()), is_closed=True,
        ),
        Field(
            "request.cost_rise", Type.NUMBER, Words("rise of the cost of a point in per cent", "积分成本涨幅（%）"),
            "request.cost_rise",
        ),
        PROGRAM_FIELD,
        Field("request.point_type", Type.TEXT, Words("point type", "积分类型"), "request.point_type"),
    )  # fmt: skip
    labels: ClassVar[Mapping[str, Words]] = LABELS

    point_type: int
    expiry: dict[str, Any]
    pending_days: int
    unit_cost_micros: int
    funder: int | None

    def _kind(self) -> PointType:
        kind = PointType.objects.select_related("program__unit", "funder").filter(pk=self.point_type).first()
        if kind is None:
            raise SubjectGone()
        return kind

    def place(self) -> OrgUnit:
        return self._kind().program.unit

    def about(self) -> str:
        return f"point_type:{self.point_type}"

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        kind = self._kind()
        before, after = terms_of(kind), self.model_dump()
        cost = before["unit_cost_micros"]
        rise = Decimal(100 * (self.unit_cost_micros - cost)) / cost if cost else None
        return {
            "changes": tuple(name for name in TERMS if before[name] != after[name]),
            "cost_rise": round(rise, 2) if rise is not None else None,
            "program": kind.program.code, "point_type": kind.code,
        }  # fmt: skip

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        kind = self._kind()
        funder = OrgUnit.objects.filter(pk=self.funder).first() if self.funder is not None else None
        before, currency = terms_of(kind), kind.program.currency
        return Effect((
            Line("expiry", _ordered(before["expiry"]), _ordered(self.expiry), "own"),
            Line("pending_days", kind.pending_days, self.pending_days, "number"),
            Line("cost", _cost(kind.unit_cost_micros, currency), _cost(self.unit_cost_micros, currency)),
            Line("funder", _name(kind.funder), _name(funder)),
        ))  # fmt: skip

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        values = {**self.model_dump(exclude={"point_type"})}
        values["funder"] = OrgUnit.objects.filter(pk=self.funder).first() if self.funder is not None else None
        kind = change_point_type(self._kind(), actor=approval.requester, approval=approval, when=when, **values)
        return Done({"point_type": kind.name}, kind)

    def title(self) -> Words:
        kind = self._kind()
        return TITLE.format(name=kind.name, program=kind.program.name)

    @classmethod
    def say(cls, line: Line, language: str) -> list[str]:
        before, after = (policy_sentence(_policy(value), language) for value in (line.before, line.after))
        if before == after:
            return [after]
        return [
            BEFORE.in_language(language).format(sentence=before),
            AFTER.in_language(language).format(sentence=after),
        ]

    def address(self) -> str:
        return address("points_pointtype_change", self.point_type)

    def form_address(self) -> str:
        return self.address()


register(PointTypeTerms)


def _ordered(policy: dict[str, Any]) -> str:
    """A policy as text, the same whatever the order in which the database gives it back."""
    return json.dumps(policy, sort_keys=True)


def _policy(value: Plain) -> Any:
    return json.loads(value) if isinstance(value, str) else None


def _cost(micros: int, currency: str) -> str:
    return f"{currency} {(Decimal(micros) / MICROS).normalize():f}"


def _name(unit: OrgUnit | None) -> str | None:
    return unit.name if unit is not None else None


def terms_of(kind: PointType, **values: Any) -> dict[str, Any]:
    """The terms as they are, or as they would be with `values`."""
    funder = values.get("funder", kind.funder)
    return {
        "expiry": parse_policy(values.get("expiry", kind.expiry)).model_dump(mode="json"),
        "pending_days": values.get("pending_days", kind.pending_days),
        "unit_cost_micros": values.get("unit_cost_micros", kind.unit_cost_micros),
        "funder": funder.pk if funder is not None else None,
    }


@transaction.atomic
def create_point_type(program: Program, *, code: str, actor: Any = None, **values: Any) -> PointType:
    """A new kind of points of `program`. Raises PointTypeCodeTaken, NotAllowed."""
    require(actor, "points.add_pointtype", program.unit.path)
    if PointType.objects.filter(program=program, code=code).exists():
        raise PointTypeCodeTaken(code=code)
    values["expiry"] = parse_policy(values.get("expiry")).model_dump()
    kind = PointType(program=program, code=code, **values)
    signed(kind, actor).save()
    return kind


@in_transaction
def change_point_type(
    kind: PointType, *, actor: Any = None, when: datetime, approval: Approval | None = None, **values: Any
) -> PointType:
    """`kind` with other terms, which hold for points earned from now on.

    Raises PointTypeFixed, NotAllowed, ApprovalNeeded.
    """
    if set(values) - CHANGEABLE:
        raise PointTypeFixed()
    kind = PointType.objects.select_related("program__unit", "funder").get(pk=kind.pk)
    require(actor, CHANGE, kind.program.unit.path)
    terms = terms_of(kind, **values)
    if approval is not None or terms != terms_of(kind):
        pass_gate(PointTypeTerms(point_type=kind.pk, **terms), actor, approval, when)
    rows = PointType.objects.select_for_update(no_key=True, of=("self",)).select_related("program__unit")
    kind = rows.get(pk=kind.pk)
    if "expiry" in values and parse_policy(values["expiry"]) == parse_policy(kind.expiry):
        del values["expiry"]
    for name, value in values.items():
        setattr(kind, name, value)
    signed(kind, actor).save()
    return kind


def ask_terms(
    actor: Staff, kind: PointType, *, reason: str, key: str, when: datetime, **values: Any
) -> ApprovalRequest:
    """The request for other terms of `kind`; see `ask`. Raises what `ask` does."""
    kind = PointType.objects.select_related("funder").get(pk=kind.pk)
    subject = PointTypeTerms(point_type=kind.pk, **terms_of(kind, **values))
    return ask(actor, subject, reason=reason, key=key, when=when)
