"""Codes on the main road: found and locked before a wave of events is opened, used up once the events are recorded.

Waves without codes cost nothing; others two statements, however many codes. Guessing is slowed: a code that does not
exist is counted for a while against the member, exactly, and against the system that sent it, by which many members may
guess at once.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from apps.activity.errors import EventRefused
from apps.activity.models import Event, Source
from apps.core.errors import LoyaltyError
from apps.core.prepared import call
from apps.members.crypto import lookup_hash
from apps.orgs.services.tries import refusal as too_many
from apps.rules.codes.drawing import draw, read_prizes
from apps.rules.codes.errors import (
    CodeExpired,
    CodeMissing,
    CodeMistyped,
    CodeNotHere,
    CodeNotYet,
    CodeStopped,
    CodeUsed,
    CodeUsedByMember,
    UnknownCode,
)
from apps.rules.codes.keys import code_hash
from apps.rules.codes.models import CodeBatch, CodeGuess
from apps.rules.codes.spelling import masked, read_code
from apps.rules.stages import Claim, Opened, Prepared, Processed

WINDOW = timedelta(minutes=10)
GUESSES_OF_MEMBER = 10
GUESSES_OF_SOURCE = 1_000
ATTRIBUTE = "code"


class _Found(NamedTuple):
    """What the database knows of one event's code; columns of `rules_find_codes`."""

    n: int
    member_id: int | None
    is_repeated: bool
    guesses: int
    first_guess: datetime | None
    all_guesses: int
    first_of_all: datetime | None
    code_id: int | None
    number: int
    uses_left: int
    has_used: bool
    batch_id: int
    batch: str
    state: str
    starts_on: Any
    ends_on: Any
    uses: int
    prizes: str
    seed: bytes
    program_id: int
    unit_path: str


_FIND = f"SELECT {', '.join(_Found._fields)} FROM rules_find_codes(%s::jsonb, %s, %s)"  # noqa: S608 -- columns


def find_codes(source: Source, wave: Sequence[Prepared], when: datetime) -> list[tuple[int, Processed]]:
    """Gives each event with a code what its code draws. Those whose code is not redeemed, with the reason; of what came
    before, the main road will tell what it was told then."""
    waiting = [item for item in wave if item.event.kind == Event.Kind.CODE]
    if not waiting:
        return []
    refused: list[tuple[int, Processed]] = []
    asked: list[tuple[Prepared, str]] = []
    for item in waiting:
        try:
            asked.append((item, _code_of(item)))
        except EventRefused as fault:
            refused.append(_refused(item, fault))
    if asked:
        desk = _Desk(source, when)
        for (item, code), found in zip(asked, _find(source, asked, when), strict=True):
            refusal = desk.serve(item, code, found)
            if refusal is not None:
                refused.append(_refused(item, refusal))
        desk.keep_guesses()
    return refused


def claim(opened: Sequence[Opened]) -> None:
    """Uses up the codes of recorded events."""
    claims = [
        {
            "batch": item.prepared.claim.batch_id,
            "code": item.prepared.claim.code_id,
            "use": item.prepared.claim.use,
            "prize": item.prepared.claim.prize,
            "member": item.member_id,
            "event": item.event_id,
        }
        for item in opened
        if item.prepared.claim is not None
    ]
    if claims:
        call("SELECT rules_claim_codes(%s::jsonb)", [orjson.dumps(claims).decode()])


def _code_of(item: Prepared) -> str:
    """The code as the event told it. Raises CodeMissing, CodeMistyped."""
    told = (item.event.attributes or {}).get(ATTRIBUTE)
    if not told or not isinstance(told, str):
        raise CodeMissing()
    code = read_code(told)
    if code is None:
        raise CodeMistyped()
    return code


def _find(source: Source, asked: Sequence[tuple[Prepared, str]], when: datetime) -> list[_Found]:
    told = [
        {
            "n": n,
            "key": item.event.key,
            "idk": item.event.member_kind,
            "idh": lookup_hash(item.event.member_kind, item.event.member_value).hex(),
            "code": code_hash(code).hex(),
        }
        for n, (item, code) in enumerate(asked)
    ]
    return [_Found(*row) for row in call(_FIND, [orjson.dumps(told).decode(), source.pk, when - WINDOW])]


class _Desk:
    """Serves the events of a wave one after the other, each knowing what those before it took."""

    def __init__(self, source: Source, when: datetime) -> None:
        self.source, self.when = source, when
        self._taken: dict[int, list[int]] = {}
        self._guesses: list[int] = []

    def serve(self, item: Prepared, code: str, found: _Found) -> LoyaltyError | None:
        """Why the event's code is not redeemed; None where it is, or where the main road has another answer."""
        if found.is_repeated or found.member_id is None:
            item.claim = None
            return None
        refusal = self._slowed(found) or self._refusal(item, found)
        if isinstance(refusal, UnknownCode):
            self._guesses.append(found.member_id)
        if refusal is None:
            self._take(item, code, found)
        return refusal

    def _slowed(self, found: _Found) -> LoyaltyError | None:
        mine = self._guesses.count(found.member_id or 0)
        for guesses, first, most in (
            (found.guesses + mine, found.first_guess, GUESSES_OF_MEMBER),
            (found.all_guesses + len(self._guesses), found.first_of_all, GUESSES_OF_SOURCE),
        ):
            if guesses >= most:
                return too_many((first or self.when) + WINDOW - self.when)
        return None

    def _refusal(self, item: Prepared, found: _Found) -> EventRefused | None:
        if found.code_id is None or found.program_id != item.program.id:
            return UnknownCode()
        if found.state == CodeBatch.State.STOPPED:
            return CodeStopped()
        if not item.unit.path.startswith(found.unit_path):
            return CodeNotHere()
        if found.state != CodeBatch.State.READY:
            return CodeNotYet(starts_on=None)
        if found.starts_on is not None and item.day < found.starts_on:
            return CodeNotYet(starts_on=found.starts_on)
        if found.ends_on is not None and item.day > found.ends_on:
            return CodeExpired(ends_on=found.ends_on)
        taken = self._taken.get(found.code_id, [])
        if found.has_used or found.member_id in taken:
            return CodeUsedByMember()
        return CodeUsed() if found.uses_left <= len(taken) else None

    def _take(self, item: Prepared, code: str, found: _Found) -> None:
        assert found.code_id is not None
        assert found.member_id is not None
        taken = self._taken.setdefault(found.code_id, [])
        use = found.uses - found.uses_left + len(taken) + 1
        taken.append(found.member_id)
        prize = draw(found.seed, read_prizes(orjson.loads(found.prizes)), found.number, use)
        item.claim = Claim(found.batch_id, found.code_id, use, found.batch, prize, masked(code))
        item.facts = replace(item.facts, code_batch=found.batch, prize=prize)

    def keep_guesses(self) -> None:
        if not self._guesses:
            return
        old = CodeGuess.objects.select_for_update(skip_locked=True).filter(
            source=self.source, guessed_at__lte=self.when - WINDOW
        )
        CodeGuess.objects.filter(pk__in=[row.pk for row in old[:100]]).delete()
        CodeGuess.objects.bulk_create(
            CodeGuess(member_id=member, source=self.source, guessed_at=self.when) for member in self._guesses
        )


def _refused(item: Prepared, refusal: LoyaltyError) -> tuple[int, Processed]:
    return item.number, Processed("refused", item.event.key, refusal=refusal)
