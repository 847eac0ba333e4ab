"""What an attribute's definition makes of a value: from a form, the API or a file, written however people write it. Pure.

A value is kept as JSON: texts, dates (ISO) and decimals as text, whole numbers and yes or no as such, choices by their
values. A decimal is kept in one spelling, so that equal numbers are equal texts.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from unicodedata import normalize

from apps.members.choices import Choice
from apps.members.errors import AttributeRefused, AttributesRefused
from apps.members.models import LONGEST_TEXT, AttributeDefinition

Type = AttributeDefinition.Type

MOST_DIGITS = 15
"""Of a number, in all: what every program that reads JSON keeps exactly."""
YES, NO = frozenset({"yes", "y", "true", "1", "是"}), frozenset({"no", "n", "false", "0", "否"})
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:[.][0-9]{1,12})?")
_DATE = re.compile(r"([0-9]{4})(?:-|/|[.]|年)([0-9]{1,2})(?:-|/|[.]|月)([0-9]{1,2})日?")
_BETWEEN = re.compile(r"[,，、;；|\n]")


def value_of(definition: AttributeDefinition, raw: Any) -> Any:
    """`raw` as the attribute is kept; None where nothing was said.

    Takes JSON, dates and decimals, and any of them as text: figures in full width, “是” for yes, a choice by its label in
    either language, several with commas between them. Raises AttributeRefused.
    """
    if raw is None or raw in ("", []) or (isinstance(raw, str) and not raw.strip()):
        return None
    try:
        return _READERS[Type(definition.type)](definition, raw)
    except ValueError:
        raise AttributeRefused(definition) from None


def values_of(
    definitions: Iterable[AttributeDefinition], attributes: Mapping[str, Any], held: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Those of `attributes` that have a definition, as they are kept. What a member holds already (`held`) stays as it is,
    for a definition may be younger or stricter than a value. Raises AttributesRefused, with every fault."""
    kept, faults = {}, []
    for definition in definitions:
        raw = attributes.get(definition.key)
        if held is not None and definition.key in held and held[definition.key] == raw:
            kept[definition.key] = held[definition.key]
            continue
        try:
            value = value_of(definition, raw)
        except AttributeRefused as refusal:
            faults.append(refusal)
        else:
            if value is not None:
                kept[definition.key] = value
    if faults:
        raise AttributesRefused(faults)
    return kept


def _plain(raw: Any) -> str:
    """A text without blanks around it, its figures and signs in half width. Raises ValueError."""
    if not isinstance(raw, str):
        raise ValueError
    return normalize("NFKC", raw).strip()


def _text(definition: AttributeDefinition, raw: Any) -> str:
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    if not isinstance(raw, str):
        raise ValueError
    text = raw.strip()
    if len(text) > (definition.longest or LONGEST_TEXT) or not text.isprintable():
        raise ValueError
    return text


def _number(definition: AttributeDefinition, raw: Any) -> Decimal:
    if isinstance(raw, bool):
        raise ValueError
    plain = format(Decimal(str(raw)), "f") if isinstance(raw, int | float | Decimal) else _plain(raw)
    if not _NUMBER.fullmatch(plain):
        raise ValueError
    number = Decimal(plain).normalize()
    if len(number.as_tuple().digits) > MOST_DIGITS or number.adjusted() >= MOST_DIGITS:
        raise ValueError
    if definition.least is not None and number < definition.least:
        raise ValueError
    if definition.most is not None and number > definition.most:
        raise ValueError
    return number if number else Decimal(0)


def _whole(definition: AttributeDefinition, raw: Any) -> int:
    number = _number(definition, raw)
    if number != number.to_integral_value():
        raise ValueError
    return int(number)


def _decimal(definition: AttributeDefinition, raw: Any) -> str:
    return format(_number(definition, raw), "f")


def _date(definition: AttributeDefinition, raw: Any) -> str:
    if isinstance(raw, datetime):
        return raw.date().isoformat()
    if isinstance(raw, date):
        return raw.isoformat()
    parts = _DATE.fullmatch(_plain(raw))
    if parts is None:
        raise ValueError
    return date(*map(int, parts.groups())).isoformat()


def _yes_or_no(definition: AttributeDefinition, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    said = str(raw) if isinstance(raw, int) and raw in (0, 1) else _plain(raw).casefold()
    if said not in YES | NO:
        raise ValueError
    return said in YES


def _one(definition: AttributeDefinition, raw: Any) -> str:
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    return _chosen(definition.options, _plain(raw))


def _several(definition: AttributeDefinition, raw: Any) -> list[str] | None:
    """In the order of the choices, each once."""
    options = definition.options
    said = [_plain(each) for each in raw] if isinstance(raw, list | tuple) else _parted(options, _plain(raw))
    chosen = {_chosen(options, each) for each in said if each}
    return [each.value for each in options if each.value in chosen] or None


def _parted(options: tuple[Choice, ...], text: str) -> list[str]:
    """What stands between commas; a text that is a choice as a whole is that one."""
    try:
        return [_chosen(options, text)]
    except ValueError:
        return [part.strip() for part in _BETWEEN.split(text)]


def _chosen(options: tuple[Choice, ...], said: str) -> str:
    """The value of the choice that `said` names. Values go before labels. Raises ValueError."""
    spellings = [(each.value, each.value) for each in options]
    spellings += [(label, each.value) for each in options for label in (each.label, each.label_zh) if label]
    wanted = said.casefold()
    for spelling, value in spellings:
        if _plain(spelling).casefold() == wanted:
            return value
    raise ValueError


_READERS: dict[Any, Any] = {
    Type.TEXT: _text,
    Type.INTEGER: _whole,
    Type.DECIMAL: _decimal,
    Type.DATE: _date,
    Type.BOOLEAN: _yes_or_no,
    Type.CHOICE: _one,
    Type.CHOICES: _several,
}
