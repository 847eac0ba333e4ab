"""How whatever goes wrong is told: as a problem (RFC 9457) with a code that never changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import Field

from apps.core.errors import LoyaltyError
from apps.core.faults import sentence_of


class FieldProblem(Schema):
    """One thing that is wrong with what was sent."""

    field: str = Field(description="Where it is, as a path: `lines.0.amount`. Empty: the whole body.")
    code: str = Field(description="Never changes; for programs.")
    detail: str = Field(description="For people, in the language asked for.")


class Problem(Schema):
    """What went wrong (RFC 9457). Nothing was changed."""

    type: str = Field(description="Names the kind of problem: `urn:loyalty-studio:problem:` and the code.")
    title: str
    status: int
    detail: str = Field(description="For people, in the language asked for with `Accept-Language`: `en` or `zh-hans`.")
    code: str = Field(description="Never changes; for programs.")
    errors: list[FieldProblem] = Field(default=[], description="The fields at fault, all of them at once.")


@dataclass(frozen=True)
class Failing:
    """A field at fault: where, and a code of `apps.core.faults`, or a sentence of its own."""

    field: str
    code: str
    detail: str = ""

    def told(self) -> dict[str, str]:
        return {"field": self.field, "code": self.code, "detail": self.detail or sentence_of(self.code)}


class Unacceptable(LoyaltyError):
    """What was sent cannot be taken, with every fault of it."""

    code = "invalid"

    def __init__(self, faults: Sequence[Failing]) -> None:
        super().__init__()
        self.faults = faults

    def sentence(self) -> str:
        return _("What was sent cannot be taken; “errors” says what is wrong with it.")


class NotJson(LoyaltyError):
    code = "not_json"

    def sentence(self) -> str:
        return _("The body is not JSON in UTF-8, nests too deeply or names a field twice.")


class WrongMediaType(LoyaltyError):
    code = "wrong_media_type"

    def sentence(self) -> str:
        return _("Send JSON, with the header Content-Type: application/json.")


def faults_of(refusal: LoyaltyError) -> list[dict[str, str]]:
    """The fields at fault in a refusal, as they are told."""
    if isinstance(refusal, Unacceptable):
        return [fault.told() for fault in refusal.faults]
    parts = refusal.parts or (refusal,)
    return [Failing(part.field, part.code, part.sentence()).told() for part in parts if part.field]


def problem(
    status: int,
    code: str,
    detail: str,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer that tells a problem."""
    told = {
        "type": f"urn:loyalty-studio:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": list(errors),
    }
    return HttpResponse(orjson.dumps(told), status=status, content_type="application/problem+json", headers=headers)


def told(status: int, code: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A problem that is no refusal of ours."""
    detail = {
        "bad_request": _("The request cannot be read."),
        "not_json": _("The body is not JSON in UTF-8, nests too deeply or names a field twice."),
        "unknown_key": _("Send the key of an active API client, with the header Authorization: Bearer."),
        "not_found": _("There is nothing here that this key reaches."),
        "method_not_allowed": _("This address does not take this method; the header Allow names those it takes."),
        "too_large": _("The body is larger than is taken in one call. Send less at a time."),
        "failed": _(
            "Something failed on our side. Send the same again later; with the same key nothing happens twice."
        ),
        "unavailable": _("The studio does not answer just now. Send the same again in a few seconds."),
    }[code]
    return problem(status, code, detail, headers=headers)


CODES = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "control_character": "control_character",
    "dict_type": "not_an_object",
    "model_type": "not_an_object",
    "model_attributes_type": "not_an_object",
    "list_type": "not_a_list",
    "string_type": "not_a_text",
    "string_unicode": "control_character",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "wrong_form",
    "too_short": "too_short",
    "too_long": "too_long",
    "attribute_value": "attribute_value",
    "int_type": "not_a_whole_number",
    "int_parsing": "not_a_whole_number",
    "int_from_float": "not_a_whole_number",
    "int_parsing_size": "too_large",
    "bool_type": "not_a_boolean",
    "bool_parsing": "not_a_boolean",
    "greater_than": "too_small",
    "greater_than_equal": "too_small",
    "less_than": "too_large",
    "less_than_equal": "too_large",
    "literal_error": "not_a_choice",
    "enum": "not_a_choice",
}


def failing(error: Mapping[str, Any]) -> Failing:
    """`("body", "body", "lines", 0)` is the field `lines.0`: where it came in, and our own name for it, are left out."""
    place = list(error["loc"])
    place = place[2:] if place[0] == "body" else place[1:]
    kind = str(error["type"])
    code = "not_a_date" if kind.startswith(("date_", "datetime_")) else CODES.get(kind, "invalid")
    if code == "too_long" and error.get("ctx", {}).get("field_type") in ("List", "Dictionary"):
        code = "too_many"
    return Failing(".".join(map(str, place)), code)
