"""Trees that cannot be saved are refused whole, with the path and code of every fault."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.conditions.tree import DEEPEST, MOST_NODES, ConditionError, parse
from apps.rules.catalogue import CATALOGUE

UNITS = {"EAST": "00010001"}
LEAF = {"field": "event.kind", "op": "is_set"}
RECENT = {"field": "recent.device_events", "op": "gt", "value": 3}
ORDERS = {"field": "history.orders", "op": "ge", "value": 3}


def deep(levels: int) -> Any:
    tree: Any = LEAF
    for _ in range(levels):
        tree = {"not": tree}
    return tree


REFUSED: list[tuple[Any, list[tuple[str, str]]]] = [
    (None, [("", "not_a_condition")]),
    ([LEAF], [("", "not_a_condition")]),
    ({}, [("", "unknown_shape")]),
    ({"all": [LEAF], "any": [LEAF]}, [("", "unknown_shape")]),
    ({"all": LEAF}, [("all", "not_a_list")]),
    ({"any": []}, [("any", "empty_group")]),
    ({"not": {"all": [{"all": []}]}}, [("not", "never_holds")]),
    ({"field": "event.secret", "op": "eq", "value": "x"}, [("field", "unknown_field")]),
    ({"field": "event.__class__", "op": "is_set"}, [("field", "unknown_field")]),
    ({"field": ["event.kind"], "op": "is_set"}, [("field", "unknown_field")]),
    ({"field": "event.kind", "op": "matches", "value": "(a+)+$"}, [("op", "unknown_operator")]),
    ({"field": "event.kind", "op": "lt", "value": "x"}, [("op", "unknown_operator")]),
    ({"field": "event.weekday", "op": "lt", "value": 3}, [("op", "unknown_operator")]),
    ({"field": "event.kind", "op": "eq", "value": "Party!"}, [("value", "unknown_choice")]),
    ({"field": "event.kind", "op": "eq", "value": ""}, [("value", "empty")]),
    ({"field": "event.kind", "op": "is_set", "value": 1}, [("value", "no_value_wanted")]),
    ({"field": "event.amount", "op": "ge", "value": "NaN"}, [("value", "not_a_number")]),
    ({"field": "event.amount", "op": "ge", "value": float("inf")}, [("value", "not_a_number")]),
    ({"field": "event.amount", "op": "ge", "value": "1e30"}, [("value", "too_large")]),
    ({"field": "event.amount", "op": "ge", "value": 10**400}, [("value", "too_large")]),
    ({"field": "event.amount", "op": "ge", "value": "0." + "1" * 13}, [("value", "too_precise")]),
    ({"field": "event.amount", "op": "ge", "value": True}, [("value", "not_a_number")]),
    ({"field": "event.amount", "op": "between", "value": ["5", "1"]}, [("value", "wrong_order")]),
    ({"field": "event.amount", "op": "between", "value": ["5"]}, [("value", "two_values_wanted")]),
    ({"field": "event.weekday", "op": "in", "value": [0, 7, 8]}, [("value/0", "out_of_range"), ("value/2", "out_of_range")]),
    ({"field": "event.weekday", "op": "in", "value": []}, [("value", "wrong_count")]),
    ({"field": "event.hour", "op": "eq", "value": 1.5}, [("value", "not_whole")]),
    ({"field": "event.date", "op": "eq", "value": "2026-02-30"}, [("value", "not_a_date")]),
    ({"field": "event.channel", "op": "eq", "value": "a\x00b"}, [("value", "control_character")]),
    ({"field": "event.channel", "op": "eq", "value": "x" * 501}, [("value", "too_long")]),
    ({"field": "event.store", "op": "within", "value": ["EAST", "WEST"]}, [("value", "unknown_unit")]),
    (ORDERS, [("window", "window_missing")]),
    (LEAF | {"window": 30}, [("window", "no_window_wanted")]),
    *((ORDERS | {"window": wrong}, [("window", "unknown_window")]) for wrong in (0, 1_101, "30", "week", True, 1.5, [30], {})),
    (ORDERS | {"window": "week", "value": "many"}, [("window", "unknown_window"), ("value", "not_a_number")]),
    ({"field": "history.days_since_order", "window": "ever", "op": "is_set"}, [("window", "no_window_wanted")]),
    *((RECENT | {"window": wrong}, [("window", "unknown_window")]) for wrong in (0, 1_441, "10", "month", "ever", True)),
    (RECENT, [("window", "window_missing")]),
    ({"lines": "any", "where": LEAF, "window": 30}, [("", "unknown_shape")]),
    ({"lines": "most", "where": LEAF}, [("lines", "unknown_shape")]),
    ({"lines": "any"}, [("where", "where_missing")]),
    ({"lines": "any", "where": LEAF}, [("where/field", "unknown_field")]),
    ({"lines": "sum", "of": "line.sku", "op": "ge", "value": 1}, [("of", "unknown_field")]),
    ({"lines": "count", "op": "contains", "value": 1}, [("op", "unknown_operator")]),
    ({"all": [LEAF] * MOST_NODES}, [("", "too_large")]),
    ({"all": [LEAF] * 10_000}, [("", "too_large")]),
    (deep(DEEPEST), [("", "too_deep")]),
    (
        {"all": [LEAF, {"field": "x", "op": "eq", "value": 1}, {"not": {"field": "event.amount", "op": "ge", "value": "x"}}]},
        [("all/1/field", "unknown_field"), ("all/2/not/value", "not_a_number")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "faults"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_wrong_tree_is_refused_with_every_fault_at_its_place(data: Any, faults: list[tuple[str, str]]) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(data, CATALOGUE, UNITS)
    assert [("/".join(map(str, fault.path)), fault.code) for fault in caught.value.faults] == faults
    assert all(fault.message.en and fault.message.zh for fault in caught.value.faults)


def test_the_deepest_and_the_largest_tree_that_may_be_are_taken() -> None:
    parse(deep(DEEPEST - 1), CATALOGUE)
    parse({"all": [LEAF] * (MOST_NODES - 1)}, CATALOGUE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["all", "any", "not", "field", "op", "value", "lines", "where", "of", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_is_read_or_refused_and_nothing_else(data: Any) -> None:
    try:
        parse(data, CATALOGUE, UNITS)
    except ConditionError as error:
        faults = error.faults
    else:
        return
    assert faults
