"""How a body is read: strictly, exactly and within bounds."""

import json
import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import orjson
from django.http import HttpRequest
from ninja import Schema
from ninja.parser import Parser
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from apps.core.api.problems import NotJson, WrongMediaType

DEEPEST = 20
LONGEST_NUMBER = 40
LARGEST_EXPONENT = 30


class JsonParser(Parser):
    """Reads a body strictly: numbers exactly, no field twice, no more depth than anything of ours has."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Raises WrongMediaType and NotJson."""
        if request.content_type != "application/json":
            raise WrongMediaType()
        try:
            # Refuses what is no Unicode, such as half of a pair of surrogates; Python's own would not.
            orjson.loads(request.body)
            read = json.loads(
                request.body.decode(),
                parse_float=_number,
                parse_constant=_no_number,
                object_pairs_hook=_object,
            )
        except (ValueError, ArithmeticError, RecursionError):
            raise NotJson() from None
        if _depth(read) > DEEPEST:
            raise NotJson()
        return read


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if len(text) > LONGEST_NUMBER or abs(int(number.as_tuple().exponent)) > LARGEST_EXPONENT:
        raise ValueError("a number out of all proportion")
    return number


def _no_number(text: str) -> None:
    raise ValueError(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise ValueError("a name stands twice")
    return read


def _depth(read: Any) -> int:
    """How deeply lists and objects nest, level by level: no recursion to exhaust."""
    level, depth = [read], 0
    while level := [
        part
        for each in level
        if isinstance(each, dict | list)
        for part in (each.values() if isinstance(each, dict) else each)
    ]:
        depth += 1
        if depth > DEEPEST:
            break
    return depth


def _plain_text(text: Any) -> Any:
    if isinstance(text, str) and any((ord(char) < 32 and char not in "\t\n\r") or ord(char) == 127 for char in text):
        raise PydanticCustomError("control_character", "control character")
    return text


Text = Annotated[str, BeforeValidator(_plain_text), StringConstraints(strip_whitespace=True)]
"""A text as people write it: trimmed, without control characters."""


def _written_day(value: Any) -> date:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise PydanticCustomError("date_type", "no day")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("date_type", "no such day") from None


Day = Annotated[date, BeforeValidator(_written_day)]
"""A day, written 2026-05-04."""

Whole = Annotated[int, Field(strict=True)]
"""A whole number; no text, no truth."""


class Body(Schema):
    """The base of what is sent: a field that is not named is a fault."""

    model_config = ConfigDict(extra="forbid")
