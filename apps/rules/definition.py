"""What a rule version says: the one shape of its `definition`, and the one place where it is checked. Pure.

    {"condition": tree,
     "effects": [{"effect": "points_per_amount", "point_type": "points", "points": "1", "per": "1",
                  "rounding": "down" | "half_up" | "up", "lines": tree or null},
                 {"effect": "fixed_points", "point_type": "points", "points": 50}],
     "cap_per_member_day": 200 or null}

Everything wrong is found at once, each fault with the path to the value at fault and its words in both languages.
What has passed can be compiled and run within a few milliseconds: the bounds below are that budget.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, ValidationError
from pydantic_core import PydanticCustomError

from apps.conditions.tree import MOST_NODES, ConditionError, Fault, Path, leaves, parse
from apps.conditions.types import Type, WrongValue, read_value
from apps.conditions.words import Words
from apps.rules.catalogue import CATALOGUE, LINE_CATALOGUE

MOST_EFFECTS = 5
MOST_POINTS = 1_000_000
"""What one effect gives at most, or gives at most for one `per`."""
MOST_PER = 1_000_000
LEAST_PER = Decimal("0.01")
MOST_CAP = 1_000_000_000
MOST_DECIMALS = 4

POINTS_NEEDED = Words("Fill in how many points.", "请填写积分数。")
OUT_OF_RANGE = {
    "points": Words("Expected more than 0 and at most 1,000,000 points.", "积分数应大于 0，且不超过 1,000,000。"),
    "per": Words("Expected an amount from 0.01 to 1,000,000.", "金额应在 0.01 到 1,000,000 之间。"),
    "cap_per_member_day": Words(
        "Expected a whole number from 1 to 1,000,000,000, or nothing.", "应为 1 到 1,000,000,000 之间的整数，或留空。"
    ),
}
TOO_PRECISE = Words("At most 4 decimals.", "最多 4 位小数。")
WHOLE = Words("Expected a whole number.", "此处应为整数。")


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


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PointsPerAmount(_Shape):
    """`points` for each `per` of the amount of the lines that count; of the whole event where `lines` is None."""

    effect: Literal["points_per_amount"] = "points_per_amount"
    point_type: Annotated[str, Field(min_length=1, max_length=60)]
    points: Annotated[Decimal, BeforeValidator(_between("points", 0, MOST_POINTS))]
    per: Annotated[Decimal, BeforeValidator(_between("per", LEAST_PER, MOST_PER))]
    rounding: Literal["down", "half_up", "up"] = "down"
    lines: dict[str, Any] | None = None


class FixedPoints(_Shape):
    """`points`, whatever the amount."""

    effect: Literal["fixed_points"] = "fixed_points"
    point_type: Annotated[str, Field(min_length=1, max_length=60)]
    points: Annotated[int, BeforeValidator(_whole("points", MOST_POINTS))]


def _kind_of(effect: Any) -> str | None:
    kind = effect.get("effect") if isinstance(effect, dict) else getattr(effect, "effect", None)
    return kind if kind in ("points_per_amount", "fixed_points") else None


Effect = Annotated[
    Annotated[PointsPerAmount, Tag("points_per_amount")] | Annotated[FixedPoints, Tag("fixed_points")],
    Discriminator(
        _kind_of, custom_error_type="unknown_effect", custom_error_message="en", custom_error_context={"kind": ""}
    ),
]


class Definition(_Shape):
    """A rule version's content."""

    condition: dict[str, Any]
    effects: Annotated[list[Effect], Field(min_length=1, max_length=MOST_EFFECTS)]
    cap_per_member_day: Annotated[
        int | None,
        BeforeValidator(lambda value: None if value in (None, "") else _whole("cap_per_member_day", MOST_CAP)(value)),
    ] = None

    def to_json(self) -> dict[str, Any]:
        """The JSON that is stored; numbers with decimals are written as texts, so that none is rounded."""
        written = self.model_dump()
        for effect in written["effects"]:
            if effect["effect"] == "points_per_amount":
                effect |= {name: f"{effect[name].normalize():f}" for name in ("points", "per")}
        return written


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
    "too_long": Words("A rule has at most 5 effects.", "一条规则最多 5 项奖励。"),
    "unknown_effect": Words("There is no such effect.", "没有这种奖励方式。"),
    "literal_error": Words("This is none of the choices.", "这不在可选范围内。"),
}
NO_SUCH_TYPE = Words("This programme has no such kind of points.", "本计划没有这种积分类型。")
NOT_A_RULE = Words("This is not a rule.", "这不是一条规则。")
TOO_LARGE = Words("The rule asks more than 300 questions in all.", "规则中的条件总数超过 300 个。")
TAGS = ("points_per_amount", "fixed_points")


def check_definition(data: Any, *, point_types: Mapping[str, Any], units: Mapping[str, str]) -> Definition:
    """The definition that `data` (decoded JSON) describes.

    `point_types` holds the programme's point types by code, `units` the paths of the org units a rule may name, by
    code. Raises Faulty.
    """
    if not isinstance(data, dict):
        raise Faulty([Fault((), "not_a_rule", NOT_A_RULE)])
    faults: list[Fault] = []
    checked = _shape(data, faults)
    questions = _trees(data, units, faults)
    if questions > MOST_NODES:
        faults.append(Fault((), "too_large", TOO_LARGE))
    _point_types(data, point_types, faults)
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
            known = SAYS.get(each["type"], NOT_A_RULE)
            words = Words(context["en"], context["zh"]) if "zh" in context else known
            path: Path = tuple(part for part in each["loc"] if part not in TAGS)
            faults.append(Fault(path, each["type"], words))
        return None


def _trees(data: dict[str, Any], units: Mapping[str, str], faults: list[Fault]) -> int:
    """Checks every condition; how many questions they ask in all."""
    effects = data.get("effects")
    written: list[tuple[Path, Any, Any]] = []
    if "condition" in data:
        written.append((("condition",), data["condition"], CATALOGUE))
    for number, effect in enumerate(effects[:MOST_EFFECTS] if isinstance(effects, list) else ()):
        if isinstance(effect, dict) and effect.get("lines") is not None:
            written.append((("effects", number, "lines"), effect["lines"], LINE_CATALOGUE))
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
