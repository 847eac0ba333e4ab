"""Refunds: what a purchase earned is taken back in proportion to what is given back of it.

Of a lot that earned `e` for a purchase of `a`, after refunds that add up to `r`, ⌊e × r / a⌋ points are owed back in
all (r = a: all of them), less what earlier refunds took and what expired meanwhile. So any number of partial
refunds comes to the same as one, and never to more than was earned.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from apps.activity.errors import RefundTooLarge, UnknownPurchase
from apps.activity.models import Event, Source
from apps.members.models import Member
from apps.points.book import AccountState, Act, Book, LotState
from apps.points.models import Entry, Lot, Posting, PostingKind
from apps.points.services.ledger import lot_state
from apps.rules.cards import Memory, Wallet, card_of
from apps.rules.evaluate import LiveRule, is_carry
from apps.rules.models import Outcome
from apps.rules.models import Progress as Gathered
from apps.rules.progress import as_gathered, given_back, undone
from apps.rules.snapshot import ProgramInfo
from apps.rules.stages import Opened, Prepared, Purchase

REFUNDS = (Event.Kind.REFUND, Event.Kind.FRIEND_REFUND)
GIVEN_BACK = (Event.Kind.PURCHASE, Event.Kind.FRIEND)


@dataclass(slots=True)
class Ledger:
    """What a wave needs of its locked accounts: open lots, the wave's own included as they are made; for refunds each
    purchase's own lots and what is gone of them; what waits of events that are confirmed."""

    open_lots: dict[int, list[LotState]] = field(default_factory=lambda: defaultdict(list))
    own_lots: dict[int, list[LotState]] = field(default_factory=lambda: defaultdict(list))
    waiting: dict[int, list[LotState]] = field(default_factory=lambda: defaultdict(list))
    expired: dict[int, int] = field(default_factory=dict)
    earned_by: dict[int, int] = field(default_factory=dict)
    effects: dict[int, int] = field(default_factory=dict)
    """Which effect of its rule gave a lot."""
    reversed: set[int] = field(default_factory=set)
    refunded: dict[int, Decimal] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)
    """Into whom the members of purchases were merged since, and of what else events name."""
    heirs: dict[int, list[LotState]] = field(default_factory=lambda: defaultdict(list))
    """Of a purchase's own lot, what goes on with it since its member was merged."""
    kinds: dict[int, int] = field(default_factory=dict)
    """Of lots, the kind of their points."""
    counting: set[int] = field(default_factory=set)
    """Merged members with whom it stayed what rules gathered of them: so merges did once."""

    def answers(self, member_id: int) -> int:
        """The member who answers for that one."""
        return self.merged.get(member_id, member_id)


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
    counted = _counted([row[0] for row in rows], wave)
    kinds: dict[int, set[int]] = defaultdict(set)
    lots = Lot.objects.filter(event_id__in=[pk for pk, *_ in rows])
    for event_id, kind in lots.values_list("event_id", "account__point_type_id"):
        kinds[event_id].add(kind)
    programs = {prepared.program.id: prepared.program for prepared in wave}
    found = {
        (key, program_id): (
            kind,
            Purchase(
                pk, member_id, amount or Decimal(0),
                frozenset(kinds[pk] | _undoable(programs[program_id], counted.get(pk, ()))), counted.get(pk, ()),
            ),
        )
        for pk, key, kind, program_id, member_id, amount in rows
        if program_id in programs
    }  # fmt: skip
    for prepared in wave:
        of_kind, purchase = found.get((prepared.event.refund_of or "", prepared.program.id), ("", None))
        prepared.purchase = purchase if of_kind in GIVEN_BACK else None
        _kind, prepared.confirmed = found.get((prepared.event.confirms or "", prepared.program.id), ("", None))


def _counted(events: Sequence[int], waiting: Sequence[Prepared]) -> dict[int, tuple[dict[str, Any], ...]]:
    """What rules gathered of those events; not asked where no rule ever gathers."""
    if not any(prepared.program.gathers for prepared in waiting):
        return {}
    answers = Outcome.objects.filter(event_id__in=events).values_list("event_id", "answer__progress")
    return {pk: tuple(counted) for pk, counted in answers if counted}


def _undoable(program: ProgramInfo, counted: Sequence[dict[str, Any]]) -> set[int]:
    """The kinds of points that rules ever gave by what they gathered."""
    rules = {each["rule_id"] for each in counted}
    effects = [
        effect for version in program.versions if version.live.rule_id in rules for effect in version.live.effects
    ]
    return {effect.point_type_id for effect in effects if effect.point_type_id is not None}


def open_lots_for(opened: Sequence[Opened], wallet: Wallet) -> Ledger:
    """Reads the lots that a wave may touch beside those it makes: of refunds, and of accounts that lapsed before their
    event, and what events wait that are confirmed. The accounts are locked. None for most waves, else at most eight
    statements, however many events. What refunds may undo at other events is read with it."""
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
    strangers = {
        named.member_id
        for item in opened
        for named in (item.prepared.purchase, item.prepared.confirmed)
        if named is not None and named.member_id != item.member_id
    }
    if strangers:
        merged = Member.objects.filter(pk__in=strangers, merged_into__isnull=False)
        ledger.merged = dict(merged.values_list("pk", "merged_into_id"))
    if ledger.merged and refunds:
        still = Gathered.objects.filter(member__in=ledger.merged).order_by().distinct()
        ledger.counting = set(still.values_list("member_id", flat=True))
    confirmed = [item.prepared.confirmed.event_id for item in opened if item.prepared.confirmed]
    if confirmed:
        waiting = Lot.objects.filter(event_id__in=confirmed, is_pending=True, releases_at=None, remaining__gt=0)
        # What is held for a review waits for a person alone.
        waiting = waiting.filter(event__held_event=None)
        for row in waiting.order_by("pk"):
            ledger.waiting[row.event_id or 0].append(lots.setdefault(row.pk, lot_state(row)))
    if not refunds:
        return ledger
    events = [item.prepared.purchase.event_id for item in refunds if item.prepared.purchase]
    own = _read_own(ledger, {*events, *_fired(refunds, wallet)}, lots)
    entries = Entry.objects.filter(lot_id__in=own)
    expired = entries.filter(kind=PostingKind.EXPIRE).values("lot_id").annotate(total=Sum("points"))
    for expired_lot, points in expired.values_list("lot_id", "total"):
        ledger.expired[own[expired_lot]] = ledger.expired.get(own[expired_lot], 0) - points
    earned = entries.filter(kind=PostingKind.EARN).values_list("lot_id", "posting_id", "posting__key")
    for lot, posting, key in earned:
        ledger.earned_by[lot], ledger.effects[lot] = posting, _effect(key)
    ledger.reversed = set(
        Posting.objects.filter(reverses_id__in=ledger.earned_by.values(), kind=PostingKind.REVERSE).values_list(
            "reverses_id", flat=True
        )
    )
    ledger.refunded = dict(
        Event.objects.filter(refund_of_id__in=events)
        .exclude(pk__in=[item.event_id for item in refunds])
        .values("refund_of_id")
        .annotate(total=Sum("amount", default=Decimal(0)))
        .values_list("refund_of_id", "total")
    )
    return ledger


def _read_own(ledger: Ledger, events: Collection[int], lots: Mapping[int, LotState]) -> dict[int, int]:
    """Reads what those events gave, as it was and as it goes on since members were merged; each lot with what it was first."""
    rows = Lot.objects.filter(event_id__in=events).order_by("pk")
    first: dict[int, int] = {}
    for row in rows.select_related("account"):
        lot = lots.get(row.pk) or lot_state(row)
        # What goes on with a lot was made after it, and names the same event.
        first[row.pk] = first.get(row.moved_from_id or 0, row.pk)
        if first[row.pk] != row.pk:
            ledger.heirs[first[row.pk]].append(lot)
        else:
            ledger.own_lots[row.event_id or 0].append(lot)
            ledger.kinds[row.pk] = row.account.point_type_id
    return first


def _fired(refunds: Sequence[Opened], wallet: Wallet) -> set[int]:
    """The events at which rules fired by what purchases brought that are given back."""
    cards = [
        (item.member_id, counted)
        for item in refunds
        for counted in (item.prepared.purchase.counted if item.prepared.purchase else ())
    ]
    return {each.event_id for member_id, counted in cards for each in wallet.get(member_id, card_of(counted)).fired}


def _effect(key: str) -> int:
    """The effect that a posting's key names: `event:17:3:0` is that of number 0."""
    number = key.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def take_back(book: Book, item: Opened, purchase: Purchase, ledger: Ledger, memory: Memory) -> list[dict[str, Any]]:
    """Takes back what this refund owes: of the purchase's own lots the share that is given back; and what rules that
    gather no longer fire by, wherever they did. Raises UnknownPurchase, RefundTooLarge and DebtNotAllowed."""
    if ledger.answers(purchase.member_id) != item.member_id:
        raise UnknownPurchase()
    amount = item.prepared.event.amount or Decimal(0)
    before = ledger.refunded.get(purchase.event_id)
    after = (before or Decimal(0)) + amount
    if after > purchase.amount:
        raise RefundTooLarge(amount=amount, left=purchase.amount - (before or Decimal(0)))
    ledger.refunded[purchase.event_id] = after
    taking = _Taking(book, item, purchase, ledger, before, after)
    taking.share()
    if not taking.counts_elsewhere:
        taking.undo(memory)
    taking.untag(memory)
    return taking.answers


@dataclass(slots=True)
class _Taking:
    """One refund: what was given back `before` it of its purchase (None: it is the first), and what `after` it."""

    book: Book
    item: Opened
    purchase: Purchase
    ledger: Ledger
    before: Decimal | None
    after: Decimal
    answers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def counts_elsewhere(self) -> bool:
        """Whether what rules gathered of the purchase stayed with a member who is part of this one now, so that all it gave
        is taken back by its share."""
        return self.purchase.member_id in self.ledger.counting

    def share(self) -> None:
        """Of each of the purchase's own lots its share."""
        whole = self.purchase.amount
        for lot in self.ledger.own_lots[self.purchase.event_id]:
            if self.counts_elsewhere or self._undone_by(lot) is None:
                taken = owed_back(lot.earned, self.before, whole)
                why = {
                    "code": "refund",
                    "earned": lot.earned,
                    "refunded": format(self.after, "f"),
                    "amount": format(whole, "f"),
                }
                self._take(lot, taken, owed_back(lot.earned, self.after, whole) - taken, why)

    def undo(self, memory: Memory) -> None:
        """What the purchase no longer brings to what rules gather: steps that are no longer reached are undone, at the
        purchase first and then at the latest events."""
        for counted in self.purchase.counted:
            card, rule = card_of(counted), self._rule(counted["version_id"])
            gatherer = rule.gatherer(counted["of"]) if rule is not None else None
            if rule is None or gatherer is None:
                continue
            gathered = as_gathered(counted["gathered"])
            gone = given_back(gathered, self.before, self.after, self.purchase.amount, gatherer.by_share)
            progress = memory.wallet.get(self.item.member_id, card)
            left = gatherer.after(progress, gone, -1)
            given = gatherer.fires(progress) - progress.due
            lost = max(0, given - gatherer.fires(left))
            left = replace(left, due=min(progress.due, max(0, gatherer.fires(left) - given)))
            left, found = undone(left, self.purchase.event_id, lost)
            memory.wallet.put(self.item.member_id, card, left)
            for firing, steps in found:
                for lot in self.ledger.own_lots[firing.event_id]:
                    if lot.origin.rule_id == rule.rule_id and self._undone_by(lot) == counted["of"]:
                        taken = owed_back(lot.earned, Decimal(firing.lost), Decimal(firing.steps))
                        owed = owed_back(lot.earned, Decimal(firing.lost + steps), Decimal(firing.steps)) - taken
                        self._take(lot, taken, owed, {"code": "undone", "earned": lot.earned, "rule": rule.name})
                if firing.lost + steps == firing.steps and gatherer is rule.accumulator:
                    memory.tags.take_back(self.item.member_id, rule.rule_id, firing.event_id)

    def untag(self, memory: Memory) -> None:
        """The tags that the purchase itself brought, once it is given back whole, by whichever versions: but for those
        of goals, which are undone or not."""
        if self.after >= self.purchase.amount:
            goals = {counted["rule_id"] for counted in self.purchase.counted if not is_carry(counted["of"])}
            versions = [version.live for version in self.item.prepared.program.versions]
            for rule_id in sorted({rule.rule_id for rule in versions if rule.gives_tags} - goals):
                memory.tags.take_back(self.item.member_id, rule_id, self.purchase.event_id)

    def _rule(self, version_id: int | None) -> LiveRule | None:
        return self.item.prepared.program.published.get(version_id or 0)

    def _undone_by(self, lot: LotState) -> str | None:
        """What gathers decides on the lot; None where the refund takes its share of it."""
        rule = self._rule(lot.origin.rule_version_id)
        return None if rule is None else rule.undone_by(self.ledger.effects.get(lot.id or 0, 0))

    def _take(self, lot: LotState, taken: int, owed: int, why: dict[str, Any]) -> None:
        """Takes `owed` points of a lot of which `taken` were taken back before; less where some of it expired."""
        award = self.ledger.earned_by.get(lot.id or 0)
        points = min(owed, max(0, lot.earned - self.ledger.expired.get(lot.id or 0, 0) - taken))
        source, account = self._as_it_goes_on(lot)
        if points <= 0 or award in self.ledger.reversed or account is None:
            return
        prepared = self.item.prepared
        act = Act(
            key=f"event:{self.item.event_id}:lot:{lot.id}",
            at=prepared.event.occurred_at,
            day=prepared.day,
            org_unit_id=prepared.unit.id,
            event_id=self.item.event_id,
            reverses_id=award,
        )
        open_lots = self.ledger.open_lots[account.id]
        self.book.take_back(account, act, source, points, open_lots, allows_debt=prepared.program.allows_debt)
        self.answers.append(
            {
                "rule": None,
                "version_id": lot.origin.rule_version_id,
                "point_type": prepared.program.point_types[account.point_type_id].code,
                "points": -points,
                "state": "clawback",
                "why": why,
            }
        )

    def _as_it_goes_on(self, lot: LotState) -> tuple[LotState, AccountState | None]:
        """What is left of a lot in the accounts of this event's member, and the account that answers for it."""
        family = [each for each in (lot, *self.ledger.heirs[lot.id or 0]) if self.item.account(each.account_id)]
        left = max(family, key=lambda each: (each.is_pending, each.remaining), default=lot)
        account = self.item.account(left.account_id)
        if account is None:
            account = self.item.accounts.get(self.ledger.kinds.get(lot.id or 0, 0))
        return left, account


def owed_back(earned: int, refunded: Decimal | None, amount: Decimal) -> int:
    """⌊earned × refunded / amount⌋: what is owed back in all after refunds that add up to `refunded`; nothing before the
    first (None), and all after that of what cost nothing."""
    if refunded is None:
        return 0
    if not amount:
        return earned
    return int(earned * refunded / amount)
