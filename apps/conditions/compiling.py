"""Conditions as functions: one generated Python function for a tree, or for many trees at once.

The function is built as a syntax tree, never as text. A user's values reach it as constants in its own namespace,
names of fields come from the catalogue alone, so nothing a person configures can become code. Each field is read
once, however many leaves of however many trees ask about it.

A compiled tree answers −1 when it holds, else the number of the leaf that decided: in `all` the first child that
fails, in `any` the last, in `not` the first leaf below it.
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from apps.conditions.catalogue import Catalogue
from apps.conditions.operators import OPERATORS, Operator, Shape
from apps.conditions.tree import Group, Leaf, LinesLeaf, Not, Tree, leaves
from apps.conditions.types import Type
from apps.conditions.windows import Window

HOLDS = -1
WIDEST = 16
"""Children of one expression; wider groups are cut into groups of groups, so that no expression nests too deep."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A tree as a function of the catalogue's subjects; `leaves` are numbered as `test` numbers them."""

    test: Callable[..., int]
    leaves: tuple[Leaf | LinesLeaf, ...]


def compile_tree(tree: Tree, catalogue: Catalogue, units: Mapping[str, str]) -> Compiled:
    """One tree; `units` maps the codes of org units to their paths."""
    builder = _Builder(catalogue, units)
    return Compiled(builder.function(builder.verdict(tree)), tuple(leaves(tree)))


def compile_many(
    trees: Sequence[Tree], catalogue: Catalogue, units: Mapping[str, str]
) -> Callable[..., tuple[int, ...]]:
    """Many trees as one function: what each answers, in order."""
    builder = _Builder(catalogue, units)
    verdicts: list[ast.expr] = []
    for tree in trees:
        builder.restart()
        verdicts.append(builder.verdict(tree))
    return builder.function(ast.Tuple(verdicts, ast.Load()))


def compile_lines(tree: Tree, catalogue: Catalogue, units: Mapping[str, str]) -> Callable[[Any], bool]:
    """A condition on one line as a yes or no; `catalogue` is that of lines."""
    builder = _Builder(catalogue, units)
    return builder.function(builder.truth(tree))


# -- reading free attributes: what cannot be read as the wanted type is missing -----------------------------------


PLAIN_NUMBER = r"[+-]?[0-9]{1,18}([.][0-9]{1,12})?"
PLAIN_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
"""How a text must be written to be read as a number; how it must begin to be read as a date."""
_IS_NUMBER, _IS_DATE = re.compile(PLAIN_NUMBER), re.compile(PLAIN_DATE)


def as_number(value: Any) -> Decimal | None:
    if isinstance(value, str):
        return Decimal(value) if _IS_NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value))
    return number if number.is_finite() else None


def as_text(value: Any) -> str | None:
    """Of a number, its digits without an exponent."""
    if isinstance(value, str):
        return value
    number = as_number(value)
    return None if number is None else format(number, "f")


def as_date(value: Any) -> date | None:
    if isinstance(value, str):
        if not _IS_DATE.match(value):
            return None
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            return None
    return value if isinstance(value, date) else None


def as_tags(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    return (
        [part for part in value if isinstance(part, str)] if isinstance(value, list | tuple | set | frozenset) else None
    )


READERS: dict[Type, Callable[[Any], Any]] = {
    Type.NUMBER: as_number,
    Type.TEXT: as_text,
    Type.DATE: as_date,
    Type.TAGS: as_tags,
}

_MEANINGS = {code: ast.parse(operator.source, mode="eval").body for code, operator in OPERATORS.items()}


class _Builder:
    """Collects the reads and constants of one function while its expressions are built."""

    def __init__(self, catalogue: Catalogue, units: Mapping[str, str]) -> None:
        self.catalogue, self.units = catalogue, units
        self.reads: dict[tuple[str, str | Window | None, Type | None], str] = {}
        self.loads: list[ast.stmt] = []
        self.namespace: dict[str, Any] = {"__builtins__": {}}
        self.numbers = count()
        self.next_leaf = 0

    def restart(self) -> None:
        """Numbers leaves from 0 again: the next tree."""
        self.next_leaf = 0

    def number_leaf(self) -> int:
        self.next_leaf += 1
        return self.next_leaf - 1

    def function(self, answer: ast.expr) -> Callable[..., Any]:
        parameters = [ast.arg(name) for name in self.catalogue.subjects]
        arguments = ast.arguments(
            posonlyargs=[], args=parameters, kwonlyargs=[], kw_defaults=[], defaults=[], vararg=None, kwarg=None
        )
        body = [*self.loads, ast.Return(answer)]
        definition = ast.FunctionDef("test", arguments, body, [], None, None)
        module = ast.fix_missing_locations(ast.Module([definition], []))
        exec(compile(module, "<condition>", "exec"), self.namespace)  # noqa: S102 -- a syntax tree of our own making
        built: Callable[..., Any] = self.namespace["test"]
        return built

    # -- a tree as −1 or the number of the deciding leaf ---------------------------------------------------------

    def verdict(self, tree: Tree) -> ast.expr:
        if isinstance(tree, Group):
            children = _narrow(tree)
            return self._all(children) if tree.kind == "all" else self._any(children)
        if isinstance(tree, Not):
            first = self.next_leaf
            truth = self.truth(tree.child)
            return ast.IfExp(truth, _number(first), _number(HOLDS))
        number = self.number_leaf()
        return ast.IfExp(self._leaf(tree), _number(HOLDS), _number(number))

    def _all(self, children: Sequence[Tree]) -> ast.expr:
        parts: list[tuple[ast.expr, ast.expr]] = []
        for child in children:
            if isinstance(child, Leaf | LinesLeaf):
                number = self.number_leaf()
                parts.append((ast.UnaryOp(ast.Not(), self._leaf(child)), _number(number)))
            else:
                name = f"t{next(self.numbers)}"
                kept = ast.NamedExpr(ast.Name(name, ast.Store()), self.verdict(child))
                parts.append((ast.Compare(kept, [ast.GtE()], [_number(0)]), ast.Name(name, ast.Load())))
        answer: ast.expr = _number(HOLDS)
        for failed, number_of in reversed(parts):
            answer = ast.IfExp(failed, number_of, answer)
        return answer

    def _any(self, children: Sequence[Tree]) -> ast.expr:
        held: list[ast.expr] = []
        answer: ast.expr = _number(HOLDS)
        for child in children:
            if isinstance(child, Leaf | LinesLeaf):
                answer = _number(self.number_leaf())
                held.append(self._leaf(child))
            else:
                name = f"t{next(self.numbers)}"
                kept = ast.NamedExpr(ast.Name(name, ast.Store()), self.verdict(child))
                held.append(ast.Compare(kept, [ast.Lt()], [_number(0)]))
                answer = ast.Name(name, ast.Load())
        for holds in reversed(held):
            answer = ast.IfExp(holds, _number(HOLDS), answer)
        return answer

    # -- a tree as true or false -------------------------------------------------------------------------------------

    def truth(self, tree: Tree) -> ast.expr:
        if isinstance(tree, Not):
            return ast.UnaryOp(ast.Not(), self.truth(tree.child))
        if isinstance(tree, Group):
            parts = [self.truth(child) for child in tree.children]
            if not parts:
                return ast.Constant(True)
            if len(parts) == 1:
                return parts[0]
            return ast.BoolOp(ast.And() if tree.kind == "all" else ast.Or(), parts)
        self.number_leaf()
        return self._leaf(tree)

    def _leaf(self, leaf: Leaf | LinesLeaf) -> ast.expr:
        if isinstance(leaf, LinesLeaf):
            return self._lines(leaf)
        value = self._read(leaf)
        if leaf.value is None:
            return _filled(leaf.operator, value, None)
        return _filled(leaf.operator, value, self._constant(constant_of(leaf, self.units)))

    def _read(self, leaf: Leaf) -> str:
        field = leaf.field
        reader = READERS.get(leaf.reads) if field.key is not None else None
        item = field.key if leaf.window is None else leaf.window
        key = (field.read, item, leaf.reads if reader else None)
        if key in self.reads:
            return self.reads[key]
        expression = _attribute(field.read)
        if item is not None:
            getter = ast.Attribute(expression, "get", ast.Load())
            # What was never counted over a window is nothing, not unknown.
            arguments = [item] if leaf.window is None else [item, 0]
            expression = ast.Call(getter, [ast.Constant(argument) for argument in arguments], [])
            if reader is not None:
                expression = ast.Call(self._constant(reader), [expression], [])
        name = f"v{len(self.reads)}"
        self.reads[key] = name
        self.loads.append(ast.Assign([ast.Name(name, ast.Store())], expression))
        return name

    def _lines(self, leaf: LinesLeaf) -> ast.expr:
        source = self.catalogue.lines
        assert source is not None
        key = (source.read, None, None)
        if key not in self.reads:
            name = f"v{len(self.reads)}"
            self.reads[key] = name
            self.loads.append(ast.Assign([ast.Name(name, ast.Store())], _attribute(source.read)))
        where = None if leaf.where is None else compile_lines(leaf.where, self.catalogue.of_lines(), self.units)
        question = self._constant(lines_question(leaf, where))
        return ast.Call(question, [ast.Name(self.reads[key], ast.Load())], [])

    def _constant(self, value: Any) -> ast.Name:
        name = f"c{next(self.numbers)}"
        self.namespace[name] = value
        return ast.Name(name, ast.Load())


NOWHERE = ("\0",)
"""Paths that no unit has."""


def constant_of(leaf: Leaf, units: Mapping[str, str]) -> Any:
    """A leaf's value as its operator's meaning takes it."""
    if leaf.operator.code in ("within", "not_within"):
        return tuple(units[code] for code in leaf.value if code in units) or NOWHERE
    if leaf.operator.code in ("contains", "starts_with"):
        return leaf.value.casefold()
    return frozenset(leaf.value) if leaf.operator.shape is Shape.MANY else leaf.value


def holds_of(leaf: Leaf, units: Mapping[str, str], value: Any) -> bool:
    """Whether a leaf holds where that value is what it reads."""
    names = {"__builtins__": {}, "v": value, "c": constant_of(leaf, units)}
    return bool(eval(leaf.operator.source, names))  # noqa: S307 -- our own text, see operators


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
}


def lines_question(leaf: LinesLeaf, where: Callable[[Any], bool] | None) -> Callable[[Sequence[Any]], bool]:
    """A question about lines as a function of them."""
    if leaf.quantifier == "any":
        return lambda lines: any(map(where, lines))  # type: ignore[arg-type]
    if leaf.quantifier == "all":
        return lambda lines: bool(lines) and all(map(where, lines))  # type: ignore[arg-type]
    if leaf.quantifier == "none":
        return lambda lines: not any(map(where, lines))  # type: ignore[arg-type]
    compare, bound = _COMPARISONS[leaf.operator.code], leaf.value  # type: ignore[union-attr]
    if leaf.quantifier == "count":
        return lambda lines: compare(sum(1 for line in lines if where is None or where(line)), bound)
    attribute = leaf.of.read.rpartition(".")[2]  # type: ignore[union-attr]
    return lambda lines: compare(
        sum((getattr(line, attribute) for line in lines if where is None or where(line)), Decimal(0)), bound
    )


def _narrow(group: Group) -> Sequence[Tree]:
    """The children of a group, at most WIDEST: neighbours of a wider one are put into groups of the same kind."""
    children: Sequence[Tree] = group.children
    while len(children) > WIDEST:
        children = [
            Group(group.kind, tuple(children[start : start + WIDEST])) for start in range(0, len(children), WIDEST)
        ]
    return children


def _filled(operator: Operator, value: str, constant: ast.Name | None) -> ast.expr:
    """The operator's meaning with `v` and `c` replaced."""
    names = {"v": value} if constant is None else {"v": value, "c": constant.id}
    filled: ast.expr = _copied(_MEANINGS[operator.code], names)
    return filled


def _copied(node: Any, names: Mapping[str, str]) -> Any:
    """A syntax tree with other names; much faster than a deep copy and a visit."""
    if isinstance(node, list):
        return [_copied(part, names) for part in node]
    if not isinstance(node, ast.AST):
        return node
    if isinstance(node, ast.Name):
        return ast.Name(names.get(node.id, node.id), ast.Load())
    return type(node)(**{name: _copied(getattr(node, name), names) for name in node._fields})


def _attribute(path: str) -> ast.expr:
    first, *rest = path.split(".")
    expression: ast.expr = ast.Name(first, ast.Load())
    for name in rest:
        expression = ast.Attribute(expression, name, ast.Load())
    return expression


def _number(value: int) -> ast.expr:
    return ast.Constant(value)
