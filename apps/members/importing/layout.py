"""How a file of members is written: its encoding, its delimiter, where its header stands. Pure, and streams.

A file's rows are counted as a spreadsheet counts them: the first is row 1, whatever lines a cell goes over.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO

from apps.core.exports import unquoted
from apps.core.reading import NOTE, FileRefused
from apps.members.importing.workbook import XLSX, is_workbook, records

ENCODINGS = ("utf-8", "gb18030", "utf-16", "big5", "shift_jis", "cp1252")
"""What a person may choose; the first three are recognised."""
DELIMITERS = (",", "\t", ";", "|")
MOST_COLUMNS = 200
SEEN_ROWS = 50
"""So many rows at the beginning are looked at to find the header."""
SAMPLE = 1 << 20
LONGEST_LINE = 4 << 20
_NUMBER = re.compile(r"[+-]?[\d.,:/\-\s]+")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_STRAY = 0.05
"""Two characters of GB18030 are valid UTF-8 by accident now and then: of a file of one encoding hardly any line is."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`header_row` is counted from 1; `columns` are its names, made different where the file repeats one."""

    encoding: str
    delimiter: str
    header_row: int
    columns: tuple[str, ...]


def detect(content: IO[bytes]) -> Layout:
    """The layout of a whole file, read from its beginning. Raises FileRefused, also for a file in two encodings."""
    if is_workbook(content):
        return Layout(XLSX, ",", *_header(list(islice(records(content), SEEN_ROWS))))
    encoding = encoding_of(content)
    content.seek(0)
    sample = content.read(SAMPLE)
    is_whole = len(sample) < SAMPLE
    text = sample.decode(_codec(encoding), errors="ignore")
    if not is_whole:
        text = text[: text.rfind("\n") + 1] or text
    delimiter = _delimiter(text)
    return Layout(encoding, delimiter, *_header(_first_rows(text, delimiter)))


def laid_out(content: IO[bytes], encoding: str, delimiter: str, header_row: int) -> Layout:
    """The layout that a person chose, with the columns it comes to. Raises FileRefused."""
    if is_workbook(content):
        encoding = XLSX
    elif encoding not in ENCODINGS or delimiter not in DELIMITERS:
        raise FileRefused(reason="encoding")
    content.seek(0)
    rows = _records(content, encoding, delimiter)
    header = next(islice(rows, header_row - 1, None), None)
    return Layout(encoding, delimiter, header_row, _columns(header or []))


def encoding_of(content: IO[bytes]) -> str:
    """The encoding of a whole file. Raises FileRefused for one that is in none, or in two."""
    content.seek(0)
    start = content.read(4)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    content.seek(0)
    as_utf8, others, first_other, first_utf8 = 0, 0, 0, 0
    for number, line in enumerate(_lines_of(content), start=1):
        if line.isascii():
            continue
        try:
            line.decode()
        except UnicodeDecodeError:
            others, first_other = others + 1, first_other or number
        else:
            as_utf8, first_utf8 = as_utf8 + 1, first_utf8 or number
    if not others:
        return "utf-8"
    if as_utf8 > _STRAY * (as_utf8 + others):
        raise FileRefused(reason="mixed", line=first_other if as_utf8 > others else first_utf8)
    content.seek(0)
    decoder = codecs.getincrementaldecoder("gb18030")()
    try:
        while piece := content.read(1 << 20):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise FileRefused(reason="encoding") from None
    return "gb18030"


def _lines_of(content: IO[bytes]) -> Iterator[bytes]:
    """However they end. Raises FileRefused for one that goes on and on."""
    number, rest = 1, b""
    while piece := content.read(SAMPLE):
        *lines, rest = (rest + piece).splitlines(keepends=True)
        yield from lines
        number += len(lines)
        if len(rest) > LONGEST_LINE:
            raise FileRefused(reason="cell", line=number)
    yield rest


def rows_of(content: IO[bytes], layout: Layout, after: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Every row below the header and after row `after`: its number and its cells, as text without blanks around it.

    Empty rows are left out; a row longer than the header keeps its surplus. Raises FileRefused where the file cannot be
    read on.
    """
    content.seek(0)
    from_row = max(after, layout.header_row)
    for number, cells in enumerate(_records(content, layout.encoding, layout.delimiter), start=1):
        if number > from_row and any(cells):
            row = [unquoted(cell.strip()) for cell in cells]
            if "\0" in "".join(row):
                raise FileRefused(reason="nul", row=number)
            if any(row):
                yield number, row


def _records(content: IO[bytes], encoding: str, delimiter: str) -> Iterator[list[str]]:
    if encoding == XLSX:
        yield from records(content)
        return
    text = io.TextIOWrapper(_Unclosed(content), encoding=_codec(encoding), newline="")
    # In any other encoding `encoding_of` has looked at the lines.
    lines = _short_lines(text) if encoding == "utf-16" else text
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise FileRefused(reason=_unread(error), line=reader.line_num) from None
    except UnicodeDecodeError:
        raise FileRefused(reason="encoding") from None


def _short_lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Its lines. Raises FileRefused before one fills the memory."""
    number = 1
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise FileRefused(reason="cell", line=number)
        yield line
        number += 1


def _unread(error: csv.Error) -> str:
    """Why a line cannot be read: the reader tells a cell beyond its limit by its message alone."""
    return "cell" if "field limit" in str(error) else "not_csv"


class _Unclosed(io.BufferedReader):
    """Stays open when the text over it goes."""

    def __init__(self, content: IO[bytes]) -> None:
        super().__init__(content)  # type: ignore[arg-type]

    def close(self) -> None:
        self.detach()


def _codec(encoding: str) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _delimiter(text: str) -> str:
    """What the first rows hold most evenly: the number per line that most lines share."""
    lines = [line for line in islice(text.splitlines(), SEEN_ROWS) if line.strip()]

    def evenness(delimiter: str) -> tuple[int, int]:
        counts = Counter(number for line in lines if (number := line.count(delimiter)))
        if not counts:
            return 0, 0
        number, times = max(counts.items(), key=lambda each: (each[1], each[0]))
        return times, number

    return max(DELIMITERS, key=evenness)


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return list(islice(reader, SEEN_ROWS))
    except csv.Error as error:
        raise FileRefused(reason=_unread(error), line=reader.line_num) from None


def _header(rows: list[list[str]]) -> tuple[int, tuple[str, ...]]:
    """The row of the header and its columns: the first that is as wide as most and holds names, no figures."""
    if max((len(row) for row in rows), default=0) > MOST_COLUMNS:
        raise FileRefused(reason="too_many_columns", most=MOST_COLUMNS)
    widths = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
    if not widths:
        raise FileRefused(reason="empty")
    usual = widths.most_common(1)[0][0]
    for number, row in enumerate(rows, start=1):
        names = [cell.strip() for cell in row if cell.strip()]
        if 2 * len(names) > usual and not any(_NUMBER.fullmatch(name) for name in names):
            return number, _columns(row)
    raise FileRefused(reason="no_header")


def _columns(header: list[str]) -> tuple[str, ...]:
    if len(header) > MOST_COLUMNS:
        raise FileRefused(reason="too_many_columns", most=MOST_COLUMNS)
    columns: list[str] = []
    for position, cell in enumerate(header, start=1):
        name = " ".join(unquoted(cell.strip()).split())[:80] or f"({position})"
        twice = 2
        plain = name
        while name in columns:
            name, twice = f"{plain} ({twice})", twice + 1
        columns.append(name)
    if not any(cell.strip() and not cell.startswith(NOTE) for cell in header):
        raise FileRefused(reason="no_header")
    return tuple(columns)
