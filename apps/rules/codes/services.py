"""What is done with batches of codes: draft, change, discard, make, stop, download; and a code redeemed by hand."""

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar

from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from apps.activity.incoming import IncomingEvent
from apps.activity.models import Event
from apps.activity.services import source_for
from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.errors import ChangedMeanwhile
from apps.core.formats import number
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.core.work import after_commit
from apps.members.crypto import open_sealed, purpose_of
from apps.members.models import Identifier, Member
from apps.orgs.gate import Approval, Done, Effect, Line, Subject, SubjectGone, digest_of, pass_gate, register
from apps.orgs.models import OrgUnit, Program, Staff
from apps.orgs.querysets import program_of
from apps.orgs.services.actors import signed
from apps.points.asked import PROGRAM_FIELD
from apps.rules.codes.drawing import faults_of
from apps.rules.codes.errors import (
    BatchCodeTaken,
    BatchFixed,
    BatchTooLarge,
    DaysReversed,
    NoIdentifier,
    NotInThatState,
    OddsFaulty,
)
from apps.rules.codes.keys import code_hash, numbered_code
from apps.rules.codes.models import LARGEST_BATCH, MOST_USES, Code, CodeBatch, CodeDownload
from apps.rules.codes.spelling import shown
from apps.rules.errors import RuleMisplaced
from apps.rules.pipeline import Processed, process

ADD, CHANGE, DELETE = "rules.add_codebatch", "rules.change_codebatch", "rules.delete_codebatch"
DOWNLOAD, REDEEM = "rules.download_codes", "rules.redeem_code"
PART = "apps.rules.tasks.make_codes"
PART_CODES = 50_000
State = CodeBatch.State
MADE = (State.MAKING, State.READY)
TITLE_DAYS = Words("Other days for the codes of “{batch}”", "更改“{batch}”兑换码的有效日期")
TITLE = Words("Make {n} codes of “{batch}”", "生成“{batch}”的 {n} 个兑换码")

_MAKE = """
INSERT INTO rules_code (batch_id, number, value_hash, uses_left)
SELECT %s, number, value_hash, %s FROM unnest(%s::int[], %s::bytea[]) AS made(number, value_hash)
ON CONFLICT (value_hash) DO NOTHING
"""


class CodeMaking(Subject):
    """The codes of a drafted batch: each of them earns what rules promise for it."""

    code: ClassVar[str] = "rules.codes"
    label: ClassVar[Words] = Words("Making of codes", "生成兑换码")
    icon: ClassVar[str] = "qr_code_2"
    permission: ClassVar[str] = CHANGE
    view: ClassVar[str] = "rules.view_codebatch"
    fields: ClassVar = (
        Field("request.codes", Type.INTEGER, Words("the number of codes", "兑换码数量"), "request.codes"),
        Field("request.uses", Type.INTEGER, Words("how often they can be used in all", "可兑换总次数"), "request.uses"),
        Field("request.has_prizes", Type.BOOLEAN, Words("they draw prizes", "设有抽奖"), "request.has_prizes"),
        PROGRAM_FIELD,
    )  # fmt: skip
    adds_up: ClassVar[tuple[str, ...]] = ("request.codes", "request.uses")
    labels: ClassVar[Mapping[str, Words]] = {
        "code": Words("Rules ask for the batch as", "规则所引用的批次代码"),
        "codes": Words("Codes", "兑换码"),
        "uses": Words("Uses in all", "可兑换总次数"),
        "starts": Words("From", "开始日期"),
        "ends": Words("Until", "结束日期"),
        "prizes": Words("Prizes", "奖品"),
    }

    batch: int
    content: str
    """The digest of what the draft said when it was read."""

    def _batch(self) -> CodeBatch:
        batch = CodeBatch.objects.select_related("unit", "program").filter(pk=self.batch).first()
        if batch is None:
            raise SubjectGone()
        return batch

    def place(self) -> OrgUnit:
        return self._batch().unit

    def about(self) -> str:
        return f"codes of program:{self._batch().program_id}"

    def amount(self) -> int:
        return self._batch().size

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        batch = self._batch()
        return {
            "codes": batch.size, "uses": batch.size * batch.uses, "has_prizes": bool(batch.prizes),
            "program": batch.program.code,
        }  # fmt: skip

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        batch = self._batch()
        if batch.state != State.DRAFT or _content_of(batch) != self.content:
            raise SubjectGone()
        lines = [
            Line("code", None, batch.code),
            Line("codes", 0, batch.size, "number"),
            Line("uses", 0, batch.size * batch.uses, "number"),
        ]
        for code, day in (("starts", batch.starts_on), ("ends", batch.ends_on)):
            if day is not None:
                lines.append(Line(code, day.isoformat(), day.isoformat(), "day"))
        if batch.prizes:
            lines.append(Line("prizes", None, json.dumps(batch.prizes, ensure_ascii=False, sort_keys=True), "own"))
        return Effect(tuple(lines))

    def require_ready(self, requester: Staff | None, also: Any, when: datetime) -> None:
        """Raises NotInThatState."""
        if _locked(self.batch).state != State.DRAFT:
            raise NotInThatState()

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        batch = start_making(approval.requester, self._batch(), when=when, approval=approval)
        return Done({"codes": batch.size}, batch)

    def title(self) -> Words:
        batch = self._batch()
        return TITLE.format(n=number(batch.size), batch=batch.name)

    @classmethod
    def say(cls, line: Line, language: str) -> list[str]:
        with translation.override(language):
            return [
                _("%(prize)s: %(wins)s of %(out_of)s win")
                % {"prize": prize["name"], "wins": f"{prize['wins']:,}", "out_of": f"{prize['out_of']:,}"}
                for prize in json.loads(str(line.after))
            ]

    def address(self) -> str:
        return address("rules_codebatch_change", self.batch)


class CodeDays(Subject):
    """Days on which codes that are made can be redeemed, and could not before."""

    code: ClassVar[str] = "rules.code_days"
    label: ClassVar[Words] = Words("Days of codes", "兑换码有效日期")
    icon: ClassVar[str] = "date_range"
    permission: ClassVar[str] = CHANGE
    view: ClassVar[str] = "rules.view_codebatch"
    fields: ClassVar = (
        Field("request.codes", Type.INTEGER, Words("the number of codes", "兑换码数量"), "request.codes"),
        PROGRAM_FIELD,
    )
    labels: ClassVar[Mapping[str, Words]] = {
        "codes": Words("Codes", "兑换码"), "starts": Words("From", "开始日期"), "ends": Words("Until", "结束日期"),
    }  # fmt: skip

    batch: int
    starts_on: date | None
    ends_on: date | None

    def _batch(self) -> CodeBatch:
        made = CodeBatch.objects.select_related("unit", "program").filter(state__in=MADE)
        batch = made.filter(pk=self.batch).first()
        if batch is None:
            raise SubjectGone()
        return batch

    def place(self) -> OrgUnit:
        return self._batch().unit

    def about(self) -> str:
        return f"codes:{self.batch}"

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        batch = self._batch()
        return {"codes": batch.size, "program": batch.program.code}

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        batch = self._batch()
        days = (("starts", batch.starts_on, self.starts_on), ("ends", batch.ends_on, self.ends_on))
        lines = [Line(code, _iso(before), _iso(after), "day") for code, before, after in days]
        return Effect((*lines, Line("codes", batch.size, batch.size, "number")))

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        batch = change_batch(
            approval.requester, self._batch(), starts_on=self.starts_on, ends_on=self.ends_on, approval=approval,
            when=when,
        )  # fmt: skip
        return Done({"batch": batch.name}, batch)

    def title(self) -> Words:
        return TITLE_DAYS.format(batch=self._batch().name)

    def address(self) -> str:
        return address("rules_codebatch_change", self.batch)


register(CodeMaking, CodeDays)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def making_of(batch: CodeBatch) -> CodeMaking:
    """The batch as it stands."""
    return CodeMaking(batch=batch.pk, content=_content_of(batch))


def _content_of(batch: CodeBatch) -> str:
    days = [_iso(day) for day in (batch.starts_on, batch.ends_on)]
    return digest_of([batch.code, batch.size, batch.uses, *days, batch.prizes, batch.unit_id, batch.program_id])


@transaction.atomic
def create_batch(
    actor: Staff | None,
    program: Program,
    unit: OrgUnit,
    *,
    code: str,
    name: str,
    size: int,
    uses: int = 1,
    starts_on: date | None = None,
    ends_on: date | None = None,
    prizes: Any = (),
    when: datetime,
) -> CodeBatch:
    """A draft; its codes are made by `start_making`. The seed is drawn here: nobody chooses it.

    Raises BatchCodeTaken, RuleMisplaced, BatchTooLarge, DaysReversed, OddsFaulty, NotAllowed.
    """
    require(actor, ADD, unit.path)
    if CodeBatch.objects.filter(program=program, code=code).exists():
        raise BatchCodeTaken(code=code)
    batch = CodeBatch(
        program=program, unit=unit, code=code, name=name, size=size, uses=uses, starts_on=starts_on, ends_on=ends_on,
        prizes=list(prizes), seed=secrets.token_bytes(32), created_by=actor, created_at=when,
    )  # fmt: skip
    _check(batch)
    signed(batch, actor).save()
    return batch


def days_of(batch: CodeBatch, values: Mapping[str, Any]) -> CodeDays:
    """What is asked for when a batch that is made is to have `values`."""
    days = {name: values.get(name, getattr(batch, name)) for name in ("starts_on", "ends_on")}
    return CodeDays(batch=batch.pk, **days)


def _is_longer(wanted: CodeDays, batch: CodeBatch) -> bool:
    """Whether the codes could be redeemed on days on which they cannot now."""
    first, last = (wanted.starts_on, batch.starts_on), (wanted.ends_on, batch.ends_on)
    starts_before = first[1] is not None and (first[0] is None or first[0] < first[1])
    ends_after = last[1] is not None and (last[0] is None or last[0] > last[1])
    return starts_before or ends_after


@transaction.atomic
def change_batch(
    actor: Staff | None,
    batch: CodeBatch,
    *,
    when: datetime | None = None,
    approval: Approval | None = None,
    **values: Any,
) -> CodeBatch:
    """The batch with other values: any of a draft, else the name and the days. More days of what is made pass the gate,
    for which a person's change needs its instant; fewer never wait.

    Raises BatchFixed, ChangedMeanwhile, ApprovalNeeded, and what `create_batch` does.
    """
    known = CodeBatch.objects.select_related("unit").get(pk=batch.pk)
    require(actor, CHANGE, known.unit.path)
    wanted = days_of(known, values)
    if actor is not None and known.state in MADE and (approval is not None or _is_longer(wanted, known)):
        if when is None:
            raise ValueError("a person's change of the days of codes needs its instant")
        pass_gate(wanted, actor, approval, when)
    batch = _locked(batch.pk)
    if (batch.state, batch.starts_on, batch.ends_on) != (known.state, known.starts_on, known.ends_on):
        raise ChangedMeanwhile()
    changed = {name: value for name, value in values.items() if value != getattr(batch, name)}
    if not changed:
        return batch
    if batch.state != State.DRAFT and set(changed) - {"name", "starts_on", "ends_on"}:
        raise BatchFixed()
    for name, value in changed.items():
        setattr(batch, name, value)
    require(actor, CHANGE, batch.unit.path)
    twin = CodeBatch.objects.filter(program=batch.program, code=batch.code).exclude(pk=batch.pk)
    if "code" in changed and twin.exists():
        raise BatchCodeTaken(code=batch.code)
    _check(batch)
    signed(batch, actor).save()
    return batch


def _check(batch: CodeBatch) -> None:
    if program_of(batch.unit) != batch.program:
        raise RuleMisplaced(unit=batch.unit.name, program=batch.program.name)
    for field, most in (("size", LARGEST_BATCH), ("uses", MOST_USES)):
        if not 1 <= getattr(batch, field) <= most:
            raise BatchTooLarge(field, most=most)
    if batch.starts_on and batch.ends_on and batch.ends_on < batch.starts_on:
        raise DaysReversed()
    if faults := faults_of(batch.prizes):
        raise OddsFaulty(faults)


@transaction.atomic
def discard_batch(actor: Staff | None, batch: CodeBatch) -> None:
    """The draft is gone. Raises NotInThatState, NotAllowed."""
    batch = _locked(batch.pk)
    require(actor, DELETE, batch.unit.path)
    if batch.state != State.DRAFT:
        raise NotInThatState()
    signed(batch, actor).delete()


@transaction.atomic
def start_making(
    actor: Staff | None, batch: CodeBatch, *, when: datetime, approval: Approval | None = None
) -> CodeBatch:
    """Has the workers make the codes; from now on the odds stay as they are.

    Raises NotInThatState, ChangedMeanwhile, NotAllowed, ApprovalNeeded.
    """
    subject = making_of(batch)
    pass_gate(subject, actor, approval, when)
    batch = _locked(batch.pk)
    if making_of(batch) != subject:
        raise ChangedMeanwhile()
    if batch.state != State.DRAFT:
        raise NotInThatState()
    batch.state, batch.making_since = State.MAKING, when
    signed(batch, actor).save()
    after_commit(PART, batch.pk)
    return batch


@in_transaction
def make_part(batch_id: int, *, when: datetime) -> None:
    """Makes some of the codes, in one statement, and promises the rest; after the last the batch is ready.

    What was made and how far it came are one transaction, so that a worker may be killed at any moment.
    """
    batch = _locked(batch_id)
    if batch.state != State.MAKING:
        return
    first = batch.last_number + 1
    numbers = range(first, first + min(PART_CODES, batch.size - batch.made))
    seed = bytes(batch.seed)
    hashes = [code_hash(numbered_code(seed, number)) for number in numbers]
    with connection.cursor() as cursor:
        cursor.execute(_MAKE, [batch.pk, batch.uses, list(numbers), hashes])
        batch.made += cursor.rowcount
    batch.last_number = numbers[-1]
    if batch.made == batch.size:
        batch.state, batch.ready_at = State.READY, when
        batch.save()
    else:
        CodeBatch.objects.filter(pk=batch.pk).update(made=batch.made, last_number=batch.last_number)
        after_commit(PART, batch.pk)


@transaction.atomic
def stop_batch(actor: Staff | None, batch: CodeBatch, *, when: datetime) -> CodeBatch:
    """No code of the batch is redeemed any more, from now on and for good. Raises NotInThatState, NotAllowed."""
    batch = _locked(batch.pk)
    require(actor, CHANGE, batch.unit.path)
    if batch.state not in (State.MAKING, State.READY):
        raise NotInThatState()
    batch.state, batch.stopped_at = State.STOPPED, when
    signed(batch, actor).save()
    return batch


@transaction.atomic
def download(actor: Staff | None, batch: CodeBatch, *, when: datetime) -> Iterator[tuple[int, str]]:
    """The numbers and codes of the batch, made again one by one. That they leave is on record.

    Raises NotInThatState, NotAllowed.
    """
    batch = CodeBatch.objects.select_related("unit").get(pk=batch.pk)
    require(actor, DOWNLOAD, batch.unit.path)
    if batch.state != State.READY:
        raise NotInThatState()
    CodeDownload.objects.create(batch=batch, downloaded_by=actor, downloaded_at=when, codes=batch.made)
    return _codes(batch)


def _codes(batch: CodeBatch) -> Iterator[tuple[int, str]]:
    seed = bytes(batch.seed)
    numbers = Code.objects.filter(batch=batch).order_by("number").values_list("number", flat=True)
    for each in numbers.iterator(chunk_size=10_000):
        yield each, shown(numbered_code(seed, each))


def redeem(actor: Staff | None, member: Member, unit: OrgUnit, *, code: str, key: str, when: datetime) -> Processed:
    """The code, redeemed for a member by hand at `unit`, along the main road. The same key again answers the same.

    Raises NoIdentifier, NotAllowed, and whatever refuses the code.
    """
    require(actor, REDEEM, unit.path)
    named = Identifier.objects.filter(member=member).order_by("pk").first()
    if named is None:
        raise NoIdentifier()
    program = program_of(unit)
    place = program.unit if program is not None else unit
    source = source_for(f"studio:{place.code}", place)
    before = Event.objects.filter(source=source, key=key).first()
    event = IncomingEvent(
        key=key, kind=Event.Kind.CODE, member_kind=named.kind,
        member_value=open_sealed(named.value_cipher, purpose_of(named.kind)),
        occurred_at=before.occurred_at if before is not None else when, store=unit.code, channel="studio", attributes={"code": code},
    )  # fmt: skip
    (done,) = process(None, source, [event], when=when)
    if done.refusal is not None:
        raise done.refusal
    return done


def _locked(pk: int) -> CodeBatch:
    batches = CodeBatch.objects.select_for_update(no_key=True, of=("self",))
    return batches.select_related("unit", "program__unit").get(pk=pk)
