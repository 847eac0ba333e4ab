"""Members over the API, as worked examples."""

from decimal import Decimal
from typing import Any

import pytest

from apps.members.models import Look, Member, MemberChange
from apps.orgs.models import KeptAnswer
from tests.api.conftest import Caller, make_caller
from tests.factories import CoffeeGroup
from tests.members.test_defining import define

WANG = {
    "identifiers": [{"kind": "phone", "value": "+86 138 1234 1234"}, {"kind": "card", "value": "c 9001"}],
    "name": "王小明",
    "birth_on": "1990-05-04",
    "home_unit": "S001",
    "attributes": {"favourite": "latte", "visits": 3, "spoons": 1.5, "vegan": False, "tags": ["高活跃"]},
}
MASKED = {
    "state": "active",
    "home_unit": "S001",
    "name": "王**",
    "birth_on": None,
    "identifiers": [{"kind": "card", "value": "****01"}, {"kind": "phone", "value": "138****1234"}],
    "attributes": {"favourite": "latte", "visits": 3, "spoons": 1.5, "vegan": False, "tags": ["高活跃"]},
    "is_masked": True,
}
READING = ["members:read", "members:write", "points:read"]


@pytest.fixture
def web(shop: CoffeeGroup) -> Caller:
    """A web shop that enrols and reads members, masked."""
    return make_caller(shop, scopes=READING, code="web")


@pytest.fixture
def crm(shop: CoffeeGroup) -> Caller:
    """A system that reads members in clear."""
    return make_caller(shop, scopes=[*READING, "members:personal"], code="crm")


def known(answer: Any) -> dict[str, Any]:
    return {name: value for name, value in answer.told.items() if name not in ("id", "joined_on")}


def test_a_member_is_enrolled_and_told_masked(web: Caller, crm: Caller) -> None:
    answer = web.post("members", WANG)
    assert (answer.status_code, known(answer)) == (201, MASKED)
    member = Member.objects.get(pk=answer.told["id"])
    assert MemberChange.objects.get(member=member).client == web.client
    other = crm.post("members", {"identifiers": [{"value": "C9002"}], "name": "Ann Lee"})
    assert (other.told["name"], other.told["home_unit"], other.told["is_masked"]) == ("A**", "EAST", True)


def test_an_identifier_names_one_member_only(web: Caller) -> None:
    web.post("members", WANG)
    before = Member.objects.count()
    answer = web.post("members", {"identifiers": [{"kind": "phone", "value": "13812341234"}]})
    assert (answer.status_code, answer.told["code"]) == (409, "identifier_taken")
    assert Member.objects.count() == before


def test_an_idempotency_key_enrols_once_and_is_answered_as_before(web: Caller) -> None:
    first = web.post("members", WANG, idempotency_key="k1")
    again = web.post("members", WANG, idempotency_key="k1")
    other = web.post("members", WANG | {"name": "王大明"}, idempotency_key="k1")
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.content == first.content
    assert other.told["code"] == "key_reused"
    assert Member.objects.filter(pk=first.told["id"]).get().masked_name == "王**"


def test_a_kept_answer_holds_nothing_personal(crm: Caller) -> None:
    crm.post("members", WANG, idempotency_key="k1")
    kept = KeptAnswer.objects.get()
    assert kept.body["name"] == "王**"
    assert "138****1234" in str(kept.body)


def test_a_refusal_frees_the_key(web: Caller) -> None:
    wrong = WANG | {"birth_on": "1790-05-04"}
    assert web.post("members", wrong, idempotency_key="k1").told["code"] == "birthday_impossible"
    assert web.post("members", WANG, idempotency_key="k1").status_code == 201


def test_a_member_is_read_masked_and_with_the_scope_in_clear_on_record(web: Caller, crm: Caller) -> None:
    path = f"members/{web.post('members', WANG).told['id']}"
    assert known(web.get(path)) == MASKED
    assert not Look.objects.exists()
    assert known(crm.get(path)) == MASKED | {
        "name": "王小明",
        "birth_on": "1990-05-04",
        "identifiers": [{"kind": "card", "value": "C9001"}, {"kind": "phone", "value": "13812341234"}],
        "is_masked": False,
    }
    look = Look.objects.get()
    assert (look.kind, look.client, look.reason) == ("reveal", crm.client, "API crm")


def test_each_search_by_identifier_is_on_record_found_or_not(web: Caller) -> None:
    made = web.post("members", WANG).told["id"]
    for asked, found in (("phone:+8613812341234", [made]), ("card:C9001", [made]), ("phone:13800000000", [])):
        answer = web.get(f"members?identifier={asked.replace('+', '%2B')}")
        assert (answer.status_code, [each["id"] for each in answer.told["members"]]) == (200, found)
    assert list(Look.objects.order_by("pk").values_list("kind", "found", "what")) == [
        ("search", 1, "phone 138****1234"), ("search", 1, "card ****01"), ("search", 0, "phone 138****0000"),
    ]  # fmt: skip


def test_a_found_member_in_clear_is_two_looks(web: Caller, crm: Caller) -> None:
    web.post("members", WANG)
    answer = crm.get("members?identifier=card:C9001")
    assert answer.told["members"][0]["name"] == "王小明"
    assert sorted(Look.objects.values_list("kind", flat=True)) == ["reveal", "search"]


@pytest.mark.parametrize("asked", ["", "13812341234", ":1", "phone:", "phone:%20"])
def test_an_identifier_to_search_for_has_a_kind_and_a_value(web: Caller, asked: str) -> None:
    answer = web.get(f"members?identifier={asked}")
    assert (answer.status_code, answer.told["errors"][0]["field"]) == (422, "identifier")


def test_a_change_leaves_what_is_not_sent(web: Caller, crm: Caller) -> None:
    path = f"members/{web.post('members', WANG).told['id']}"
    answer = web.patch(path, {"home_unit": "S003", "attributes": {"favourite": "mocha"}}, idempotency_key="k2")
    assert (answer.status_code, known(answer)) == (
        200, MASKED | {"home_unit": "S003", "attributes": {"favourite": "mocha"}},
    )  # fmt: skip
    assert web.patch(path, {"name": ""}).told["name"] == ""
    assert crm.get(path).told["birth_on"] == "1990-05-04"
    assert web.patch(path, {"birth_on": None}).status_code == 200
    assert crm.get(path).told["birth_on"] is None


def test_members_of_other_companies_answer_like_none(shop: CoffeeGroup, web: Caller) -> None:
    far = make_caller(shop, "WEST", READING, "west").post("members", WANG | {"home_unit": "S101"}).told["id"]
    near = make_caller(shop, "S003", READING, "s003")
    for caller in (web, near):
        for answers in (
            [caller.get(f"members/{pk}") for pk in (far, 87_654_321)],
            [caller.patch(f"members/{pk}", {"name": "X"}) for pk in (far, 87_654_321)],
            [caller.get(f"members?identifier={asked}") for asked in ("card:C9001", "card:C9999")],
            [
                caller.post("members", {"identifiers": [{"value": "C1111"}], "home_unit": unit})
                for unit in ("S101", "S999")
            ],
        ):
            assert answers[0].content == answers[1].content
    assert Member.objects.get(pk=far).masked_name == "王**"


def test_a_member_moves_only_within_reach(shop: CoffeeGroup, web: Caller) -> None:
    made = web.post("members", WANG).told["id"]
    answer = web.patch(f"members/{made}", {"home_unit": "S101"})
    assert (answer.status_code, answer.told["code"]) == (422, "unknown_unit")
    assert Member.objects.get(pk=made).home_unit.code == "S001"


def test_fields_that_a_call_does_not_offer_are_refused(web: Caller) -> None:
    made = web.post("members", WANG).told["id"]
    for each in Member._meta.concrete_fields:
        if each.name not in ("name", "home_unit", "attributes"):
            answer = web.patch(f"members/{made}", {each.name: "1"})
            assert (answer.status_code, answer.told["errors"][0]["code"]) == (422, "unknown_field"), each.name
            assert web.post("members", WANG | {each.name: "1"}).status_code in (409, 422)


def test_every_fault_of_a_member_is_told_at_once(web: Caller) -> None:
    body = {
        "identifiers": [{"kind": "phone", "value": "1"}, {"value": ""}, "card"],
        "name": "x" * 200,
        "birth_on": 19900504,
        "joined_on": "2026-02-30",
        "attributes": {"a": {"b": 1}},
        "state": "closed",
    }
    answer = web.post("members", body)
    found = {(each["field"], each["code"]) for each in answer.told["errors"]}
    assert {
        ("identifiers.1.value", "too_short"), ("identifiers.2", "not_an_object"), ("name", "too_long"),
        ("attributes.a", "attribute_value"), ("birth_on", "not_a_date"), ("joined_on", "not_a_date"), ("state", "unknown_field"),
    } == found  # fmt: skip
    malformed = web.post("members", {"identifiers": [{"kind": "phone", "value": "1"}]})
    assert malformed.told["code"] == "identifier_malformed"


def test_attributes_are_held_against_their_definitions(web: Caller, shop: CoffeeGroup) -> None:
    define(shop["EAST"], "level", label_zh="等级"), define(shop["EAST"], "height", "decimal", label="Height")
    define(shop["EAST"], "cups", "integer", label="Cups", most=Decimal(20))
    sent = {"level": "金卡", "height": 1.750, "cups": "３", "favourite": 1.5}
    answer = web.post("members", WANG | {"attributes": sent})
    assert (answer.status_code, answer.told["attributes"]) == (
        201, {"level": "gold", "height": "1.75", "cups": 3, "favourite": 1.5},
    )  # fmt: skip
    address = f"members/{answer.told['id']}"
    refused = web.patch(address, {"attributes": {"level": "platinum", "cups": 21}})
    assert (refused.status_code, refused.told["code"]) == (422, "attributes_refused")
    assert refused.told["errors"] == [
        {"field": "attributes.level", "code": "attribute_refused", "detail": "Level is one of: Gold, Tin."},
        {"field": "attributes.cups", "code": "attribute_refused", "detail": "Cups is a whole number of at most 20."},
    ]
    assert web.get(address).told["attributes"]["cups"] == 3
    told = web.patch(address, {"attributes": {"height": "0.1"}}).told
    assert told["attributes"] == {"height": "0.1"}
