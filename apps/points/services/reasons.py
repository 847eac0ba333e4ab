"""Reason codes of a programme: made, changed, and held against what is asked for."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from apps.core.scope import require
from apps.orgs.models import Program
from apps.orgs.services.actors import signed
from apps.points.errors import (
    EvidenceNeeded,
    ReasonCodeFixed,
    ReasonCodeNeeded,
    ReasonCodeTaken,
    ReasonCodeUnknown,
)
from apps.points.models import PointType, ReasonCode

CHANGEABLE = frozenset({"name", "direction", "needs_evidence", "is_active"})


@transaction.atomic
def create_reason(program: Program, *, code: str, actor: Any = None, **values: Any) -> ReasonCode:
    """A new reason code of `program`. Raises ReasonCodeTaken, NotAllowed."""
    require(actor, "points.add_reasoncode", program.unit.path)
    if ReasonCode.objects.filter(program=program, code=code).exists():
        raise ReasonCodeTaken(code=code)
    reason = ReasonCode(program=program, code=code, **values)
    signed(reason, actor).save()
    return reason


@transaction.atomic
def change_reason(reason: ReasonCode, *, actor: Any = None, **values: Any) -> ReasonCode:
    """The reason code with other values; requests that wait keep theirs. Raises ReasonCodeFixed, NotAllowed."""
    rows = ReasonCode.objects.select_for_update(no_key=True, of=("self",)).select_related("program__unit")
    reason = rows.get(pk=reason.pk)
    require(actor, "points.change_reasoncode", reason.program.unit.path)
    if set(values) - CHANGEABLE:
        raise ReasonCodeFixed()
    for name, value in values.items():
        setattr(reason, name, value)
    signed(reason, actor).save()
    return reason


def reasons_in_use(program_id: int) -> "QuerySet[ReasonCode]":
    """The reason codes that a programme asks for now."""
    return ReasonCode.objects.filter(program=program_id, is_active=True).order_by("name", "pk")


def check_reason(point_type: PointType, points: int, code: str, *, has_evidence: bool) -> None:
    """Raises ReasonCodeUnknown where `code` is none of the programme's in use for that direction, ReasonCodeNeeded
    where it has some and none is given, and EvidenceNeeded. One query."""
    fitting = {reason.code: reason for reason in reasons_in_use(point_type.program_id) if reason.fits(points)}
    if not code:
        if fitting:
            raise ReasonCodeNeeded()
        return
    if code not in fitting:
        raise ReasonCodeUnknown(reason_code=code)
    if fitting[code].needs_evidence and not has_evidence:
        raise EvidenceNeeded(name=fitting[code].name)
