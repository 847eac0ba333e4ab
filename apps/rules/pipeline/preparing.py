"""Preparing events: their names become units, programmes and rules of one copy of the configuration. No query."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from apps.activity.errors import InTheFuture, NoProgram, OtherCurrency, UnknownPurchase, UnknownStore
from apps.activity.facts import EventFacts, LineFacts
from apps.activity.incoming import IncomingEvent
from apps.rules.refunds import REFUNDS
from apps.rules.snapshot import ProgramInfo, Snapshot, UnitInfo
from apps.rules.stages import Prepared

TOLERANCE = timedelta(minutes=10)
"""How far a till's clock may run ahead."""


def prepare(copy: Snapshot, home: UnitInfo, number: int, event: IncomingEvent, when: datetime) -> Prepared:
    """The event with its unit, programme and rules. Raises EventRefused."""
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
    if event.kind in REFUNDS and not event.refund_of:
        raise UnknownPurchase()
    facts = event_facts(event, unit, program)
    rules = copy.rules_for(unit, event.occurred_at, event.kind)
    return Prepared(number, event, unit, program, facts.date, facts, rules, event.content_hash())


def event_facts(event: IncomingEvent, unit: UnitInfo, program: ProgramInfo) -> EventFacts:
    """The event as conditions read it; hour, weekday, date and special days are the programme's."""
    local = event.occurred_at.astimezone(program.zone)
    day = local.date()
    return EventFacts(
        kind=event.kind,
        amount=event.amount,
        channel=event.channel or None,
        unit_path=unit.path,
        device=event.device or None,
        attributes=event.attributes or {},
        lines=tuple(
            [
                LineFacts(
                    line.sku or None,
                    line.category or None,
                    line.quantity,
                    line.amount,
                    line.brand or None,
                    line.tax,
                    line.is_shipping,
                )
                for line in event.lines
            ]
        ),
        hour=local.hour,
        weekday=local.isoweekday(),
        date=day,
        special_days=program.calendar.on(day),
    )


Name = tuple[str, str]
"""What a member is called by, and which kind of name that is."""


def waves(todo: Iterable[Prepared], members: Mapping[Name, int] | None = None) -> list[list[Prepared]]:
    """Cuts a batch so that no event meets one that it gives back or confirms, and no key its repetition, within one
    wave; where rules gather, no refund meets an earlier event of its member either: it may have to undo what that fired.
    `members` says which names are one member's; without it each name is taken for another."""
    found: list[list[Prepared]] = []
    member_wave: dict[Name | int, int] = {}
    key_wave: dict[str, int] = {}
    for prepared in todo:
        event = prepared.event
        name = (event.member_kind, event.member_value)
        member = members.get(name, name) if members else name
        wave = member_wave.get(member, 0)
        if event.refund_of and prepared.program.gathers and member in member_wave:
            wave += 1
        for named in (event.refund_of, event.confirms, event.key):
            if named in key_wave:
                wave = max(wave, key_wave[named] + 1)
        member_wave[member] = wave
        key_wave[event.key] = wave
        while len(found) <= wave:
            found.append([])
        found[wave].append(prepared)
    return found
