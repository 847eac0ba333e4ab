"""The live count: how many of the members whom somebody may see could ever meet a rule's condition."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings

from apps.activity import segments
from apps.conditions.compiling import HOLDS, compile_tree
from apps.conditions.possible import of_members
from apps.conditions.tree import parse
from apps.members.models import Member
from apps.members.services import enrol_many
from apps.rules.catalogue import CATALOGUE
from apps.rules.counting import count_reached
from tests.conditions import trees
from tests.factories import Cast, CoffeeGroup
from tests.rules.conftest import START, Till, purchase

DAY = START.date()
KIND = {"field": "event.kind", "op": "eq", "value": "purchase"}
NORTH = {"field": "member.home_unit", "op": "within", "value": ["EAST-N"]}
SHOPPED = {"field": "history.orders", "window": 7, "op": "ge", "value": 1}


@pytest.fixture
def members(group: CoffeeGroup) -> CoffeeGroup:
    """Three members of S001, two of S003, four of WEST, one who has left."""
    stores = ["S001"] * 4 + ["S003"] * 2 + ["S101"] * 4
    enrol_many([("card", f"C{n}", group.units[store].pk, DAY) for n, store in enumerate(stores, 1)], when=START)
    Member.objects.filter(identifiers__masked__endswith="4", home_unit=group["S001"]).update(state="closed")
    return group


def counted(person: Any, group: CoffeeGroup, condition: Any, day: date = DAY) -> tuple[Any, Any]:
    found = count_reached(person, group.east, {"condition": condition}, day)
    return found["count"], found["of"]


def test_members_count_who_could_meet_it_whatever_the_event_would_be(members: CoffeeGroup, cast: Cast) -> None:
    person = cast.marketing
    assert counted(person, members, {"all": []}) == (5, 5)
    assert counted(person, members, {"all": [KIND, NORTH]}) == (3, 5)
    assert counted(person, members, {"not": {"any": [KIND, NORTH]}}) == (2, 5)
    assert counted(person, members, {"any": [KIND, NORTH]}) == (5, 5)
    assert counted(
        person, members, {"all": [{"lines": "any", "where": {"field": "line.sku", "op": "is_set"}}, {"not": NORTH}]}
    ) == (2, 5)


def test_a_count_holds_what_the_person_may_see_and_the_programme_knows(members: CoffeeGroup, cast: Cast) -> None:
    assert counted(cast.regional_manager, members, {"all": []}) == (3, 3)
    assert counted(cast.outsider, members, {"all": []}) == (4, 4)
    assert counted(cast.shop, members, {"all": []}) == (0, 0)


def test_history_counts_up_to_the_end_of_the_day(till: Till, cast: Cast) -> None:
    till.send(purchase("10", member="C1"), purchase("10", member="C2", occurred_at=START + timedelta(days=1)))
    days = [DAY + timedelta(days=ahead) for ahead in (-1, 0, 1, 6, 7, 8)]
    assert [counted(cast.marketing, till.group, SHOPPED, day)[0] for day in days] == [0, 1, 2, 2, 1, 0]


def test_what_takes_too_long_is_said_and_leaves_the_connection_whole(
    members: CoffeeGroup, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "members_in", lambda *_: ("FROM pg_sleep(5)", ()))
    found = segments.count_members(cast.marketing, members.east, None, {}, DAY, seconds=0.05)  # type: ignore[arg-type]
    assert found is None
    monkeypatch.undo()
    assert counted(cast.marketing, members, {"all": []}) == (5, 5)


def test_the_editor_is_told_in_both_languages(client: Client, members: CoffeeGroup, cast: Cast) -> None:
    client.force_login(cast.marketing, backend="apps.orgs.auth.RoleBackend")
    asked = {"program": members.east.pk, "definition": '{"condition": {"all": []}}'}
    said = [
        client.post(reverse("admin:rules_rule_count"), asked | more, headers={"accept-language": language}).json()
        for language, more in (("en", {}), ("zh-hans", {}), ("en", {"definition": "{"}))
    ]
    assert [each["text"] for each in said] == ["5 of 5 members", "5 位会员中的 5 位", ""]
    assert client.post(reverse("admin:rules_rule_count"), asked | {"program": members.west.pk}).status_code == 404


@settings(max_examples=200, deadline=None)
@given(trees.trees, trees.events, trees.members)
def test_whoever_meets_a_condition_is_among_those_who_could(tree: Any, event: Any, member: Any) -> None:
    parsed = parse(tree, CATALOGUE, trees.UNITS)
    could = of_members(parsed, segments.MEMBER_CATALOGUE)
    if compile_tree(parsed, CATALOGUE, trees.UNITS).test(event, member) == HOLDS:
        assert compile_tree(could, segments.MEMBER_CATALOGUE, trees.UNITS).test(member) == HOLDS


@settings(max_examples=200, deadline=None)
@given(trees.trees, trees.events, trees.members)
def test_where_the_event_is_known_it_is_they_and_no_others(tree: Any, event: Any, member: Any) -> None:
    def known(leaf: Any) -> bool:
        return compile_tree(leaf, CATALOGUE, trees.UNITS).test(event, member) == HOLDS

    parsed = parse(tree, CATALOGUE, trees.UNITS)
    would = of_members(parsed, segments.MEMBER_CATALOGUE, known)
    holds = compile_tree(parsed, CATALOGUE, trees.UNITS).test(event, member) == HOLDS
    assert (compile_tree(would, segments.MEMBER_CATALOGUE, trees.UNITS).test(member) == HOLDS) == holds
