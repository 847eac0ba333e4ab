"""Point types: kinds of points of a programme."""

from typing import Any

from django.db import transaction

from apps.core.scope import require
from apps.orgs.models import Program
from apps.orgs.services.actors import signed
from apps.points.errors import PointTypeCodeTaken, PointTypeFixed
from apps.points.expiry import parse_policy
from apps.points.models import PointType

CHANGEABLE = frozenset({"name", "expiry", "pending_days", "unit_cost_micros", "funder"})


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


@transaction.atomic
def change_point_type(kind: PointType, *, actor: Any = None, **values: Any) -> PointType:
    """`kind` with new terms, which hold for points earned from now on. Raises PointTypeFixed, NotAllowed."""
    kind = (
        PointType.objects.select_for_update(no_key=True, of=("self",)).select_related("program__unit").get(pk=kind.pk)
    )
    require(actor, "points.change_pointtype", kind.program.unit.path)
    if set(values) - CHANGEABLE:
        raise PointTypeFixed()
    if "expiry" in values and parse_policy(values["expiry"]) == parse_policy(kind.expiry):
        del values["expiry"]
    for name, value in values.items():
        setattr(kind, name, value)
    signed(kind, actor).save()
    return kind
