"""Conditions as sentences: whole clauses from templates of each language, never glued words."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from apps.conditions.catalogue import Catalogue
from apps.conditions.operators import OPERATORS, Shape
from apps.conditions.tree import Group, Leaf, LinesLeaf, Not, Tree
from apps.conditions.types import WEEKDAYS, Type
from apps.conditions.windows import over, shortly, within
from apps.conditions.words import Words

ALWAYS = Words("always", "始终")
NOT = Words("it is not so that {clause}", "并非{clause}")
NOT_GROUP = Words("it is not so that ({clause})", "并非（{clause}）")
AND, OR = Words(" and ", "，且"), Words(" or ", "，或")
GROUPED = Words("({clause})", "（{clause}）")
LIST_JOIN = Words(", ", "、")
LIST_LAST = Words(" or ", "、")
LIST_LAST_ALL = Words(" and ", "、")
LIST_LAST_NONE = Words(" nor ", "、")
QUOTED = Words("“{value}”", "“{value}”")
LINES = {
    "any": Words("at least one line is such that {part}", "至少有一行明细满足（{where}）"),
    "all": Words("every line is such that {part}", "每一行明细都满足（{where}）"),
    "none": Words("no line is such that {part}", "没有任何明细行满足（{where}）"),
}
NUMBER_OF = Words("the number of lines", "明细行数")
NUMBER_OF_WHERE = Words("the number of lines where {part}", "满足（{where}）的明细行数")
SUM_OF = Words("the sum of {field} over all lines", "全部明细的{field}合计")
SUM_OF_WHERE = Words("the sum of {field} over lines where {part}", "满足（{where}）的明细的{field}合计")


def sentence(tree: Tree, catalogue: Catalogue, language: str, unit_names: Mapping[str, str] | None = None) -> str:
    """The condition as one clause, to stand after “when”. `unit_names` maps codes of org units to names."""
    return _Writer(language, unit_names or {}).clause(tree)


def listed(leaf: Leaf, language: str) -> str:
    """The values of a leaf as a list in words."""
    writer = _Writer(language, {})
    return writer.listed(leaf) if leaf.operator.shape is Shape.MANY else writer.value(leaf, leaf.value)


class _Writer:
    def __init__(self, language: str, unit_names: Mapping[str, str]) -> None:
        self.language, self.unit_names = language, unit_names

    def say(self, words: Words, **slots: str) -> str:
        return words.in_language(self.language).format(**slots)

    def clause(self, tree: Tree) -> str:
        match tree:
            case Group(kind=kind, children=children):
                if not children:
                    return self.say(ALWAYS)
                if len(children) == 1:
                    return self.clause(children[0])
                return self.say(AND if kind == "all" else OR).join(self.part(child) for child in children)
            case Not(child=child):
                grouped = isinstance(child, Group) and len(child.children) > 1
                return self.say(NOT_GROUP if grouped else NOT, clause=self.clause(child))
            case LinesLeaf():
                return self.lines(tree)
            case Leaf():
                return self.leaf(tree)

    def part(self, tree: Tree) -> str:
        if isinstance(tree, Group) and len(tree.children) > 1:
            return self.say(GROUPED, clause=self.clause(tree))
        return self.clause(tree)

    def leaf(self, leaf: Leaf) -> str:
        field = leaf.field.label.in_language(self.language)
        if leaf.window is not None:
            field = (shortly if leaf.field.is_short else over)(field, leaf.window, self.language)
        slots = {"field": field}
        if leaf.operator.code == "between":
            slots |= {"low": self.value(leaf, leaf.value[0]), "high": self.value(leaf, leaf.value[1])}
        elif leaf.operator.shape is Shape.MANY:
            slots["value"] = self.listed(leaf)
            single = leaf.field.clauses.get(f"{leaf.operator.code} one", leaf.operator.single)
            if len(leaf.value) == 1 and single is not None:
                return self.say(single, **slots)
        elif leaf.value is not None:
            slots["value"] = self.value(leaf, leaf.value)
        if leaf.field.clauses and leaf.window is not None:
            slots |= {"nth": nth(leaf.value), "within": within(leaf.window, self.language)}
        own = leaf.field.clauses.get(f"{leaf.operator.code} {leaf.value}") or leaf.field.clauses.get(leaf.operator.code)
        return self.say(own or leaf.operator.sentence_for(leaf.reads), **slots)

    def listed(self, leaf: Leaf) -> str:
        values = [self.value(leaf, value) for value in leaf.value]
        if len(values) == 1:
            return values[0]
        last = {"has_all": LIST_LAST_ALL, "not_in": LIST_LAST_NONE}.get(leaf.operator.code, LIST_LAST)
        return self.say(LIST_JOIN).join(values[:-1]) + self.say(last) + values[-1]

    def value(self, leaf: Leaf, value: Any) -> str:
        if leaf.field.choices:
            for code, words in leaf.field.choices:
                if value == code:
                    said = words.in_language(self.language)
                    return self.say(QUOTED, value=said) if leaf.reads is Type.TAGS else said
            if leaf.field.others:
                return self.say(QUOTED, value=value)
        if leaf.reads is Type.WEEKDAY:
            day: Words = WEEKDAYS[value - 1]
            return day.in_language(self.language)
        if leaf.reads is Type.UNIT:
            return self.say(QUOTED, value=self.unit_names.get(value, value))
        return written(value, self.language)

    def lines(self, leaf: LinesLeaf) -> str:
        # English needs brackets only round several parts, Chinese always has them.
        slots = {} if leaf.where is None else {"where": self.clause(leaf.where), "part": self.part(leaf.where)}
        if leaf.quantifier in LINES:
            return self.say(LINES[leaf.quantifier], **slots)
        if leaf.quantifier == "sum":
            slots["field"] = leaf.of.label.in_language(self.language)  # type: ignore[union-attr]
            words = SUM_OF if leaf.where is None else SUM_OF_WHERE
        else:
            words = NUMBER_OF if leaf.where is None else NUMBER_OF_WHERE
        operator = OPERATORS[leaf.operator.code]  # type: ignore[union-attr]
        return self.say(operator.sentence, field=self.say(words, **slots), value=written(leaf.value, self.language))


def nth(value: Any) -> str:
    """The ordinal number in English; nothing of what is no number.

    >>> [nth(number) for number in (1, 2, 3, 4, 11, 22, 113)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd', '113th']
    """
    if not isinstance(value, int):
        return ""
    ending = "th" if value // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value:,}{ending}"


def written(value: Any, language: str) -> str:
    """A value as a sentence shows it."""
    if isinstance(value, bool):
        return Words("yes", "是").in_language(language) if value else Words("no", "否").in_language(language)
    if isinstance(value, Decimal | int):
        return f"{value:,}"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}" if not language.startswith("zh") else f"{value.year}年{value.month}月{value.day}日"
    return f"“{value}”"
