"""The one table of operators: which types take them, what value they take, what they mean in memory, their words.

What a missing value (None) means, in every reading: the leaf does not hold, but for `is_not_set`, `ne`, `not_in`,
`not_within` and `has_none`, which hold. Texts compare exactly; `contains` and `starts_with` ignore case. `between`
includes both ends.

Case is ignored by full case folding, which Python and PostgreSQL do alike for every letter that both know.
"""

from dataclasses import dataclass
from enum import Enum

from apps.conditions.types import ORDERED, Type
from apps.conditions.words import Words


class Shape(Enum):
    """How many values an operator is written with."""

    NONE = "none"
    ONE = "one"
    TWO = "two"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator. `source` is its meaning as a Python expression over `v` and `c`, `sql` the same as SQL (where NULL,
    too, says no), with slots for the value read and for the parameters: our text, never a user's."""

    code: str
    types: frozenset[Type]
    shape: Shape
    source: str
    sql: str
    label: Words
    sentence: Words
    """A whole clause with the slots {field} and {value} (and {low}, {high})."""
    single: Words | None = None
    """The clause for a list of one value, where it reads otherwise."""
    of_dates: tuple[Words, Words] | None = None
    """The label and the clause for dates, where they read otherwise."""

    def label_for(self, kind: Type) -> Words:
        return self.of_dates[0] if kind is Type.DATE and self.of_dates is not None else self.label

    def sentence_for(self, kind: Type) -> Words:
        return self.of_dates[1] if kind is Type.DATE and self.of_dates is not None else self.sentence


EQUAL = frozenset({Type.TEXT, Type.NUMBER, Type.INTEGER, Type.DATE, Type.WEEKDAY, Type.HOUR, Type.CHOICE, Type.ANY})
LISTED = frozenset({Type.TEXT, Type.INTEGER, Type.WEEKDAY, Type.HOUR, Type.CHOICE, Type.ANY})
RANGED = ORDERED | {Type.ANY}
COMPARED = RANGED - {Type.WEEKDAY}
TEXTS = frozenset({Type.TEXT, Type.ANY})
TAGGED = frozenset({Type.TAGS, Type.ANY})
UNITS = frozenset({Type.UNIT})
TRUTH = frozenset({Type.BOOLEAN, Type.ANY})
EVERY = frozenset(Type)

IS, IS_NOT = Words("{field} is {value}", "{field}为{value}"), Words("{field} is not {value}", "{field}不是{value}")
IN, NOT_IN = (
    Words("{field} is in {value}", "{field}属于{value}"),
    Words("{field} is not in {value}", "{field}不属于{value}"),
)
INCLUDES = Words("{field} includes {value}", "{field}含有{value}")
INCLUDES_NOT = Words("{field} does not include {value}", "{field}不含{value}")

_TABLE = [
    Operator("eq", EQUAL, Shape.ONE, "v == c", "{v} = {c}", Words("is", "等于"), IS),
    Operator("ne", EQUAL, Shape.ONE, "v != c", "{v} IS DISTINCT FROM {c}", Words("is not", "不等于"), IS_NOT),
    Operator("lt", COMPARED, Shape.ONE, "v is not None and v < c", "{v} < {c}", Words("is below", "小于"),
             Words("{field} is below {value}", "{field}小于{value}"),
             of_dates=(Words("is before", "早于"), Words("{field} is before {value}", "{field}早于{value}"))),
    Operator("le", COMPARED, Shape.ONE, "v is not None and v <= c", "{v} <= {c}", Words("is at most", "不超过"),
             Words("{field} is at most {value}", "{field}不超过{value}"),
             of_dates=(Words("is on or before", "不晚于"), Words("{field} is on or before {value}", "{field}不晚于{value}"))),
    Operator("gt", COMPARED, Shape.ONE, "v is not None and v > c", "{v} > {c}", Words("is above", "大于"),
             Words("{field} is above {value}", "{field}大于{value}"),
             of_dates=(Words("is after", "晚于"), Words("{field} is after {value}", "{field}晚于{value}"))),
    Operator("ge", COMPARED, Shape.ONE, "v is not None and v >= c", "{v} >= {c}", Words("is at least", "不低于"),
             Words("{field} is at least {value}", "{field}不低于{value}"),
             of_dates=(Words("is on or after", "不早于"), Words("{field} is on or after {value}", "{field}不早于{value}"))),
    Operator("between", RANGED, Shape.TWO, "v is not None and c[0] <= v <= c[1]", "{v} BETWEEN {low} AND {high}",
             Words("is between", "介于"),
             Words("{field} is from {low} to {high}", "{field}在{low}到{high}之间（含两端）")),
    Operator("in", LISTED, Shape.MANY, "v in c", "{v} = ANY({c})", Words("is one of", "属于以下之一"),
             Words("{field} is {value}", "{field}为{value}之一"), IS),
    Operator("not_in", LISTED, Shape.MANY, "v not in c", "({v} = ANY({c})) IS NOT TRUE", Words("is none of", "不属于以下任何一个"),
             Words("{field} is neither {value}", "{field}不是{value}中的任何一个"), IS_NOT),
    Operator("contains", TEXTS, Shape.ONE, "v is not None and c in v.casefold()",
             "strpos(casefold({v} COLLATE pg_unicode_fast), {c}) > 0", Words("contains", "包含"),
             Words("{field} contains {value}", "{field}包含{value}")),
    Operator("starts_with", TEXTS, Shape.ONE, "v is not None and v.casefold().startswith(c)",
             "starts_with(casefold({v} COLLATE pg_unicode_fast), {c})", Words("starts with", "开头为"),
             Words("{field} starts with {value}", "{field}以{value}开头")),
    Operator("within", UNITS, Shape.MANY, "v is not None and v.startswith(c)", "{v} LIKE ANY({c})", Words("is in", "属于"),
             Words("{field} is in {value}", "{field}属于{value}之一"), IN),
    Operator("not_within", UNITS, Shape.MANY, "v is None or not v.startswith(c)", "({v} LIKE ANY({c})) IS NOT TRUE",
             Words("is not in", "不属于"),
             Words("{field} is not in {value}", "{field}不属于{value}中的任何一个"), NOT_IN),
    Operator("has_any", TAGGED, Shape.MANY, "v is not None and not c.isdisjoint(v)", "{v} ?| {c}",
             Words("has any of", "含有任一"),
             Words("{field} includes any of {value}", "{field}含有{value}中的任意一个"), INCLUDES),
    Operator("has_all", TAGGED, Shape.MANY, "v is not None and c.issubset(v)", "{v} ?& {c}", Words("has all of", "含有全部"),
             Words("{field} includes all of {value}", "{field}同时含有{value}"), INCLUDES),
    Operator("has_none", TAGGED, Shape.MANY, "v is None or c.isdisjoint(v)", "({v} ?| {c}) IS NOT TRUE",
             Words("has none of", "不含任何"),
             Words("{field} includes none of {value}", "{field}不含{value}中的任何一个"), INCLUDES_NOT),
    Operator("is_true", TRUTH, Shape.NONE, "v is True", "{v} IS TRUE",
             Words("is yes", "为是"),
             Words("{field} is yes", "{field}为“是”")),
    Operator("is_false", TRUTH, Shape.NONE, "v is False", "{v} IS FALSE",
             Words("is no", "为否"),
             Words("{field} is no", "{field}为“否”")),
    Operator("is_set", EVERY, Shape.NONE, "v is not None", "{v} IS NOT NULL", Words("is known", "已填写"),
             Words("{field} is known", "{field}已填写")),
    Operator("is_not_set", EVERY, Shape.NONE, "v is None", "{v} IS NULL", Words("is not known", "未填写"),
             Words("{field} is not known", "{field}未填写")),
]  # fmt: skip

OPERATORS = {operator.code: operator for operator in _TABLE}


def operators_of(kind: Type) -> list[Operator]:
    """The operators a field of this type takes, in the order a form offers them."""
    return [operator for operator in _TABLE if kind in operator.types]
