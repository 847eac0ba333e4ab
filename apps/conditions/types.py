"""The types of the condition language: what values a field holds and how a written value is read.

Numbers are Decimals, never floats. A written value is refused here, when a tree is saved, never when it is run.
"""

import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from apps.conditions.words import Words

LONGEST_TEXT = 500
MOST_VALUES = 1_000
LARGEST = Decimal(10) ** 18
MOST_DECIMALS = 12


class Type(Enum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    WEEKDAY = "weekday"
    """1 Monday to 7 Sunday."""
    HOUR = "hour"
    """0 to 23."""
    UNIT = "unit"
    """An org unit: the field reads its materialised path, the tree names it by code."""
    CHOICE = "choice"
    TAGS = "tags"
    """A set of texts."""
    ANY = "any"
    """A free attribute: its type follows from the operator and the value."""


ORDERED = frozenset({Type.NUMBER, Type.INTEGER, Type.DATE, Type.WEEKDAY, Type.HOUR})

WEEKDAYS = [
    Words("Monday", "周一"),
    Words("Tuesday", "周二"),
    Words("Wednesday", "周三"),
    Words("Thursday", "周四"),
    Words("Friday", "周五"),
    Words("Saturday", "周六"),
    Words("Sunday", "周日"),
]


NOT_A_NUMBER = Words("Expected a number.", "此处应为数字。")


class WrongValue(ValueError):
    """A written value that its type cannot hold; `code` and `words` say why."""

    def __init__(self, code: str, words: Words) -> None:
        super().__init__(code)
        self.code, self.words = code, words


def read_value(kind: Type, value: Any) -> Any:
    """`value`, as written in JSON, as the type holds it. Raises WrongValue."""
    match kind:
        case Type.TEXT | Type.CHOICE | Type.UNIT | Type.TAGS:
            return _text(value)
        case Type.NUMBER:
            return _number(value)
        case Type.INTEGER:
            return _whole(value, None, None)
        case Type.WEEKDAY:
            return _whole(value, 1, 7)
        case Type.HOUR:
            return _whole(value, 0, 23)
        case Type.DATE:
            return _date(value)
        case _:
            raise WrongValue("wrong_type", Words("This cannot be compared with a value.", "此项不能与一个值比较。"))


def write_value(value: Any) -> Any:
    """The JSON form of a value that `read_value` gave."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [write_value(part) for part in value]
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise WrongValue("wrong_type", Words("Expected a text.", "此处应为文本。"))
    if not value.strip():
        raise WrongValue("empty", Words("Fill in a value.", "请填写一个值。"))
    if len(value) > LONGEST_TEXT:
        raise WrongValue("too_long", Words("At most 500 characters.", "最多 500 个字符。"))
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise WrongValue("control_character", Words("Control characters are not allowed.", "不允许使用控制字符。"))
    return value


def _number(value: Any) -> Decimal:
    wrong = WrongValue("not_a_number", NOT_A_NUMBER)
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise wrong
    if isinstance(value, str) and len(value) > 40:
        raise wrong
    if isinstance(value, int) and value.bit_length() > 64:
        raise WrongValue("too_large", Words("The number is too large.", "数字过大。"))
    try:
        number = Decimal(value.strip() if isinstance(value, str) else str(value))
    except InvalidOperation:
        raise wrong from None
    if not number.is_finite():
        raise wrong
    if number.adjusted() >= LARGEST.adjusted():
        raise WrongValue("too_large", Words("The number is too large.", "数字过大。"))
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -MOST_DECIMALS:
        raise WrongValue("too_precise", Words("At most 12 decimals.", "最多 12 位小数。"))
    return number


def _whole(value: Any, lowest: int | None, highest: int | None) -> int:
    number = _number(value)
    if number != number.to_integral_value():
        raise WrongValue("not_whole", Words("Expected a whole number.", "此处应为整数。"))
    if (lowest is not None and number < lowest) or (highest is not None and number > highest):
        raise WrongValue(
            "out_of_range",
            Words(f"Expected a number from {lowest} to {highest}.", f"此处应为 {lowest} 到 {highest} 之间的数字。"),
        )
    return int(number)


def _date(value: Any) -> date:
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise WrongValue("not_a_date", Words("Expected a date such as 2026-05-01.", "此处应为日期，例如 2026-05-01。"))
