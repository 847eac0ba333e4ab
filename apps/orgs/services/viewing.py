"""Seeing the studio as somebody else would: read-only, for half an hour, on record from its beginning to its end."""

from datetime import datetime, timedelta

from apps.core.errors import NotAllowed
from apps.core.scope import reach_of
from apps.core.transactions import in_transaction
from apps.orgs.errors import BeyondReach, ReasonMissing
from apps.orgs.models import OrgUnit, Staff, ViewAs
from apps.orgs.querysets import units_worked_on

CHANGE = "orgs.change_staff"
LASTS = timedelta(minutes=30)


@in_transaction
def begin_view(actor: Staff, person: Staff, *, reason: str, when: datetime) -> ViewAs:
    """The row that begins it. Raises ReasonMissing, NotAllowed, BeyondReach."""
    unit = require_viewable(actor, person)
    if not reason.strip():
        raise ReasonMissing()
    row: ViewAs = ViewAs.objects.create(
        kind=ViewAs.Kind.BEGAN, administrator=actor, person=person, unit=unit, reason=reason.strip()[:500],
        at=when, until=when + LASTS,
    )  # fmt: skip
    return row


@in_transaction
def end_view(actor: Staff, began_id: int, why: str, *, when: datetime) -> None:
    """The row that ends it; a second end changes nothing."""
    began = ViewAs.objects.filter(pk=began_id, administrator=actor, kind=ViewAs.Kind.BEGAN).first()
    if began is None:
        return
    end = ViewAs(
        kind=ViewAs.Kind.ENDED, administrator=actor, person_id=began.person_id, unit_id=began.unit_id, began=began,
        at=when, why=why,
    )  # fmt: skip
    ViewAs.objects.bulk_create([end], ignore_conflicts=True)


def person_seen(actor: Staff, began_id: int, when: datetime) -> Staff | None:
    """As whom `actor` sees the studio now: None once it has ended, its time is over, or the rights for it are gone."""
    rows = ViewAs.objects.filter(pk=began_id, administrator=actor, kind=ViewAs.Kind.BEGAN, until__gt=when, end=None)
    began = rows.select_related("person__unit").first()
    if began is None:
        return None
    try:
        require_viewable(actor, began.person)
    except (NotAllowed, BeyondReach):
        return None
    return began.person


def require_viewable(actor: Staff, person: Staff) -> OrgUnit:
    """The unit of `person`. Raises NotAllowed, BeyondReach: only over active people whose every unit `actor` administers, never oneself, who
    is above every limit, or a person of no unit."""
    reach = reach_of(actor, CHANGE)
    unit: OrgUnit | None = person.unit
    if not actor.is_active or unit is None or not reach.covers(unit.path):
        raise NotAllowed(permission=CHANGE)
    if actor.pk == person.pk or person.is_superuser or not person.is_active:
        raise BeyondReach()
    if not all(reach.covers(each.path) for each in units_worked_on(person)):
        raise BeyondReach()
    return unit
