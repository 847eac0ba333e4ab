"""Reading a file of adjustments: encoding, delimiter, header in either language; a row is what is staged of it.

Whether there is such a member, point type or reason is asked of the database later, of all rows at once.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apps.core.exports import unquoted
from apps.core.reading import MOST_COLUMNS, NOTE, FileRefused, encoding_of, refuse_workbook
from apps.members.identifiers import is_kind, is_well_formed

MOST_ROWS = 100_000
LARGEST_MB = 20
MOST_POINTS = 1_000_000_000
LONGEST_NOTE = 200
LONGEST_CODE = 40
BY_NUMBER = "member"
"""The kind of a row that names its member by the studio's own number."""

COLUMNS = ("member_kind", "member", "member_id", "point_type", "points", "reason_code", "note")
_NAMES = {
    "member_kind": ("memberkind", "kind", "identifierkind", "标识类型", "类型"),
    "member": ("member", "identifier", "value", "会员", "会员标识", "标识", "号码"),
    "member_id": ("memberid", "会员id", "会员编号"),
    "point_type": ("pointtype", "积分类型"),
    "points": ("points", "积分", "积分数"),
    "reason_code": ("reasoncode", "reason", "原因代码", "原因"),
    "note": ("note", "remark", "备注", "说明"),
}
_COLUMN_OF = {name: column for column, names in _NAMES.items() for name in names}
_KINDS = {
    "卡": "card", "会员卡": "card", "卡号": "card", "手机": "phone", "手机号": "phone", "电话": "phone",
    "邮箱": "email", "电子邮件": "email", "e-mail": "email", "mail": "email", "外部编号": "external",
}  # fmt: skip
_SEPARATED = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_WHOLE = re.compile(r"[+-]?\d{1,18}(\.0+)?")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row as it stands there (`cells` by column), and what it says; `fault` is the first thing wrong with it."""

    line: int
    cells: dict[str, str]
    kind: str = ""
    value: str = ""
    given: int | None = None
    points: int = 0
    fault: str = ""


def read_file(path: Path) -> Iterator[FileRow]:
    """The rows, streamed. Raises FileRefused, at the start or where the file cannot be read on."""
    refuse_workbook(path)
    with path.open(encoding=encoding_of(path), newline="") as text:
        first = text.readline(100_000)
        text.seek(0)
        reader = csv.reader(text, delimiter=_delimiter(first), strict=True)
        try:
            columns = _columns([cell.strip() for cell in next(reader, [])])
            count = 0
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                count += 1
                if count > MOST_ROWS:
                    raise FileRefused(reason="too_many_rows", most=f"{MOST_ROWS:,}")
                yield row_of(reader.line_num, _named(columns, cells))
            if not count:
                raise FileRefused(reason="empty")
        except csv.Error:
            raise FileRefused(reason="not_csv", line=reader.line_num) from None


def row_of(line: int, cells: dict[str, str]) -> FileRow:
    """What a row says. Pure.

    >>> row_of(2, {"member": "138 1234 1234", "member_kind": "手机", "points": "−1,500"}).points
    -1500
    >>> row_of(2, {"member_id": "7", "points": "1.5"}).fault
    'not_whole'
    """
    kind, value, given, fault = _member(cells)
    points, points_fault = _points(cells.get("points", ""))
    if any(_CONTROL.search(cell) for cell in cells.values()) or len(cells.get("note", "")) > LONGEST_NOTE:
        fault = fault or "note"
    if any(len(cells.get(name, "")) > LONGEST_CODE for name in ("point_type", "reason_code")):
        fault = fault or ("point_type" if len(cells.get("point_type", "")) > LONGEST_CODE else "reason_code")
    return FileRow(line, cells, kind, value, given, points, fault or points_fault)


def _member(cells: dict[str, str]) -> tuple[str, str, int | None, str]:
    number, value = cells.get("member_id", ""), cells.get("member", "")
    if number:
        is_number = number.isascii() and number.isdecimal() and len(number) < 19
        return BY_NUMBER, "", int(number) if is_number else None, "" if is_number else "unknown_member"
    if not value:
        return "", "", None, "no_member"
    asked = cells.get("member_kind", "").lower()
    kind = _KINDS.get(asked, asked) or "card"
    if not is_kind(kind):
        return "", "", None, "kind"
    return kind, value, None, "" if is_well_formed(kind, value) else "unknown_member"


def _points(text: str) -> tuple[int, str]:
    plain = unicodedata.normalize("NFKC", text).replace("−", "-").replace(" ", "")
    if _SEPARATED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _WHOLE.fullmatch(plain):
        return 0, "not_whole"
    points = int(plain.partition(".")[0])
    if points == 0:
        return 0, "zero"
    return (points, "") if abs(points) <= MOST_POINTS else (0, "too_many")


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _columns(header: list[str]) -> list[str]:
    """The column that each cell of a row belongs to; empty for those that are not read."""
    if not any(header):
        raise FileRefused(reason="empty")
    if len(header) > MOST_COLUMNS:
        raise FileRefused(reason="too_many_columns", most=MOST_COLUMNS)
    columns = ["" if name.startswith(NOTE) else _COLUMN_OF.get(_plain(name), "") for name in header]
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise FileRefused(reason="columns_twice", columns=", ".join(twice))
    missing = ["points"] if "points" not in columns else []
    if not {"member", "member_id"} & set(columns):
        missing.append("member")
    if missing:
        raise FileRefused(reason="columns_missing", columns=", ".join(missing))
    return columns


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", unicodedata.normalize("NFKC", name).lower())


def _named(columns: list[str], cells: list[str]) -> dict[str, str]:
    named = zip(columns, cells, strict=False)
    return {name: unquoted(cell.strip())[:500] for name, cell in named if name}
