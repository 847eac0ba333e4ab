"""The compiled reading of conditions agrees with a tiny interpreter that shares nothing with it."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings

from apps.activity.segments import MEMBER_CATALOGUE
from apps.conditions.compiling import HOLDS, compile_lines, compile_many, compile_tree
from apps.conditions.explaining import explain
from apps.conditions.tree import leaves, parse, to_json
from apps.members.facts import MemberFacts
from apps.rules.catalogue import CATALOGUE, LINE_CATALOGUE
from tests.conditions import trees
from tests.conditions.trees import UNITS, holds


@settings(max_examples=400, deadline=None)
@given(trees.trees, trees.events, trees.members)
def test_any_tree_over_any_event_reads_the_same_both_ways(tree: Any, event: Any, member: Any) -> None:
    parsed = parse(tree, CATALOGUE, UNITS)
    compiled = compile_tree(parsed, CATALOGUE, UNITS)
    verdict = compiled.test(event, member)
    assert (verdict == HOLDS) == holds(tree, event, member)
    assert verdict == HOLDS or 0 <= verdict < max(1, len(list(leaves(parsed))))


@settings(max_examples=500, deadline=None)
@given(trees.birthday_leaves, trees.births, trees.any_day)
def test_a_birthday_reads_the_same_both_ways_on_any_day(leaf: Any, birth: Any, asked_on: date) -> None:
    member = MemberFacts(1, "0001", asked_on, {}, birthday=trees.birthday(birth, asked_on), asked_on=asked_on)
    compiled = compile_tree(parse(leaf, MEMBER_CATALOGUE), MEMBER_CATALOGUE, {})
    assert (compiled.test(member) == HOLDS) == holds(leaf, None, member)


@settings(max_examples=150, deadline=None)
@given(trees.trees, trees.trees, trees.events, trees.members)
def test_many_trees_at_once_answer_as_each_alone(one: Any, other: Any, event: Any, member: Any) -> None:
    parsed = [parse(tree, CATALOGUE, UNITS) for tree in (one, other, one)]
    alone = tuple(compile_tree(tree, CATALOGUE, UNITS).test(event, member) for tree in parsed)
    assert compile_many(parsed, CATALOGUE, UNITS)(event, member) == alone


@settings(max_examples=150, deadline=None)
@given(trees.line_trees, trees.lines)
def test_a_condition_on_lines_reads_the_same_both_ways(tree: Any, line: Any) -> None:
    assert bool(compile_lines(parse(tree, LINE_CATALOGUE), LINE_CATALOGUE, {})(line)) == holds(tree, None, None, line)


@settings(max_examples=150, deadline=None)
@given(trees.trees)
def test_what_is_written_reads_back_as_the_same_tree(tree: Any) -> None:
    parsed = parse(tree, CATALOGUE, UNITS)
    again = parse(to_json(parsed), CATALOGUE, UNITS)
    assert to_json(again) == to_json(parsed)
    assert [(leaf.operator, leaf.value) for leaf in leaves(again)] == [  # type: ignore[union-attr]
        (leaf.operator, leaf.value)
        for leaf in leaves(parsed)  # type: ignore[union-attr]
    ]


@settings(max_examples=60, deadline=None)
@given(trees.trees, trees.events, trees.members)
def test_the_explanation_of_each_leaf_agrees_with_the_verdict_on_it(tree: Any, event: Any, member: Any) -> None:
    parsed = parse(tree, CATALOGUE, UNITS)
    told = explain(parsed, CATALOGUE, UNITS, "en", event=event, member=member)
    for leaf, each in zip(leaves(parsed), told, strict=True):
        assert each.held == holds(to_json(leaf), event, member)
        assert each.sentence
        assert each.actual


@pytest.mark.parametrize("kind", ["all", "any"])
def test_the_widest_group_that_can_be_saved_can_be_run(kind: str) -> None:
    """A group of a thousand once nested its expression a thousand deep, and failed when it was first run."""
    from hypothesis import find

    event, member = find(trees.events, lambda event: event.amount is not None), find(trees.members, lambda _: True)
    leaf = {"field": "event.amount", "op": "ge" if kind == "all" else "lt", "value": "0"}
    compiled = compile_tree(parse({kind: [leaf] * 298}, CATALOGUE), CATALOGUE, {})
    assert compiled.test(event, member) == (HOLDS if kind == "all" else 297)


@pytest.mark.parametrize(
    ("tree", "deciding"),
    [
        ({"all": [{"field": "event.kind", "op": "is_set"}, {"field": "event.amount", "op": "lt", "value": "0"}]}, 1),
        (
            {"any": [{"field": "event.kind", "op": "is_not_set"}, {"field": "event.amount", "op": "lt", "value": "0"}]},
            1,
        ),
        ({"not": {"all": [{"field": "event.kind", "op": "is_set"}, {"field": "event.date", "op": "is_set"}]}}, 0),
    ],
)
def test_a_tree_that_fails_names_the_leaf_that_decided(tree: Any, deciding: int) -> None:
    from hypothesis import find

    event, member = find(trees.events, lambda _: True), find(trees.members, lambda _: True)
    assert compile_tree(parse(tree, CATALOGUE), CATALOGUE, {}).test(event, member) == deciding
