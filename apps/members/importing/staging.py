"""Reading a file into the staging tables: every row said, sealed, found faults with and held against the studio, streamed.

Rows are copied by the block, each in one transaction with a note that it was read (`MemberChunk`). Several workers read one
file, each the blocks that nobody is at; killed at any moment, what is missing is read by whoever comes next.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import F

from apps.core.reading import FileRefused
from apps.members.crypto import lookup_hash, purpose_of, sealer, tail_hash
from apps.members.identifiers import mask, mask_name, tail_of
from apps.members.importing import sealed
from apps.members.importing.findings import is_refusing
from apps.members.importing.knowing import Recognised, members_named, recognise
from apps.members.importing.layout import rows_of
from apps.members.importing.models import CELLS, MemberChunk, MemberImport
from apps.members.importing.rows import RowReader, StagedRow, layout_of
from apps.members.names import grams_of

BLOCK = 10_000
MOST_ROWS = 20_000_000

Progress = Callable[[str, int, int], None]
"""Told the stage, how many rows are done and of how many; 0 where that is not known yet."""

_ROW_COLUMNS = (
    "job_id", "number", "state", "is_done", "member_id", "unit_id", "joined_on", "name_cipher", "masked_name", "name_grams",
    "birth_on_cipher", "birth_day", "birth_year", "attributes", "amounts", "findings", "notes", "changes", "cells_cipher",
)  # fmt: skip
_ROWS = f"COPY members_memberrow ({', '.join(_ROW_COLUMNS)}) FROM STDIN"
_NAMED_COLUMNS = ("job_id", "number", "member_id", "kind", "value_cipher", "value_hash", "tail_hash", "masked")
_NAMED = f"COPY members_rowidentifier ({', '.join(_NAMED_COLUMNS)}) FROM STDIN"


def stage(job: MemberImport, *, when: datetime, tell: Progress) -> bool:
    """Reads the blocks of the file that nobody has read or is reading; whether all are read, and the file still waits to be
    checked. Raises FileRefused."""
    layout = layout_of(job)
    reader, writer = RowReader.of(job, layout, when), Writer()
    blocks = 0
    with sealed.opened(Path(job.path)) as content:
        rows = rows_of(content, layout)
        while block := list(islice(rows, BLOCK)):
            blocks += 1
            if blocks * BLOCK >= MOST_ROWS + BLOCK:
                raise FileRefused(reason="too_many_rows", most=f"{MOST_ROWS:,}")
            with transaction.atomic():
                # Whoever forgets the rows of the file locks it in another way, and waits.
                if not waits_still(job, "KEY SHARE"):
                    return False
                is_read = _read(job, reader, writer, block)
            if is_read:
                job.refresh_from_db(fields=["rows_read"])
                tell("reading", job.rows_read, 0)
    return job.chunks.count() == blocks


def waits_still(job: MemberImport, lock: str) -> bool:
    """Whether the file, now under a lock, still waits for this check of it: nobody stopped it, or had it checked again with
    other columns, meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT state, started_at FROM members_memberimport WHERE id = %s FOR {lock}",  # noqa: S608 -- our own word
            [job.pk],
        )
        job.state, started_at = cursor.fetchone()
    return bool(job.state == MemberImport.State.CHECKING and started_at == job.started_at)


def _read(job: MemberImport, reader: RowReader, writer: "Writer", block: Sequence[tuple[int, list[str]]]) -> bool:
    """Copies a block; False where somebody has, or is at it."""
    first, last = block[0][0], block[-1][0]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"block of member file {job.pk}/{first}"]
        )
        (is_free,) = cursor.fetchone()
    if not is_free or job.chunks.filter(first=first).exists():
        return False
    _copy(job, reader, writer, block)
    MemberChunk.objects.create(job=job, first=first, last=last, is_done=True)
    MemberImport.objects.filter(pk=job.pk).update(rows_read=F("rows_read") + len(block))
    return True


def _copy(job: MemberImport, reader: RowReader, writer: "Writer", block: Sequence[tuple[int, list[str]]]) -> None:
    rows: list[tuple[StagedRow, list[_Identifier]]] = []
    for number, cells in block:
        row = reader.read(number, cells)
        rows.append((row, writer.identifiers(row)))
    known = members_named([(kind, hashed) for _row, named in rows for kind, _cipher, hashed, _tail, _masked in named])
    named = (
        [(row, [(kind, hashed, masked) for kind, _cipher, hashed, _tail, masked in each]) for row, each in rows]
        if known
        else []
    )
    members = recognise(named, known, reader.mapping.match, job.program.unit.path)
    with connection.cursor() as cursor:
        with cursor.cursor.copy(_ROWS) as copy:
            for row, _named in rows:
                copy.write_row((job.pk, *writer.columns(row, members.get(row.number))))
        with cursor.cursor.copy(_NAMED) as copy:
            for row, identifiers in rows:
                for each in identifiers:
                    copy.write_row((job.pk, row.number, known.get((each[0], each[2])), *each))


_Identifier = tuple[str, bytes, bytes, bytes, str]
"""Kind, cipher, hash, hash of its tail, and how it is shown."""


class Writer:
    """What rows become in the staging tables: personal data sealed, hashed and masked. What many rows say alike is worked out
    once; it forgets that when the file is read."""

    def __init__(self) -> None:
        self._seal = lru_cache(maxsize=None)(sealer)
        self._tail = lru_cache(maxsize=20_000)(tail_hash)
        self._grams = lru_cache(maxsize=16_384)(_grams_written)

    def columns(self, row: StagedRow, known: Recognised | None) -> tuple[Any, ...]:
        """As `_ROW_COLUMNS`, without the job."""
        born, findings, notes, seal = row.born, row.findings, row.notes, self._seal
        if known is not None and known.is_of_several:
            findings = {**findings, "identifier_of_other": ""}
        if known is not None and known.is_elsewhere:
            notes = [*notes, "known_elsewhere"]
        return (
            row.number, _state(findings, known), False, known and known.member, row.unit_id, row.joined,
            seal("name")(row.name) if row.name else None, mask_name(row.name), self._grams(row.name),
            seal("birth_on")(born.isoformat()) if born else None, born.month * 100 + born.day if born else None,
            born.year if born else None, _json(row.attributes), _json(row.amounts), _json(findings), _json(notes),
            _json(known.changes) if known else "[]", seal(CELLS)(_json(row.cells)),
        )  # fmt: skip

    def identifiers(self, row: StagedRow) -> list[_Identifier]:
        """What names the member."""
        return [
            (kind, self._seal(purpose_of(kind))(value), lookup_hash(kind, value), self._tail(tail_of(kind, value)), mask(kind, value))
            for kind, value in row.named
        ]  # fmt: skip


def _state(findings: dict[str, str], known: Recognised | None) -> str:
    """What the row becomes as far as is known now; `members_import_states` writes those that are something else."""
    if findings:
        return "refused" if is_refusing(findings) else "question"
    if known is None:
        return "new"
    return "changed" if known.changes else "same"


def _grams_written(name: str) -> str | None:
    """The grams of a name as a column of the table takes them."""
    grams = grams_of(name)
    return f"{{{','.join(map(str, grams))}}}" if grams else None


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
