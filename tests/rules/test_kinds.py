"""A kind of effect that another room brings: read, refused at its place, said and compiled like the rules' own."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from apps.rules.definition import Definition, Faulty, check_definition
from apps.rules.effects import Effect, Tag
from apps.rules.forms import effect_choices
from apps.rules.kinds import KINDS, Kind, register
from apps.rules.sentences import Names, Writer, rule_sentence
from apps.rules.snapshot import live_effect


class GiveVoucher(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    effect: Literal["voucher"] = "voucher"
    voucher: Annotated[str, Field(min_length=1, max_length=20)]


def live(effect: Mapping[str, Any], point_type_id: int, paths: Mapping[str, str]) -> Effect:
    return Tag(f"has {effect['voucher']}")


def clause(writer: Writer, effect: Mapping[str, Any]) -> str:
    return f"members get the voucher {effect.get('voucher')}"


@pytest.fixture
def voucher() -> Iterator[Kind]:
    kind = Kind("voucher", "A voucher", GiveVoucher, live, clause)
    register(kind)
    yield kind
    del KINDS["voucher"]
    Definition.model_rebuild(force=True)


def check(*effects: dict[str, Any]) -> Definition:
    return check_definition({"condition": {"all": []}, "effects": list(effects)}, point_types={}, units={})


def test_a_kind_that_is_registered_is_read_said_compiled_and_offered(voucher: Kind) -> None:
    content = check({"effect": "voucher", "voucher": "latte"}).to_json()
    assert content["effects"] == [{"effect": "voucher", "voucher": "latte"}]
    assert rule_sentence(content, Names(), "en") == "Members get the voucher latte."
    assert live_effect(content["effects"][0], {}, {}) == Tag("has latte")
    assert ("voucher", "A voucher") in effect_choices()["effect"]
    assert "GiveVoucher" in Definition.model_json_schema()["$defs"]


def test_its_faults_stand_where_they_are(voucher: Kind) -> None:
    with pytest.raises(Faulty) as refused:
        check({"effect": "voucher", "voucher": "latte"}, {"effect": "voucher", "voucher": "x" * 21})
    assert [(fault.path, fault.code) for fault in refused.value.faults] == [
        (("effects", 1, "voucher"), "string_too_long")
    ]


def test_without_it_there_is_no_such_effect_and_no_name_is_taken_twice(voucher: Kind) -> None:
    with pytest.raises(ValueError, match="voucher"):
        register(voucher)
    del KINDS["voucher"]
    Definition.model_rebuild(force=True)
    with pytest.raises(Faulty) as refused:
        check({"effect": "voucher", "voucher": "latte"})
    assert [fault.code for fault in refused.value.faults] == ["unknown_effect"]
    register(voucher)
