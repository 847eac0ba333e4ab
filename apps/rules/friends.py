"""What members who brought others hear of them: for each act of a friend the studio tells an event of its own, of kind
`friend`, of the member who brought them; for a refund one that gives it back.

So both sides of a recommendation are ordinary rules: the friend's own events, and these. What the friend did stands in
the event's attributes (`friend`, `friend_orders`), the amount of an order in its one line. What is to be told is put
down in the transaction of the friend's event, and goes in that of the event told; every event has a key, so that it may
be told twice, or be killed half way, and nothing changes. One at a time: a refund never overtakes its purchase.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection
from django.db.models import Count, OuterRef, Q, Subquery

from apps.activity.incoming import IncomingEvent, IncomingLine
from apps.activity.models import Event
from apps.activity.services import source_for
from apps.core.transactions import in_transaction
from apps.rules.models import FriendWaiting
from apps.rules.pipeline import process

CHUNK = 500
ONE_AT_A_TIME = 7_310_420_118
"""The number of the lock under which it is told."""


def tell_friends(when: datetime) -> int:
    """Tells all that waits; how many events. Nothing where somebody else is at it."""
    told = 0
    while number := _tell(when):
        told += number
    return told


@in_transaction
def _tell(when: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
        if cursor.fetchone() == (False,):
            return 0
    rows = list(_waiting()[:CHUNK])
    for program, some in groupby(sorted(rows, key=lambda row: row.event.program_id), lambda row: row.event.program):
        source = source_for(f"friends:{program.pk}", program.unit)
        process(None, source, [_event(row) for row in some], when=when)
    FriendWaiting.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _waiting() -> Any:
    """The acts in the order they were told, each with which order of the friend it is."""
    earlier = Q(occurred_at__lt=OuterRef("event__occurred_at"))
    earlier |= Q(occurred_at=OuterRef("event__occurred_at"), pk__lte=OuterRef("event_id"))
    orders = Event.objects.filter(
        earlier, member=OuterRef("event__member"), program=OuterRef("event__program"), kind=Event.Kind.PURCHASE
    )
    counted = orders.order_by().values("member").annotate(number=Count("pk")).values("number")
    rows = FriendWaiting.objects.select_related("event__org_unit", "event__program__unit")
    return rows.annotate(orders=Subquery(counted)).order_by("event_id")


def _event(row: Any) -> IncomingEvent:
    done: Event = row.event
    is_refund = done.kind == Event.Kind.REFUND
    attributes = {"friend": done.kind} | ({"friend_orders": row.orders} if done.kind == Event.Kind.PURCHASE else {})
    return IncomingEvent(
        f"friend:{done.pk}",
        Event.Kind.FRIEND_REFUND if is_refund else Event.Kind.FRIEND,
        "",
        str(row.referrer_id),
        done.occurred_at,
        store=done.org_unit.code,
        channel=done.channel,
        refund_of=f"friend:{done.refund_of_id}" if is_refund else None,
        lines=_lines(done.amount),
        attributes=None if is_refund else attributes,
        member_id=row.referrer_id,
    )


def _lines(amount: Decimal | None) -> Sequence[IncomingLine]:
    return () if amount is None else (IncomingLine(1, "", "", Decimal(1), amount),)
