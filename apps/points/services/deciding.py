"""What an event earned and a person has decided on: released, or taken back. Whoever calls has checked the right to."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from apps.core.transactions import in_transaction
from apps.points.book import Act, Book, LotState
from apps.points.models import Entry, Lot, PostingKind
from apps.points.services.ledger import Opened, act, lot_state, open_account, post
from apps.points.services.merging import origins_of


@in_transaction
def release_event(actor: Any, event_id: int, *, reason: str, when: datetime) -> int:
    """Makes spendable what the event earned and is still pending, whatever it waited for; how many points."""
    book, points = Book(), 0
    for opened, lots in _waiting(event_id):
        for lot in lots:
            points += lot.remaining
            book.release(opened.state, _act(opened, f"release:{lot.id}", lot, actor, reason, when), lot)
    post(book)
    return points


@in_transaction
def take_back_event(actor: Any, event_id: int, *, reason: str, when: datetime) -> int:
    """Reverses what the event earned and is still pending; how many points."""
    book, points = Book(), 0
    waiting = _waiting(event_id)
    lots = [lot.id or 0 for _, found in waiting for lot in found]
    origins = origins_of(lots)
    earned = Entry.objects.filter(lot_id__in=origins.values(), kind=PostingKind.EARN)
    earned_by = dict(earned.values_list("lot_id", "posting_id"))
    for opened, found in waiting:
        for lot in found:
            points += lot.remaining
            circumstances = _act(opened, f"refuse:{lot.id}", lot, actor, reason, when)
            circumstances = circumstances._replace(reverses_id=earned_by[origins[lot.id or 0]])
            book.take_back(opened.state, circumstances, lot, lot.remaining, [], kind=PostingKind.REVERSE)
    post(book)
    return points


def _waiting(event_id: int) -> list[tuple[Opened, list[LotState]]]:
    """The accounts that the event gave points to, locked in order, each with what is pending of them."""
    accounts = Lot.objects.filter(event_id=event_id).values_list("account_id", flat=True).distinct()
    opened = [open_account(account) for account in sorted(accounts)]
    lots: dict[int, list[LotState]] = defaultdict(list)
    for row in Lot.objects.filter(event_id=event_id, is_pending=True, remaining__gt=0).order_by("pk"):
        lots[row.account_id].append(lot_state(row))
    return [(each, lots[each.state.id]) for each in opened]


def _act(opened: Opened, key: str, lot: LotState, actor: Any, reason: str, when: datetime) -> Act:
    return act(opened, key, when, unit_id=lot.origin.org_unit_id, actor=actor, reason=reason)
