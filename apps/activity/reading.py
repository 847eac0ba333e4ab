"""Reading a file of events: encoding, header, presets. Streams; a row is a dict of column to text.

What a row means is decided later, by the same code for files and the API (`apps.activity.parsing`).
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from apps.core.exports import unquoted
from apps.core.reading import MOST_COLUMNS, NOTE, FileRefused, encoding_of, refuse_workbook

REQUIRED = ("event_key", "kind", "member", "occurred_at")
Row = dict[str, str]


@dataclass(frozen=True)
class Preset:
    """How a kind of file becomes standard rows: the columns it must have, and the standard row of one of its."""

    columns: tuple[str, ...]
    standard: Callable[[Row, Counter[str]], Row]


def _cdnow(row: Row, seen: Counter[str]) -> Row:
    """The public CDNOW records hold no order number: a customer's n-th purchase of a day is one event."""
    day = f"{row['customer_id']}-{row['date']}"
    seen[day] += 1
    return {
        "event_key": f"{day}-{seen[day]}",
        "kind": "purchase",
        "member": row["customer_id"],
        "occurred_at": row["date"],
        "quantity": row["units"],
        "amount": row["amount_usd"],
    }


PRESETS = {
    "": Preset(REQUIRED, lambda row, seen: row),
    "cdnow": Preset(("customer_id", "date", "units", "amount_usd"), _cdnow),
}


def preset_named(name: str) -> Preset:
    """Raises FileRefused."""
    if name not in PRESETS:
        raise FileRefused(reason="preset_unknown", preset=name, known=", ".join(filter(None, PRESETS)))
    return PRESETS[name]


def read_rows(path: Path, preset: str) -> Iterator[tuple[int, Row]]:
    """Each row as its line number in the file and its standard columns. Raises FileRefused, at the start or at
    the first line that is not CSV."""
    if not path.is_file():
        raise FileRefused(reason="missing", name=path.name)
    refuse_workbook(path)
    chosen = preset_named(preset)
    with path.open(encoding=encoding_of(path), newline="") as text:
        yield from _rows(text, chosen)


def _rows(text: IO[str], preset: Preset) -> Iterator[tuple[int, Row]]:
    reader = csv.reader(text, strict=True)
    seen: Counter[str] = Counter()
    try:
        header = [name.strip() for name in next(reader, [])]
        if not header:
            raise FileRefused(reason="empty")
        _check_header(header, preset)
        for cells in reader:
            if not any(cells):
                continue
            # Cells beyond the header are kept under a name that no column can have: parsing refuses the row.
            named = zip(header, cells, strict=False)
            row = {name: unquoted(cell.strip()) for name, cell in named if name and not name.startswith(NOTE)}
            if len(cells) > len(header):
                row[""] = str(len(cells) - len(header))
            yield reader.line_num, preset.standard(_complete(row, preset), seen)
    except csv.Error:
        raise FileRefused(reason="not_csv", line=reader.line_num) from None


def _complete(row: Row, preset: Preset) -> Row:
    for name in preset.columns:
        row.setdefault(name, "")
    return row


def _check_header(header: list[str], preset: Preset) -> None:
    if any("\0" in name for name in header) or not any(header):
        raise FileRefused(reason="not_csv", line=1)
    if len(header) > MOST_COLUMNS:
        raise FileRefused(reason="too_many_columns", most=MOST_COLUMNS)
    missing = [name for name in preset.columns if name not in header]
    if missing:
        raise FileRefused(reason="columns_missing", columns=", ".join(missing))
    twice = [name for name, times in Counter(header).items() if times > 1 and name]
    if twice:
        raise FileRefused(reason="columns_twice", columns=", ".join(twice))
