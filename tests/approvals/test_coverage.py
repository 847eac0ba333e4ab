"""Gaps, overlaps and bands that never decide, held against trying every number."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.approvals.catalogue import catalogue_of, subjects_of
from apps.approvals.coverage import Coverage, coverage_of, remarks
from apps.approvals.definition import Definition
from apps.conditions.compiling import HOLDS, compile_tree
from apps.conditions.tree import parse
from tests.approvals.conftest import Gauge, from_size, role, step

UNITS = {"G": "0001", "EAST": "00010001", "EAST-N": "000100010001", "WEST": "00010002"}
ONE, TWO = [step(role("finance"))], [step(role("finance")), step(role("vice_president"))]


def band(name: str, *leaves: Any, steps: Any = ()) -> dict[str, Any]:
    return {"name": name, "when": {"all": list(leaves)}, "steps": list(steps)}


def leaf(name: str, op: str, *value: Any) -> dict[str, Any]:
    return {"field": name, "op": op} | ({"value": value[0]} if value else {})


def covered(*bands: Any, otherwise: str = "at_once", place: str = "", **more: Any) -> tuple[Coverage, list[str]]:
    definition = Definition.model_validate({"bands": bands, "otherwise": otherwise})
    found = coverage_of(Gauge.code, definition, UNITS, place, **more)
    return found, [each.text for each in remarks(Gauge.code, definition, found, "en", {"EAST": "East", "WEST": "West"})]


def test_what_no_band_fits_is_one_range_in_words() -> None:
    found, said = covered(band("Large", from_size(5000)), band("Middle", leaf("request.size", "between", [1000, 2999])))
    assert said == [
        "Nothing above fits when size is at most 999: such a request is carried out at once.",
        "Nothing above fits when size is from 3,000 to 4,999: such a request is carried out at once.",
    ]
    assert [gap.facts for gap in found.gaps] == [{"request.size": 999}, {"request.size": 3000}]
    _, said = covered(band("Large", from_size(5000)), otherwise="refused")
    assert said == ["Nothing above fits when size is at most 4,999: such a request is refused."]


def test_where_two_bands_fit_the_higher_one_is_said_to_decide() -> None:
    _, said = covered(band("Large", from_size(5000), steps=TWO), band("Medium", from_size(1000), steps=ONE))
    assert said[0] == "“Large” and “Medium” both fit when size is at least 5,000: “Large” stands higher and decides."


def test_a_shorter_road_above_a_longer_one_is_a_warning() -> None:
    definition = Definition.model_validate(
        {"bands": [band("Medium", from_size(1000), steps=ONE), band("Large", from_size(5000), steps=TWO)]}
    )
    made = remarks(Gauge.code, definition, coverage_of(Gauge.code, definition, UNITS), "zh-hans")
    assert [each.text for each in made if each.is_warning] == [
        "“Large”永远不起作用：符合它的申请都先符合“Medium”。",
        "当大小不低于5,000时，“Medium”和“Large”都符合：以排在前面的“Medium”为准，但其审批人更少。",
    ]


def test_a_band_that_contradicts_itself_never_fits() -> None:
    found, said = covered(band("No", from_size(10), leaf("request.size", "lt", 10)), band("All"))
    assert (found.never[0].behind, said[0]) == ((), "“No” can never fit: no request meets its condition.")
    assert said[-1] == "Every request fits one of the bands."


def test_what_cannot_be_is_no_gap() -> None:
    found, said = covered(
        band("Large", from_size(1000)), band("In parts", leaf("request.total", "lt", 1000)),
        band("Total", leaf("request.total", "ge", 1000)), otherwise="refused",
    )  # fmt: skip
    assert (
        said[-2]
        == "Nothing above fits when size is at most 999 and the total about the same in 30 days is not known: such a request is refused."
    )
    assert not [each for each in found.overlaps if (each.first, each.second) == (0, 1)]


def test_units_tags_and_choices_are_told_apart() -> None:
    found, said = covered(
        band("East", leaf("request.unit", "within", ["EAST"])),
        band("Managers", leaf("requester.roles", "has_any", ["regional_manager"])),
    )
    assert said[-1] == (
        "Nothing above fits when its org unit is not in “East” and the requester's job does not include “Regional manager”: "
        "such a request is carried out at once."
    )
    assert found.gaps[0].facts == {"request.unit": "0001", "requester.roles": []}
    below, _ = covered(band("East", leaf("request.unit", "within", ["EAST"])), place="00010001")
    assert [gap.facts for gap in below.gaps] == [{}]


def test_too_many_cases_are_sampled_and_it_is_said() -> None:
    many = [leaf("request.size", "eq", n) for n in range(40)]
    found, said = covered(
        {"name": "A", "when": {"any": many}},
        {"name": "B", "when": {"any": [leaf("requester.requests", "eq", n) for n in range(40)]}},
        most=500,
    )
    assert found.is_capped
    assert "so something may have been missed" in said[0]
    assert found == covered(
        {"name": "A", "when": {"any": many}},
        {"name": "B", "when": {"any": [leaf("requester.requests", "eq", n) for n in range(40)]}},
        most=500,
    )[0]  # fmt: skip


NUMBERS = st.integers(0, 9)
FIELDS = st.sampled_from(["request.size", "requester.requests"])
LEAVES = st.one_of(
    st.builds(leaf, FIELDS, st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]), NUMBERS),
    st.builds(lambda name, ends: leaf(name, "between", sorted(ends)), FIELDS, st.tuples(NUMBERS, NUMBERS)),
    st.builds(leaf, FIELDS, st.sampled_from(["in", "not_in"]), st.lists(NUMBERS, min_size=1, max_size=3)),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(TREES, min_size=1, max_size=4), st.sampled_from([20_000, 30]))
def test_no_gap_is_false_and_without_a_cap_none_is_missed(trees: list[Any], most: int) -> None:
    bands = [{"name": f"band {n}", "when": tree if set(tree) & {"all", "any", "not"} else {"all": [tree]}}
             for n, tree in enumerate(trees)]  # fmt: skip
    definition = Definition.model_validate({"bands": bands})
    found = coverage_of(Gauge.code, definition, UNITS, most=most, shown=None)
    catalogue = catalogue_of(Gauge.code)

    def test(tree: Any) -> Any:
        return compile_tree(parse(tree, catalogue), catalogue, UNITS).test

    conditions = [test(each.when) for each in definition.bands]
    said = [test(gap.says) for gap in found.gaps]
    everything = [None, *range(12)]
    fits = {}
    for size in everything:
        for requests in everything:
            facts = {"request.size": size, "requester.requests": requests}
            subjects = subjects_of(Gauge.code, facts)
            fits[size, requests] = [each(*subjects) == HOLDS for each in conditions]
            is_open = not any(fits[size, requests])
            is_said = any(each(*subjects) == HOLDS for each in said)
            if is_said:
                assert is_open, facts
            if is_open and not found.is_capped:
                assert is_said, facts
    for gap in found.gaps:
        assert not any(each(*subjects_of(Gauge.code, gap.facts)) == HOLDS for each in conditions)
    for overlap in found.overlaps:
        held = [each(*subjects_of(Gauge.code, overlap.found.facts)) == HOLDS for each in conditions]
        assert held[overlap.first]
        assert held[overlap.second]
        assert not any(held[: overlap.first])
    if not found.is_capped:
        first = {held.index(True) for held in fits.values() if any(held)}
        assert {each.band for each in found.never} == set(range(len(bands))) - first
