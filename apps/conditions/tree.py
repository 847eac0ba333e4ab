"""Condition trees: their JSON shape and the one place where it is checked.

    {"all": [tree, …]}   {"any": [tree, …]}   {"not": tree}
    {"field": "event.amount", "op": "ge", "value": "100"}
    {"field": "history.orders", "window": 30 | "month" | "quarter" | "year" | "ever", "op": "ge", "value": 3}
    {"field": "recent.events", "window": 10 (minutes) | "today", "op": "ge", "value": 3}
    {"lines": "any" | "all" | "none", "where": tree}
    {"lines": "count" | "sum", "of": "line.amount", "where": tree or null, "op": "ge", "value": "2"}

An empty `all` always holds; its opposite is refused. `lines: all` asks for at least one line; `none` also holds where there are no lines.
A wrong tree is refused here, with the path of every fault, so that nothing can be saved that fails when run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.conditions.catalogue import Catalogue, Field
from apps.conditions.operators import OPERATORS, Operator, Shape
from apps.conditions.types import MOST_VALUES, NOT_A_NUMBER, Type, WrongValue, read_value, write_value
from apps.conditions.windows import Window, is_short_window, is_window
from apps.conditions.words import Words

DEEPEST = 20
MOST_NODES = 300
"""What compiles within a few milliseconds; a long list of values is one part."""
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: `path` leads from the root of the JSON to the value at fault."""

    path: Path
    code: str
    message: Words


class ConditionError(ValueError):
    """A tree that cannot be saved; every fault at once."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{'/'.join(map(str, fault.path))}: {fault.code}" for fault in faults[:5]))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One question. `value` is typed: one, a pair, a tuple of them, or None, as the operator asks.

    `reads` is the type the value is read as: the field's, or what a free attribute is compared with. `window` is there
    where the field is asked over one.
    """

    field: Field
    operator: Operator
    value: Any
    reads: Type
    path: Path = ()
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class LinesLeaf:
    """One question about all lines of an event."""

    quantifier: str
    where: "Tree | None"
    of: Field | None
    operator: Operator | None
    value: Decimal | None
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Group:
    """`all` or `any` of its children."""

    kind: str
    children: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Not:
    child: "Tree"


Tree = Group | Not | Leaf | LinesLeaf


def parse(data: Any, catalogue: Catalogue, units: Mapping[str, str] | None = None) -> Tree:
    """The tree that `data` (decoded JSON) describes. Raises ConditionError.

    `units` maps the codes of known org units to their paths; None leaves codes unchecked.
    """
    _measure(data)
    faults: list[Fault] = []
    tree = _Parser(catalogue, units, faults).tree(data, ())
    if faults or tree is None:
        raise ConditionError(faults)
    return tree


def leaves(tree: Tree) -> Iterator[Leaf | LinesLeaf]:
    """The leaves in the order they are written."""
    if isinstance(tree, Group):
        for child in tree.children:
            yield from leaves(child)
    elif isinstance(tree, Not):
        yield from leaves(tree.child)
    else:
        yield tree


def windows_in(data: Any, catalogue: Catalogue, source: str = "") -> frozenset[Window]:
    """The windows over which the trees anywhere in `data` ask about a history from that source; `ever` where they ask
    without one.

    `data` is JSON that was checked when it was saved: a tree, or what holds trees.
    """
    return frozenset(
        node.get("window") or "ever"
        for field, node in _asked(data, catalogue)
        if field.source == source and (field.gathered or (field.windowed and not field.is_short))
    )


def short_windows_in(data: Any, catalogue: Catalogue) -> frozenset[tuple[str, Window]]:
    """The fields that such trees ask over short windows, each with its window."""
    return frozenset((field.name, node["window"]) for field, node in _asked(data, catalogue) if field.is_short)


def fields_in(data: Any) -> frozenset[str]:
    """The names of the fields that the trees anywhere in `data`, JSON that was checked when it was saved, ask about."""
    return frozenset(node["field"] for node in _questions(data))


def texts_asked(data: Any, name: str) -> frozenset[str]:
    """The texts with which the trees anywhere in such `data` compare the field of that name."""
    values = [node.get("value") for node in _questions(data) if node["field"] == name]
    said = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return frozenset(each for each in said if isinstance(each, str))


def _asked(data: Any, catalogue: Catalogue) -> Iterator[tuple[Field, dict[str, Any]]]:
    """The leaves of the trees anywhere in `data` with the fields they ask about."""
    for node in _questions(data):
        field = catalogue.field(node["field"])
        if field is not None:
            yield field, node


def _questions(data: Any) -> Iterator[dict[str, Any]]:
    stack = [data]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += node
        elif isinstance(node, dict):
            if isinstance(node.get("field"), str):
                yield node
            stack += node.values()


def to_json(tree: Tree) -> dict[str, Any]:
    """The JSON that `parse` reads back as an equal tree."""
    match tree:
        case Group(kind=kind, children=children):
            return {kind: [to_json(child) for child in children]}
        case Not(child=child):
            return {"not": to_json(child)}
        case LinesLeaf():
            written: dict[str, Any] = {"lines": tree.quantifier}
            if tree.of is not None:
                written["of"] = tree.of.name
            written["where"] = None if tree.where is None else to_json(tree.where)
            if tree.operator is not None:
                written |= {"op": tree.operator.code, "value": write_value(tree.value)}
            return written
        case Leaf():
            written = {"field": tree.field.name, "op": tree.operator.code}
            if tree.window is not None:
                written["window"] = tree.window
            if tree.operator.shape is not Shape.NONE:
                written["value"] = write_value(tree.value)
                is_free = tree.field.type is Type.ANY or tree.field.is_defined
                if is_free and tree.reads is Type.NUMBER and tree.operator.shape is not Shape.TWO:
                    # Of a free attribute, the spelling says what it is compared as: a number, not a text.
                    many = tree.operator.shape is Shape.MANY
                    written["value"] = [_number(each) for each in tree.value] if many else _number(tree.value)
            return written


def _number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)


def _measure(data: Any) -> None:
    """Refuses what is too deep or too large before anything walks into it."""
    stack: list[tuple[Any, int]] = [(data, 1)]
    nodes = 0
    while stack:
        node, depth = stack.pop()
        nodes += 1
        if nodes > MOST_NODES:
            raise ConditionError(
                [Fault((), "too_large", Words("The condition has more than 300 parts.", "条件超过 300 个部分。"))]
            )
        if depth > DEEPEST:
            raise ConditionError(
                [Fault((), "too_deep", Words("The condition is nested more than 20 deep.", "条件嵌套超过 20 层。"))]
            )
        if not isinstance(node, dict):
            continue
        for key in ("all", "any"):
            if isinstance(node.get(key), list):
                if len(node[key]) > MOST_NODES:
                    nodes = MOST_NODES
                stack.extend((child, depth + 1) for child in node[key][: MOST_NODES + 1])
        stack.extend((node[key], depth + 1) for key in ("not", "where") if isinstance(node.get(key), dict))


class _Parser:
    """Reads one tree, noting every fault and going on."""

    def __init__(self, catalogue: Catalogue, units: Mapping[str, str] | None, faults: list[Fault]) -> None:
        self.catalogue, self.units, self.faults = catalogue, units, faults

    def fault(self, path: Path, code: str, en: str, zh: str) -> None:
        self.faults.append(Fault(path, code, Words(en, zh)))

    def tree(self, data: Any, path: Path) -> Tree | None:
        if not isinstance(data, dict):
            self.fault(path, "not_a_condition", "Expected a condition.", "此处应为一个条件。")
            return None
        keys = set(data)
        if keys in ({"all"}, {"any"}):
            return self.group(data, keys.pop(), path)
        if keys == {"not"}:
            child = self.tree(data["not"], (*path, "not"))
            if child is not None and not any(True for _ in leaves(child)):
                self.fault(
                    (*path, "not"),
                    "never_holds",
                    "This can never hold: add a condition.",
                    "这永远不会成立：请添加条件。",
                )
                return None
            return None if child is None else Not(child)
        if "lines" in keys and keys <= {"lines", "of", "where", "op", "value"}:
            return self.lines(data, path)
        if {"field", "op"} <= keys <= {"field", "window", "op", "value"}:
            return self.leaf(data, path)
        self.fault(path, "unknown_shape", "This is not a condition the studio knows.", "系统不认识这样的条件。")
        return None

    def group(self, data: dict[str, Any], kind: str, path: Path) -> Tree | None:
        written = data[kind]
        if not isinstance(written, list):
            self.fault((*path, kind), "not_a_list", "Expected a list of conditions.", "此处应为一组条件。")
            return None
        if kind == "any" and not written:
            self.fault(
                (*path, kind), "empty_group", "“Any of” needs at least one condition.", "“任一”至少需要一个条件。"
            )
            return None
        children = [self.tree(child, (*path, kind, number)) for number, child in enumerate(written)]
        if any(child is None for child in children):
            return None
        return Group(kind, tuple(child for child in children if child is not None))

    def leaf(self, data: dict[str, Any], path: Path) -> Tree | None:
        name, code = data["field"], data["op"]
        field = self.catalogue.field(name) if isinstance(name, str) else None
        operator = OPERATORS.get(code) if isinstance(code, str) else None
        if field is None:
            self.fault((*path, "field"), "unknown_field", "There is no such field here.", "此处没有这个字段。")
        if operator is None or (field is not None and field.type not in operator.types):
            self.fault((*path, "op"), "unknown_operator", "This field cannot be compared so.", "该字段不能这样比较。")
            return None
        if field is None:
            return None
        before = len(self.faults)
        reads = self.reading(field, operator, data.get("value"))
        window = self.window(data, field, path)
        value = self.value(data, field, operator, reads, path)
        if len(self.faults) > before:
            return None
        self.check(field, operator, value, (*path, "value"))
        return None if len(self.faults) > before else Leaf(field, operator, value, reads, path, window)

    def window(self, data: dict[str, Any], field: Field, path: Path) -> Any:
        written = data.get("window")
        if not field.windowed and written is not None:
            self.fault(
                (*path, "window"), "no_window_wanted", "This is not asked over a time.", "此项不按时间范围查询。"
            )
        elif field.windowed and written is None:
            self.fault((*path, "window"), "window_missing", "Say over which time.", "请说明时间范围。")
        elif field.is_short and not is_short_window(written):
            self.fault(
                (*path, "window"), "unknown_window", "Expected 1 to 1,440 minutes, or today.",
                "应为 1 到 1,440 分钟，或当天。",
            )  # fmt: skip
        elif field.windowed and not field.is_short and not is_window(written):
            self.fault(
                (*path, "window"),
                "unknown_window",
                "Expected 1 to 1,100 days, or this month, quarter, year or all time.",
                "应为 1 到 1,100 天，或本月、本季度、本年、不限时间。",
            )
        return written

    def reading(self, field: Field, operator: Operator, value: Any) -> Type:
        """The type a value is read as; for a free attribute what the operator and the value suggest."""
        if field.type is not Type.ANY and not field.is_defined:
            return field.type
        if operator.code in ("lt", "le", "gt", "ge", "between"):
            first = value[0] if isinstance(value, list) and value else value
            looks_like_date = isinstance(first, str) and first[4:5] == "-" and first[7:8] == "-"
            return Type.DATE if looks_like_date else Type.NUMBER
        if operator.code in ("has_any", "has_all", "has_none"):
            return Type.TAGS
        if operator.code in ("is_true", "is_false"):
            return Type.BOOLEAN
        if operator.shape is Shape.NONE:
            return Type.ANY
        values = value if isinstance(value, list) and value else [value]
        are_numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)
        return Type.NUMBER if are_numbers else Type.TEXT

    def value(self, data: dict[str, Any], field: Field, operator: Operator, reads: Type, path: Path) -> Any:
        place = (*path, "value")
        if operator.shape is Shape.NONE:
            if data.get("value") is not None:
                self.fault(place, "no_value_wanted", "This takes no value.", "此处不需要值。")
            return None
        written = data.get("value")
        meant = field.type if field.is_defined else None
        if operator.shape is Shape.ONE:
            return self.one(reads, written, place, meant)
        if not isinstance(written, list):
            self.fault(place, "not_a_list", "Expected a list of values.", "此处应为一组值。")
            return None
        if operator.shape is Shape.TWO:
            if len(written) != 2:
                self.fault(
                    place, "two_values_wanted", "Expected a lower and an upper value.", "此处应有下限和上限两个值。"
                )
                return None
            low, high = (self.one(reads, part, (*place, number), meant) for number, part in enumerate(written))
            if low is not None and high is not None and low > high:
                self.fault(place, "wrong_order", "The lower value is above the upper one.", "下限大于上限。")
            return (low, high)
        if not 1 <= len(written) <= MOST_VALUES:
            self.fault(place, "wrong_count", "Expected 1 to 1,000 values.", "此处应有 1 到 1,000 个值。")
            return None
        return tuple(self.one(reads, part, (*place, number), meant) for number, part in enumerate(written))

    def one(self, reads: Type, written: Any, place: Path, meant: Type | None = None) -> Any:
        """The value as it is read; `meant` is the type of an attribute that is defined, which must be able to hold it."""
        try:
            if meant is not None:
                read_value(meant, written)
                if meant in (Type.NUMBER, Type.INTEGER) and reads is not Type.NUMBER:
                    raise WrongValue("not_a_number", NOT_A_NUMBER)
            return read_value(reads, written)
        except WrongValue as wrong:
            self.faults.append(Fault(place, wrong.code, wrong.words))
            return None

    def check(self, field: Field, operator: Operator, value: Any, place: Path) -> None:
        """What only the catalogue and the group know: choices and org units."""
        values = value if isinstance(value, tuple) else (value,)
        if (field.choices or field.is_closed) and operator.shape is not Shape.NONE:
            known = {code for code, _ in field.choices}
            others = [code for code in values if code is not None and code not in known]
            if others and not (field.others and all(re.fullmatch(field.others, code) for code in others)):
                self.fault(place, "unknown_choice", "This is none of the choices.", "这不在可选范围内。")
        if field.type is Type.UNIT and self.units is not None and operator.shape is not Shape.NONE:
            unknown = [code for code in values if code not in self.units]
            if unknown:
                self.fault(place, "unknown_unit", "There is no such org unit.", "没有这个组织单元。")

    def lines(self, data: dict[str, Any], path: Path) -> Tree | None:
        source, quantifier = self.catalogue.lines, data["lines"]
        if source is None or quantifier not in ("any", "all", "none", "count", "sum"):
            self.fault((*path, "lines"), "unknown_shape", "Lines cannot be asked so.", "不能这样查询明细行。")
            return None
        before = len(self.faults)
        where = None
        if data.get("where") is not None:
            inner = _Parser(self.catalogue.of_lines(), self.units, self.faults)
            where = inner.tree(data["where"], (*path, "where"))
        elif quantifier in ("any", "all", "none"):
            self.fault((*path, "where"), "where_missing", "Say which lines.", "请说明是哪些明细行。")
        of = operator = number = None
        if quantifier in ("count", "sum"):
            code = data.get("op")
            operator = OPERATORS.get(code) if isinstance(code, str) else None
            if operator is None or operator.shape is not Shape.ONE or Type.NUMBER not in operator.types:
                self.fault((*path, "op"), "unknown_operator", "A number cannot be compared so.", "数字不能这样比较。")
            number = self.one(Type.NUMBER, data.get("value"), (*path, "value"))
        elif {"op", "value", "of"} & set(data):
            self.fault(path, "unknown_shape", "This takes no number.", "此处不需要数字。")
        if quantifier == "sum":
            of = self.catalogue.of_lines().field(data["of"]) if data.get("of") in source.sums else None
            if of is None:
                self.fault((*path, "of"), "unknown_field", "This cannot be summed.", "该字段不能求和。")
        elif "of" in data and quantifier == "count":
            self.fault(
                (*path, "of"), "unknown_shape", "A count is of lines, not of a field.", "计数针对明细行，而不是字段。"
            )
        if len(self.faults) > before:
            return None
        return LinesLeaf(quantifier, where, of, operator, number, path)
