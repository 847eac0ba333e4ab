"""The main road: event → points. One event is a batch of one.

    preparing   names become units and programmes; what cannot be taken is refused, alone
    claiming    two more statements, only where events redeem codes (apps/rules/codes)
    opening     one statement: record the events, lock members and accounts, read what evaluation needs
    remembering one more statement, only where a rule in force asks what members did before
    reckoning   pure: evaluate each event in order, let the book work out the points
    settling    one statement: write points, outcomes and counters

Four round trips with BEGIN and COMMIT, however many events; five where something is remembered. Events of one member
are reckoned in the order given, by whichever of their names; a refund of a purchase in the same batch waits for the next
wave, with everything of that member behind it.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import DatabaseError

from apps.activity.errors import EventRefused, NothingToConfirm, UnknownPurchase, UnknownStore
from apps.activity.incoming import IncomingEvent
from apps.activity.models import Source
from apps.core.scope import reach_of
from apps.core.transactions import in_transaction
from apps.core.work import after_commit
from apps.rules import refunds, snapshot
from apps.rules.codes import claiming
from apps.rules.pipeline.opening import in_waves, open_events, replay, reserve
from apps.rules.pipeline.preparing import prepare
from apps.rules.pipeline.reckoning import Impossible, reckon
from apps.rules.pipeline.remembering import remember
from apps.rules.pipeline.settling import settle
from apps.rules.snapshot import Snapshot
from apps.rules.stages import Opened, Prepared, Processed

__all__ = ["Processed", "process"]

PERMISSION = "activity.add_event"
STALE = "LS001"


def process(principal: Any, source: Source, events: Sequence[IncomingEvent], *, when: datetime) -> list[Processed]:
    """Takes events of one source, in order; each is processed, repeated or refused by itself.

    `principal` is who sends them (None: the studio itself); stores beyond its reach are as good as unknown.
    """
    results: list[Processed | None] = [None] * len(events)
    for _attempt in range(20):
        copy = snapshot.current()
        try:
            with _no_search_for_cycles():
                _process(copy, principal, source, events, results, when)
            return [result for result in results if result is not None]
        except snapshot.Stale:
            snapshot.forget()
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", None) != STALE:
                raise
            snapshot.forget()
    raise RuntimeError("the configuration changed twenty times while a batch was waiting")


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """A batch makes objects by the hundred thousand and not one cycle: to look for some costs a quarter of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


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
            prepared = prepare(copy, home, number, event, when)
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
    for wave in in_waves(todo):
        rest = wave
        while rest:
            try:
                for number, result in _run_wave(copy, source, rest, when):
                    results[number] = result
                break
            except Impossible as found:
                results[found.number] = Processed("refused", events[found.number].key, refusal=found.refusal)
                rest = [prepared for prepared in rest if prepared.number != found.number]


@in_transaction
def _run_wave(copy: Snapshot, source: Source, wave: Sequence[Prepared], when: datetime) -> list[tuple[int, Processed]]:
    refunds.find_purchases(source, wave)
    lost = {item.number: refusal for item in wave if (refusal := _lost(item)) is not None}
    refused = [
        (item.number, Processed("refused", item.event.key, refusal=lost[item.number]))
        for item in wave
        if item.number in lost
    ]
    refused += claiming.find_codes(source, [item for item in wave if item.number not in lost] if lost else wave, when)
    gone = {number for number, _ in refused}
    if len(gone) == len(wave):
        return refused
    opened, memory, unknown, old = open_events(
        copy, source, [item for item in wave if item.number not in gone] if gone else wave, when
    )
    claiming.claim(opened)
    remember(opened)
    reserve(opened, memory)
    reckoned = reckon(opened, refunds.open_lots_for(opened, memory.wallet), memory)
    settle(reckoned)
    _follow(opened)
    return [*refused, *unknown, *reckoned.results, *(replay(source, old) if old else ())]


def _follow(opened: Sequence[Opened]) -> None:
    """Has the tags that follow events brought up to date for whom something happened to, once it is committed."""
    followed: dict[int, set[int]] = {}
    for item in opened:
        if item.prepared.program.has_following_tags:
            followed.setdefault(item.prepared.program.id, set()).add(item.member_id)
    for program_id, members in sorted(followed.items()):
        after_commit("apps.segments.tasks.refresh_members", program_id, *sorted(members))


def _lost(item: Prepared) -> EventRefused | None:
    """Why an event cannot be taken that names another which is not there."""
    if item.event.kind in refunds.REFUNDS and item.purchase is None:
        return UnknownPurchase()
    return NothingToConfirm() if item.event.confirms and item.confirmed is None else None
