"""What a definition makes of a value, however it is written, and what it refuses in words."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from apps.members.attributes import value_of, values_of
from apps.members.errors import AttributeRefused, AttributesRefused
from apps.members.models import AttributeDefinition

Type = AttributeDefinition.Type
LEVELS = [
    {"value": "silver", "label": "Silver", "label_zh": "银卡"},
    {"value": "gold", "label": "Gold, since 2020", "label_zh": "金卡"},
    {"value": "7", "label": "", "label_zh": "普卡"},
]


def defined(kind: str, key: str = "level", **values: Any) -> AttributeDefinition:
    return AttributeDefinition(
        key=key, type=kind, **{"label": "Level", "label_zh": "等级", "choices": LEVELS, **values}
    )


def refusal(definition: AttributeDefinition, raw: Any, language: str = "en") -> str:
    with pytest.raises(AttributeRefused) as caught, translation.override(language):
        value_of(definition, raw)
    assert (caught.value.code, caught.value.field) == ("attribute_refused", "attributes.level")
    with translation.override(language):
        return caught.value.sentence()


@pytest.mark.parametrize(
    ("kind", "raw", "kept"),
    [
        (Type.TEXT, "  latte ", "latte"),
        (Type.TEXT, 138, "138"),
        (Type.INTEGER, "１２", 12),
        (Type.INTEGER, "+007", 7),
        (Type.INTEGER, 3.0, 3),
        (Type.INTEGER, Decimal("-0"), 0),
        (Type.DECIMAL, "12.50", "12.5"),
        (Type.DECIMAL, "１２．５", "12.5"),
        (Type.DECIMAL, 100, "100"),
        (Type.DECIMAL, 0.1, "0.1"),
        (Type.DECIMAL, "-0.0", "0"),
        (Type.DATE, "2026-5-1", "2026-05-01"),
        (Type.DATE, "2026年05月01日", "2026-05-01"),
        (Type.DATE, "２０２６／５／１", "2026-05-01"),
        (Type.DATE, date(2026, 5, 1), "2026-05-01"),
        (Type.DATE, datetime(2026, 5, 1, 8, 30), "2026-05-01"),
        (Type.BOOLEAN, "是", True),
        (Type.BOOLEAN, "YES", True),
        (Type.BOOLEAN, "１", True),
        (Type.BOOLEAN, 0, False),
        (Type.BOOLEAN, "否", False),
        (Type.BOOLEAN, False, False),
        (Type.CHOICE, "gold", "gold"),
        (Type.CHOICE, "金卡", "gold"),
        (Type.CHOICE, "gold, since 2020", "gold"),
        (Type.CHOICE, 7, "7"),
        (Type.CHOICES, ["金卡", "silver", "Silver"], ["silver", "gold"]),
        (Type.CHOICES, "普卡、金卡", ["gold", "7"]),
        (Type.CHOICES, "Gold, since 2020", ["gold"]),
        (Type.CHOICES, ("gold",), ["gold"]),
        *((kind, empty, None) for kind in Type for empty in (None, "", "  ", [])),
        (Type.CHOICES, "，", None),
    ],
)  # fmt: skip
def test_a_value_is_kept_in_one_spelling_however_it_is_written(kind: str, raw: Any, kept: Any) -> None:
    value = value_of(defined(kind), raw)
    assert (value, type(value)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (Type.TEXT, "x" * 501), (Type.TEXT, "two\nlines"), (Type.TEXT, True), (Type.TEXT, ["a"]), (Type.TEXT, {"a": 1}),
        (Type.INTEGER, "1.5"), (Type.INTEGER, "12,000"), (Type.INTEGER, "1e5"), (Type.INTEGER, True),
        (Type.INTEGER, "1" * 16), (Type.INTEGER, float("nan")), (Type.INTEGER, 10**15), (Type.INTEGER, "Ⅻ!"),
        (Type.DECIMAL, "12,5"), (Type.DECIMAL, "1.000000000000001"), (Type.DECIMAL, "1234567890.1234567"),
        (Type.DECIMAL, float("inf")), (Type.DECIMAL, "."),
        (Type.DATE, "2026-02-30"), (Type.DATE, "1/5/2026"), (Type.DATE, "20260501"), (Type.DATE, 20260501),
        (Type.BOOLEAN, "perhaps"), (Type.BOOLEAN, 2), (Type.BOOLEAN, ["yes"]),
        (Type.CHOICE, "platinum"), (Type.CHOICE, ["gold"]), (Type.CHOICE, True),
        (Type.CHOICES, ["gold", "platinum"]), (Type.CHOICES, ["gold", 1]), (Type.CHOICES, "gold; tin"),
    ],
)  # fmt: skip
def test_what_a_definition_does_not_allow_is_refused(kind: str, raw: Any) -> None:
    refusal(defined(kind), raw)


@pytest.mark.parametrize(
    ("definition", "raw", "english", "chinese"),
    [
        (defined(Type.TEXT, longest=3), "four", "Level is a text of up to 3 characters, in one line.", "等级为一行文本，最多 3 个字符。"),
        (defined(Type.INTEGER, least=Decimal("0.000"), most=Decimal("20.000")), 21, "Level is a whole number from 0 to 20.", "等级为 0 到 20 之间的整数。"),
        (defined(Type.DECIMAL, least=Decimal("0.500")), "0.4", "Level is a number of at least 0.5, for example 12.5.", "等级为不小于 0.5 的数字，例如 12.5。"),
        (defined(Type.DATE), "soon", "Level is a date, for example 2026-05-01.", "等级为日期，例如 2026-05-01。"),
        (defined(Type.CHOICE), "tin", "Level is one of: Silver, Gold, since 2020, 普卡.", "等级为以下之一：银卡、金卡、普卡。"),
        (defined(Type.BOOLEAN, label=""), "tin", "等级 is yes or no.", "等级为“是”或“否”。"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_label_and_what_is_allowed(
    definition: AttributeDefinition, raw: Any, english: str, chinese: str
) -> None:
    assert (refusal(definition, raw), refusal(definition, raw, "zh-hans")) == (english, chinese)


@given(
    st.sampled_from(list(Type)),
    st.text(max_size=30) | st.integers() | st.floats() | st.booleans() | st.decimals() | st.dates() | st.lists(st.text(max_size=8), max_size=3),
)  # fmt: skip
def test_whatever_is_taken_is_json_and_stays_as_it_is(kind: str, raw: Any) -> None:
    definition = defined(kind)
    try:
        value = value_of(definition, raw)
    except AttributeRefused:
        return
    assert json.loads(json.dumps(value)) == value
    assert value_of(definition, value) == value


def test_every_fault_is_told_at_once_and_what_is_held_stays() -> None:
    definitions = [defined(Type.INTEGER, "visits", most=Decimal(5)), defined(Type.CHOICE), defined(Type.TEXT, "note")]
    with pytest.raises(AttributesRefused) as caught:
        values_of(definitions, {"visits": 6, "level": "tin", "note": "fine"}, {"visits": 7})
    assert caught.value.data == {"keys": ["visits", "level"]}
    assert [part.field for part in caught.value.parts] == ["attributes.visits", "attributes.level"]
    kept = values_of(definitions, {"visits": 6, "level": "tin", "other": 1}, {"visits": 6, "level": "tin"})
    assert kept == {"visits": 6, "level": "tin"}
