"""The main road: event → points. One event is a batch of one.

    prepare   names become units and programmes; what cannot be taken is refused, alone
    open      one statement: record the events, lock members and accounts, read what evaluation needs
    reckon    pure: evaluate each event in order, let the book work out the points
    settle    one statement: write points, outcomes and counters

Four round trips with BEGIN and COMMIT, however many events. Events of one member are reckoned in the order given;
a refund of a purchase in the same batch waits for the next wave, with everything of that member behind it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from django.db import DatabaseError, connection

from apps.activity.errors import (
    EventRefused,
    EventRejectedByLedger,
    InTheFuture,
    KeyConflict,
    NoProgram,
    OtherCurrency,
    UnknownMember,
    UnknownPurchase,
    UnknownStore,
)
from apps.activity.facts import EventFacts, LineFacts
from apps.activity.incoming import IncomingEvent
from apps.activity.models import Event, Source
from apps.core.clock import local_day
from apps.core.errors import LoyaltyError
from apps.core.scope import reach_of
from apps.core.transactions import in_transaction
from apps.members.crypto import lookup_hash
from apps.members.facts import MemberFacts
from apps.points.book import AccountState, Act, Book, Origin
from apps.rules import refunds, snapshot
from apps.rules.evaluate import Outcome, RuleSet, evaluate
from apps.rules.models import Outcome as OutcomeRow
from apps.rules.snapshot import ProgramInfo, Snapshot, UnitInfo

PERMISSION = "activity.add_event"
STALE = "LS001"
TOLERANCE = timedelta(minutes=10)
"""How far a till's clock may run ahead."""


@dataclass(slots=True)
class Processed:
    """What became of one event: `status` is processed, repeated or refused; `answer` is what its sender is told."""

    status: str
    key: str
    answer: dict[str, Any] | None = None
    refusal: LoyaltyError | None = None
    points: int = 0


@dataclass(slots=True)
class Prepared:
    """An event whose names are resolved. `number` is its place in the batch."""

    number: int
    event: IncomingEvent
    unit: UnitInfo
    program: ProgramInfo
    day: date
    rules: RuleSet
    digest: bytes
    purchase: "refunds.Purchase | None" = None


@dataclass(slots=True)
class Opened:
    """A recorded event with what is known of its member."""

    prepared: Prepared
    event_id: int
    member_id: int
    member: MemberFacts
    counters: dict[int, int]
    accounts: dict[int, AccountState]


class _Refused(Exception):
    """One event of a wave turned out to be impossible after it was recorded; the wave is run again without it."""

    def __init__(self, number: int, refusal: LoyaltyError) -> None:
        self.number, self.refusal = number, refusal


def process(principal: Any, source: Source, events: Sequence[IncomingEvent], *, when: datetime) -> list[Processed]:
    """Takes events of one source, in order; each is processed, repeated or refused by itself.

    `principal` is who sends them (None: the studio itself); stores beyond its reach are as good as unknown.
    """
    results: list[Processed | None] = [None] * len(events)
    for _attempt in range(20):
        copy = snapshot.current()
        try:
            _process(copy, principal, source, events, results, when)
            return [result for result in results if result is not None]
        except snapshot.Stale:
            snapshot.forget()
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) != STALE:
                raise
            snapshot.forget()
    raise RuntimeError("the configuration changed twenty times while a batch was waiting")


def _process(
    copy: Snapshot,
    principal: Any,
    source: Source,
    events: Sequence[IncomingEvent],
    results: list[Processed | None],
    when: datetime,
) -> None:
    todo: list[Prepared] = []
    refused: list[tuple[int, EventRefused]] = []
    home = copy.unit(source.unit_id)
    reach = None if principal is None else reach_of(principal, PERMISSION)
    for number, event in enumerate(events):
        if results[number] is not None:
            continue
        try:
            prepared = _prepare(copy, home, number, event, when)
            if reach is not None and not reach.covers(prepared.unit.path):
                raise UnknownStore()
            todo.append(prepared)
        except EventRefused as refusal:
            refused.append((number, refusal))
    if refused:
        # A store opened a moment ago is not unknown: nobody is refused on the word of an old copy.
        copy.confirm()
    for number, reason in refused:
        results[number] = Processed("refused", events[number].key, refusal=reason)
    for wave in _waves(todo):
        rest = wave
        while rest:
            try:
                for number, result in _run_wave(copy, source, rest, when):
                    results[number] = result
                break
            except _Refused as found:
                results[found.number] = Processed("refused", events[found.number].key, refusal=found.refusal)
                rest = [prepared for prepared in rest if prepared.number != found.number]


def _prepare(copy: Snapshot, home: UnitInfo, number: int, event: IncomingEvent, when: datetime) -> Prepared:
    unit = home if event.store is None else copy.units.get(event.store)
    if unit is None:
        raise UnknownStore()
    if unit.program_id is None:
        raise NoProgram()
    program = copy.programs[unit.program_id]
    if event.currency and event.currency != program.currency:
        raise OtherCurrency(given=event.currency, expected=program.currency)
    if event.occurred_at > when + TOLERANCE:
        raise InTheFuture()
    if event.kind == Event.Kind.REFUND and not event.refund_of:
        raise UnknownPurchase()
    return Prepared(
        number,
        event,
        unit,
        program,
        local_day(event.occurred_at, program.zone),
        copy.rules_for(unit, event.occurred_at),
        event.content_hash(),
    )


def _waves(todo: Iterable[Prepared]) -> list[list[Prepared]]:
    """Cuts a batch so that no refund meets its purchase, and no key its repetition, within one wave."""
    waves: list[list[Prepared]] = []
    member_wave: dict[tuple[str, str], int] = {}
    key_wave: dict[str, int] = {}
    for prepared in todo:
        event = prepared.event
        member = (event.member_kind, event.member_value)
        wave = member_wave.get(member, 0)
        if event.refund_of in key_wave:
            wave = max(wave, key_wave[event.refund_of] + 1)
        if event.key in key_wave:
            wave = max(wave, key_wave[event.key] + 1)
        member_wave[member] = wave
        key_wave[event.key] = wave
        while len(waves) <= wave:
            waves.append([])
        waves[wave].append(prepared)
    return waves


@in_transaction
def _run_wave(copy: Snapshot, source: Source, wave: Sequence[Prepared], when: datetime) -> list[tuple[int, Processed]]:
    refunds.find_purchases(source, wave)
    lost = [item for item in wave if item.event.kind == Event.Kind.REFUND and item.purchase is None]
    refused = [(item.number, Processed("refused", item.event.key, refusal=UnknownPurchase())) for item in lost]
    if len(lost) == len(wave):
        return refused
    opened, results, old = _open(copy, source, [item for item in wave if item not in lost] if lost else wave, when)
    results += refused
    _reckon(opened, results)
    if old:
        results += _replay(source, old)
    return results


def _open(
    copy: Snapshot, source: Source, wave: Sequence[Prepared], when: datetime
) -> tuple[list[Opened], list[tuple[int, Processed]], list[Prepared]]:
    """Records the events. Also: those whose member is unknown, and those whose key was there before."""
    rows = _call(
        "SELECT n, member_id, event_id, home_path, joined_on, attributes, counters, accounts"
        " FROM rules_open(%s::jsonb, %s, %s, %s)",
        [_batch_json(wave), source.pk, copy.epoch, when],
    )
    # Events of one member and day share what they count and move, so that each sees what the one before it did.
    counters: dict[tuple[int, date], dict[int, int]] = {}
    states: dict[int, AccountState] = {}
    opened: list[Opened] = []
    unknown: list[tuple[int, Processed]] = []
    old: list[Prepared] = []
    for (_n, member_id, event_id, home_path, joined_on, attributes, counted, accounts), prepared in zip(
        rows, wave, strict=True
    ):
        if member_id is None:
            unknown.append((prepared.number, Processed("refused", prepared.event.key, refusal=UnknownMember())))
        elif event_id is None:
            old.append(prepared)
        else:
            day_counters = counters.get((member_id, prepared.day))
            if day_counters is None:
                day_counters = {int(rule): points for rule, points in orjson.loads(counted or "{}").items()}
                counters[member_id, prepared.day] = day_counters
            mine: dict[int, AccountState] = {}
            for pk, point_type_id, balance, pending, held, debt, lapses_at in orjson.loads(accounts or "[]"):
                state = states.get(pk)
                if state is None:
                    lapses = datetime.fromisoformat(lapses_at) if lapses_at else None
                    program_id = prepared.program.id
                    state = states[pk] = AccountState(
                        pk, member_id, point_type_id, program_id, balance, pending, held, debt, lapses
                    )
                mine[point_type_id] = state
            facts = MemberFacts(member_id, home_path, joined_on, orjson.loads(attributes))
            opened.append(Opened(prepared, event_id, member_id, facts, day_counters, mine))
    return opened, unknown, old


def _batch_json(wave: Sequence[Prepared]) -> str:
    batch = []
    for n, prepared in enumerate(wave):
        event = prepared.event
        types = set(prepared.rules.point_type_ids)
        if prepared.program.main_type is not None:
            types.add(prepared.program.main_type.id)
        if prepared.purchase is not None:
            types |= prepared.purchase.point_type_ids
        batch.append(
            {
                "n": n,
                "key": event.key,
                "hash": prepared.digest.hex(),
                "idk": event.member_kind,
                "idh": lookup_hash(event.member_kind, event.member_value).hex(),
                "program": prepared.program.id,
                "unit": prepared.unit.id,
                "kind": event.kind,
                "at": event.occurred_at,
                "day": prepared.day,
                "amount": None if event.amount is None else str(event.amount),
                "channel": event.channel,
                "order_no": event.order_no,
                "refund_of": prepared.purchase.event_id if prepared.purchase else None,
                "device": event.device,
                "attrs": event.attributes or {},
                "lines": [
                    {
                        "n": line.number,
                        "s": line.sku,
                        "c": line.category,
                        "q": str(line.quantity),
                        "a": str(line.amount),
                    }
                    for line in event.lines
                ],
                "types": sorted(types),
            }
        )
    return orjson.dumps(batch).decode()


def event_facts(event: IncomingEvent, unit: UnitInfo, program: ProgramInfo) -> EventFacts:
    """The event as conditions read it; hour, weekday and date are the programme's."""
    local = event.occurred_at.astimezone(program.zone)
    return EventFacts(
        kind=event.kind,
        amount=event.amount,
        channel=event.channel or None,
        unit_path=unit.path,
        device=event.device or None,
        attributes=event.attributes or {},
        lines=tuple(
            LineFacts(line.sku or None, line.category or None, line.quantity, line.amount) for line in event.lines
        ),
        hour=local.hour,
        weekday=local.isoweekday(),
        date=local.date(),
    )


def _reckon(opened: list[Opened], results: list[tuple[int, Processed]]) -> None:
    """Works out and writes what each event came to; adds to `results`."""
    book = Book()
    outcomes: list[dict[str, Any]] = []
    spent: dict[tuple[int, int, date], int] = defaultdict(int)
    ledger = refunds.open_lots_for([item for item in opened if item.prepared.purchase])
    for item in opened:
        prepared, event = item.prepared, item.prepared.event
        skipped: list[tuple[int, int]] = []
        if prepared.purchase is not None:
            try:
                awards = refunds.take_back(book, item, prepared.purchase, ledger)
            except LoyaltyError as refusal:
                wrapped = refusal if isinstance(refusal, EventRefused) else EventRejectedByLedger(because=refusal)
                raise _Refused(prepared.number, wrapped) from None
        else:
            outcome = evaluate(
                event_facts(event, prepared.unit, prepared.program), item.member, prepared.rules, item.counters
            )
            awards = _award(book, item, outcome, spent)
            skipped = list(outcome.skipped)
        for kind_id, account in item.accounts.items():
            if kind_id in prepared.program.point_types:
                book.touch(account, prepared.program.point_types[kind_id].dates(prepared.day)[2])
        total = sum(award["points"] for award in awards)
        answer = {
            "event": item.event_id,
            "key": event.key,
            "status": "processed",
            "awards": awards,
            "skipped": skipped,
            "balance": _balance(item),
        }
        outcomes.append({"event": item.event_id, "member": item.member_id, "points": total, "answer": answer})
        results.append((prepared.number, Processed("processed", event.key, answer, points=total)))
    if not outcomes:
        return
    counters = [
        {"member": member, "rule": rule, "day": day, "points": points} for (member, rule, day), points in spent.items()
    ]
    _call(
        "SELECT rules_settle(%s::jsonb, %s::jsonb, %s::jsonb)",
        [orjson.dumps(book.plan()).decode(), orjson.dumps(outcomes).decode(), orjson.dumps(counters).decode()],
    )


def _award(book: Book, item: Opened, outcome: Outcome, spent: dict[tuple[int, int, date], int]) -> list[dict[str, Any]]:
    prepared, answers = item.prepared, []
    for award in outcome.awards:
        kind = prepared.program.point_types[award.point_type_id]
        expires, released, _lapses = kind.dates(prepared.day)
        rule = award.rule
        if award.points:
            account = item.accounts[kind.id]
            act = Act(
                key=f"event:{item.event_id}:{rule.version_id}:{award.effect}",
                at=prepared.event.occurred_at,
                day=prepared.day,
                org_unit_id=prepared.unit.id,
                event_id=item.event_id,
            )
            origin = Origin(
                prepared.unit.id,
                kind.funder_id or prepared.unit.id,
                kind.unit_cost_micros,
                item.event_id,
                rule.rule_id,
                rule.version_id,
            )
            book.earn(
                account,
                act,
                origin,
                award.points,
                expires_at=expires,
                releases_at=released,
                pending=released is not None,
            )
        if rule.cap_per_member_day is not None and award.points:
            spent[item.member_id, rule.rule_id, prepared.day] += award.points
            item.counters[rule.rule_id] = item.counters.get(rule.rule_id, 0) + award.points
        answers.append(
            {
                "rule": rule.code,
                "rule_name": rule.name,
                "version": rule.number,
                "version_id": rule.version_id,
                "effect": award.effect,
                "point_type": kind.code,
                "points": award.points,
                "state": "pending" if released is not None else "settled",
                "why": award.why(),
            }
        )
    return answers


def _balance(item: Opened) -> dict[str, Any] | None:
    kind = item.prepared.program.main_type
    account = item.accounts.get(kind.id) if kind is not None else None
    if kind is None or account is None:
        return None
    return {
        "point_type": kind.code,
        "available": max(0, account.balance - account.held),
        "pending": account.pending,
        "debt": account.debt,
    }


def _replay(source: Source, old: Sequence[Prepared]) -> list[tuple[int, Processed]]:
    """What events that came before were told then; a conflict where their content was another."""
    keys = [prepared.event.key for prepared in old]
    known = {
        key: (pk, bytes(digest))
        for pk, key, digest in Event.objects.filter(source=source, key__in=keys).values_list(
            "pk", "key", "content_hash"
        )
    }
    answers = dict(
        OutcomeRow.objects.filter(event_id__in=[pk for pk, _ in known.values()]).values_list("event_id", "answer")
    )
    results = []
    for prepared in old:
        pk, digest = known[prepared.event.key]
        if digest == prepared.digest:
            result = Processed("repeated", prepared.event.key, answers.get(pk))
        else:
            result = Processed("refused", prepared.event.key, refusal=KeyConflict())
        results.append((prepared.number, result))
    return results


def _call(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
