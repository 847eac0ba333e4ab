"""Confirmations: points that a rule lets wait for an event are released by the first of that kind which names theirs."""

from typing import Any

from apps.activity.errors import NothingToConfirm
from apps.points.book import Act, Book
from apps.rules.refunds import Ledger
from apps.rules.stages import Opened


def release(book: Book, item: Opened, ledger: Ledger) -> list[dict[str, Any]]:
    """Releases what waits for this event, and says what. Nothing where it is confirmed already, or waits for another
    kind. Raises NothingToConfirm."""
    prepared, confirmed = item.prepared, item.prepared.confirmed
    if confirmed is None:
        return []
    if ledger.answers(confirmed.member_id) != item.member_id:
        raise NothingToConfirm()
    awaited = prepared.program.awaited
    released = []
    for lot in ledger.waiting[confirmed.event_id]:
        version_id = lot.origin.rule_version_id or 0
        if not lot.is_pending or not lot.remaining or awaited.get(version_id) != prepared.event.kind:
            continue
        account = item.account(lot.account_id)
        assert account is not None  # the accounts of the confirmed event's kinds of points were opened with this one
        event = prepared.event
        points = lot.remaining
        act = Act(f"release:{lot.id}", event.occurred_at, prepared.day, lot.origin.org_unit_id, item.event_id)
        book.release(account, act, lot)
        kind = prepared.program.point_types[account.point_type_id]
        released.append({"version_id": version_id, "point_type": kind.code, "points": points})
    return released
