"""Tables that leave the studio as files: text that a spreadsheet would run is quoted, numbers stay numbers.

A quoted text starts with an apostrophe; `unquoted` gives back what was there before.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter
from import_export.fields import Field
from import_export.resources import ModelResource

_RUNS = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
XLSX_ROWS = 1_048_575

Cell = str | int | float | Decimal | bool | date | datetime | None


def quoted(value: Any) -> Any:
    """`value`, with an apostrophe before text that a spreadsheet would take for a formula.

    >>> quoted("=1+1"), quoted("-5"), quoted(-5), quoted("'=x"), quoted("plain")
    ("'=1+1", "'-5", -5, "''=x", 'plain')
    """
    return f"'{value}" if isinstance(value, str) and _RUNS.match(value) else value


def unquoted(value: Any) -> Any:
    """What `quoted` was given.

    >>> unquoted("'=1+1"), unquoted("'tis"), unquoted("''=x")
    ('=1+1', "'tis", "'=x")
    """
    is_quoted = isinstance(value, str) and value.startswith("'") and _RUNS.match(value)
    return value[1:] if is_quoted else value


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The table as UTF-8 CSV (RFC 4180) with a byte order mark, without which Excel misreads Chinese."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield b"\xef\xbb\xbf"
    for row in chain([header], rows):
        writer.writerow([_csv_cell(value) for value in row])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def _csv_cell(value: Cell) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return "" if value is None else quoted(value)


def xlsx_file(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The table as one sheet with a frozen, bold header; text is written as text and never as a formula."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.xlsx"
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                   "strings_to_numbers": False, "remove_timezone": True}  # fmt: skip
        with xlsxwriter.Workbook(path, options) as book:
            day, instant = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"))
            sheet = book.add_worksheet()
            sheet.freeze_panes(1, 0)
            sheet.write_row(0, 0, [quoted(title) for title in header], book.add_format({"bold": True}))
            for number, row in enumerate(rows, start=1):
                if number > XLSX_ROWS:
                    break
                for column, value in enumerate(row):
                    if isinstance(value, str):
                        sheet.write_string(number, column, quoted(value))
                    elif isinstance(value, datetime):
                        sheet.write_datetime(number, column, value, instant)
                    elif isinstance(value, date):
                        sheet.write_datetime(number, column, value, day)
                    elif value is not None:
                        sheet.write(number, column, value)
        return path.read_bytes()


class SafeResource(ModelResource):
    """The base of every import-export resource: quotes on the way out, takes the quotes off on the way in."""

    def export_field(self, field: Field, instance: Any, *args: Any, **kwargs: Any) -> Any:
        return quoted(super().export_field(field, instance, *args, **kwargs))

    def import_field(self, field: Field, instance: Any, row: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        plain = {**row, field.column_name: unquoted(row.get(field.column_name))}
        super().import_field(field, instance, plain, *args, **kwargs)
