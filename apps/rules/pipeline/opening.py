"""Opening events: one statement records them, locks what they may move and reads what evaluation needs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from apps.activity.errors import KeyConflict, UnknownMember
from apps.activity.incoming import IncomingLine
from apps.activity.models import Event, Source
from apps.core.prepared import call
from apps.members.crypto import lookup_hash
from apps.members.facts import NO_BIRTHDAY, Birthday, MemberFacts
from apps.members.models import Identifier
from apps.points.book import AccountState
from apps.rules.cards import Memory, asks_tags, starts_of
from apps.rules.limits import member_starts, shared_keys
from apps.rules.models import Outcome
from apps.rules.pipeline.preparing import waves
from apps.rules.snapshot import Snapshot
from apps.rules.stages import Claim, Opened, Prepared, Processed

_OPEN = """
SELECT member_id, event_id, home_path, joined_on, attributes, birth_day, birth_year, was_brought, counters, accounts, cards, tags
FROM rules_open(%s::jsonb, %s, %s, %s)
"""


def in_waves(todo: Sequence[Prepared]) -> list[list[Prepared]]:
    """`waves`; where some have to wait, with one statement that says which names are one member's."""
    found = waves(todo)
    if len(found) == 1 and not any(item.event.refund_of and item.program.gathers for item in todo):
        return found
    names = {(item.event.member_kind, item.event.member_value) for item in todo if not item.event.member_id}
    if len(todo) == 1 or len(names) < 2:
        return found
    digests = {name: lookup_hash(*name) for name in names}
    rows = Identifier.objects.filter(kind__in={kind for kind, _ in names}, value_hash__in=digests.values())
    found_by = rows.values_list("kind", "value_hash", "member_id")
    known = {(kind, bytes(digest)): member_id for kind, digest, member_id in found_by}
    members = {name: known[name[0], digest] for name, digest in digests.items() if (name[0], digest) in known}
    return waves(todo, members)


def open_events(
    copy: Snapshot, source: Source, wave: Sequence[Prepared], when: datetime
) -> tuple[list[Opened], Memory, list[tuple[int, Processed]], list[Prepared]]:
    """Records the events, with what was counted and gathered before them. Also: those whose member is unknown, and
    those whose key was there before."""
    batch = orjson.dumps([_row(n, prepared) for n, prepared in enumerate(wave)]).decode()
    rows = call(_OPEN, [batch, source.pk, copy.epoch, when])
    opened: list[Opened] = []
    unknown: list[tuple[int, Processed]] = []
    old: list[Prepared] = []
    shared = _Shared()
    memory = Memory()
    for row, prepared in zip(rows, wave, strict=True):
        (
            member_id, event_id, home_path, joined_on, attributes, birth_day, birth_year, was_brought, counted, accounts,
            cards, tags,
        ) = row  # fmt: skip
        if member_id is None:
            unknown.append((prepared.number, Processed("refused", prepared.event.key, refusal=UnknownMember())))
        elif event_id is None:
            old.append(prepared)
        else:
            birthday = Birthday(birth_day, birth_year, prepared.day) if birth_day else NO_BIRTHDAY
            member = MemberFacts(
                member_id, home_path, joined_on, orjson.loads(attributes), birthday=birthday, asked_on=prepared.day,
                was_brought=was_brought,
            )  # fmt: skip
            if counted is not None:
                memory.tally.learn((member_id, None, "", *counter) for counter in orjson.loads(counted))
            if cards is not None:
                memory.wallet.learn(member_id, orjson.loads(cards))
            if tags is not None:
                memory.tags.learn(member_id, orjson.loads(tags))
            states = shared.accounts(member_id, prepared, accounts)
            opened.append(Opened(prepared, event_id, member_id, member, states))
    return opened, memory, unknown, old


def reserve(opened: Sequence[Opened], memory: Memory) -> None:
    """Locks the counters of stores and programmes that the events are held against, and reads them: one statement more
    where a rule with such a limit holds, so that many tills stop exactly at its end."""
    keys = [key._asdict() for key in shared_keys(opened)]
    if keys:
        rows = call("SELECT counters FROM rules_reserve(%s::jsonb)", [orjson.dumps(keys).decode()])
        memory.tally.learn(orjson.loads(rows[0][0]))


class _Shared:
    """Events of one member share what they move, so that each sees what the one before it did."""

    def __init__(self) -> None:
        self._states: dict[int, AccountState] = {}

    def accounts(self, member_id: int, prepared: Prepared, written: str | None) -> dict[int, AccountState]:
        """Accounts by point type: of all that the member has, those that were opened for this event."""
        kinds = prepared.point_type_ids
        found: dict[int, AccountState] = {}
        for pk, kind, balance, pending, held, debt, lapses_at in orjson.loads(written or "[]"):
            if kind not in kinds:
                continue
            state = self._states.get(pk)
            if state is None:
                lapses = datetime.fromisoformat(lapses_at) if lapses_at else None
                program_id = prepared.program.id
                state = AccountState(pk, member_id, kind, program_id, balance, pending, held, debt, lapses)
                self._states[pk] = state
            found[kind] = state
        return found


def _row(n: int, prepared: Prepared) -> dict[str, Any]:
    event, amount = prepared.event, prepared.facts.amount
    starts = starts_of(prepared)
    asked = ({"cards": starts} if starts else {}) | ({"tagged": prepared.day} if asks_tags(prepared) else {})
    return asked | {
        "n": n,
        "key": event.key,
        "hash": prepared.digest.hex(),
        "idk": event.member_kind,
        "idh": None if event.member_id else lookup_hash(event.member_kind, event.member_value).hex(),
        "mid": event.member_id,
        "program": prepared.program.id,
        "unit": prepared.unit.id,
        "kind": event.kind,
        "at": event.occurred_at,
        "day": prepared.day,
        "amount": None if amount is None else str(amount),
        "channel": event.channel,
        "order_no": event.order_no,
        "refund_of": prepared.purchase.event_id if prepared.purchase else None,
        "device": event.device,
        "attrs": event.attributes or {} if prepared.claim is None else _told_of_code(prepared, prepared.claim),
        "lines": [_line(line) for line in event.lines],
        "types": prepared.point_type_ids,
        "starts": member_starts(prepared),
    }


def _line(line: IncomingLine) -> dict[str, Any]:
    row = {"n": line.number, "s": line.sku, "c": line.category, "q": str(line.quantity), "a": str(line.amount)}
    if line.brand:
        row["b"] = line.brand
    if line.tax is not None:
        row["t"] = str(line.tax)
    if line.is_shipping:
        row["f"] = True
    return row


def _told_of_code(prepared: Prepared, claim: Claim) -> dict[str, Any]:
    """What is kept of an event that redeems a code: not the code, but what it was of and what it drew."""
    told = {"code": claim.masked, "code_batch": claim.batch, "prize": claim.prize}
    return {**(prepared.event.attributes or {}), **told}


def replay(source: Source, old: Sequence[Prepared]) -> list[tuple[int, Processed]]:
    """What events that came before were told then; a conflict where their content was another."""
    keys = [prepared.event.key for prepared in old]
    rows = Event.objects.filter(source=source, key__in=keys).values_list("pk", "key", "content_hash")
    known = {key: (pk, bytes(digest)) for pk, key, digest in rows}
    ids = [pk for pk, _ in known.values()]
    answers = dict(Outcome.objects.filter(event_id__in=ids).values_list("event_id", "answer"))
    results = []
    for prepared in old:
        pk, digest = known[prepared.event.key]
        if digest == prepared.digest:
            result = Processed("repeated", prepared.event.key, answers.get(pk))
        else:
            result = Processed("refused", prepared.event.key, refusal=KeyConflict())
        results.append((prepared.number, result))
    return results
