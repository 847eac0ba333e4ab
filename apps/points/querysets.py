"""Reads of the ledger that have a name."""

from typing import Any

from apps.orgs.models import OrgUnit
from apps.points.errors import NoSuchRedemption
from apps.points.models import Hold


def hold_within(principal: Any, hold_id: int) -> Hold:
    """The hold, where it was made at a unit at which `principal` may redeem. Raises NoSuchRedemption."""
    units = OrgUnit.objects.visible_to(principal, "points.redeem_points")
    hold = Hold.objects.filter(pk=hold_id, org_unit__in=units).first()
    if hold is None:
        raise NoSuchRedemption()
    return hold
