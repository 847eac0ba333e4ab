"""A programme's whole configuration as one JSON document: its shape, and how a file is read. Pure.

    {"format": "loyalty-studio/program/1",
     "program": {"code", "name", "unit", "currency", "time_zone", "allows_debt", "grace_days"},
     "point_types": [{"code", "name", "kind", "expiry", "pending_days", "unit_cost_micros", "funder"}, …],
     "special_days": [{"code", "name", "days"}, …],
     "rules": [{"code", "name", "unit",
                "published": [{"starts_at", "ends_at", "definition"}, …],
                "draft": definition or null}, …]}

Everything is named by its code, nothing by an id, and nothing in it is about a member or a person. `published` holds
what is in force and what waits to start; what is over is history and not part of it.
"""

import json
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from apps.conditions.tree import Fault
from apps.conditions.words import Words
from apps.orgs.calendar import Days
from apps.points.expiry import Policy
from apps.rules.definition import SAYS

FORMAT = "loyalty-studio/program/1"
MOST_BYTES = 1_000_000
MOST_RULES = 500
MOST_POINT_TYPES = 50
MOST_SPECIAL_DAYS = 200
MOST_PUBLISHED = 20

TOO_LARGE = Words("The file is larger than 1 MB.", "文件超过 1 MB。")
NOT_JSON = Words("The file is not JSON in UTF-8.", "文件不是 UTF-8 编码的 JSON。")
NOT_A_PROGRAM = Words("This file does not hold a programme.", "此文件不是忠诚度计划。")
WRONG_FORMAT = Words(f"Expected “{FORMAT}”.", f"此处应为“{FORMAT}”。")
CONTROL = Words("Control characters are not allowed.", "不允许使用控制字符。")
TWICE = Words("This code stands here twice.", "此代码出现了两次。")
NO_CONTENT = Words("This rule has neither a draft nor a published version.", "该规则既无草稿，也无已发布的版本。")
OUT_OF_SHAPE = Words("This is not what is expected here.", "此处的内容不符合要求。")

OWN_SAYS = {
    "missing": SAYS["missing"],
    "extra_forbidden": Words("There is no such part in this file.", "文件中没有这一项。"),
    "string_type": Words("Expected a text.", "此处应为文本。"),
    "string_too_short": Words("Fill this in.", "请填写此项。"),
    "string_too_long": Words("This text is too long.", "此文本过长。"),
    "string_pattern_mismatch": Words(
        "A code is made of letters, figures, hyphens and underscores.", "代码由字母、数字、连字符和下划线组成。"
    ),
    "list_type": Words("Expected a list.", "此处应为列表。"),
    "too_long": Words("This list is too long.", "此列表过长。"),
    "dict_type": Words("Expected an object.", "此处应为对象。"),
    "model_type": Words("Expected an object.", "此处应为对象。"),
    "bool_type": Words("Expected true or false.", "此处应为 true 或 false。"),
    "int_type": Words("Expected a whole number.", "此处应为整数。"),
    "int_from_float": Words("Expected a whole number.", "此处应为整数。"),
    "greater_than_equal": Words("The number is too small.", "数字过小。"),
    "less_than_equal": Words("The number is too large.", "数字过大。"),
    "datetime_from_date_parsing": Words("Expected a date and time with its offset.", "此处应为带时区的日期和时间。"),
    "datetime_parsing": Words("Expected a date and time with its offset.", "此处应为带时区的日期和时间。"),
    "timezone_aware": Words("Expected a date and time with its offset.", "此处应为带时区的日期和时间。"),
    "literal_error": SAYS["literal_error"],
    "control_character": CONTROL,
    "not_a_date": Words("Expected a date such as 2026-05-01.", "此处应为日期，例如 2026-05-01。"),
    "wrong_order": Words("The last day is before the first.", "最后一天早于第一天。"),
    "no_such_day": Words("This month has no such day.", "该月没有这一天。"),
}


def _printable(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise PydanticCustomError("control_character", "control character")
    return text


Code = Annotated[str, Field(pattern=r"^[-a-zA-Z0-9_]+$", max_length=60)]
UnitCode = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_printable)]
Name = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_printable)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ProgramPart(_Shape):
    """The programme's own settings: told and compared, never changed by an import."""

    code: Code
    name: Name
    unit: UnitCode
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    time_zone: Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_printable)]
    allows_debt: bool
    grace_days: Annotated[int, Field(ge=0, le=32_767)]
    reviews_rules: bool = False


class PointTypePart(_Shape):
    """A kind of points. `funder` is the code of the unit that pays, null for the unit where they are earned."""

    code: Annotated[str, Field(pattern=r"^[-a-zA-Z0-9_]+$", max_length=40)]
    name: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_printable)]
    kind: Literal["reward", "status"]
    expiry: Policy
    pending_days: Annotated[int, Field(ge=0, le=32_767)]
    unit_cost_micros: Annotated[int, Field(ge=0, le=10**15)]
    funder: UnitCode | None = None


class SpecialDayPart(_Shape):
    """A day of the programme's calendar that rules can name."""

    code: Annotated[str, Field(pattern=r"^[-a-zA-Z0-9_]+$", max_length=40)]
    name: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_printable)]
    days: Days


class PublishedPart(_Shape):
    """A version that is in force or waits to start."""

    starts_at: Annotated[AwareDatetime, Field(strict=False)]
    ends_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    definition: dict[str, Any]


class RulePart(_Shape):
    """A rule: where it applies, what is published of it, and its draft."""

    code: Code
    name: Name
    unit: UnitCode
    allows_override: bool = False
    overrides: Code | None = None
    """The code of the rule in whose place it stands."""
    published: Annotated[list[PublishedPart], Field(max_length=MOST_PUBLISHED)]
    draft: dict[str, Any] | None = None

    @property
    def wanted(self) -> dict[str, Any] | None:
        """What the rule is to say: its draft, or else what was published last."""
        return self.draft or max(self.published, key=lambda part: part.starts_at).definition if self.says else None

    @property
    def says(self) -> bool:
        return bool(self.draft or self.published)


class ProgramDocument(_Shape):
    """A programme's whole configuration."""

    format: Literal["loyalty-studio/program/1"]
    program: ProgramPart
    point_types: Annotated[list[PointTypePart], Field(max_length=MOST_POINT_TYPES)]
    special_days: Annotated[list[SpecialDayPart], Field(max_length=MOST_SPECIAL_DAYS)] = []
    rules: Annotated[list[RulePart], Field(max_length=MOST_RULES)]


class Unreadable(ValueError):
    """A file that holds no programme; every fault at once."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{'/'.join(map(str, fault.path))}: {fault.code}" for fault in self.faults[:5]))


def read_document(written: bytes) -> ProgramDocument:
    """The programme in a file. Definitions are taken as they are; whether they can be saved is asked elsewhere.

    Raises Unreadable.
    """
    if len(written) > MOST_BYTES:
        raise Unreadable([Fault((), "too_large", TOO_LARGE)])
    try:
        data = json.loads(written.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Unreadable([Fault((), "not_json", NOT_JSON)]) from None
    if not isinstance(data, dict):
        raise Unreadable([Fault((), "not_a_program", NOT_A_PROGRAM)])
    if data.get("format") != FORMAT:
        raise Unreadable([Fault(("format",), "wrong_format", WRONG_FORMAT)])
    try:
        document = ProgramDocument.model_validate(data)
    except ValidationError as error:
        raise Unreadable(
            Fault(
                tuple(part for part in each["loc"] if part not in POLICY_TAGS),
                each["type"],
                OWN_SAYS.get(each["type"], OUT_OF_SHAPE),
            )
            for each in error.errors(include_url=False)
        ) from None
    faults = [
        fault for part in ("point_types", "special_days", "rules") for fault in _twice(part, getattr(document, part))
    ]
    faults += [
        Fault(("rules", number), "no_content", NO_CONTENT)
        for number, rule in enumerate(document.rules)
        if not rule.says
    ]
    if faults:
        raise Unreadable(faults)
    return document


POLICY_TAGS = ("never", "after_days", "end_of", "inactivity", "on_dates", "each_year", "each_month", "each_week")


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _twice(part: str, entries: Iterable[Any]) -> Iterable[Fault]:
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        if entry.code in seen:
            yield Fault((part, number, "code"), "twice", TWICE)
        seen.add(entry.code)


RANKS = (
    "all", "any", "not", "lines", "of", "where", "field", "window", "op", "value",
    "condition", "effects", "effect", "point_type", "points", "times", "per", "hit", "reason", "rounding", "without", "each", "rows", "when",
    "limits", "period", "most", "stacking", "group", "take", "order",
    "validity", "expiry", "kind", "plus_years", "plus_days", "pending", "days", "until",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(RANKS)}


def in_order(data: Any) -> Any:
    """A definition with its parts in the order in which people read them, however a database kept it."""
    if isinstance(data, dict):
        names = sorted(data, key=lambda name: (_RANK.get(name, len(RANKS)), name))
        return {name: in_order(data[name]) for name in names}
    return [in_order(part) for part in data] if isinstance(data, list) else data


def instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
