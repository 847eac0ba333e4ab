"""Attributes that are defined, in conditions: typed, called by their labels, and read alike whatever becomes of them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.conditions.compiling import HOLDS, compile_tree
from apps.conditions.describing import field_described
from apps.conditions.sentences import sentence
from apps.conditions.tree import ConditionError, parse, to_json
from apps.members.attributes import value_of
from apps.members.errors import AttributeInUse
from apps.members.fields import attribute_fields
from apps.members.models import AttributeDefinition, Member
from apps.members.services.defining import change_definition, create_definition, delete_definition
from apps.rules.catalogue import CATALOGUE, by_name
from apps.rules.errors import DefinitionFaulty
from apps.rules.reading import names_of
from apps.rules.sentences import Names, condition_words
from apps.rules.services import checked
from apps.rules.trying import Trial, free_fields, try_definition
from tests.activity.test_segments import compare
from tests.conditions import trees
from tests.factories import CoffeeGroup
from tests.members.test_services import refused
from tests.rules.conftest import PER_YUAN, PURCHASE, START, Till, purchase
from tests.rules.worked import publish_all

LEVELS = [
    {"value": "silver", "label": "Silver", "label_zh": "银卡"},
    {"value": "gold", "label": "Gold", "label_zh": "金卡"},
]
DRINKS = [{"value": each, "label": each.title(), "label_zh": ""} for each in ("latte", "mocha", "tea")]
KINDS: dict[str, tuple[str, list[Any]]] = {
    "note": ("text", []), "cups": ("integer", []), "height": ("decimal", []), "wed": ("date", []), "news": ("boolean", []),
    "level": ("choice", LEVELS), "drinks": ("choices", DRINKS),
}  # fmt: skip
DEFINED = {
    key: AttributeDefinition(key=key, type=kind, label=key.title(), label_zh=f"中{key}", choices=choices)
    for key, (kind, choices) in KINDS.items()
}
FIELDS = attribute_fields(DEFINED.values())
STRICT = CATALOGUE.extend(fields=FIELDS)
DAYS = st.sampled_from(["2026-02-28", "2026-03-01", "2026-12-31"])
WHOLES, HEIGHTS = st.integers(-2, 3), st.sampled_from([0, 1.5, 20, 0.1, 199.99])
written: dict[str, Any] = {
    "note": trees.words | st.sampled_from(["12", "true", "2026-03-01"]), "cups": WHOLES | WHOLES.map(str),
    "height": HEIGHTS | HEIGHTS.map(str) | st.just("1.50"), "wed": DAYS, "news": st.booleans(),
    "level": st.sampled_from(["gold", "金卡", "Silver"]), "drinks": st.lists(st.sampled_from(["latte", "Mocha", "tea"])),
}  # fmt: skip
held = st.fixed_dictionaries({}, optional=written).map(
    lambda raw: {key: value for key in raw if (value := value_of(DEFINED[key], raw[key])) is not None}
)


def name(key: str) -> str:
    return f"member.attributes.{key}"


def leaf(key: str, ops: list[str], values: Any = None) -> Any:
    shape = {"field": st.just(name(key)), "op": st.sampled_from(ops)}
    return st.fixed_dictionaries(shape if values is None else shape | {"value": values})


def pairs(values: Any) -> Any:
    return st.lists(values, min_size=2, max_size=2).map(sorted)


def some(values: Any) -> Any:
    return st.lists(values, min_size=1, max_size=3)


EQUAL, ORDERED, KNOWN = ["eq", "ne"], ["lt", "le", "gt", "ge"], ["is_set", "is_not_set"]
LEVEL, DRINK = st.sampled_from(["silver", "gold"]), st.sampled_from(["latte", "mocha", "tea"])
leaves = st.one_of(
    *(leaf(key, KNOWN) for key in KINDS),
    leaf("note", [*EQUAL, "contains", "starts_with"], written["note"]), leaf("note", ["in", "not_in"], some(trees.words)),
    leaf("cups", [*EQUAL, *ORDERED], WHOLES), leaf("cups", ["in", "not_in"], some(WHOLES)), leaf("cups", ["between"], pairs(WHOLES)),
    leaf("height", [*EQUAL, *ORDERED], HEIGHTS), leaf("height", ["between"], pairs(HEIGHTS)),
    leaf("wed", [*EQUAL, *ORDERED], DAYS), leaf("wed", ["between"], pairs(DAYS)),
    leaf("news", ["is_true", "is_false"]),
    leaf("level", EQUAL, LEVEL), leaf("level", ["in", "not_in"], some(LEVEL)),
    leaf("drinks", ["has_any", "has_all", "has_none"], some(DRINK)),
)  # fmt: skip
grown = st.recursive(
    leaves,
    lambda inner: st.one_of(
        some(inner).map(lambda parts: {"all": parts}), some(inner).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(grown, trees.members, held)
def test_a_condition_means_the_same_whether_or_not_the_attribute_is_defined(
    tree: Any, member: Any, values: Any
) -> None:
    strict, free = parse(tree, STRICT), parse(tree, CATALOGUE)
    assert to_json(strict) == to_json(free)
    assert parse(to_json(strict), STRICT) == strict
    subject = trees.replace(member, attributes=values)
    answers = [compile_tree(each, CATALOGUE, {}).test(None, subject) for each in (strict, free)]
    assert answers[0] == answers[1]
    assert (answers[0] == HOLDS) == trees.holds(tree, None, subject)
    for language in ("en", "zh-hans"):
        told = condition_words(tree, Names(attributes=FIELDS), language)
        assert told == sentence(parse(tree, CATALOGUE.extend(fields=by_name(FIELDS))), CATALOGUE, language)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(held, min_size=1, max_size=6), st.lists(grown, min_size=1, max_size=6))
def test_it_holds_in_sql_for_just_whom_it_holds_in_memory(
    group: CoffeeGroup, values: list[Any], asked: list[Any]
) -> None:
    day = trees.DAYS[1]
    compare(group, [(["S001"], day, each, [], None, {}) for each in values], asked, day)


@pytest.mark.parametrize(
    ("key", "op", "value", "place", "code"),
    [
        ("cups", "eq", "3", (), "not_a_number"),
        ("cups", "ge", 2.5, (), "not_whole"),
        ("cups", "lt", "many", (), "not_a_number"),
        ("cups", "in", [1, "2"], (0,), "not_a_number"),
        ("height", "eq", "1.5", (), "not_a_number"),
        ("wed", "eq", "tomorrow", (), "not_a_date"),
        ("wed", "ge", 3, (), "not_a_date"),
        ("note", "eq", 12, (), "wrong_type"),
        ("level", "eq", "tin", (), "unknown_choice"),
        ("level", "in", ["gold", "tin"], (), "unknown_choice"),
        ("drinks", "has_any", ["latte", "beer"], (), "unknown_choice"),
    ],
)  # fmt: skip
def test_what_an_attribute_can_never_be_is_refused(key: str, op: str, value: Any, place: Any, code: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse({"field": name(key), "op": op, "value": value}, STRICT)
    fault = caught.value.faults[0]
    assert (fault.path, fault.code) == (("value", *place), code)


@pytest.mark.parametrize(("key", "op"), [("level", "ge"), ("news", "eq"), ("cups", "contains"), ("drinks", "eq")])
def test_only_what_the_type_can_be_asked_is_offered(key: str, op: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse({"field": name(key), "op": op, "value": "x"}, STRICT)
    assert caught.value.faults[0].code == "unknown_operator"


def test_the_builder_knows_the_label_the_type_and_the_choices() -> None:
    told = [field_described(field, "zh-hans") for field in FIELDS if field.key == "level"]
    assert [(each["name"], each["label"], each["group"], each["type"], each["choices"]) for each in told] == [
        (name("level"), "会员的“中level”", "会员", "choice", [["silver", "银卡"], ["gold", "金卡"]])
    ]


def define(group: CoffeeGroup, unit: str = "EAST", **values: Any) -> AttributeDefinition:
    first = {"label": "Level", "label_zh": "等级", "choices": LEVELS}
    return create_definition(None, group[unit], key="level", type="choice", **{**first, **values})


def asks(value: str, op: str = "eq") -> dict[str, Any]:
    question = {"field": name("level"), "op": op, "value": value}
    return {"condition": {"all": [*PURCHASE["all"], question]}, "effects": [PER_YUAN], "limits": []}


def faults(verb: Callable[[], Any]) -> list[tuple[Any, str]]:
    with pytest.raises(DefinitionFaulty) as caught:
        verb()
    return [(fault.path, fault.code) for fault in caught.value.faults]


def test_a_rule_is_checked_and_told_by_the_definitions_above_its_programme(group: CoffeeGroup) -> None:
    define(group)
    assert faults(lambda: checked(group.east, asks("tin"))) == [(("condition", "all", 1, "value"), "unknown_choice")]
    assert checked(group.west, asks("tin"))
    names = names_of([group.east, group.west])
    told = [condition_words(asks("gold")["condition"], names[each.pk], "en") for each in (group.east, group.west)]
    assert told == [
        "the event is a purchase and the member's “Level” is Gold",
        "the event is a purchase and the member's “level” is “gold”",
    ]
    assert "会员的“等级”为金卡" in condition_words(asks("gold")["condition"], names[group.east.pk], "zh-hans")


def test_a_trial_asks_by_the_label_and_takes_the_label_of_a_choice(group: CoffeeGroup) -> None:
    define(group)
    assert free_fields(asks("gold"), "en", names_of([group.east])[group.east.pk]) == [
        (name("level"), "The member's “Level”")
    ]
    trial = Trial("purchase", START, group["S001"], Decimal("20"), told={name("level"): "金卡"})
    told = try_definition(group.east, group["EAST"], asks("gold"), trial, "en")
    assert (told["points"], told["asked"][1]["sentence"], told["asked"][1]["actual"]) == (
        20, "the member's “Level” is Gold", "Gold",
    )  # fmt: skip


def test_a_running_rule_goes_on_when_its_attribute_is_retired_or_gone(till: Till) -> None:
    made = define(till.group)
    publish_all(till.group, {"Gold days": asks("gold")})
    Member.objects.update(attributes={"level": "gold"})
    assert till.send(purchase("10"))[0].points == 10
    change_definition(None, made.pk, is_active=False)
    assert till.send(purchase("10"))[0].points == 10
    AttributeDefinition.objects.all().delete()
    assert till.send(purchase("10"))[0].points == 10
    assert condition_words(asks("gold")["condition"], names_of([till.group.east])[till.group.east.pk], "en").endswith(
        "the member's “level” is “gold”"
    )


def test_a_rule_that_asks_keeps_its_attribute_and_the_choice(group: CoffeeGroup) -> None:
    made, other = define(group), define(group, "WEST")
    publish_all(group, {"Gold days": asks("gold"), "No level": {**asks("gold"), "condition": PURCHASE}})
    with pytest.raises(AttributeInUse, match="“Gold days”"):
        delete_definition(None, made.pk)
    assert refused(lambda: change_definition(None, made.pk, choices=LEVELS[:1])) == ("choice_in_use", "choices")
    change_definition(None, made.pk, choices=LEVELS[1:])
    delete_definition(None, other.pk)
    assert list(AttributeDefinition.objects.all()) == [made]
