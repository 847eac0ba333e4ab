"""Bringing a file of events in: staged whole, then worked off in chunks along the main road.

Killed at any moment, it goes on where it stopped: a job that was still reading starts reading again, a chunk's state
changes in the transaction of its work, and every event carries its key. Several workers may share a job; a member's
events are all in one chunk, so no two of them touch one account.
"""

import hashlib
import shutil
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from apps.activity.incoming import IncomingEvent
from apps.activity.models import ImportChunk, ImportFault, ImportJob, ImportRow
from apps.activity.parsing import Faults, parse_rows
from apps.activity.reading import FileRefused, line_count, read_rows
from apps.activity.services import source_for
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.core.work import after_commit, unless_promised
from apps.members.services import enrol_many
from apps.orgs.models import Program
from apps.rules.pipeline import Processed, process

PERMISSION = "activity.add_importjob"
CHUNK_ROWS = 2_000
LARGEST_MB = 2_048
PART = "apps.rules.tasks.run_import_part"
SHARES = 4
"""How many chunks of one job are under way at once, workers permitting."""

Progress = Callable[[str, int, int], None]
"""Told the stage (reading, working), how much is done and of how much."""


def start_import(
    actor: Any, path: Path, program: Program, *, preset: str = "", enrols: bool = False, when: datetime
) -> ImportJob:
    """A job for a file; the unfinished one of the same file, if there is one. Raises FileRefused, NotAllowed."""
    require(actor, PERMISSION, program.unit.path)
    if not path.is_file():
        raise FileRefused(reason="missing", name=path.name)
    if path.stat().st_size > LARGEST_MB << 20:
        raise FileRefused(reason="too_large", most=LARGEST_MB)
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").digest()
    source = source_for(f"file:{program.code}:{preset or 'standard'}", program.unit)
    unfinished = ImportJob.objects.filter(
        program=program,
        source=source,
        file_hash=digest,
        enrols=enrols,
        state__in=(ImportJob.State.STAGING, ImportJob.State.RUNNING),
    ).first()
    if unfinished is not None:
        return unfinished
    kept = Path(settings.MEDIA_ROOT) / "imports" / digest.hex()
    kept.parent.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        draft = kept.with_suffix(".part")
        shutil.copyfile(path, draft)
        draft.rename(kept)
    return ImportJob.objects.create(
        program=program,
        source=source,
        file_name=path.name[:200],
        file_hash=digest,
        path=str(kept),
        preset=preset,
        enrols=enrols,
        created_by=actor,
        created_at=when,
    )


def run_import(job_id: int, *, clock: Callable[[], datetime], progress: Progress | None = None) -> ImportJob:
    """Works a job off to its end, beside any other worker that does. `clock` tells when events are received."""
    job = ImportJob.objects.get(pk=job_id)
    tell = progress or (lambda stage, done, total: None)
    if job.state == ImportJob.State.STAGING:
        stage(job_id, when=clock(), tell=tell)
    while run_chunk(job_id, when=clock()):
        job.refresh_from_db()
        tell("working", job.chunks.filter(state=ImportChunk.State.DONE).count(), job.chunks.count())
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
    job = ImportJob.objects.select_for_update(no_key=True).get(pk=job_id)
    if job.state != ImportJob.State.STAGING:
        return
    path = Path(job.path)
    job.started_at = job.started_at or when
    try:
        total = line_count(path)
        chunks = max(1, -(-total // CHUNK_ROWS))
        with transaction.atomic():
            job.rows = _copy_rows(job, read_rows(path, job.preset), chunks, total, tell)
            if job.rows == 0:
                raise FileRefused(reason="empty")
            _refuse_scattered(job)
        ImportChunk.objects.bulk_create(ImportChunk(job=job, number=number) for number in range(chunks))
        job.events_total = ImportRow.objects.filter(job=job).values("key").distinct().count()
        job.state = ImportJob.State.RUNNING
    except FileRefused as refusal:
        job.state, job.refusal, job.ended_at = ImportJob.State.REFUSED, refusal.sentence()[:500], when
    job.save()


def _copy_rows(
    job: ImportJob, rows: Iterable[tuple[int, dict[str, str]]], chunks: int, total: int, tell: Progress
) -> int:
    count = 0
    with connection.cursor() as cursor:
        statement = "COPY activity_importrow (job_id, chunk, line, key, data) FROM STDIN"
        with cursor.cursor.copy(statement) as copy:
            for line, row in rows:
                member = row.get("member", "")
                chunk = zlib.crc32(member.encode()) % chunks
                copy.write_row((job.pk, chunk, line, row.get("event_key", "")[:200], orjson.dumps(row).decode()))
                count += 1
                if count % 20_000 == 0:
                    tell("reading", line, total)
    return count


def _refuse_scattered(job: ImportJob) -> None:
    """One event has one member: rows of one key with several members are refused, all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH scattered AS (
                SELECT key FROM activity_importrow WHERE job_id = %s AND key <> ''
                GROUP BY key HAVING count(DISTINCT data->>'member') > 1
            ), removed AS (
                DELETE FROM activity_importrow r USING scattered
                WHERE r.job_id = %s AND r.key = scattered.key RETURNING r.line, r.key
            )
            INSERT INTO activity_importfault (job_id, line, "column", code, value)
            SELECT %s, line, 'member', 'lines_disagree', key FROM removed
            """,
            [job.pk, job.pk, job.pk],
        )
        job.rows_refused += max(0, cursor.rowcount)


# -- working chunks off --------------------------------------------------------------------------------------


@in_transaction
def run_chunk(job_id: int, *, when: datetime) -> bool:
    """Works the next free chunk off, in one transaction with its state; False when there is none."""
    chunk = (
        ImportChunk.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("job__program", "job__source")
        .filter(job_id=job_id, state=ImportChunk.State.WAITING, job__state=ImportJob.State.RUNNING)
        .order_by("number")
        .first()
    )
    if chunk is None:
        return False
    job = chunk.job
    rows = ImportRow.objects.filter(job=job, chunk=chunk.number)
    events, lines, faults = _events_of(rows.order_by("line").values_list("key", "line", "data"), job.program)
    enrolled = _enrol(job, events, when) if job.enrols else 0
    results = process(None, job.source, events, when=when)
    for event, result in zip(events, results, strict=True):
        if result.refusal is not None:
            column = result.refusal.field or ""
            faults += [(line, column, result.refusal.code, _value(event, column)) for line in lines[event.key]]
    ImportFault.objects.bulk_create(
        [ImportFault(job=job, line=line, column=column, code=code, value=value) for line, column, code, value in faults]
    )
    rows.delete()
    ImportChunk.objects.filter(pk=chunk.pk).update(state=ImportChunk.State.DONE)
    _count(job, events, results, len({line for line, *_ in faults}), enrolled)
    return True


def _events_of(
    rows: Iterable[tuple[str, int, dict[str, str]]], program: Program
) -> tuple[list[IncomingEvent], dict[str, list[int]], list[tuple[int, str, str, str]]]:
    """The chunk's events in the order they happened, the lines each came from, and the faults of bad rows."""
    grouped: dict[str, list[tuple[int, dict[str, str]]]] = defaultdict(list)
    for key, line, data in rows:
        grouped[key or f"\0{line}"].append((line, data))
    events: list[IncomingEvent] = []
    lines: dict[str, list[int]] = {}
    faults: list[tuple[int, str, str, str]] = []
    zone = ZoneInfo(program.time_zone)
    for parts in grouped.values():
        try:
            event = parse_rows([data for _, data in parts], zone)
        except Faults as refused:
            at_fault = {fault.row for fault in refused.faults}
            faults += [(parts[f.row][0], f.column, f.code, f.value[:200]) for f in refused.faults]
            faults += [
                (line, "event_key", "other_row_refused", data.get("event_key", "")[:200])
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
    value = {"store": event.store, "currency": event.currency, "refund_of": event.refund_of, "key": event.key}
    return str(value.get(column) or "")[:200]


def _enrol(job: ImportJob, events: Sequence[IncomingEvent], when: datetime) -> int:
    """Enrols the members the chunk's events name and the group does not know, from the day of their first event."""
    first: dict[tuple[str, str], IncomingEvent] = {}
    for event in events:
        first.setdefault((event.member_kind, event.member_value), event)
    zone = ZoneInfo(job.program.time_zone)
    return enrol_many(
        [
            (kind, value, job.program.unit_id, event.occurred_at.astimezone(zone).date())
            for (kind, value), event in first.items()
        ],
        when=when,
    )


def _count(
    job: ImportJob, events: Sequence[IncomingEvent], results: Sequence[Processed], refused_rows: int, enrolled: int
) -> None:
    statuses = [result.status for result in results]
    ImportJob.objects.filter(pk=job.pk).update(
        events_done=F("events_done") + len(events),
        events_new=F("events_new") + statuses.count("processed"),
        events_repeated=F("events_repeated") + statuses.count("repeated"),
        rows_refused=F("rows_refused") + refused_rows,
        members_enrolled=F("members_enrolled") + enrolled,
        points=F("points") + sum(result.points for result in results),
    )


@in_transaction
def finish(job_id: int, *, when: datetime) -> None:
    """Closes a job whose chunks are all done; does nothing while any is left."""
    job = ImportJob.objects.select_for_update(no_key=True).get(pk=job_id)
    if job.state == ImportJob.State.RUNNING and not job.chunks.exclude(state=ImportChunk.State.DONE).exists():
        job.state, job.ended_at = ImportJob.State.DONE, when
        job.save(update_fields=["state", "ended_at"])
        job.chunks.all().delete()


def unfinished_jobs() -> list[int]:
    """Jobs that some worker should go on with; the sweeper finds them here, whatever became of the broker."""
    waiting = ImportJob.objects.filter(state__in=(ImportJob.State.STAGING, ImportJob.State.RUNNING))
    return list(waiting.order_by("pk").values_list("pk", flat=True))


@in_transaction
def cancel(actor: Any, job_id: int, *, when: datetime) -> ImportJob:
    """Stops a job before its next chunk; what was taken stays taken."""
    job = ImportJob.objects.select_for_update(no_key=True, of=("self",)).select_related("program__unit").get(pk=job_id)
    require(actor, PERMISSION, job.program.unit.path)
    if job.state in (ImportJob.State.STAGING, ImportJob.State.RUNNING):
        job.state, job.ended_at = ImportJob.State.CANCELLED, when
        job.save(update_fields=["state", "ended_at"])
        ImportRow.objects.filter(job=job).delete()
        job.chunks.all().delete()
    return job
