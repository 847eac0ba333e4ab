"""What an event must look like to be taken, whether it comes as JSON or as rows of a file. Pure.

`parse_event` reads a dict (decoded JSON, numbers as Decimal, int or text); `parse_rows` the rows of a file that make
one event. Both find every fault at once and say where it is: a path in the JSON, a row and column in the file.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from apps.activity.incoming import IncomingEvent, IncomingLine

MOST_LINES = 500
MOST_ATTRIBUTES = 50
LONGEST_VALUE = 500
LARGEST_AMOUNT = Decimal(10) ** 10
"""Of an amount or quantity, of a line or an event: what the columns hold, with room for a day's sums."""
MOST_DECIMALS = 4
OWN_KINDS = frozenset({"day", "friend", "friend_refund"})
"""What the studio tells itself, and nobody else."""
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_FIELDS = frozenset(
    [
        "key",
        "kind",
        "member",
        "occurred_at",
        "store",
        "channel",
        "order_no",
        "refund_of",
        "confirms",
        "currency",
        "device",
        "lines",
        "attributes",
    ]
)
_COLUMNS = frozenset(
    [
        "event_key",
        "kind",
        "member",
        "member_kind",
        "occurred_at",
        "store",
        "channel",
        "order_no",
        "refund_of",
        "confirms",
        "currency",
        "device",
    ]
)
_LINE_FIELDS = frozenset(["sku", "category", "brand", "quantity", "amount", "tax", "shipping"])
_LINE_COLUMNS = _LINE_FIELDS | {"line_no"}
_TEXTS = {"store": 40, "channel": 40, "order_no": 80, "refund_of": 120, "confirms": 120, "device": 80}
_ANSWERS = {"true": True, "yes": True, "1": True, "是": True, "false": False, "no": False, "0": False, "否": False}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: `path` in the JSON; for files the `row` among the event's rows and the `column`."""

    path: Path
    code: str
    value: str = ""
    row: int = 0
    column: str = ""


class Faults(ValueError):
    """An event that cannot be taken, with everything that is wrong with it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, fault.path))}: {fault.code}" for fault in faults[:5]))
        self.faults = tuple(faults)


class _Reader:
    """Reads values one by one, noting every fault and going on."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, path: Path, code: str, value: Any = "") -> None:
        self.faults.append(Fault(path, code, str(value)[:LONGEST_VALUE]))

    def text(self, data: Mapping[str, Any], path: Path, longest: int, *, wanted: bool = False) -> str:
        value = data.get(str(path[-1]))
        if value is None or value == "":
            if wanted:
                self.fault(path, "missing")
            return ""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            self.fault(path, "not_a_text")
            return ""
        value = value.strip()
        if len(value) > longest:
            self.fault(path, "too_long")
        elif _CONTROL.search(value):
            self.fault(path, "control_character")
        elif wanted and not value:
            self.fault(path, "missing")
        return value

    def number(self, data: Mapping[str, Any], path: Path, default: Decimal | None = None) -> Decimal:
        """A number that is not negative, of at most four decimals."""
        value = data.get(str(path[-1]))
        if value is None or value == "":
            if default is None:
                self.fault(path, "missing")
            return default or Decimal(0)
        if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal) or len(str(value)) > 40:
            self.fault(path, "not_a_number")
            return Decimal(0)
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            self.fault(path, "not_a_number", value)
            return Decimal(0)
        exponent = number.as_tuple().exponent
        if not number.is_finite():
            self.fault(path, "not_a_number", value)
        elif number < 0:
            self.fault(path, "negative", value)
        elif number >= LARGEST_AMOUNT:
            self.fault(path, "too_large", value)
        elif isinstance(exponent, int) and exponent >= -MOST_DECIMALS:
            return number
        elif number == round(number, MOST_DECIMALS):
            return round(number, MOST_DECIMALS)
        else:
            self.fault(path, "too_precise", value)
        return Decimal(0)

    def flag(self, data: Mapping[str, Any], path: Path) -> bool:
        """True, false, or one of their words in a file; false where nothing is said."""
        value = data.get(str(path[-1]))
        if value is None or value == "":
            return False
        answer = _ANSWERS.get(str(value).strip().lower())
        if answer is None:
            self.fault(path, "not_a_boolean", value)
        return bool(answer)

    def instant(self, data: Mapping[str, Any], path: Path, zone: ZoneInfo | None) -> datetime:
        """ISO 8601. Without an offset it is local to `zone`; where that is None, an offset is asked for."""
        text = self.text(data, path, 40, wanted=True)
        if not text:
            return EARLIEST
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            self.fault(path, "not_a_date", text)
            return EARLIEST
        if when.tzinfo is None:
            if zone is None:
                self.fault(path, "offset_missing", text)
                return EARLIEST
            when = when.replace(tzinfo=zone)
        try:
            when = when.astimezone(UTC)
        except OverflowError:
            when = datetime.min.replace(tzinfo=UTC)
        if when < EARLIEST or when.year > 9000:
            self.fault(path, "not_a_date", text)
            return EARLIEST
        return when

    def attributes(self, data: Mapping[str, Any], path: Path) -> dict[str, Any]:
        if len(data) > MOST_ATTRIBUTES:
            self.fault(path, "too_many")
            return {}
        found: dict[str, Any] = {}
        for key, value in data.items():
            place = (*path, key)
            if not isinstance(key, str) or not 0 < len(key) <= 60 or _CONTROL.search(key):
                self.fault(path, "attribute_name", key)
            elif isinstance(value, str):
                if len(value) > LONGEST_VALUE or _CONTROL.search(value):
                    self.fault(place, "too_long" if len(value) > LONGEST_VALUE else "control_character")
                found[key] = value
            elif isinstance(value, bool) or value is None:
                found[key] = value
            elif isinstance(value, int | Decimal) and -LARGEST_AMOUNT < value < LARGEST_AMOUNT:
                found[key] = value if isinstance(value, int) else format(value, "f")
            elif isinstance(value, list) and len(value) <= 50 and all(isinstance(part, str) for part in value):
                found[key] = [part[:LONGEST_VALUE] for part in value]
            else:
                self.fault(place, "attribute_value")
        return found


def parse_event(data: Any, zone: ZoneInfo | None = None) -> IncomingEvent:
    """The event that `data` describes (interfaces: `POST events`). Raises Faults."""
    reader = _Reader()
    if not isinstance(data, dict):
        raise Faults([Fault((), "not_an_object")])
    for name in data:
        if name not in _FIELDS:
            reader.fault((str(name)[:60],), "unknown_field")
    member = data.get("member")
    if not isinstance(member, dict):
        reader.fault(("member",), "missing" if member is None else "not_an_object")
        member = {"kind": "card", "value": "-"}
    event_lines = _json_lines(reader, data.get("lines"))
    attributes = data.get("attributes") or {}
    if not isinstance(attributes, dict):
        reader.fault(("attributes",), "not_an_object")
        attributes = {}
    event = _event(
        reader,
        {**data, "member_kind": member.get("kind"), "member_value": member.get("value")},
        zone,
        event_lines,
        reader.attributes(attributes, ("attributes",)),
    )
    if reader.faults:
        raise Faults([_as_member(fault) for fault in reader.faults])
    return event


def _as_member(fault: Fault) -> Fault:
    parts = {"member_kind": ("member", "kind"), "member_value": ("member", "value")}
    path = parts.get(str(fault.path[0])) if fault.path else None
    return Fault(path, fault.code, fault.value) if path else fault


def _json_lines(reader: _Reader, written: Any) -> list[IncomingLine]:
    if written is None:
        return []
    if not isinstance(written, list):
        reader.fault(("lines",), "not_a_list")
        return []
    if len(written) > MOST_LINES:
        reader.fault(("lines",), "too_many")
        return []
    lines = []
    for number, line in enumerate(written, 1):
        place = ("lines", number - 1)
        if not isinstance(line, dict):
            reader.fault(place, "not_an_object")
            continue
        for name in line.keys() - _LINE_FIELDS:
            reader.fault((*place, str(name)[:60]), "unknown_field")
        lines.append(_line(reader, number, line, place))
    return lines


def _line(reader: _Reader, number: int, data: Mapping[str, Any], place: Path) -> IncomingLine:
    before, has_tax = len(reader.faults), data.get("tax") not in (None, "")
    line = IncomingLine(
        number,
        reader.text(data, (*place, "sku"), 80),
        reader.text(data, (*place, "category"), 80),
        reader.number(data, (*place, "quantity"), Decimal(1)),
        reader.number(data, (*place, "amount")),
        reader.text(data, (*place, "brand"), 80),
        reader.number(data, (*place, "tax")) if has_tax else None,
        reader.flag(data, (*place, "shipping")),
    )
    if line.tax is not None and line.tax > line.amount and len(reader.faults) == before:
        reader.fault((*place, "tax"), "tax_too_large", line.tax)
    return line


def _event(
    reader: _Reader,
    data: Mapping[str, Any],
    zone: ZoneInfo | None,
    lines: Sequence[IncomingLine],
    attributes: dict[str, Any],
) -> IncomingEvent:
    kind = reader.text(data, ("kind",), 40, wanted=True)
    if kind and not _KIND.fullmatch(kind):
        reader.fault(("kind",), "not_a_kind", kind)
    elif kind in OWN_KINDS:
        reader.fault(("kind",), "own_kind", kind)
    if not lines and kind in ("purchase", "refund"):
        reader.fault(("lines",), "missing")
    texts = {name: reader.text(data, (name,), longest) for name, longest in _TEXTS.items()}
    if sum(line.amount for line in lines) >= LARGEST_AMOUNT:
        reader.fault(("lines",), "too_large")
    currency = reader.text(data, ("currency",), 3)
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        reader.fault(("currency",), "not_a_currency", currency)
    return IncomingEvent(
        key=reader.text(data, ("key",), 120, wanted=True),
        kind=kind,
        member_kind=reader.text(data, ("member_kind",), 40) or "card",
        member_value=reader.text(data, ("member_value",), 200, wanted=True),
        occurred_at=reader.instant(data, ("occurred_at",), zone),
        store=texts["store"] or None,
        channel=texts["channel"],
        order_no=texts["order_no"],
        refund_of=texts["refund_of"] or None,
        currency=currency or None,
        device=texts["device"],
        lines=tuple(lines),
        attributes=attributes or None,
        confirms=texts["confirms"] or None,
    )


# -- rows of a file --------------------------------------------------------------------------------------------

COLUMN_OF = {"key": "event_key", "member_value": "member", "lines": "amount", "attributes.code": "code"}
"""The columns of a file whose names differ from the fields' in the API."""


def parse_rows(rows: Sequence[Mapping[str, str]], zone: ZoneInfo) -> IncomingEvent:
    """The event that rows of one `event_key` make: one row a line, the rest as in the first row. Raises Faults."""
    reader, first = _Reader(), rows[0]
    faults: list[Fault] = []
    lines: list[IncomingLine] = []
    for number, row in enumerate(rows):
        before = len(reader.faults)
        if "" in row:
            reader.fault(("",), "too_many_cells")
        if row.get("amount") or row.get("sku") or row.get("quantity"):
            lines.append(_line(reader, number + 1, row, ()))
        for name in _COLUMNS:
            if number and row.get(name, "") != first.get(name, ""):
                reader.fault((name,), "lines_disagree", row.get(name, ""))
        faults += [_in_row(fault, number) for fault in reader.faults[before:]]
    before = len(reader.faults)
    if len(rows) > MOST_LINES:
        reader.fault(("event_key",), "too_many")
    attributes = {
        name: value for name, value in first.items() if name and name not in _COLUMNS | _LINE_COLUMNS and value
    }
    data = {**first, "key": first.get("event_key"), "member_value": first.get("member")}
    event = _event(reader, data, zone, lines, reader.attributes(attributes, ()))
    faults += [_in_row(fault, 0) for fault in reader.faults[before:]]
    if faults:
        raise Faults(faults)
    return event


def _in_row(fault: Fault, row: int) -> Fault:
    column = str(fault.path[-1]) if fault.path else ""
    personal = column in ("member_value", "member")
    return Fault(fault.path, fault.code, "" if personal else fault.value, row, COLUMN_OF.get(column, column))
