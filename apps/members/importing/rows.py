"""What the rows of a file say: read, respelt, and found faults with. Pure, but for what is looked up beforehand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from apps.core.clock import local_day
from apps.core.exports import quoted
from apps.core.reading import NOTE
from apps.members.attributes import value_of
from apps.members.crypto import open_sealed
from apps.members.errors import AttributeRefused
from apps.members.identifiers import LONGEST_NAME
from apps.members.importing import cleaning
from apps.members.importing.findings import is_refusing
from apps.members.importing.layout import Layout
from apps.members.importing.mapping import Column, ColumnMapping, compared, meaning_of
from apps.members.importing.models import CELLS, MemberImport
from apps.members.importing.parts import Read, parts
from apps.members.models import LONGEST_TEXT, AttributeDefinition
from apps.members.querysets import definitions_for
from apps.members.services.rows import EARLIEST_BIRTH
from apps.orgs.models import OrgUnit


def layout_of(job: MemberImport) -> Layout:
    return Layout(**{**job.layout, "columns": tuple(job.layout["columns"])})


def mapping_of(job: MemberImport) -> ColumnMapping:
    return ColumnMapping.model_validate(job.mapping)


def cells_of(cipher: bytes) -> list[str]:
    """The cells of a row as they were read."""
    cells: list[str] = orjson.loads(open_sealed(cipher, CELLS))
    return cells


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
        # Many rows say the same of these.
        self._value = lru_cache(maxsize=8_192)(self._value_of)
        self._unit = lru_cache(maxsize=8_192)(self._unit_of)

    def read(self, number: int, cells: list[str]) -> StagedRow:
        """What a row says."""
        row = StagedRow(number, cells)
        if cleaning.is_total(self._without_notes(cells)):
            row.findings["total_row"] = ""
        elif cells[0].casefold() == self._header[0] and [cell.casefold() for cell in cells] == self._header:
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
        if quoted(name) != name:
            self._note_formula(row)
        row.born = self._day(row, "birth_on", "birthday")
        if row.born is not None and not EARLIEST_BIRTH <= row.born <= self.today:
            row.born = None
            row.findings["birthday_impossible"] = ""
        row.joined = self._day(row, "joined_on", "joined")
        if row.joined is not None and not EARLIEST_BIRTH <= row.joined <= self.today:
            row.findings["joined_future" if row.joined > self.today else "joined_impossible"] = ""
            row.joined = None

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
        row.unit_id = self._unit(text)
        if row.unit_id is None:
            row.findings["store_unknown"] = text[:200]

    def _unit_of(self, text: str) -> int | None:
        wanted = compared(text)
        code = self._meant.get("store", {}).get(wanted)
        return self.units.get(compared(code) if code else wanted)

    def _attribute(self, row: StagedRow, key: str, column: Column) -> None:
        value, findings, is_formula = self._value(
            key, column.target, column.is_required, self._text(row, column.target)
        )
        if is_formula:
            self._note_formula(row)
        if findings:
            row.findings |= findings
        elif value is not None:
            row.attributes[key] = value

    def _value_of(self, key: str, target: str, is_required: bool, cell: str) -> tuple[Any, dict[str, str], bool]:
        """What a cell says of an attribute: its value, or what is wrong with it; and whether it reads as a formula."""
        text = " ".join(cell.split())
        if not text:
            return None, {"value_missing": ""} if is_required else {}, False
        is_formula = quoted(text) != text
        meant = self._meant.get(target, {}).get(compared(text), text)
        if len(meant) > LONGEST_TEXT or not meant.isprintable():
            return None, {"too_long": ""}, is_formula
        read = self.attributes.get(key)
        try:
            return read(meant) if read else meant, {}, is_formula
        except ValueError:
            return None, {f"value_unknown:{key}": text[:200]}, is_formula

    def _note_formula(self, row: StagedRow) -> None:
        if "formula" not in row.notes:
            row.notes.append("formula")


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
        def read(text: str) -> Any:
            try:
                return value_of(definition, text)
            except AttributeRefused:
                raise ValueError(text) from None

        return read

    return {d.key: reader(d) for d in definitions_for(job.program.unit) if d.is_active and d.key in mapping.attributes}
