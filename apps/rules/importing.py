"""Bringing a file of events in: staged whole, then worked off in chunks along the main road.

Killed at any moment, it goes on where it stopped: a job that was still reading starts reading again, a chunk's state
changes in the transaction of its work, and every event carries its key. Several workers may share a job; a member's
events are all in one chunk, so no two of them touch one account.

Rows name members, so they wait encrypted; those that were refused are kept so, to be corrected. The file goes as
soon as it has been read.
"""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F
from django.utils.translation import gettext as _

from apps.activity.errors import UnknownMember, UnknownStore
from apps.activity.incoming import IncomingEvent
from apps.activity.models import ROW, ImportChunk, ImportFault, ImportJob, ImportRow, Source
from apps.activity.parsing import COLUMN_OF, Faults, parse_rows
from apps.activity.reading import REQUIRED, preset_named, read_rows
from apps.activity.services import source_for
from apps.activity.words import fault_sentence
from apps.core.reading import NOTE, FileRefused, line_count, pieces_of
from apps.core.scope import reach_of, require
from apps.core.transactions import in_transaction
from apps.core.uploads import LARGEST_MB
from apps.core.work import after_commit, unless_promised
from apps.members.crypto import decrypt, encrypt, lookup_hash
from apps.members.services import enrol_many, record_export
from apps.orgs.models import OrgUnit, Program
from apps.rules.pipeline import Processed, process

PERMISSION = "activity.add_importjob"
CHUNK_ROWS = 2_000
MOST_ROWS = 5_000_000
PART = "apps.rules.tasks.run_import_part"
SHARES = 4
"""How many chunks of one job are under way at once, workers permitting."""

Progress = Callable[[str, int, int], None]
"""Told the stage (reading, working), how many rows are done and of how many."""

RowFault = tuple[int, str, str, str]
"""A line of the file, the column at fault, the code of the reason, and what stands there."""


def start_import(
    actor: Any, path: Path, program: Program, *, preset: str = "", enrols: bool = False, when: datetime
) -> ImportJob:
    """A job for the file at `path`, to be worked off by `run_import`; the unfinished one of the same file, if there is
    one. Raises FileRefused, NotAllowed."""
    if not path.is_file():
        raise FileRefused(reason="missing", name=path.name)
    with path.open("rb") as content:
        return _start(actor, content, path.name, program, preset, enrols, when)


@transaction.atomic
def start_upload(
    actor: Any, content: IO[bytes], name: str, program: Program, *, preset: str = "", enrols: bool, when: datetime
) -> ImportJob:
    """A job for a file that is sent, as `start_import`; the workers do it. Raises FileRefused, NotAllowed."""
    job = _start(actor, content, name, program, preset, enrols, when)
    hand_to_workers(job.pk)
    return job


@transaction.atomic
def _start(
    actor: Any, content: IO[bytes], name: str, program: Program, preset: str, enrols: bool, when: datetime
) -> ImportJob:
    require(actor, PERMISSION, program.unit.path)
    preset_named(preset)
    kept = Path(settings.MEDIA_ROOT) / "imports" / uuid4().hex
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        digest = _keep(content, kept)
        source = source_for(f"file:{program.code}:{preset or 'standard'}", program.unit)
        # Whoever sends the same file at the same moment waits here, and gets the same job.
        Source.objects.select_for_update(no_key=True).get(pk=source.pk)
        unfinished: ImportJob | None = (
            _unfinished().filter(program=program, source=source, file_hash=digest, enrols=enrols).first()
        )
        if unfinished is not None:
            kept.unlink()
            return unfinished
        return ImportJob.objects.create(
            program=program,
            source=source,
            file_name=name[:200],
            file_hash=digest,
            path=str(kept),
            preset=preset,
            enrols=enrols,
            created_by=actor,
            created_at=when,
        )
    except BaseException:
        kept.unlink(missing_ok=True)
        raise


def _keep(content: IO[bytes], kept: Path) -> bytes:
    """Copies the file piece by piece; its digest. Raises FileRefused when it is empty or too large."""
    digest = hashlib.sha256()
    with kept.open("xb") as copy:
        for piece in pieces_of(content, LARGEST_MB):
            digest.update(piece)
            copy.write(piece)
    return digest.digest()


def run_import(job_id: int, *, clock: Callable[[], datetime], progress: Progress | None = None) -> ImportJob:
    """Works a job off to its end, beside any other worker that does. `clock` tells when events are received."""
    tell = progress or (lambda stage, done, total: None)
    stage(job_id, when=clock(), tell=tell)
    job = ImportJob.objects.get(pk=job_id)
    while run_chunk(job_id, when=clock()):
        job.refresh_from_db()
        tell("working", job.rows_done, job.rows)
    finish(job_id, when=clock())
    job.refresh_from_db()
    return job


def hand_to_workers(job_id: int) -> None:
    """Has the workers do the job part by part; changes nothing when they are at it."""
    unless_promised(PART, job_id)


def run_part(job_id: int, *, when: datetime) -> None:
    """One task's worth of a job: its file read, one chunk worked off, or its end; promises what comes after that."""
    if ImportJob.objects.filter(pk=job_id, state=ImportJob.State.STAGING).exists():
        stage(job_id, when=when)
        for _ in range(SHARES):
            after_commit(PART, job_id)
    elif run_chunk(job_id, when=when):
        after_commit(PART, job_id)
    else:
        finish(job_id, when=when)


# -- reading the file --------------------------------------------------------------------------------------


@transaction.atomic
def stage(job_id: int, *, when: datetime, tell: Progress = lambda stage, done, total: None) -> None:
    """Reads the whole file into the staging table, or refuses it and keeps nothing."""
    job = _locked(job_id)
    if job.state != ImportJob.State.STAGING:
        return
    path = Path(job.path)
    job.started_at = when
    try:
        _require_still(job)
        total = line_count(path) if path.is_file() else 0
        if total > MOST_ROWS:
            raise FileRefused(reason="too_many_rows", most=f"{MOST_ROWS:,}")
        chunks = max(1, -(-total // CHUNK_ROWS))
        with transaction.atomic():
            job.rows = _copy_rows(job, read_rows(path, job.preset), chunks, total, tell)
            if job.rows == 0:
                raise FileRefused(reason="empty")
            _refuse_scattered(job)
        ImportChunk.objects.bulk_create(ImportChunk(job=job, number=number) for number in range(chunks))
        job.state = ImportJob.State.RUNNING
    except FileRefused as refusal:
        job.state, job.refusal, job.rows, job.ended_at = ImportJob.State.REFUSED, refusal.data, 0, when
    job.save()
    _remove_file(job)


def _copy_rows(
    job: ImportJob, rows: Iterable[tuple[int, dict[str, str]]], chunks: int, total: int, tell: Progress
) -> int:
    count = 0
    with connection.cursor() as cursor:
        statement = "COPY activity_importrow (job_id, chunk, line, key, owner, cipher) FROM STDIN"
        with cursor.cursor.copy(statement) as copy:
            for line, row in rows:
                owner = lookup_hash(row.get("member_kind") or "card", row["member"])
                cipher = encrypt(orjson.dumps(row).decode(), ROW)
                chunk = zlib.crc32(owner) % chunks
                copy.write_row((job.pk, chunk, line, row["event_key"][:200].replace("\0", ""), owner, cipher))
                count += 1
                if count % 20_000 == 0:
                    tell("reading", line, total)
    return count


def _refuse_scattered(job: ImportJob) -> None:
    """One event has one member: rows of one key with several members are refused, all of them."""
    # Asked apart: the planner knows nothing yet of rows just copied, and would walk them once for each other.
    staged = ImportRow.objects.filter(job=job).exclude(key="")
    several = staged.values("key").annotate(members=Count("owner", distinct=True)).filter(members__gt=1)
    rows = staged.filter(key__in=list(several.values_list("key", flat=True)))
    ImportFault.objects.bulk_create(
        ImportFault(job=job, line=line, column="member", code="lines_disagree")
        for line in rows.values_list("line", flat=True)
    )
    job.rows_done = job.rows_refused = rows.update(chunk=None)


# -- working chunks off --------------------------------------------------------------------------------------


@in_transaction
def run_chunk(job_id: int, *, when: datetime) -> bool:
    """Works the next free chunk off, in one transaction with its state; False when there is none."""
    chunk = (
        ImportChunk.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("job__program__unit", "job__source", "job__created_by")
        .filter(job_id=job_id, state=ImportChunk.State.WAITING, job__state=ImportJob.State.RUNNING)
        .order_by("number")
        .first()
    )
    if chunk is None:
        return False
    job = chunk.job
    try:
        _require_still(job)
    except FileRefused as refusal:
        _stop(job_id, refusal.data, when)
        return False
    staged = ImportRow.objects.filter(job=job, chunk=chunk.number)
    rows = list(staged.order_by("line").values_list("key", "line", "cipher"))
    events, lines, faults = _events_of(rows, job.program)
    results, enrolled = _take(job, events, when)
    for event, result in zip(events, results, strict=True):
        if result.refusal is not None:
            column = COLUMN_OF.get(result.refusal.field or "", result.refusal.field or "")
            faults += [(line, column, result.refusal.code, _value(event, column)) for line in lines[event.key]]
    ImportFault.objects.bulk_create(
        ImportFault(job=job, line=line, column=column, code=code, value=value.replace("\0", "")[:200])
        for line, column, code, value in faults
    )
    refused = {line for line, *_ in faults}
    staged.filter(line__in=refused).update(chunk=None)
    staged.delete()
    ImportChunk.objects.filter(pk=chunk.pk).update(state=ImportChunk.State.DONE)
    statuses = [result.status for result in results]
    ImportJob.objects.filter(pk=job.pk).update(
        rows_done=F("rows_done") + len(rows),
        events_new=F("events_new") + statuses.count("processed"),
        events_repeated=F("events_repeated") + statuses.count("repeated"),
        rows_refused=F("rows_refused") + len(refused),
        members_enrolled=F("members_enrolled") + enrolled,
        points=F("points") + sum(result.points for result in results),
    )
    return True


def _events_of(
    rows: Iterable[tuple[str, int, Any]], program: Program
) -> tuple[list[IncomingEvent], dict[str, list[int]], list[RowFault]]:
    """The chunk's events in the order they happened, the lines each came from, and the faults of bad rows."""
    grouped: dict[str, list[tuple[int, dict[str, str]]]] = defaultdict(list)
    for key, line, cipher in rows:
        grouped[key or f"\0{line}"].append((line, orjson.loads(decrypt(bytes(cipher), ROW))))
    events: list[IncomingEvent] = []
    lines: dict[str, list[int]] = {}
    faults: list[RowFault] = []
    zone = ZoneInfo(program.time_zone)
    for parts in grouped.values():
        try:
            event = parse_rows([data for _, data in parts], zone)
        except Faults as refused:
            at_fault = {fault.row for fault in refused.faults}
            faults += [(parts[f.row][0], f.column, f.code, f.value) for f in refused.faults]
            faults += [
                (line, "event_key", "other_row_refused", data.get("event_key", ""))
                for row, (line, data) in enumerate(parts)
                if row not in at_fault
            ]
            continue
        events.append(event)
        lines[event.key] = [line for line, _ in parts]
    events.sort(key=lambda event: (event.occurred_at, lines[event.key][0]))
    return events, lines, faults


def _value(event: IncomingEvent, column: str) -> str:
    """What the file said in the column a refusal names; a member's identifier is personal and stays out."""
    value = {
        "store": event.store, "currency": event.currency, "refund_of": event.refund_of, "confirms": event.confirms,
        "event_key": event.key, "amount": event.amount, "occurred_at": event.occurred_at.isoformat(),
    }  # fmt: skip
    return str(value.get(column) or "")


def _take(job: ImportJob, events: Sequence[IncomingEvent], when: datetime) -> tuple[list[Processed], int]:
    """What became of each event, and how many members were enrolled.

    Only who has an event that can be taken is enrolled, from the day of the first of them.
    """
    results = _process(job, events, when)
    first: dict[tuple[str, str], IncomingEvent] = {}
    for event, result in zip(events, results, strict=True):
        if job.enrols and isinstance(result.refusal, UnknownMember):
            first.setdefault((event.member_kind, event.member_value), event)
    if not first:
        return results, 0
    zone = ZoneInfo(job.program.time_zone)
    enrolled = enrol_many(
        [
            (kind, value, job.program.unit_id, event.occurred_at.astimezone(zone).date())
            for (kind, value), event in first.items()
        ],
        when=when,
    )
    again = [number for number, event in enumerate(events) if (event.member_kind, event.member_value) in first]
    for number, result in zip(again, _process(job, [events[number] for number in again], when), strict=True):
        results[number] = result
    return results, enrolled


def _process(job: ImportJob, events: Sequence[IncomingEvent], when: datetime) -> list[Processed]:
    """The main road, for stores of the job's own part of the group."""
    stores = {None, *OrgUnit.objects.within(job.program.unit.path).values_list("code", flat=True)}
    taken = iter(process(None, job.source, [event for event in events if event.store in stores], when=when))
    return [
        next(taken) if event.store in stores else Processed("refused", event.key, refusal=UnknownStore())
        for event in events
    ]


# -- what was refused --------------------------------------------------------------------------------------------


@transaction.atomic
def refused_rows(actor: Any, job: ImportJob) -> tuple[list[str], Iterator[list[str]]]:
    """The refused rows of a job as the file had them, under standard columns, to be corrected and sent again; before
    them the line and what is wrong with it, in columns that are not read. That they leave is on record.

    Raises NotAllowed.
    """
    require(actor, PERMISSION, job.program.unit.path)
    record_export(actor, f"import {job.pk}, {job.file_name}")
    columns: dict[str, None] = dict.fromkeys(REQUIRED)
    for row in _kept_rows(job):
        columns.update(dict.fromkeys(name for name in row[1] if name))
    reasons: dict[int, list[str]] = defaultdict(list)
    for line, column, code in job.faults.order_by("line", "pk").values_list("line", "column", "code"):
        reasons[line].append(f"{column}: {fault_sentence(code)}" if column else fault_sentence(code))
    rows = (
        [str(line), " ".join(reasons[line]), *(row.get(name, "") for name in columns)] for line, row in _kept_rows(job)
    )
    return [f"{NOTE}{_('line')}", f"{NOTE}{_('reason')}", *columns], rows


def _kept_rows(job: ImportJob) -> Iterator[tuple[int, dict[str, str]]]:
    kept = ImportRow.objects.filter(job=job, chunk=None).order_by("line").values_list("line", "cipher")
    for line, cipher in kept.iterator(chunk_size=2_000):
        yield line, orjson.loads(decrypt(bytes(cipher), ROW))


# -- the end ---------------------------------------------------------------------------------------------------


@in_transaction
def finish(job_id: int, *, when: datetime) -> None:
    """Closes a job whose chunks are all done; does nothing while any is left."""
    chunks = ImportChunk.objects.filter(job_id=job_id)
    if chunks.filter(state=ImportChunk.State.WAITING).exists():
        return
    job = _locked(job_id)
    if job.state == ImportJob.State.RUNNING:
        job.state, job.ended_at = ImportJob.State.DONE, when
        job.save(update_fields=["state", "ended_at"])
        chunks.delete()


def unfinished_jobs() -> list[int]:
    """Jobs that some worker should go on with; the sweeper finds them here, whatever became of the broker."""
    return list(_unfinished().order_by("pk").values_list("pk", flat=True))


def _unfinished() -> Any:
    return ImportJob.objects.filter(state__in=(ImportJob.State.STAGING, ImportJob.State.RUNNING))


@in_transaction
def cancel(actor: Any, job_id: int, *, when: datetime) -> ImportJob:
    """Stops a job before its next chunk; what was taken stays taken. Raises NotAllowed."""
    job = ImportJob.objects.select_related("program__unit").get(pk=job_id)
    require(actor, PERMISSION, job.program.unit.path)
    _stop(job_id, {}, when)
    job.refresh_from_db()
    return job


def _stop(job_id: int, refusal: dict[str, Any], when: datetime) -> None:
    """Waits for the chunks in work, then ends the job. Chunks are locked before their job, here as everywhere."""
    waiting = ImportChunk.objects.filter(job_id=job_id, state=ImportChunk.State.WAITING).order_by("number")
    left = [chunk.number for chunk in waiting.select_for_update()]
    job = _locked(job_id)
    if job.state not in (ImportJob.State.STAGING, ImportJob.State.RUNNING):
        return
    job.state, job.refusal, job.ended_at = ImportJob.State.CANCELLED, refusal, when
    job.save(update_fields=["state", "refusal", "ended_at"])
    ImportRow.objects.filter(job=job, chunk__in=left).delete()
    job.chunks.all().delete()
    _remove_file(job)


def _remove_file(job: ImportJob) -> None:
    """It names members and has been read."""
    transaction.on_commit(lambda: Path(job.path).unlink(missing_ok=True))


def _locked(job_id: int) -> ImportJob:
    return ImportJob.objects.select_for_update(no_key=True).get(pk=job_id)


def _require_still(job: ImportJob) -> None:
    """A right taken away ends what was begun under it. Raises FileRefused."""
    if job.created_by is not None and not reach_of(job.created_by, PERMISSION).covers(job.program.unit.path):
        raise FileRefused(reason="not_allowed")
