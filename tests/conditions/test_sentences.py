"""Every operator and every kind of question reads well in both languages: held against golden files, read by people.

After a change on purpose: `GOLDEN=write pytest tests/conditions/test_sentences.py`, and read what changed.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from apps.conditions.operators import OPERATORS, Shape
from apps.conditions.sentences import sentence
from apps.conditions.tree import parse
from apps.conditions.types import Type
from apps.conditions.windows import NAMED
from apps.rules.catalogue import CATALOGUE, knowing

GOLDEN = Path(__file__).parent / "golden"
FIELDS = {
    Type.CHOICE: ("event.kind", ["purchase", "check_in", "review"]),
    Type.NUMBER: ("event.amount", ["20", "199.99", "1000"]),
    Type.UNIT: ("event.store", ["EAST", "S001", "WEST"]),
    Type.TEXT: ("event.channel", ["app", "shop", "web"]),
    Type.WEEKDAY: ("event.weekday", [1, 6, 7]),
    Type.HOUR: ("event.hour", [7, 9, 17]),
    Type.DATE: ("event.date", ["2026-05-01", "2026-05-07", "2026-06-01"]),
    Type.ANY: ("member.attributes.colour", ["green", "red", "blue"]),
}
NAMES = {"EAST": "East Coffee", "S001": "Lakeside", "WEST": "West Coffee"}
KNOWING = knowing({"md": "Member day", "fest": "Lantern festival"})
COFFEE = {"field": "line.category", "op": "in", "value": ["coffee", "tea"]}
PURCHASE = {"field": "event.kind", "op": "eq", "value": "purchase"}
WEEKEND = {"field": "event.weekday", "op": "in", "value": [6, 7]}


def of_operators() -> list[Any]:
    """Each operator on each type that takes it; lists of one and of three."""
    found: list[Any] = []
    for kind, (name, values) in FIELDS.items():
        for operator in OPERATORS.values():
            if kind not in operator.types:
                continue
            leaf = {"field": name, "op": operator.code}
            match operator.shape:
                case Shape.NONE:
                    found.append(leaf)
                case Shape.ONE if kind is Type.ANY and operator.code in ("lt", "le", "gt", "ge"):
                    found.append(leaf | {"value": "7"})
                case Shape.ONE:
                    found.append(leaf | {"value": values[0]})
                case Shape.TWO:
                    found.append(leaf | {"value": ["1", "7"] if kind is Type.ANY else values[:2]})
                case Shape.MANY:
                    found += [leaf | {"value": values[:1]}, leaf | {"value": values}]
    return found


def of_lines() -> list[Any]:
    numbers: dict[str, Any] = {"op": "ge", "value": "2"}
    return [
        *({"lines": quantifier, "where": COFFEE} for quantifier in ("any", "all", "none")),
        *({"lines": "count", "where": where, **numbers} for where in (None, COFFEE)),
        *({"lines": "sum", "of": of, "where": where, **numbers} for of in ("line.amount", "line.quantity")
          for where in (None, COFFEE)),
    ]  # fmt: skip


def of_history() -> list[Any]:
    spent = {"field": "history.spent", "op": "ge", "value": "500"}
    counts = [
        {"field": f"history.{name}", "window": 30, "op": "ge", "value": 3} for name in ("orders", "visits", "check_ins")
    ]
    return [
        *counts,
        *(spent | {"window": window} for window in (1, 2, 30, 1_100, *NAMED)),
        {"field": "history.points_earned", "window": "month", "op": "ge", "value": 500},
        {"field": "history.points_spent", "window": 30, "op": "eq", "value": 0},
        {"field": "history.orders", "window": "ever", "op": "eq", "value": 0},
        {"field": "history.orders", "window": 7, "op": "between", "value": [1, 3]},
        {"field": "history.days_since_order", "op": "gt", "value": 90},
        {"field": "history.days_since_order", "op": "is_set"},
        {"field": "history.days_since_order", "op": "is_not_set"},
    ]


def of_birthdays() -> list[Any]:
    ahead, month = {"field": "member.days_to_birthday"}, {"field": "member.birthday_month"}
    return [
        {"field": "member.age", "op": "ge", "value": 18},
        {"field": "member.age", "op": "between", "value": [18, 25]},
        ahead | {"op": "eq", "value": 0},
        ahead | {"op": "eq", "value": 3},
        ahead | {"op": "le", "value": 7},
        *(ahead | {"op": op} for op in ("is_set", "is_not_set")),
        {"field": "event.kind", "op": "eq", "value": "delivery"},
        {"field": "member.years", "op": "ge", "value": 1},
        *(
            {"field": "member.days_to_anniversary", "op": op, "value": days}
            for op, days in (("eq", 0), ("eq", 3), ("le", 7))
        ),
        *(month | {"op": op} for op in ("is_true", "is_false", "is_set", "is_not_set")),
    ]


def of_minutes() -> list[Any]:
    asked = {"op": "gt", "value": 3}
    return [
        *({"field": "recent.events", "window": window, **asked} for window in (1, 10, 1_440, "today")),
        {"field": "recent.device_events", "window": 10, **asked},
    ]


def of_special_days() -> list[Any]:
    day = {"field": "event.special_days"}
    return [
        *(day | {"op": op, "value": value} for op in ("has_any", "has_all", "has_none")
          for value in (["md"], ["md", "fest"])),
        *(day | {"op": op} for op in ("is_set", "is_not_set")),
    ]  # fmt: skip


def of_order_numbers() -> list[Any]:
    number = {"field": "event.order_number"}
    return [
        *(number | {"window": window, "op": "eq", "value": 3} for window in (1, 30, *NAMED)),
        *(number | {"window": "year", "op": op, "value": 2} for op in ("ne", "ge", "le", "gt")),
        number | {"window": "ever", "op": "in", "value": [1, 10, 100]},
        *(number | {"window": "ever", "op": op} for op in ("is_set", "is_not_set")),
    ]


def of_groups() -> list[Any]:
    return [
        {"all": []},
        {"all": [PURCHASE]},
        {"all": [PURCHASE, WEEKEND]},
        {"any": [PURCHASE, WEEKEND]},
        {"not": PURCHASE},
        {"not": {"any": [PURCHASE, WEEKEND]}},
        {
            "all": [
                PURCHASE,
                {"any": [WEEKEND, {"not": {"all": [PURCHASE, WEEKEND]}}]},
                {"lines": "any", "where": COFFEE},
            ]
        },
    ]


def every_tree() -> list[Any]:
    return [
        *of_operators(), *of_lines(), *of_groups(), *of_history(), *of_birthdays(), *of_minutes(), *of_special_days(), *of_order_numbers(),
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_operator_reads_as_the_golden_file_says(language: str) -> None:
    parsed = [parse(tree, KNOWING, dict.fromkeys(NAMES, "0001")) for tree in every_tree()]
    told = [sentence(tree, CATALOGUE, language, NAMES) for tree in parsed]
    path = GOLDEN / f"{language}.txt"
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(told) + "\n", encoding="utf-8")
    assert told == path.read_text(encoding="utf-8").splitlines()


def test_no_clause_leaves_a_slot_unfilled_or_a_language_out() -> None:
    for tree in every_tree():
        parsed = parse(tree, KNOWING, dict.fromkeys(NAMES, "0001"))
        english, chinese = (sentence(parsed, CATALOGUE, language, NAMES) for language in ("en", "zh-hans"))
        assert not set("{}") & set(english + chinese)
        assert english != chinese
