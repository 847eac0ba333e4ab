"""How much a draft changes a rule: what may give more is major, what surely does not is minor."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.conditions.compiling import HOLDS, compile_tree
from apps.conditions.tree import parse
from apps.rules.catalogue import CATALOGUE
from apps.rules.weighing import figures_of, implies, weigh
from tests.rules.conftest import CAP_A_DAY, PER_YUAN, PURCHASE

RULE: dict[str, Any] = {"condition": PURCHASE, "effects": [PER_YUAN], "limits": [CAP_A_DAY | {"most": 200}]}
FIXED = {"effect": "fixed_points", "point_type": "points", "points": 20}
HOLD = {"effect": "hold_for_review", "reason": "Large"}
TAG = {"effect": "tag", "tag": "regular", "start": "now", "days": None}
BUDGET = {"per": "programme", "period": "month", "of": "points", "most": 1000}
STACKING = {"group": "weekend", "take": "best", "order": 1}


def least(amount: str) -> dict[str, Any]:
    return {"field": "event.amount", "op": "ge", "value": amount}


def within(*codes: str) -> dict[str, Any]:
    return {"field": "event.store", "op": "within", "value": list(codes)}


def when(*parts: Any) -> dict[str, Any]:
    return {"condition": {"all": [*PURCHASE["all"], *parts]}}


CASES: list[tuple[str, dict[str, Any], dict[str, Any], str, set[str]]] = [
    ("nothing", {}, {}, "minor", set()),
    ("a higher rate", {}, {"effects": [PER_YUAN | {"points": "2"}]}, "major", {"rate"}),
    ("a lower rate", {}, {"effects": [PER_YUAN | {"points": "0.5"}]}, "minor", {"rate"}),
    ("for less money", {}, {"effects": [PER_YUAN | {"per": "0.5"}]}, "major", {"rate"}),
    ("rounded down", {"effects": [PER_YUAN | {"rounding": "up"}]}, {}, "minor", {"rate"}),
    ("rounded up", {}, {"effects": [PER_YUAN | {"rounding": "half_up"}]}, "major", {"rate"}),
    ("one effect more", {}, {"effects": [PER_YUAN, FIXED]}, "major", {"rate"}),
    ("one effect less", {"effects": [PER_YUAN, FIXED]}, {}, "minor", {"rate"}),
    ("more points at once", {"effects": [FIXED]}, {"effects": [FIXED | {"points": 21}]}, "major", {"rate"}),
    ("a tag", {}, {"effects": [PER_YUAN, TAG]}, "minor", {"tags"}),
    ("a limit raised", {}, {"limits": [CAP_A_DAY | {"most": 201}]}, "major", {"limits"}),
    ("a limit lowered", {}, {"limits": [CAP_A_DAY | {"most": 199}]}, "minor", {"limits"}),
    ("a limit taken away", {}, {"limits": []}, "major", {"limits"}),
    ("a limit of another period", {}, {"limits": [CAP_A_DAY | {"most": 200, "period": "week"}]}, "major", {"limits"}),
    ("a budget added", {}, {"limits": [*RULE["limits"], BUDGET]}, "minor", {"budget"}),
    ("a budget raised", {"limits": [BUDGET]}, {"limits": [BUDGET | {"most": 1001}]}, "major", {"budget"}),
    ("a budget taken away", {"limits": [BUDGET]}, {"limits": []}, "major", {"budget"}),
    ("one condition more", {}, when(least("10")), "minor", {"condition"}),
    ("one condition less", when(least("10")), {}, "major", {"condition", "reach"}),
    ("a stricter amount", when(least("10")), when(least("20.5")), "minor", {"condition"}),
    ("a laxer amount", when(least("10")), when(least("9.5")), "major", {"condition", "reach"}),
    ("fewer stores", when(within("S001", "S002")), when(within("S002")), "minor", {"condition"}),
    ("other stores", when(within("S001")), when(within("S002")), "major", {"condition", "reach"}),
    ("a choice more", when({"any": [least("10")]}), when({"any": [least("10"), within("S001")]}), "major",
     {"condition", "reach"}),
    ("a choice less", when({"any": [least("10"), within("S001")]}), when({"any": [within("S001")]}), "minor",
     {"condition"}),
    ("what holds is held less often", {"effects": [HOLD]}, {"effects": [HOLD], **when(least("99"))}, "major",
     {"condition", "reach"}),
    ("what holds is held more often", {"effects": [HOLD], **when(least("99"))}, {"effects": [HOLD]}, "minor",
     {"condition"}),
    ("nothing is held any more", {"effects": [PER_YUAN, HOLD]}, {}, "major", {"review"}),
    ("held for another reason", {"effects": [PER_YUAN, HOLD]}, {"effects": [PER_YUAN, HOLD | {"reason": "x"}]}, "minor",
     {"review"}),
    ("it joins a group", {}, {"stacking": STACKING}, "minor", {"stacking"}),
    ("it leaves its group", {"stacking": STACKING}, {}, "major", {"stacking"}),
    ("points last longer", {}, {"validity": {"expiry": {"kind": "never"}, "pending": None}}, "minor", {"validity"}),
    ("a goal", {}, {"accumulator": {"of": "events", "at": "10"}}, "minor", {"goal"}),
    ("an easier goal", {"accumulator": {"of": "events", "at": "10"}}, {"accumulator": {"of": "events", "at": "9"}},
     "major", {"goal"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "change", "parts"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_may_give_more_is_major(old: dict[str, Any], new: dict[str, Any], change: str, parts: set[str]) -> None:
    weight = weigh([RULE | old], RULE | new)
    assert (weight.change, set(weight.parts)) == (change, parts)


def test_without_anything_in_force_it_is_new_and_the_heaviest_comparison_counts() -> None:
    assert weigh([], RULE).change == "new"
    lower = RULE | {"effects": [PER_YUAN | {"points": "0.5"}]}
    assert weigh([RULE, lower], RULE).change == "major"
    ending = weigh([RULE], RULE, falls_away=True)
    assert (ending.change, ending.parts) == ("major", {"end"})


def test_figures_are_the_highest_of_effects_and_tables() -> None:
    table = {
        "effect": "table", "point_type": "points", "rows": [
            {"when": {"all": []}, "points": "3", "per": "2"}, {"when": {"all": []}, "points": "50", "per": None},
        ],
    }  # fmt: skip
    figures = figures_of({"effects": [PER_YUAN, FIXED, table], "limits": [BUDGET, CAP_A_DAY | {"most": 1}]})
    assert (figures.rate, figures.points, figures.budget) == (Decimal("1.5"), 50, 1000)
    assert figures_of({"effects": [TAG], "limits": []}).rate is None


AMOUNTS = st.sampled_from(["5", "10", "10.5", "20"])
LEAVES = st.one_of(
    st.builds(lambda op, value: {"field": "event.amount", "op": op, "value": value},
              st.sampled_from(["ge", "gt", "le", "lt"]), AMOUNTS),
    st.builds(lambda low, high: {"field": "event.amount", "op": "between", "value": sorted([low, high], key=Decimal)},
              AMOUNTS, AMOUNTS),
    st.builds(lambda values: {"field": "event.channel", "op": "in", "value": values},
              st.lists(st.sampled_from(["app", "web", "till"]), min_size=1, max_size=3, unique=True)),
    st.builds(lambda value: {"field": "event.channel", "op": "eq", "value": value}, st.sampled_from(["app", "web"])),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=5,
)
ALMOST = st.one_of(
    st.tuples(TREES, TREES),
    st.builds(lambda tree, more: ({"all": [tree, more]}, tree), TREES, TREES),
    st.builds(lambda tree, more: (tree, {"any": [more, tree]}), TREES, TREES),
)
"""Two conditions, often such that one narrows the other."""


class Fact:
    """An event of which conditions ask."""

    kind = "purchase"

    def __init__(self, amount: Decimal | None, channel: str | None) -> None:
        self.amount, self.channel = amount, channel


FACTS = [
    Fact(Decimal(amount) if amount else None, channel)
    for amount in (None, "4", "5", "7", "10", "10.2", "10.5", "15", "20", "30")
    for channel in (None, "app", "web", "till")
]


@settings(max_examples=300, deadline=None)
@given(ALMOST)
def test_what_is_said_to_narrow_holds_nowhere_else(pair: tuple[Any, Any]) -> None:
    """Catches a condition that is called narrower and lets one event more through."""
    new, old = pair
    if not implies(new, old):
        return
    narrow, wide = (compile_tree(parse(tree, CATALOGUE), CATALOGUE, {}) for tree in (new, old))
    for fact in FACTS:
        if narrow.test(fact, None) == HOLDS:
            assert wide.test(fact, None) == HOLDS
