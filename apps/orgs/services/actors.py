"""Who asks: the check at the head of every verb, and the author that its history row names."""

from typing import Any

from django.db import models

from apps.core.errors import NotAllowed
from apps.core.scope import reach_of
from apps.orgs.models import OrgUnit, Staff


def require(actor: Staff | None, permission: str, unit: OrgUnit | None) -> None:
    """Refuses unless `actor` holds `permission` on `unit` or above it; None is the whole group.

    Raises NotAllowed.
    """
    if actor is None:
        return
    reach = reach_of(actor, permission)
    if not (reach.everything if unit is None else reach.covers(unit.path)):
        raise NotAllowed(permission=permission)


def signed(row: models.Model, actor: Staff | None, reason: str = "") -> Any:
    """`row`, whose next saved change names `actor` and `reason` in its history."""
    if actor is not None:
        row._history_user = actor  # type: ignore[attr-defined]
    if reason:
        row._change_reason = reason  # type: ignore[attr-defined]
    return row
