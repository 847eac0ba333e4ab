"""How a body is read: strictly, exactly and within bounds."""

import json
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Schema
from ninja.parser import Parser
from pydantic import AfterValidator, ConfigDict, StringConstraints
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


def _plain_text(text: str) -> str:
    if any((ord(char) < 32 and char not in "\t\n\r") or ord(char) == 127 for char in text):
        raise PydanticCustomError("control_character", "control character")
    return text


Text = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_plain_text)]
"""A text as people write it: trimmed, without control characters."""


class Body(Schema):
    """The base of what is sent: a field that is not named is a fault."""

    model_config = ConfigDict(extra="forbid")
