"""Attributes that are defined on the pages of members: the form, the page of one, the list, its file."""

import csv
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.members import services
from apps.members.attribute_forms import field_name
from apps.members.models import AttributeDefinition, Member
from apps.members.services.defining import change_definition
from tests.factories import CoffeeGroup
from tests.members.conftest import WHEN
from tests.members.test_defining import define
from tests.members.test_pages import LIST, page_of

ADD = reverse("admin:members_member_add")
DRINKS = [{"value": "latte", "label": "Latte", "label_zh": "拿铁"}, {"value": "tea", "label": "Tea", "label_zh": "茶"}]


@pytest.fixture
def defined(group: CoffeeGroup) -> dict[str, AttributeDefinition]:
    east = group["EAST"]
    made = [
        define(east, "level", label_zh="等级", is_required=True, in_list=True, description="From the old card system."),
        define(east, "drinks", "choices", label="Drinks", choices=DRINKS, in_list=True),
        define(east, "cups", "integer", label="Cups a day", most=Decimal(20), in_list=True),
        define(east, "height", "decimal", label="Height"), define(east, "wed", "date", label="Wedding day"),
        define(group["G"], "news", "boolean", label="Newsletter", label_zh="订阅简讯"),
        define(group["WEST"], "note", "text", label="Note"),
    ]  # fmt: skip
    return {each.key: each for each in made}


def sent(defined: dict[str, AttributeDefinition], **values: Any) -> dict[str, Any]:
    return {field_name(defined[key]): value for key, value in values.items()}


def errors(answer: Any) -> dict[str, Any]:
    return dict(answer.context_data["adminform"].form.errors)


def test_the_form_asks_for_what_is_defined_each_in_its_own_field(
    browse: Any, group: CoffeeGroup, defined: dict[str, AttributeDefinition]
) -> None:
    service = browse("service")
    form = {"home_unit": group["S002"].pk, "card": "C1", "attributes": "nick = 007"}
    faulty = sent(defined, level="platinum", cups="21", height="12,5", wed="soon")
    answer = service.post(ADD, form | faulty)
    assert errors(answer) == {
        field_name(defined["level"]): ["Level is one of: Gold, Tin."],
        field_name(defined["cups"]): ["Cups a day is a whole number of at most 20."],
        field_name(defined["height"]): ["Height is a number of up to 15 figures, for example 12.5."],
        field_name(defined["wed"]): ["Wedding day is a date, for example 2026-05-01."],
    }
    assert "From the old card system." in answer.content.decode()
    assert errors(service.post(ADD, form)) == {
        field_name(defined["level"]): ["Fill this in: it is asked of every new member."]
    }
    good = sent(defined, level="gold", drinks=["tea", "latte"], cups="３", height="1.750", wed="2026-05-01", news="no")
    service.post(ADD, form | good)
    assert Member.objects.get().attributes == {
        "level": "gold", "drinks": ["latte", "tea"], "cups": 3, "height": "1.75", "wed": "2026-05-01", "news": False,
        "nick": "007",
    }  # fmt: skip


def test_a_key_that_is_defined_has_one_place_only(
    browse: Any, group: CoffeeGroup, wang: Member, defined: dict[str, AttributeDefinition]
) -> None:
    answer = browse("service").post(page_of(wang), {"home_unit": group["S001"].pk, "attributes": "level = gold"})
    assert errors(answer) == {"attributes": ["These have a place of their own, or are no longer in use: level."]}


def test_what_a_member_holds_stays_though_it_is_not_allowed_any_more(
    browse: Any, group: CoffeeGroup, wang: Member, defined: dict[str, AttributeDefinition]
) -> None:
    change_definition(None, defined["cups"].pk, is_active=False)
    Member.objects.filter(pk=wang.pk).update(attributes={"level": 3, "cups": 40, "nick": "Wang"})
    service = browse("service")
    form = service.get(page_of(wang) + "?change").context_data["adminform"].form
    assert field_name(defined["cups"]) not in form.fields
    assert form["attributes"].value() == "nick = Wang"
    shown = {"home_unit": group["S001"].pk, "attributes": "nick = Ming", **sent(defined, level="3", news="yes")}
    service.post(page_of(wang), shown)
    assert Member.objects.get(pk=wang.pk).attributes == {"level": 3, "cups": 40, "nick": "Ming", "news": True}


def test_only_what_members_of_the_unit_have_is_taken(
    browse: Any, group: CoffeeGroup, defined: dict[str, AttributeDefinition], admin_client: Any
) -> None:
    form = {"home_unit": group["S101"].pk, "card": "C1", "attributes": ""}
    answer = admin_client.post(ADD, form | sent(defined, level="gold"))
    assert errors(answer) == {field_name(defined["level"]): ["Members of Old Town do not have this."]}
    admin_client.post(ADD, form | sent(defined, note="likes tea"))
    assert Member.objects.get().attributes == {"note": "likes tea"}


def test_the_page_shows_labels_and_values_in_the_readers_language(
    browse: Any, wang: Member, defined: dict[str, AttributeDefinition]
) -> None:
    Member.objects.filter(pk=wang.pk).update(
        attributes={"news": True, "wed": "2026-05-01", "height": "1234.5", "level": "gold", "a": 1, "drinks": ["tea"]}
    )
    told = browse("service").get(page_of(wang)).context_data["profile"].attributes
    assert told == [
        ("Level", "Gold"), ("Drinks", "Tea"), ("Height", "1,234.5"), ("Wedding day", "1 May 2026"), ("Newsletter", "yes"),
        ("a", "1"),
    ]  # fmt: skip
    chinese = browse("service")
    chinese.cookies["django_language"] = "zh-hans"
    told = chinese.get(page_of(wang)).context_data["profile"].attributes
    assert told[0] == ("等级", "金卡")
    assert ("订阅简讯", "是") in told


def test_the_list_shows_what_it_should_and_the_file_shows_all(
    browse: Any, group: CoffeeGroup, wang: Member, defined: dict[str, AttributeDefinition]
) -> None:
    Member.objects.filter(pk=wang.pk).update(
        attributes={"level": "gold", "cups": 3, "wed": "2026-05-01", "height": "1.5"}
    )
    change_definition(None, defined["level"].pk, choices=[{"value": "gold", "label": "=Gold", "label_zh": ""}])
    service = browse("service")
    page = service.get(LIST).content.decode()
    assert all(label in page for label in ("Level", "Drinks", "Cups a day"))
    assert "Height" not in page
    file = b"".join(service.get(LIST + "export/").streaming_content).decode("utf-8-sig")
    header, row = csv.reader(StringIO(file))
    assert header[-6:] == ["Level", "Drinks", "Cups a day", "Height", "Wedding day", "Newsletter"]
    assert row[-6:] == ["'=Gold", "", "3", "1.5", "2026-05-01", ""]


def test_the_list_shows_five_at_most_and_asks_for_definitions_once(
    browse: Any, group: CoffeeGroup, wang: Member
) -> None:
    for number in range(7):
        define(group["EAST"], f"k{number}", "text", label=f"Column {number}", in_list=True, position=10 - number)
    services.change_member(None, wang.pk, attributes={"k6": "six"}, when=WHEN)
    service = browse("service")
    with CaptureQueriesContext(connection) as asked:
        page = service.get(LIST).content.decode()
    assert [f"Column {number}" in page for number in range(7)] == [False, False, True, True, True, True, True]
    assert sum('FROM "members_attributedefinition"' in each["sql"] for each in asked) == 1
    with CaptureQueriesContext(connection) as asked:
        service.get(page_of(wang) + "?change")
    assert sum('FROM "members_attributedefinition"' in each["sql"] for each in asked) == 1
