"""Absences by days: somebody stands in from the first day to the last, both included, as the person who is away tells
days. The instants follow from their time zone when it is arranged."""

from datetime import date, datetime, timedelta

from apps.approvals.errors import DelegationOver, NotToThem
from apps.approvals.models import Delegation
from apps.approvals.services.asking import delegate, require_own
from apps.core.clock import start_of_day
from apps.core.transactions import in_transaction
from apps.orgs.models import Staff
from apps.orgs.notices import notify
from apps.orgs.querysets import colleagues_of, zone_of
from apps.orgs.services.actors import signed

STANDS_IN = "approvals.stands_in"


@in_transaction
def arrange_absence(
    actor: Staff,
    person: Staff,
    to: Staff,
    first_on: date,
    last_on: date,
    *,
    kinds: tuple[str, ...] = (),
    reason: str = "",
    when: datetime,
) -> Delegation:
    """Has `to`, a colleague, stand in for `person`, and tells them. Raises OwnDelegate, DelegationOver, NotToThem,
    NotAllowed."""
    zone = zone_of(person)
    row = delegate(
        actor, person, to, starts_at=start_of_day(first_on, zone), ends_at=_after(person, last_on), kinds=kinds,
        reason=reason, when=when,
    )  # fmt: skip
    if to.pk not in colleagues_of(person).values_list("pk", flat=True):
        raise NotToThem(person=str(to))
    notify([to.pk], STANDS_IN, {"delegation": row.pk}, when)
    return row


@in_transaction
def change_absence(actor: Staff, absence: Delegation, *, last_on: date, reason: str, when: datetime) -> Delegation:
    """The absence with another last day; whom it is for and by whom stays. Raises DelegationOver, NotAllowed."""
    row = Delegation.objects.select_for_update(of=("self",)).select_related("person__unit").get(pk=absence.pk)
    require_own(actor, row.person)
    ends_at = _after(row.person, last_on)
    is_other = ends_at != row.ends_at
    if row.ended_at is not None or ends_at <= row.starts_at or (is_other and ends_at <= when):
        raise DelegationOver()
    row.ends_at, row.reason = ends_at, reason.strip()
    signed(row, actor).save()
    if is_other:
        notify([row.delegate_id], STANDS_IN, {"delegation": row.pk}, when)
    return row


def _after(person: Staff, last_on: date) -> datetime:
    """The first instant that no longer belongs to the absence."""
    return start_of_day(last_on + timedelta(days=1), zone_of(person))
