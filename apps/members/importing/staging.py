"""Reading a file into the staging tables: every row said, sealed and found faults with, streamed.

Rows are copied by the block, each in one transaction with a note that it was read (`MemberChunk`). Several workers read one
file, each the blocks that nobody is at; killed at any moment, what is missing is read by whoever comes next.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.db import connection, transaction
from django.db.models import F

from apps.core.clock import local_day
from apps.core.exports import quoted
from apps.core.reading import NOTE, FileRefused
from apps.members.attributes import value_of
from apps.members.crypto import encrypt, lookup_hash, open_sealed, purpose_of, tail_hash
from apps.members.errors import AttributeRefused
from apps.members.identifiers import LONGEST_NAME, mask, mask_name, tail_of
from apps.members.importing import cleaning, sealed
from apps.members.importing.findings import is_refusing
from apps.members.importing.layout import Layout, rows_of
from apps.members.importing.mapping import Column, ColumnMapping, compared, meaning_of
from apps.members.importing.models import CELLS, MemberChunk, MemberImport
from apps.members.importing.parts import Read, parts
from apps.members.models import LONGEST_TEXT, AttributeDefinition
from apps.members.names import grams_of
from apps.members.querysets import definitions_for
from apps.members.services.rows import EARLIEST_BIRTH
from apps.orgs.models import OrgUnit

BLOCK = 10_000
MOST_ROWS = 20_000_000

Progress = Callable[[str, int, int], None]
"""Told the stage, how many rows are done and of how many; 0 where that is not known yet."""

_ROW_COLUMNS = (
    "job_id", "number", "state", "is_done", "unit_id", "joined_on", "name_cipher", "masked_name", "name_grams", "birth_on_cipher",
    "birth_day", "birth_year", "attributes", "amounts", "findings", "notes", "changes", "cells_cipher",
)  # fmt: skip
_ROWS = f"COPY members_memberrow ({', '.join(_ROW_COLUMNS)}) FROM STDIN"
_NAMED_COLUMNS = ("job_id", "number", "kind", "value_cipher", "value_hash", "tail_hash", "masked")
_NAMED = f"COPY members_rowidentifier ({', '.join(_NAMED_COLUMNS)}) FROM STDIN"


def layout_of(job: MemberImport) -> Layout:
    return Layout(**{**job.layout, "columns": tuple(job.layout["columns"])})


def mapping_of(job: MemberImport) -> ColumnMapping:
    return ColumnMapping.model_validate(job.mapping)


def cells_of(cipher: bytes) -> list[str]:
    """The cells of a row as they were read."""
    cells: list[str] = orjson.loads(open_sealed(cipher, CELLS))
    return cells


def stage(job: MemberImport, *, when: datetime, tell: Progress) -> bool:
    """Reads the blocks of the file that nobody has read or is reading; whether all are read, and the file still waits to be
    checked. Raises FileRefused."""
    layout = layout_of(job)
    reader = RowReader.of(job, layout, when)
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
                is_read = _read(job, reader, block)
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


def _read(job: MemberImport, reader: "RowReader", block: Sequence[tuple[int, list[str]]]) -> bool:
    """Copies a block; False where somebody has, or is at it."""
    first, last = block[0][0], block[-1][0]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"block of member file {job.pk}/{first}"]
        )
        (is_free,) = cursor.fetchone()
    if not is_free or job.chunks.filter(first=first).exists():
        return False
    _copy(job, reader, block)
    MemberChunk.objects.create(job=job, first=first, last=last, is_done=True)
    MemberImport.objects.filter(pk=job.pk).update(rows_read=F("rows_read") + len(block))
    return True


def _copy(job: MemberImport, reader: "RowReader", block: Sequence[tuple[int, list[str]]]) -> None:
    rows: list[tuple[Any, ...]] = []
    named: list[tuple[Any, ...]] = []
    for number, cells in block:
        row = reader.read(number, cells)
        rows.append((job.pk, *row.columns()))
        named += ((job.pk, number, *each) for each in row.identifiers())
    with connection.cursor() as cursor:
        for table, content in ((_ROWS, rows), (_NAMED, named)):
            with cursor.cursor.copy(table) as copy:
                for columns in content:
                    copy.write_row(columns)


@dataclass(slots=True)
class StagedRow:
    """What one row says."""

    number: int
    cells: list[str]
    named: list[tuple[str, str]] = field(default_factory=list)
    name: str = ""
    born: date | None = None
    joined: date | None = None
    unit_id: int | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    amounts: dict[str, Any] = field(default_factory=dict)
    findings: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def columns(self) -> tuple[Any, ...]:
        """As `_ROW_COLUMNS`, without the job."""
        born = self.born
        return (
            self.number, "refused" if is_refusing(self.findings) else "question" if self.findings else "new", False,
            self.unit_id, self.joined, encrypt(self.name, "name") if self.name else None, mask_name(self.name), _array(grams_of(self.name)),
            encrypt(born.isoformat(), "birth_on") if born else None, born.month * 100 + born.day if born else None,
            born.year if born else None, orjson.dumps(self.attributes).decode(), orjson.dumps(self.amounts).decode(),
            orjson.dumps(self.findings).decode(), orjson.dumps(self.notes).decode(), "[]",
            encrypt(orjson.dumps(self.cells).decode(), CELLS),
        )  # fmt: skip

    def identifiers(self) -> list[tuple[Any, ...]]:
        """What names the member, as `_NAMED_COLUMNS`, without the job and the row."""
        return [
            (kind, encrypt(value, purpose_of(kind)), lookup_hash(kind, value), tail_hash(tail_of(kind, value)), mask(kind, value))
            for kind, value in self.named
        ]  # fmt: skip


@dataclass
class RowReader:
    """Reads the rows of one file; all that it looks up was looked up before. Pure."""

    columns: tuple[str, ...]
    mapping: ColumnMapping
    units: Mapping[str, int | None]
    """By code and by name, as they are compared; None for a name that two units have."""
    home_id: int
    today: date
    attributes: Mapping[str, Callable[[str], Any]]
    """By key: the value of a text; raises ValueError for one that the attribute does not know."""
    part_readers: Sequence[tuple[tuple[str, ...], Read]]

    @classmethod
    def of(cls, job: MemberImport, layout: Layout, when: datetime) -> "RowReader":
        """Asks a constant number of queries."""
        mapping = mapping_of(job)
        program = job.program
        units = _units(program.unit.path)
        home = units.get(compared(mapping.home)) if mapping.home else program.unit_id
        chosen = [c.target for c in mapping.columns if c.target]
        readers = []
        for part in parts():
            taken = tuple(target for target in chosen if part.takes(target))
            if taken:
                readers.append((taken, part.reader(job, mapping.parts.get(part.code, {}), when)))
        return cls(
            layout.columns, mapping, units, home or program.unit_id, local_day(when, ZoneInfo(program.time_zone)),
            _attribute_readers(job, mapping), readers,
        )  # fmt: skip

    def __post_init__(self) -> None:
        places = {name: place for place, name in enumerate(self.columns)}
        self._places = {c.target: places[c.name] for c in self.mapping.columns if c.target and c.name in places}
        self._meant = {c.target: meaning_of(c) for c in self.mapping.columns if c.values}
        self._header = [name.casefold() for name in self.columns]
        self._notes = [place for place, name in enumerate(self.columns) if name.startswith(NOTE)]
        self._once = {c.target: c for c in self.mapping.columns if c.target}
        self._identifiers = tuple(self.mapping.identifiers.items())
        self._attributes = tuple(self.mapping.attributes.items())

    def read(self, number: int, cells: list[str]) -> StagedRow:
        """What a row says."""
        row = StagedRow(number, cells)
        if cleaning.is_total(self._without_notes(cells)):
            row.findings["total_row"] = ""
        elif [cell.casefold() for cell in cells] == self._header:
            row.findings["header_again"] = ""
        elif len(cells) > len(self.columns) and any(cells[len(self.columns) :]):
            row.findings["too_many_cells"] = ""
        else:
            self._read(row)
        return row

    def _without_notes(self, cells: list[str]) -> list[str]:
        return [cell for place, cell in enumerate(cells) if place not in self._notes] if self._notes else cells

    def _read(self, row: StagedRow) -> None:
        for kind, column in self._identifiers:
            self._name(row, kind, column)
        if not row.named and not is_refusing(row.findings):
            row.findings["no_identifier"] = ""
        self._person(row)
        self._place(row)
        for key, column in self._attributes:
            self._attribute(row, key, column)
        for targets, read in self.part_readers:
            texts = {target: self._text(row, target) for target in targets}
            amounts, findings, notes = read(texts, row.joined or self.today)
            row.amounts |= amounts
            row.findings |= findings
            row.notes += notes

    def _text(self, row: StagedRow, target: str) -> str:
        place = self._places.get(target, -1)
        return row.cells[place] if 0 <= place < len(row.cells) else ""

    def _name(self, row: StagedRow, kind: str, column: Column) -> None:
        cell = cleaning.identifier(kind, self._text(row, column.target), mobiles_only=self.mapping.mobiles_only)
        if cell.value is not None:
            row.named.append((kind, cell.value))
            if cell.repair:
                row.notes.append(cell.repair)
        elif column.is_required:
            fault = cell.fault
            if fault.startswith("identifier_") and f"{kind}_{fault[11:]}" in _OWN_WORDS:
                fault = f"{kind}_{fault[11:]}"
            row.findings[fault] = ""
        elif not cell.fault.endswith("_missing"):
            row.notes.append(f"{kind}_dropped" if kind in ("phone", "email") else "identifier_dropped")

    def _person(self, row: StagedRow) -> None:
        name = " ".join(self._text(row, "name").split())
        if cleaning.is_nothing(name):
            name = ""
        if len(name) > LONGEST_NAME or not name.isprintable():
            row.findings["name_malformed"] = ""
        else:
            row.name = name
        self._note_formula(row, name)
        row.born = self._day(row, "birth_on", "birthday")
        if row.born is not None and not EARLIEST_BIRTH <= row.born <= self.today:
            row.born = None
            row.findings["birthday_impossible"] = ""
        row.joined = self._day(row, "joined_on", "joined")
        if row.joined is not None and row.joined > self.today:
            row.joined = None
            row.findings["joined_future"] = ""

    def _day(self, row: StagedRow, target: str, called: str) -> date | None:
        if target not in self._places:
            return None
        cell = cleaning.day(self._text(row, target))
        column = self._once[target]
        if cell.fault:
            row.findings[f"{called}_{cell.fault.removeprefix('date_')}"] = ""
        elif cell.value is None:
            if column.is_required:
                row.findings[f"{called}_missing"] = ""
            else:
                row.notes.append(f"{called}_none")
        elif cell.repair:
            row.notes.append(cell.repair)
        return cell.value

    def _place(self, row: StagedRow) -> None:
        text = self._text(row, "store")
        if cleaning.is_nothing(text):
            row.unit_id = self.home_id
            column = self._once.get("store")
            if column is not None and column.is_required:
                row.findings["store_missing"] = ""
            elif column is not None:
                row.notes.append("store_none")
            return
        wanted = compared(text)
        code = self._meant.get("store", {}).get(wanted)
        row.unit_id = self.units.get(compared(code) if code else wanted)
        if row.unit_id is None:
            row.findings["store_unknown"] = text[:200]

    def _attribute(self, row: StagedRow, key: str, column: Column) -> None:
        text = " ".join(self._text(row, column.target).split())
        if not text:
            if column.is_required:
                row.findings["value_missing"] = ""
            return
        self._note_formula(row, text)
        meant = self._meant.get(column.target, {}).get(compared(text), text)
        if len(meant) > LONGEST_TEXT or not meant.isprintable():
            row.findings["too_long"] = ""
            return
        read = self.attributes.get(key)
        try:
            value = read(meant) if read else meant
        except ValueError:
            row.findings[f"value_unknown:{key}"] = text[:200]
            return
        if value is not None:
            row.attributes[key] = value

    def _note_formula(self, row: StagedRow, text: str) -> None:
        if text and quoted(text) != text and "formula" not in row.notes:
            row.notes.append("formula")


def _array(numbers: Sequence[int]) -> str | None:
    """As a column of the table takes it."""
    return f"{{{','.join(map(str, numbers))}}}" if numbers else None


_OWN_WORDS = frozenset({"card_missing", "email_missing", "email_malformed"})


def _units(path: str) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    within = list(OrgUnit.objects.within(path).filter(is_active=True).values_list("pk", "code", "name"))
    for pk, _code, name in within:
        spelt = compared(name)
        found[spelt] = None if spelt in found else pk
    return found | {compared(code): pk for pk, code, _name in within}


def _attribute_readers(job: MemberImport, mapping: ColumnMapping) -> dict[str, Callable[[str], Any]]:
    def reader(definition: AttributeDefinition) -> Callable[[str], Any]:
        @lru_cache(maxsize=8_192)
        def read(text: str) -> Any:
            try:
                return value_of(definition, text)
            except AttributeRefused:
                raise ValueError(text) from None

        return read

    return {d.key: reader(d) for d in definitions_for(job.program.unit) if d.is_active and d.key in mapping.attributes}
