"""Conditions as SQL: one expression that says of every member at once what the compiled reading says of one. Pure.

Nothing that a person writes becomes part of a statement's text: values and the keys of attributes are parameters, the
rest comes from the catalogue and the table of operators.

The expression stands over rows called `member` whose columns are named as `MemberFacts` names its own: `home_path`,
`joined_on`, `attributes`; a field may also be an expression over them and the day asked about. A history is gathered from a table of days, up to and with the day asked about.

Negations are carried down to the leaves. What is left is only AND and OR, where NULL is as good as false, so that a
plain comparison is enough and the planner may use it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from apps.conditions.compiling import NOWHERE, PLAIN_DATE, PLAIN_NUMBER, constant_of, holds_of
from apps.conditions.operators import Shape
from apps.conditions.tree import Group, Leaf, LinesLeaf, Not, Tree
from apps.conditions.types import Type
from apps.conditions.windows import Window, start_of


@dataclass(frozen=True, slots=True)
class Days:
    """The rows that a history is gathered from: one for each member, programme and day. `until` is the day asked about;
    the last that counts, unless it is asked `at_start`: then nothing of it does."""

    table: str
    program_id: int
    until: date
    at_start: bool = False
    others: Mapping[str, str] = field(default_factory=dict)
    """Rows of other sources, one for each movement: SQL with the same columns."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`FROM … AS member` + `joins` + `WHERE` + `where`, with `parameters` for both, in this order."""

    joins: str
    where: str
    parameters: tuple[Any, ...]


def condition(tree: Tree, units: Mapping[str, str], days: Days) -> Condition:
    """The tree over members; it may not ask about an event. `units` maps the codes of org units to their paths."""
    writer = _Writer(units, days)
    where = writer.clause(tree, True)
    joins, parameters = writer.joins()
    return Condition(joins, where, (*parameters, *writer.parameters))


CASTS = {
    Type.NUMBER: "numeric",
    Type.INTEGER: "bigint",
    Type.WEEKDAY: "bigint",
    Type.HOUR: "bigint",
    Type.DATE: "date",
}
"""What values of a type are to the database; all else is text."""

READERS = {
    Type.NUMBER: f"""CASE jsonb_typeof(@.value) WHEN 'number' THEN @.value::numeric WHEN 'string' THEN
        CASE WHEN @.text ~ '^{PLAIN_NUMBER}$' THEN @.text::numeric END END""",
    Type.TEXT: "CASE WHEN jsonb_typeof(@.value) IN ('string', 'number') THEN @.text END",
    Type.DATE: f"""CASE WHEN jsonb_typeof(@.value) = 'string' AND @.text ~ '^{PLAIN_DATE}'
        AND pg_input_is_valid(left(@.text, 10), 'date') THEN left(@.text, 10)::date END""",
    Type.TAGS: "CASE WHEN jsonb_typeof(@.value) IN ('string', 'array') THEN @.value END",
    Type.BOOLEAN: "CASE WHEN jsonb_typeof(@.value) = 'boolean' THEN @.value::boolean END",
    Type.ANY: "@.text",
}
"""Free attributes read as a type: what cannot be read so is NULL, as it is None in memory. @ is the attribute."""

GATHERED = """LEFT JOIN (
    SELECT member_id, {columns} FROM {table} CROSS JOIN (SELECT %s::date AS as_of) AS asked
    WHERE program_id = %s AND day BETWEEN %s AND %s GROUP BY member_id
) AS {name} ON {name}.member_id = member.id"""


class _Writer:
    def __init__(self, units: Mapping[str, str], days: Days) -> None:
        self.units, self.days = units, days
        self.parameters: list[Any] = []
        self.attributes: dict[tuple[str, str], str] = {}
        self.windows: dict[tuple[str, Window], dict[str, str]] = {}
        self.asks_the_day = False

    def clause(self, tree: Tree, wanted: bool) -> str:
        """An expression that is true exactly where the tree's answer is the one that is wanted."""
        match tree:
            case Not(child=child):
                return self.clause(child, not wanted)
            case Group(kind=kind, children=children):
                is_and = (kind == "all") == wanted
                parts = [self.clause(child, wanted) for child in children]
                return f"({(' AND ' if is_and else ' OR ').join(parts)})" if parts else str(is_and).upper()
            case Leaf():
                return self.leaf(tree) if wanted else f"({self.leaf(tree)}) IS NOT TRUE"
            case LinesLeaf():
                raise TypeError("members have no lines")

    def leaf(self, leaf: Leaf) -> str:
        value = self.history(leaf) if leaf.field.gathered else self.value(leaf)
        return leaf.operator.sql.format(v=value, **self.constants(leaf))

    def constants(self, leaf: Leaf) -> dict[str, str]:
        cast = CASTS.get(leaf.reads, "text")
        constant = constant_of(leaf, self.units)
        match leaf.operator.shape:
            case Shape.NONE:
                return {}
            case Shape.ONE:
                self.parameters.append(constant)
                return {"c": f"%s::{cast}"}
            case Shape.TWO:
                self.parameters += constant
                return {"low": f"%s::{cast}", "high": f"%s::{cast}"}
        if leaf.reads is Type.UNIT:
            constant = [f"{path}%" for path in constant if path not in NOWHERE]
        self.parameters.append(sorted(constant))
        return {"c": f"%s::{cast}[]"}

    def value(self, leaf: Leaf) -> str:
        if leaf.field.sql:
            self.asks_the_day = True
            return leaf.field.sql
        if leaf.field.key is None:
            return leaf.field.read
        name = self.attributes.setdefault((leaf.field.read, leaf.field.key), f"attribute{len(self.attributes)}")
        reads = Type.ANY if _is_plain(leaf) else leaf.reads
        return READERS[reads].replace("@", name)

    def history(self, leaf: Leaf) -> str:
        """A number gathered from days. Who has no day in the window has done nothing in it: where a leaf holds neither
        for nothing nor for NULL, they may be left out, and the planner is free to join only the others."""
        window = "ever" if leaf.window is None else leaf.window
        column = leaf.field.name.rpartition(".")[2]
        asked = leaf.field.source, window
        self.windows.setdefault(asked, {})[column] = leaf.field.gathered
        place = f"days{list(self.windows).index(asked)}.{column}"
        if leaf.field.windowed and any(holds_of(leaf, self.units, missing) for missing in (0, None)):
            return f"coalesce({place}, 0)"
        return place

    def joins(self) -> tuple[str, list[Any]]:
        joins: list[str] = []
        parameters: list[Any] = []
        if self.asks_the_day:
            joins.append("CROSS JOIN (SELECT %s::date AS as_of) AS asked")
            parameters.append(self.days.until)
        for (mapping, key), name in self.attributes.items():
            joins.append(f"CROSS JOIN LATERAL (SELECT {mapping} -> %s AS value, {mapping} ->> %s AS text) AS {name}")
            parameters += [key, key]
        for number, ((source, window), asked) in enumerate(self.windows.items()):
            columns = ", ".join(f"{gathered} AS {column}" for column, gathered in asked.items())
            table = self.days.others[source] if source else self.days.table
            joins.append(GATHERED.format(columns=columns, table=table, name=f"days{number}"))
            until = self.days.until
            last = until - timedelta(days=self.days.at_start)
            parameters += [until, self.days.program_id, start_of(window, until), last]
        return " ".join(joins), parameters


def _is_plain(leaf: Leaf) -> bool:
    """Whether a free attribute is compared with texts that only a text or a number can be equal to: then it need not be
    asked what it is, which costs more than the comparison."""
    if leaf.reads is not Type.TEXT or leaf.operator.code not in ("eq", "ne", "in", "not_in"):
        return False
    texts = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    return not any(text in ("true", "false") or text[0] in "[{" for text in texts)
