"""The first sheet of an Excel workbook as rows of text, streamed; what would unpack beyond all bounds is refused unread."""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, Any
from xml.parsers import expat

from openpyxl import load_workbook

from apps.core.reading import ZIP, FileRefused

XLSX = "xlsx"
"""What a layout says in the place of an encoding."""
MOST_ENTRIES = 2_000
LARGEST_SHEET, LARGEST_TEXTS = 1 << 30, 96 << 20
"""Bytes unpacked: of what is streamed, and of what is held in memory."""
HIGHEST_RATIO, RATIO_FROM = 120, 4 << 20
MOST_WIDE, MOST_ROWS = 1_000, 1_048_576
LONGEST_PROLOG = 64 << 10
"""Bytes of a part before its first element."""
LONGEST_CELL = 32_767


def is_workbook(content: IO[bytes]) -> bool:
    content.seek(0)
    return content.read(len(ZIP)) == ZIP


def records(content: IO[bytes]) -> Iterator[list[str]]:
    """Every row of the first sheet, empty ones too. Raises FileRefused."""
    _check(content)
    content.seek(0)
    try:
        book = load_workbook(content, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0] if book.worksheets else None
        if sheet is None or not hasattr(sheet, "iter_rows"):
            raise FileRefused(reason="empty")
        sheet.reset_dimensions()
        # Every row says its own number: without a last one, the rows before a far one are counted for ever.
        for row in sheet.iter_rows(values_only=True, max_row=MOST_ROWS):
            yield _trimmed([_text(value) for value in row[:MOST_WIDE]])
    except FileRefused:
        raise
    except Exception:
        raise FileRefused(reason="not_workbook") from None


def _trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells at its end: a sheet is as wide as its widest row."""
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _check(content: IO[bytes]) -> None:
    """Raises FileRefused for what is no workbook or grows beyond all bounds, by its table of contents."""
    content.seek(0)
    try:
        with zipfile.ZipFile(content) as archive:
            _check_sizes(archive.infolist())
            for entry in archive.infolist():
                if entry.filename.endswith((".xml", ".rels")):
                    with archive.open(entry) as part:
                        _check_prolog(part)
    except FileRefused:
        raise
    except Exception:
        raise FileRefused(reason="not_workbook") from None


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise FileRefused(reason="bomb")
    texts = 0
    for entry in entries:
        is_sheet = entry.filename.startswith("xl/worksheets/")
        texts += 0 if is_sheet else entry.file_size
        if entry.file_size > RATIO_FROM and entry.file_size > HIGHEST_RATIO * max(entry.compress_size, 1):
            raise FileRefused(reason="bomb")
        if is_sheet and entry.file_size > LARGEST_SHEET:
            raise FileRefused(reason="bomb")
        if entry.flag_bits & 1:
            raise FileRefused(reason="not_workbook")
    if texts > LARGEST_TEXTS:
        raise FileRefused(reason="bomb")


def _check_prolog(part: IO[bytes]) -> None:
    """Raises FileRefused for a part that declares a type: it may name entities, a few bytes that are read as gigabytes. No
    program that writes workbooks does."""

    has_begun = False

    def refuse(*declared: Any) -> None:
        raise FileRefused(reason="bomb")

    def begin(*element: Any) -> None:
        nonlocal has_begun
        has_begun = True

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler, parser.StartElementHandler = refuse, begin
    parser.Parse(part.read(LONGEST_PROLOG))
    if not has_begun:
        raise FileRefused(reason="not_workbook")


def _text(value: Any) -> str:
    """A cell as a CSV export would write it: whole numbers in full, days as ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return format(Decimal(repr(value)).normalize(), "f")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)[:LONGEST_CELL]
