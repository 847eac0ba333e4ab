"""What a cell of somebody's export says: a value, or a finding in the place of one. Pure.

What can be repaired without asking is repaired and noted; what cannot is a fault of the row.
"""

import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Generic, TypeVar

from apps.members.identifiers import is_well_formed, normalise

Value = TypeVar("Value")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?E[+-]?\d+", re.IGNORECASE)
_MOBILE = re.compile(r"1\d{10}")
_DATES = (
    re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})"),
    re.compile(r"(?P<y>\d{4})年(?P<m>\d{1,2})月(?P<d>\d{1,2})日?"),
    re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"),
)
_TIME = re.compile(r"[T\s]\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$")
_SERIAL = re.compile(r"\d{4,6}(?:\.0+)?")
_SERIAL_ZERO = date(1899, 12, 30)
"""Excel's day 0, with its 29 February 1900 that never was: right from 1 March 1900 on."""
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.0+)?")
_WHOLE = re.compile(r"[+-]?\d{1,18}(?:\.0+)?")
_NOTHING = frozenset({"", "-", "--", "/", "无", "暂无", "空", "null", "none", "n/a", "na", "nan", "#n/a"})
_TOTALS = frozenset(
    {"合计", "总计", "小计", "共计", "合计:", "总计:", "total", "totals", "sum", "grand total", "subtotal"}
)


@dataclass(frozen=True, slots=True)
class Cell(Generic[Value]):
    """The value of a cell, None where there is none; `fault` says why, `repair` what had to be done to read it."""

    value: Value | None = None
    fault: str = ""
    repair: str = ""


def plain(text: str) -> str:
    """Full width as half width, no blanks around it."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def is_nothing(text: str) -> bool:
    """Whether people wrote that there is nothing: `无`, `-`, `N/A`."""
    return text.lower() in _NOTHING


def is_total(cells: list[str]) -> bool:
    """Whether a row adds up those above it."""
    first = next((cell for cell in cells if cell), "")
    return plain(first).lower().rstrip("：") in _TOTALS


def phone(text: str, *, mobiles_only: bool = True) -> Cell[str]:
    """A phone number as it is kept. Without a country's code it is a Chinese mobile unless `mobiles_only` is False."""
    if len(text) == 11 and text[0] == "1" and text.isascii() and text.isdecimal():
        return Cell(text)  # nearly all of them
    raw = plain(text)
    if is_nothing(raw):
        return Cell(fault="phone_missing")
    if _SCIENTIFIC.fullmatch(raw):
        return Cell(fault="phone_scientific")
    number = normalise("phone", raw)
    if not is_well_formed("phone", number) or (
        mobiles_only and not number.startswith("+") and not _MOBILE.fullmatch(number)
    ):
        return Cell(fault="phone_short" if number.lstrip("+").isdecimal() and len(number) < 11 else "phone_malformed")
    return Cell(number, repair="" if number == text else "phone_respelt")


def identifier(kind: str, text: str, *, mobiles_only: bool = True) -> Cell[str]:
    """An identifier of any kind, in the spelling in which it is kept."""
    if kind == "phone":
        return phone(text, mobiles_only=mobiles_only)
    if is_nothing(text):
        return Cell(fault="identifier_missing")
    if kind != "email" and _SCIENTIFIC.fullmatch(text):
        return Cell(fault="identifier_scientific")
    if not is_well_formed(kind, text):
        return Cell(fault="identifier_malformed")
    value = normalise(kind, text)
    return Cell(value, repair="" if value == text else "respelt")


@lru_cache(maxsize=65_536)
def day(text: str) -> Cell[date]:
    """A date in any spelling that leaves no doubt: 2020-03-14, 2020/3/14 0:00, 1961年4月10日, 19540806, 34230.

    A day before a month cannot be told from a month before a day: 03/04/1990 is no date.
    """
    raw = plain(text)
    if is_nothing(raw):
        return Cell()
    bare = _TIME.sub("", raw).strip()
    for shape in _DATES:
        found = shape.fullmatch(bare)
        if found is not None:
            return _existing(int(found["y"]), int(found["m"]), int(found["d"]), "" if bare == text else "date_respelt")
    if _SERIAL.fullmatch(bare) and 60 < (number := int(bare.partition(".")[0])) < 80_000:
        return Cell(_SERIAL_ZERO + timedelta(days=number), repair="date_excel_serial")
    return Cell(fault="date_malformed")


def _existing(year: int, month: int, day_of_month: int, repair: str) -> Cell[date]:
    if not (1 <= month <= 12 and 1 <= year <= 9999 and 1 <= day_of_month <= monthrange(year, month)[1]):
        return Cell(fault="date_impossible")
    return Cell(date(year, month, day_of_month), repair=repair)


@lru_cache(maxsize=65_536)
def whole_number(text: str) -> Cell[int]:
    """A whole number: 1,005, ８９, 81.00 and −98 are; 1.5 is none."""
    raw = plain(text).replace("−", "-").replace(" ", "")
    if is_nothing(raw) and raw not in ("-", "--"):
        return Cell()
    if _SCIENTIFIC.fullmatch(raw):
        return Cell(fault="number_scientific")
    bare = raw.replace(",", "") if _GROUPED.fullmatch(raw) else raw
    if not _WHOLE.fullmatch(bare):
        return Cell(fault="not_whole")
    return Cell(int(bare.partition(".")[0]), repair="" if bare == text else "number_respelt")
