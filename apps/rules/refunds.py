"""Refunds: what a purchase earned is taken back in proportion to what is given back of it.

Of a lot that earned `e` for a purchase of `a`, after refunds that add up to `r`, ⌊e × r / a⌋ points are owed back in
all (r = a: all of them), less what earlier refunds took and what expired meanwhile. So any number of partial
refunds comes to the same as one, and never to more than was earned.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from apps.activity.errors import RefundTooLarge, UnknownPurchase
from apps.activity.models import Event, Source
from apps.points.book import Act, Book, LotState
from apps.points.models import Entry, Lot, Posting, PostingKind
from apps.points.services.ledger import lot_state
from apps.rules.stages import Opened, Prepared, Purchase


@dataclass(slots=True)
class Ledger:
    """What a wave needs of its locked accounts: open lots, the wave's own included as they are made; for refunds each
    purchase's own lots and what is gone of them; what waits of events that are confirmed."""

    open_lots: dict[int, list[LotState]] = field(default_factory=lambda: defaultdict(list))
    own_lots: dict[int, list[LotState]] = field(default_factory=lambda: defaultdict(list))
    waiting: dict[int, list[LotState]] = field(default_factory=lambda: defaultdict(list))
    expired: dict[int, int] = field(default_factory=dict)
    earned_by: dict[int, int] = field(default_factory=dict)
    reversed: set[int] = field(default_factory=set)
    refunded: dict[int, Decimal] = field(default_factory=dict)


def find_purchases(source: Source, wave: Sequence[Prepared]) -> None:
    """Names the purchase of each refund in the wave, and the event that another confirms; leaves them None where the
    programme knows of none such."""
    keys = {key for prepared in wave for key in (prepared.event.refund_of, prepared.event.confirms) if key}
    if not keys:
        return
    rows = list(
        Event.objects.filter(source=source, key__in=keys).values_list(
            "pk", "key", "kind", "program_id", "member_id", "amount"
        )
    )
    kinds: dict[int, set[int]] = defaultdict(set)
    lots = Lot.objects.filter(event_id__in=[pk for pk, *_ in rows])
    for event_id, kind in lots.values_list("event_id", "account__point_type_id"):
        kinds[event_id].add(kind)
    found = {
        (key, program_id): (kind, Purchase(pk, member_id, amount or Decimal(0), frozenset(kinds[pk])))
        for pk, key, kind, program_id, member_id, amount in rows
    }
    for prepared in wave:
        of_kind, purchase = found.get((prepared.event.refund_of or "", prepared.program.id), ("", None))
        prepared.purchase = purchase if of_kind == Event.Kind.PURCHASE else None
        _kind, prepared.confirmed = found.get((prepared.event.confirms or "", prepared.program.id), ("", None))


def open_lots_for(opened: Sequence[Opened]) -> Ledger:
    """Reads the lots that a wave may touch beside those it makes: of refunds, and of accounts that lapsed before their
    event, and what events wait that are confirmed. The accounts are locked. None for most waves, else at most seven
    statements, however many events."""
    ledger = Ledger()
    refunds = [item for item in opened if item.prepared.purchase]
    accounts = {
        state.id
        for item in opened
        for state in item.accounts.values()
        if item.prepared.purchase
        or (state.lapses_at is not None and state.lapses_at <= item.prepared.event.occurred_at)
    }
    lots: dict[int, LotState] = {}
    if accounts:
        for row in Lot.objects.filter(account_id__in=accounts, remaining__gt=0):
            lots[row.pk] = lot_state(row)
            ledger.open_lots[row.account_id].append(lots[row.pk])
    confirmed = [item.prepared.confirmed.event_id for item in opened if item.prepared.confirmed]
    if confirmed:
        waiting = Lot.objects.filter(event_id__in=confirmed, is_pending=True, releases_at=None, remaining__gt=0)
        for row in waiting.order_by("pk"):
            ledger.waiting[row.event_id or 0].append(lots.setdefault(row.pk, lot_state(row)))
    if not refunds:
        return ledger
    events = [item.prepared.purchase.event_id for item in refunds if item.prepared.purchase]
    for row in Lot.objects.filter(event_id__in=events).order_by("pk"):
        ledger.own_lots[row.event_id or 0].append(lots.get(row.pk) or lot_state(row))
    own = [lot.id or 0 for found in ledger.own_lots.values() for lot in found]
    entries = Entry.objects.filter(lot_id__in=own)
    expired = entries.filter(kind=PostingKind.EXPIRE).values("lot_id").annotate(total=Sum("points"))
    ledger.expired = {lot: -points for lot, points in expired.values_list("lot_id", "total")}
    ledger.earned_by = dict(entries.filter(kind=PostingKind.EARN).values_list("lot_id", "posting_id"))
    ledger.reversed = set(
        Posting.objects.filter(reverses_id__in=ledger.earned_by.values(), kind=PostingKind.REVERSE).values_list(
            "reverses_id", flat=True
        )
    )
    ledger.refunded = dict(
        Event.objects.filter(refund_of_id__in=events)
        .exclude(pk__in=[item.event_id for item in refunds])
        .values("refund_of_id")
        .annotate(total=Sum("amount"))
        .values_list("refund_of_id", "total")
    )
    return ledger


def take_back(book: Book, item: Opened, purchase: Purchase, ledger: Ledger) -> list[dict[str, Any]]:
    """Takes back what this refund owes. Raises UnknownPurchase, RefundTooLarge and DebtNotAllowed."""
    event = item.prepared.event
    if purchase.member_id != item.member_id:
        raise UnknownPurchase()
    amount = event.amount or Decimal(0)
    before = ledger.refunded.get(purchase.event_id, Decimal(0))
    if before + amount > purchase.amount:
        raise RefundTooLarge(amount=amount, left=purchase.amount - before)
    ledger.refunded[purchase.event_id] = before + amount
    accounts = {state.id: state for state in item.accounts.values()}
    answers = []
    for lot in ledger.own_lots[purchase.event_id]:
        award = ledger.earned_by.get(lot.id or 0)
        if award in ledger.reversed:
            continue
        owed = owed_back(lot.earned, before + amount, purchase.amount) - owed_back(lot.earned, before, purchase.amount)
        left = lot.earned - ledger.expired.get(lot.id or 0, 0) - owed_back(lot.earned, before, purchase.amount)
        points = min(owed, max(0, left))
        if not points:
            continue
        account = accounts[lot.account_id]
        act = Act(
            key=f"event:{item.event_id}:lot:{lot.id}",
            at=event.occurred_at,
            day=item.prepared.day,
            org_unit_id=item.prepared.unit.id,
            event_id=item.event_id,
            reverses_id=award,
        )
        book.take_back(
            account,
            act,
            lot,
            points,
            ledger.open_lots[account.id],
            allows_debt=item.prepared.program.allows_debt,
        )
        answers.append(
            {
                "rule": None,
                "version_id": lot.origin.rule_version_id,
                "point_type": item.prepared.program.point_types[account.point_type_id].code,
                "points": -points,
                "state": "clawback",
                "why": {
                    "code": "refund",
                    "earned": lot.earned,
                    "refunded": format(before + amount, "f"),
                    "amount": format(purchase.amount, "f"),
                },
            }
        )
    return answers


def owed_back(earned: int, refunded: Decimal, amount: Decimal) -> int:
    """⌊earned × refunded / amount⌋: what is owed back in all after refunds that add up to `refunded`."""
    if not amount:
        return earned
    return int(earned * refunded / amount)
