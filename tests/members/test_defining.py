"""Defining attributes: who may, what is refused, what the history says, and what members then hold."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.members import services, uses
from apps.members.models import AttributeDefinition, Member
from apps.members.querysets import definitions_for
from apps.members.services.defining import change_definition, create_definition, delete_definition
from apps.orgs.models import OrgUnit
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import WHEN
from tests.members.test_services import history, refused

GOLD = {"value": "gold", "label": "Gold", "label_zh": "金卡"}
TIN = {"value": "tin", "label": "Tin", "label_zh": ""}


def define(
    unit: OrgUnit, key: str = "level", type: str = "choice", actor: Any = None, **values: Any
) -> AttributeDefinition:
    first = {"label": "Level", "choices": [GOLD, TIN]} if type in ("choice", "choices") else {"label": "Level"}
    return create_definition(actor, unit, key=key, type=type, **{**first, **values})


@pytest.fixture
def in_use() -> Iterator[list[str]]:
    """What a room above says of who asks for gold."""
    names: list[str] = []

    def find(unit: OrgUnit, key: str, values: frozenset[str]) -> list[str]:
        return names if key == "level" and (not values or "gold" in values) else []

    uses.names_attributes(find)
    yield names
    uses._finders.pop(f"{find.__module__}.{find.__qualname__}")


def test_marketing_defines_for_its_company_and_nobody_else_does(group: CoffeeGroup, cast: Cast) -> None:
    for persona, unit in (("marketing", "WEST"), ("marketing", "G"), ("service", "EAST"), ("outsider", "EAST")):
        assert refused(lambda p=persona, u=unit: define(group[u], actor=cast[p])) == ("not_allowed", None)
    made = define(group["EAST"], actor=cast["marketing"])
    change_definition(cast["marketing"], made.pk, label="Rank", label_zh="等级")
    assert refused(lambda: change_definition(cast["outsider"], made.pk, label="Mine")) == ("not_allowed", None)
    assert refused(lambda: delete_definition(cast["service"], made.pk)) == ("not_allowed", None)
    rows = AttributeDefinition.history.order_by("history_id")
    assert [(row.history_type, row.label, row.history_user) for row in rows] == [
        ("+", "Level", cast.marketing), ("~", "Rank", cast.marketing),
    ]  # fmt: skip
    delete_definition(cast["marketing"], made.pk)
    assert not AttributeDefinition.objects.exists()


def test_on_one_way_up_the_tree_a_key_means_one_thing(group: CoffeeGroup) -> None:
    define(group["EAST"])
    assert define(group["WEST"], type="text").key == "level"
    for unit in ("EAST", "G"):
        assert refused(lambda u=unit: define(group[u])) == ("attribute_key_taken", "key")
    define(group["G"], "diet")
    assert refused(lambda: define(group["EAST"], "diet")) == ("attribute_key_taken", "key")
    assert [each.key for each in definitions_for(group["S001"])] == ["level", "diet"]
    assert [each.type for each in definitions_for(group["S101"])] == ["text", "choice"]


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"key": "two words"}, "attribute_key_malformed", "key"),
        ({"label": " ", "label_zh": ""}, "attribute_unlabelled", "label"),
        ({"choices": []}, "choices_malformed", "choices"),
        ({"choices": [GOLD, GOLD]}, "choices_malformed", "choices"),
        ({"choices": [{"value": "x"}]}, "choices_malformed", "choices"),
        ({"type": "integer", "least": Decimal(2), "most": Decimal(1)}, "attribute_limits_impossible", "most"),
        ({"type": "text", "longest": 501}, "attribute_longest_impossible", "longest"),
        ({"rank": 1}, "attribute_fixed", None),
    ],
)  # fmt: skip
def test_an_impossible_definition_is_refused(group: CoffeeGroup, values: Any, code: str, field: str | None) -> None:
    assert refused(lambda: define(group["EAST"], **values)) == (code, field)
    assert not AttributeDefinition.objects.exists()


def test_attributes_are_defined_for_companies_and_the_group_only(group: CoffeeGroup) -> None:
    assert refused(lambda: define(group["EAST-N"])) == ("attribute_unit_unfit", "unit")


def test_the_key_and_the_type_stay(group: CoffeeGroup) -> None:
    made = define(group["EAST"])
    for values in ({"key": "rank"}, {"type": "text"}, {"unit": group["G"]}):
        assert refused(lambda v=values: change_definition(None, made.pk, **v)) == ("attribute_fixed", None)


def test_the_database_knows_what_a_definition_must_be(group: CoffeeGroup) -> None:
    made = define(group["EAST"], type="integer")
    for values in ({"label": ""}, {"least": 2, "most": 1}, {"longest": 501}):
        with pytest.raises(IntegrityError), transaction.atomic():
            AttributeDefinition.objects.filter(pk=made.pk).update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        AttributeDefinition.objects.create(unit=made.unit, key="level", label="Again")


def test_what_a_rule_asks_for_is_neither_deleted_nor_taken_from_the_list(group: CoffeeGroup, in_use: list[str]) -> None:
    made = define(group["EAST"])
    in_use.append("Gold days")
    assert refused(lambda: delete_definition(None, made.pk)) == ("attribute_in_use", None)
    assert refused(lambda: change_definition(None, made.pk, choices=[TIN])) == ("choice_in_use", "choices")
    change_definition(None, made.pk, choices=[GOLD], is_active=False)
    assert AttributeDefinition.objects.get().choices == [GOLD]


def test_a_member_holds_what_the_definitions_of_the_home_unit_say(group: CoffeeGroup, wang: Member) -> None:
    define(group["EAST"])
    define(group["G"], "cups", "integer", most=Decimal(20))
    sent = {"level": "金卡", "cups": "３", "favourite": "latte", "note": None}
    with CaptureQueriesContext(
        connection,
    ) as asked:
        services.change_member(None, wang.pk, attributes=sent, when=WHEN)
    assert sum("members_attributedefinition" in each["sql"] for each in asked) == 1
    assert Member.objects.get(pk=wang.pk).attributes == {"level": "gold", "cups": 3, "favourite": "latte"}
    assert history(wang)[-1][2] == [
        ("attributes:cups", None, "3"), ("attributes:favourite", None, "latte"), ("attributes:level", "3", "gold"),
    ]  # fmt: skip
    faulty = {"level": "platinum", "cups": 21}
    assert refused(lambda: services.change_member(None, wang.pk, attributes=faulty, when=WHEN)) == (
        "attributes_refused", "attributes",
    )  # fmt: skip
    assert Member.objects.get(pk=wang.pk).attributes["cups"] == 3


def test_a_value_older_than_its_definition_stays_until_it_is_changed(group: CoffeeGroup, wang: Member) -> None:
    define(group["EAST"])
    services.change_member(None, wang.pk, attributes={"level": 3, "favourite": "latte"}, when=WHEN)
    assert Member.objects.get(pk=wang.pk).attributes == {"level": 3, "favourite": "latte"}
    assert refused(lambda: services.change_member(None, wang.pk, attributes={"level": 4}, when=WHEN))[0] == (
        "attributes_refused"
    )


def test_what_is_asked_of_new_members_is_not_asked_of_systems(group: CoffeeGroup) -> None:
    define(group["EAST"], is_required=True)
    made = services.create_member(None, group["S001"], identifiers=[("card", "N1")], when=WHEN)
    assert made.attributes == {}
