"""What a rule version says: the one shape of its `definition`, and the one place where it is checked. Pure.

    {"condition": tree,
     "effects": [{"effect": "points_per_amount", "point_type": "points", "points": "1", "per": "1",
                  "rounding": "down" | "half_up" | "up" | "carry", "lines": tree or null,
                  "without": ["tax", "shipping"], "each": "line", or nothing of either},
                 {"effect": "points_per_quantity", … as above, for pieces instead of money},
                 {"effect": "fixed_points", "point_type": "points", "points": 50},
                 {"effect": "multiply", "point_type": "points", "times": "2", "of": "base" | "all", "rounding": "down"},
                 {"effect": "table", "point_type": "points", "hit": "first" | "best" | "sum", "rounding": "down",
                  "without" and "each" as above, for the rows with `per`,
                  "rows": [{"when": tree, "points": "10", "per": "1" or null}]},
                 {"effect": "tag", "tag": "regular", "start": "now" | "next_month" …, "days": 30 or null},
                 {"effect": "hold_for_review", "reason": "Many from one device"}],
     "limits": [{"per": "member" | "store" | "programme" | "device" | "event",
                 "of": "points" | "times" | "amount" | "pieces" | "cost", "most": 200,
                 "period": "day" | "week" | "month" | "quarter" | "year" | "ever"}],
     "stacking": {"group": "weekend", "take": "best" | "first" | "sum", "order": 1} or nothing,
     "validity": {"expiry": a policy of apps.points.expiry but inactivity, or null,
                  "pending": {"days": 14} | {"until": "delivery"} or null} or nothing,
     "accumulator": {"of": "events", "at": "10", "fires": "goal" | "step", "period": "month", …} or nothing}

Everything wrong is found at once, each fault with the path to the value at fault and its words in both languages.
What has passed can be compiled and run within a few milliseconds: the bounds below are that budget.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    SerializerFunctionWrapHandler,
    Tag,
    ValidationError,
    ValidationInfo,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from apps.conditions import catalogue as conditions
from apps.conditions.catalogue import Catalogue
from apps.conditions.tree import MOST_NODES, ConditionError, Fault, Path, leaves, parse
from apps.conditions.types import Type, WrongValue, read_value
from apps.conditions.words import Words
from apps.points.expiry import AfterDays, EndOf, Never
from apps.rules.catalogue import LINE_CATALOGUE, knowing
from apps.rules.kinds import KINDS, kind_name, when_registered

MOST_EFFECTS = 5
MOST_LIMITS = 5
MOST_ROWS = 50
MOST_TIMES = 100
MOST_ORDER = 1_000
MOST_POINTS = 1_000_000
"""What one effect gives at most, or gives at most for one `per`."""
MOST_PER = 1_000_000
LEAST_PER = Decimal("0.01")
MOST_LIMIT = 1_000_000_000_000
MOST_DECIMALS = 4
LONGEST_REASON = 200
MOST_DAYS = 3_650
MOST_GOAL = 1_000_000_000
MOST_DIFFERENT = 100
"""The highest goal or step where different values, or days in a row, are counted."""
LONGEST_TAG = 60

POINTS_NEEDED = Words("Fill in how many points.", "请填写积分数。")
OUT_OF_RANGE = {
    "points": Words("Expected more than 0 and at most 1,000,000 points.", "积分数应大于 0，且不超过 1,000,000。"),
    "per": Words("Expected an amount from 0.01 to 1,000,000.", "金额应在 0.01 到 1,000,000 之间。"),
    "times": Words("Expected more than 1 and at most 100 times.", "倍数应大于 1，且不超过 100。"),
    "order": Words("Expected a whole number from 1 to 1,000.", "应为 1 到 1,000 之间的整数。"),
    "most": Words("Expected a whole number from 1 to 1,000,000,000,000.", "应为 1 到 1,000,000,000,000 之间的整数。"),
    "most of": Words("Expected a number from 0.01 to 1,000,000,000,000.", "应为 0.01 到 1,000,000,000,000 之间的数。"),
    "at": Words("Expected a number above 0 and at most 1,000,000,000.", "应大于 0，且不超过 1,000,000,000。"),
    "days": Words("Expected 1 to 3,650 days.", "应为 1 到 3,650 天。"),
}
GOAL_RANGE = Words("Expected a whole number from 1 to 1,000,000,000.", "应为 1 到 1,000,000,000 之间的整数。")
TOO_MANY_DIFFERENT = Words("Expected a whole number from 2 to 100.", "应为 2 到 100 之间的整数。")
NO_LINES = Words("This does not depend on lines.", "此项与明细行无关。")
ATTRIBUTE_NEEDED = Words("Name the attribute of the event.", "请填写事件属性的名称。")
NO_ATTRIBUTE = Words("This does not depend on an attribute.", "此项与事件属性无关。")
TAG_NEEDED = Words("Name the tag.", "请填写标签。")
TOO_PRECISE = Words("At most 4 decimals.", "最多 4 位小数。")
WHOLE = Words("Expected a whole number.", "此处应为整数。")
SAYS_NOTHING = Words("Say when the points expire or become spendable.", "请说明积分何时过期或何时可用。")
GONE_BEFORE = Words(
    "Some of these points would expire before they can be spent. Let them expire later.",
    "部分积分会在可用之前过期，请延后过期时间。",
)
NO_CONFIRMING = Words("Nobody can wait for this kind of event.", "不能等待这种事件。")
ONCE_ANYWAY = Words("An event is one time: choose something else.", "一次事件本来就只算一次：请另选一项。")
NOTHING_MEASURED = {
    "amount": Words("Nothing in this rule is given per amount.", "本规则没有按金额给分的奖励。"),
    "pieces": Words("Nothing in this rule is given per piece.", "本规则没有按件数给分的奖励。"),
}
ROUNDED_AND_CARRIED = Words(
    "What is carried to the next event is reckoned for the whole order.", "余数累计到下次时按整单计算。"
)
MEASURED_AND_CARRIED = Words(
    "What is carried to the next event cannot be limited so: limit the points.",
    "余数累计到下次时不能这样设上限：请限制积分。",
)
LIMIT_TWICE = Words("Two limits are of the same kind: keep one.", "有两个相同类型的上限：请只保留一个。")


def _wrong(code: str, words: Words) -> PydanticCustomError:
    return PydanticCustomError(code, "{en}", {"en": words.en, "zh": words.zh})


def _between(name: str, least: Decimal | int, most: int) -> Callable[[Any], Decimal]:
    """Reads a number from `least` to `most`, with at most four decimals."""

    def read(value: Any) -> Decimal:
        try:
            number: Decimal = read_value(Type.NUMBER, value)
        except WrongValue as wrong:
            raise _wrong(wrong.code, wrong.words) from None
        if not least <= number <= most or not number:
            raise _wrong("out_of_range", OUT_OF_RANGE[name])
        if number != round(number, MOST_DECIMALS):
            raise _wrong("too_precise", TOO_PRECISE)
        return number

    return read


def _whole(name: str, most: int) -> Callable[[Any], int]:
    """Reads a whole number from 1 to `most`."""
    between = _between(name, 0, most)

    def read(value: Any) -> int:
        number = between(value)
        if number != int(number):
            raise _wrong("not_whole", WHOLE)
        return int(number)

    return read


def _times(value: Any) -> Decimal:
    number = _between("times", 1, MOST_TIMES)(value)
    if number == 1:
        raise _wrong("out_of_range", OUT_OF_RANGE["times"])
    return number


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _in_order(without: list[str] | None) -> list[str] | None:
    """Each part once."""
    return without and [part for part in ("tax", "shipping") if part in without]


class _Reckoned(_Shape):
    """How an amount becomes points: `without` the tax in it or the carriage, and rounded for each `line` by itself, not
    once for the order. What is not used is not written."""

    without: Annotated[
        list[Literal["tax", "shipping"]] | None, Field(max_length=2), AfterValidator(_in_order)
    ] = None  # fmt: skip
    each: Literal["line"] | None = None

    @model_serializer(mode="wrap")
    def as_used(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: part for name, part in written(self).items() if part or name not in ("without", "each")}


class PointsPerAmount(_Reckoned):
    """`points` for each `per` of the amount of the lines that count; of the whole event where `lines` is None. With
    `carry` what is left over is carried to the member's next event, instead of being lost."""

    effect: Literal["points_per_amount"] = "points_per_amount"
    point_type: Annotated[str, Field(min_length=1, max_length=60)]
    points: Annotated[Decimal, BeforeValidator(_between("points", 0, MOST_POINTS))]
    per: Annotated[Decimal, BeforeValidator(_between("per", LEAST_PER, MOST_PER))]
    rounding: Literal["down", "half_up", "up", "carry"] = "down"
    lines: dict[str, Any] | None = None


class PointsPerQuantity(PointsPerAmount):
    """`points` for each `per` pieces of the lines that count; of all lines where `lines` is None."""

    effect: Literal["points_per_quantity"] = "points_per_quantity"  # type: ignore[assignment]
    without: Annotated[list[Literal["shipping"]] | None, Field(max_length=1)] = None  # type: ignore[assignment]


class FixedPoints(_Shape):
    """`points`, whatever the amount."""

    effect: Literal["fixed_points"] = "fixed_points"
    point_type: Annotated[str, Field(min_length=1, max_length=60)]
    points: Annotated[int, BeforeValidator(_whole("points", MOST_POINTS))]


class Multiply(_Shape):
    """Raises what the event was given before to `times` as much: all of it, or what no multiplier gave."""

    effect: Literal["multiply"] = "multiply"
    point_type: Annotated[str, Field(min_length=1, max_length=60)]
    times: Annotated[Decimal, BeforeValidator(_times)]
    of: Literal["base", "all"] = "base"
    rounding: Literal["down", "half_up", "up"] = "down"


class TableRow(_Shape):
    """`points` where `when` holds, or for each `per` of the event's amount."""

    when: dict[str, Any]
    points: Annotated[Decimal, BeforeValidator(_between("points", 0, MOST_POINTS))]
    per: Annotated[
        Decimal | None,
        BeforeValidator(lambda value: None if value in (None, "") else _between("per", LEAST_PER, MOST_PER)(value)),
    ] = None

    @model_validator(mode="after")
    def whole_without_per(self) -> "TableRow":
        if self.per is None and self.points != int(self.points):
            raise _wrong("not_whole", WHOLE)
        return self


class Table(_Reckoned):
    """A decision table: the first row that holds, the one that gives most, or all of them together."""

    effect: Literal["table"] = "table"
    point_type: Annotated[str, Field(min_length=1, max_length=60)]
    hit: Literal["first", "best", "sum"] = "first"
    rounding: Literal["down", "half_up", "up"] = "down"
    rows: Annotated[list[TableRow], Field(min_length=1, max_length=MOST_ROWS)]


class GiveTag(_Shape):
    """A tag for the member: now and for ever, or for so many `days`; or from the first day of the next period on, for so
    many days or to that period's end."""

    effect: Literal["tag"] = "tag"
    tag: Annotated[str, Field(min_length=1, max_length=LONGEST_TAG, pattern=r"^\S(.*\S)?$")]
    start: Literal["now", "next_week", "next_month", "next_quarter", "next_year"] = "now"
    days: Annotated[
        int | None,
        BeforeValidator(lambda value: None if value in (None, "") else _whole("days", MOST_DAYS)(value)),
    ] = None


class HoldForReview(_Shape):
    """Gives no points: all that the event is given stays pending until a person has decided on it. `reason` is what that
    person and the member's timeline read."""

    effect: Literal["hold_for_review"] = "hold_for_review"
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON, pattern=r"^\S(.*\S)?$")]


def _most(value: Any, info: ValidationInfo) -> int | Decimal:
    if info.data.get("of") in ("amount", "pieces", "cost"):
        return _between("most of", LEAST_PER, MOST_LIMIT)(value)
    return _whole("most", MOST_LIMIT)(value)


class Limit(_Shape):
    """At most `most` points, or events that are given any, for one member, store, device or the programme in each
    period, or for one event; or so much money or so many pieces that earn, or points that cost so much. An event
    without a device is held against no limit of devices. What is for one event has no period: it says `ever`."""

    per: Literal["member", "store", "programme", "device", "event"] = "member"
    period: Annotated[
        Literal["day", "week", "month", "quarter", "year", "ever"],
        BeforeValidator(lambda value, info: "ever" if info.data.get("per") == "event" else value),
        Field(validate_default=True),
    ] = "day"
    of: Literal["points", "times", "amount", "pieces", "cost"] = "points"
    most: Annotated[int | Decimal, BeforeValidator(_most)]


class Effect:
    """Any of the kinds of effects that are registered, told by their names."""

    effect: str

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        shapes = {name: handler.generate_schema(kind.shape) for name, kind in KINDS.items()}
        if not shapes:
            return core_schema.any_schema()
        return core_schema.tagged_union_schema(
            shapes,
            kind_name,
            custom_error_type="unknown_effect",
            custom_error_message="en",
            custom_error_context={"kind": ""},
        )


class Stacking(_Shape):
    """Of the rules of one `group` only one gives points to an event: the one that gives most, or the first in `order`
    that gives any. Or all of them add up (`sum`), reckoned in their order, after rules without a group, which add up too."""

    group: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[\w-]+$")]
    take: Literal["best", "first", "sum"] = "best"
    order: Annotated[int, BeforeValidator(_whole("order", MOST_ORDER))]


class PendingDays(_Shape):
    """The points become spendable so many whole days after the local day of earning; 0: at once."""

    days: Annotated[int, Field(ge=0, le=MOST_DAYS)]


class PendingUntil(_Shape):
    """The points become spendable when an event of kind `until` names the event that earned them in `confirms`."""

    until: Annotated[str, Field(max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]

    @model_validator(mode="after")
    def never_a_refund(self) -> "PendingUntil":
        if self.until == "refund":
            raise _wrong("no_confirming", NO_CONFIRMING)
        return self


class Validity(_Shape):
    """When the points expire and become spendable; null leaves it to the kind of points."""

    expiry: Annotated[Never | AfterDays | EndOf, Field(discriminator="kind")] | None = None
    pending: (
        Annotated[
            Annotated[PendingDays, Tag("pending_days")] | Annotated[PendingUntil, Tag("pending_until")],
            Discriminator(lambda pending: "pending_until" if _has_until(pending) else "pending_days"),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def good_for_something(self) -> "Validity":
        if self.expiry is None and self.pending is None:
            raise _wrong("says_nothing", SAYS_NOTHING)
        if isinstance(self.pending, PendingDays) and self.pending.days > _sure_days(self.expiry):
            raise _wrong("gone_before", GONE_BEFORE)
        return self


def _has_until(pending: Any) -> bool:
    return "until" in pending if isinstance(pending, dict) else hasattr(pending, "until")


def _sure_days(policy: Never | AfterDays | EndOf | None) -> int:
    """The whole days after that of earning on which points are good whenever they were earned."""
    match policy:
        case AfterDays(days=days):
            return days
        case EndOf(plus_years=years, plus_days=days):
            return 365 * years + days
    return MOST_DAYS


OF_LINES = ("amount", "pieces", "articles", "categories")
OF_ATTRIBUTES = ("attribute_sum", "attribute_values")
WITH_DECIMALS = ("amount", "pieces", "attribute_sum")
DIFFERENT = ("stores", "channels", "days", "articles", "categories", "attribute_values", "streak")


class Accumulator(_Shape):
    """Gathers what the events that meet the condition bring, of each member and period: the rule gives when there is `at`
    so much (`goal`), or each time that there is so much more (`step`)."""

    of: Literal[
        "events", "amount", "pieces", "stores", "channels", "days", "articles", "categories", "attribute_sum",
        "attribute_values", "streak",
    ]  # fmt: skip
    at: Annotated[Decimal, BeforeValidator(_between("at", 0, MOST_GOAL))]
    fires: Literal["goal", "step"] = "goal"
    period: Literal["day", "week", "month", "quarter", "year", "ever"] = "ever"
    lines: dict[str, Any] | None = None
    attribute: Annotated[str, Field(max_length=60)] = ""


class Definition(_Shape):
    """A rule version's content."""

    condition: dict[str, Any]
    effects: Annotated[list[Effect], Field(min_length=1, max_length=MOST_EFFECTS)]
    limits: Annotated[list[Limit], Field(max_length=MOST_LIMITS)] = []
    stacking: Stacking | None = None
    validity: Validity | None = None
    accumulator: Accumulator | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON that is stored; numbers with decimals are written as texts, so that none is rounded."""
        written: dict[str, Any] = _written(self.model_dump())
        return {name: part for name, part in written.items() if part is not None or name not in OPTIONAL}


OPTIONAL = ("stacking", "validity", "accumulator")
"""The parts that are left out of the JSON where a rule has none."""
when_registered(lambda: Definition.model_rebuild(force=True))

TAGS = frozenset(["never", "after_days", "end_of", "pending_days", "pending_until"])
"""What a union's faults name in their paths beside the kinds of effects, and no part of a definition is called."""


def _written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, dict):
        return {name: _written(part) for name, part in value.items()}
    return [_written(part) for part in value] if isinstance(value, list) else value


class Faulty(ValueError):
    """A definition that cannot be saved; every fault at once."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{'/'.join(map(str, fault.path))}: {fault.code}" for fault in faults[:5]))
        self.faults = tuple(faults)


SAYS: dict[str, Words] = {
    "missing": Words("Fill this in.", "请填写此项。"),
    "extra_forbidden": Words("There is no such part in a rule.", "规则中没有这一项。"),
    "string_type": Words("Expected a text.", "此处应为文本。"),
    "string_too_short": Words("Choose what kind of points.", "请选择积分类型。"),
    "string_too_long": Words("There is no such kind of points.", "没有这种积分类型。"),
    "list_type": Words("Expected a list.", "此处应为列表。"),
    "too_short": Words("A rule needs at least one effect.", "规则至少需要一项奖励。"),
    "too_long": Words("A rule has at most 5 effects and 5 limits.", "一条规则最多 5 项奖励和 5 项上限。"),
    "group string_too_short": Words("Name the group.", "请填写组名。"),
    "group string_too_long": Words("At most 60 characters.", "最多 60 个字符。"),
    "group string_pattern_mismatch": Words("Letters, digits, “-” and “_” only.", "只能使用文字、数字、“-”和“_”。"),
    "tag string_too_short": TAG_NEEDED,
    "tag string_pattern_mismatch": TAG_NEEDED,
    "tag string_too_long": Words("At most 60 characters.", "最多 60 个字符。"),
    "attribute string_too_long": Words("At most 60 characters.", "最多 60 个字符。"),
    "reason string_too_short": Words("Say why it is held.", "请填写审核原因。"),
    "reason string_pattern_mismatch": Words("Say why it is held.", "请填写审核原因。"),
    "reason string_too_long": Words("At most 200 characters.", "最多 200 个字符。"),
    "rows too_short": Words("A table needs at least one row.", "表格至少需要一行。"),
    "rows too_long": Words("A table has at most 50 rows.", "表格最多 50 行。"),
    "until string_pattern_mismatch": Words(
        "Write the kind as your systems send it: a to z, figures and “_”, such as delivery.",
        "请按系统发送的写法填写类型：小写字母、数字和“_”，例如 delivery。",
    ),
    "until string_too_long": Words("At most 40 characters.", "最多 40 个字符。"),
    "int_parsing": Words("Expected a whole number.", "此处应为整数。"),
    "int_parsing_size": Words("The number is too large.", "数字过大。"),
    "int_type": Words("Expected a whole number.", "此处应为整数。"),
    "int_from_float": Words("Expected a whole number.", "此处应为整数。"),
    "greater_than_equal": Words("The number is too small.", "数字过小。"),
    "less_than_equal": Words("The number is too large.", "数字过大。"),
    "union_tag_invalid": Words("This is none of the choices.", "这不在可选范围内。"),
    "union_tag_not_found": Words("This is none of the choices.", "这不在可选范围内。"),
    "without too_long": Words("Tax and shipping can be left out, each once.", "税和运费各只需排除一次。"),
    "unknown_effect": Words("There is no such effect.", "没有这种奖励方式。"),
    "literal_error": Words("This is none of the choices.", "这不在可选范围内。"),
}
NO_SUCH_TYPE = Words("This programme has no such kind of points.", "本计划没有这种积分类型。")
NOT_A_RULE = Words("This is not a rule.", "这不是一条规则。")
TOO_LARGE = Words("The rule asks more than 300 questions in all.", "规则中的条件总数超过 300 个。")


def check_definition(
    data: Any,
    *,
    point_types: Mapping[str, Any],
    units: Mapping[str, str],
    special_days: Mapping[str, str] | None = None,
    attributes: Iterable[conditions.Field] = (),
) -> Definition:
    """The definition that `data` (decoded JSON) describes.

    `point_types` holds the programme's point types by code, `units` the paths of the org units a rule may name, by
    code, `special_days` the names of its special days by code, `attributes` those of its members that are defined. Raises
    Faulty.
    """
    if not isinstance(data, dict):
        raise Faulty([Fault((), "not_a_rule", NOT_A_RULE)])
    faults: list[Fault] = []
    checked = _shape(data, faults)
    questions = _trees(data, units, knowing(special_days or {}, attributes), faults)
    if questions > MOST_NODES:
        faults.append(Fault((), "too_large", TOO_LARGE))
    _point_types(data, point_types, faults)
    if checked is not None:
        _limits(checked, faults)
        faults += [*_accumulator(checked.accumulator), *_carried(checked)]
    if faults or checked is None:
        raise Faulty(sorted(faults, key=lambda fault: [str(part) for part in fault.path]))
    return checked


def _shape(data: dict[str, Any], faults: list[Fault]) -> Definition | None:
    try:
        return Definition.model_validate(data)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            if each["type"] == "dict_type":
                continue  # the tree's own reading says so, in better words
            context: Any = each.get("ctx") or {}
            path: Path = tuple(part for at, part in enumerate(each["loc"]) if not _is_kind(at, part))
            known = SAYS.get(f"{path[-1] if path else ''} {each['type']}") or SAYS.get(each["type"], NOT_A_RULE)
            words = Words(context["en"], context["zh"]) if "zh" in context else known
            faults.append(Fault(path, each["type"], words))
        return None


def _is_kind(at: int, part: Any) -> bool:
    """Whether that part of a fault's path, the third, only names which of several shapes was read."""
    return at == 2 and (part in KINDS or part in TAGS)


def _trees(data: dict[str, Any], units: Mapping[str, str], known: Catalogue, faults: list[Fault]) -> int:
    """Checks every condition; how many questions they ask in all."""
    effects = data.get("effects")
    written: list[tuple[Path, Any, Any]] = []
    if "condition" in data:
        written.append((("condition",), data["condition"], known))
    accumulator = data.get("accumulator")
    if isinstance(accumulator, dict) and accumulator.get("lines") is not None:
        written.append((("accumulator", "lines"), accumulator["lines"], LINE_CATALOGUE))
    for number, effect in enumerate(effects[:MOST_EFFECTS] if isinstance(effects, list) else ()):
        if isinstance(effect, dict) and effect.get("lines") is not None:
            written.append((("effects", number, "lines"), effect["lines"], LINE_CATALOGUE))
        rows = effect.get("rows") if isinstance(effect, dict) else None
        for at, row in enumerate(rows[:MOST_ROWS] if isinstance(rows, list) else ()):
            if isinstance(row, dict) and "when" in row:
                written.append((("effects", number, "rows", at, "when"), row["when"], known))
    questions = 0
    for place, tree, catalogue in written:
        try:
            questions += len(list(leaves(parse(tree, catalogue, units))))
        except ConditionError as error:
            faults += [Fault((*place, *fault.path), fault.code, fault.message) for fault in error.faults]
    return questions


def _point_types(data: dict[str, Any], point_types: Mapping[str, Any], faults: list[Fault]) -> None:
    effects = data.get("effects")
    for number, effect in enumerate(effects[:MOST_EFFECTS] if isinstance(effects, list) else ()):
        code = effect.get("point_type") if isinstance(effect, dict) else None
        if isinstance(code, str) and code and code not in point_types and len(code) <= 60:
            faults.append(Fault(("effects", number, "point_type"), "unknown_point_type", NO_SUCH_TYPE))


def _limits(checked: Definition, faults: list[Fault]) -> None:
    """No two limits of one kind, and each of something that the rule gives by."""
    kinds = [(limit.per, limit.period, limit.of) for limit in checked.limits]
    given = {KINDS[effect.effect].measures for effect in checked.effects}
    carried = {
        KINDS[effect.effect].measures for effect in checked.effects if getattr(effect, "rounding", "") == "carry"
    }
    for number, limit in enumerate(checked.limits):
        if kinds[number] in kinds[:number]:
            faults.append(Fault(("limits", number), "limit_twice", LIMIT_TWICE))
        if limit.of in NOTHING_MEASURED and limit.of not in given:
            faults.append(Fault(("limits", number, "of"), "nothing_measured", NOTHING_MEASURED[limit.of]))
        if limit.of in NOTHING_MEASURED and limit.of in carried:
            faults.append(Fault(("limits", number, "of"), "measured_and_carried", MEASURED_AND_CARRIED))
        if (limit.per, limit.of) == ("event", "times"):
            faults.append(Fault(("limits", number, "of"), "once_anyway", ONCE_ANYWAY))


def _accumulator(accumulator: Accumulator | None) -> list[Fault]:
    """What one part of an accumulator says against another."""
    if accumulator is None:
        return []
    of, at, found = accumulator.of, accumulator.at, []
    if of in DIFFERENT and not (at == int(at) and 2 <= at <= MOST_DIFFERENT):
        found.append(Fault(("accumulator", "at"), "out_of_range", TOO_MANY_DIFFERENT))
    elif of not in WITH_DECIMALS and at != int(at):
        found.append(Fault(("accumulator", "at"), "not_whole", GOAL_RANGE))
    if accumulator.lines is not None and of not in OF_LINES:
        found.append(Fault(("accumulator", "lines"), "no_lines_wanted", NO_LINES))
    if of in OF_ATTRIBUTES and not accumulator.attribute.strip():
        found.append(Fault(("accumulator", "attribute"), "missing", ATTRIBUTE_NEEDED))
    elif of not in OF_ATTRIBUTES and accumulator.attribute:
        found.append(Fault(("accumulator", "attribute"), "no_attribute_wanted", NO_ATTRIBUTE))
    return found


def _carried(checked: Definition) -> list[Fault]:
    """What is rounded for each line leaves nothing over for the next event."""
    return [
        Fault(("effects", number, "each"), "rounded_and_carried", ROUNDED_AND_CARRIED)
        for number, effect in enumerate(checked.effects)
        if getattr(effect, "rounding", "") == "carry" and getattr(effect, "each", None)
    ]
