"""The live count: how many of the members whom somebody may see could ever meet a rule's condition, and for which share
of last month's purchases it holds."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings

from apps.activity import purchases, segments
from apps.conditions.compiling import HOLDS, compile_tree
from apps.conditions.possible import of_members
from apps.conditions.tree import parse
from apps.core.clock import local_day, now, start_of_day
from apps.core.timeouts import TookTooLong
from apps.members.models import Member, MemberTag
from apps.members.services import enrol_many
from apps.orgs.models import OrgUnit
from apps.rules.catalogue import CATALOGUE
from apps.rules.counting import count_purchases, count_reached
from tests.conditions import trees
from tests.factories import Cast, CoffeeGroup
from tests.rules.conftest import START, Till, line, purchase

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
    monkeypatch.setattr(segments, "members_in", lambda *_, **__: ("FROM pg_sleep(5)", ()))
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


APRIL = date(2026, 4, 10)
GIFT = {"lines": "any", "where": {"field": "line.category", "op": "eq", "value": "gift"}}
DARK = {"field": "member.attributes.roast", "op": "eq", "value": "dark"}


def share(person: Any, group: CoffeeGroup, condition: Any, day: date = APRIL, place: str = "EAST") -> Any:
    return count_purchases(person, group.east, group[place], {"condition": condition}, day)["share"]


@pytest.fixture
def march(till: Till) -> CoffeeGroup:
    """Of 1 to 31 March: four purchases in S001 (of 10, 20, 30 and 40, the last a gift) and one in S003; others round it."""
    ends = [datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC), datetime(2026, 3, 31, 16, tzinfo=UTC)]
    till.send(
        purchase("10", occurred_at=datetime(2026, 2, 28, 16, tzinfo=UTC)),
        purchase("20"), purchase("30", occurred_at=ends[0]),
        purchase("40", lines=(line("1", number=1), line("39", category="gift", number=2))),
        purchase("50", store="S003"),
        purchase("60", occurred_at=datetime(2026, 2, 28, 15, 59, 59, tzinfo=UTC)), purchase("70", occurred_at=ends[1]),
    )  # fmt: skip
    return till.group


def test_purchases_of_the_last_whole_local_month_count_where_the_whole_condition_holds(
    march: CoffeeGroup, cast: Cast
) -> None:
    dear = {"field": "event.amount", "op": "ge", "value": "30"}
    assert share(cast.marketing, march, {"all": []}) == 100
    assert share(cast.marketing, march, {"all": [KIND, dear]}) == 60
    assert share(cast.marketing, march, {"all": [KIND, dear]}, place="EAST-N") == 50
    assert share(cast.marketing, march, {"all": [dear, GIFT]}) == 20
    assert share(cast.marketing, march, {"any": [dear, GIFT]}, date(2026, 3, 31)) == 100
    assert share(cast.marketing, march, {"field": "event.date", "op": "eq", "value": "2026-03-01"}) == 80
    assert share(cast.marketing, march, {"not": KIND}) == 0
    assert share(cast.marketing, march, {"all": []}, date(2026, 3, 1)) == 100
    assert share(cast.marketing, march, {"all": []}, date(2026, 6, 1)) is None


def test_what_was_before_a_purchase_is_taken_to_be_so(march: CoffeeGroup, cast: Cast) -> None:
    never = {"field": "history.orders", "window": "ever", "op": "ge", "value": 99}
    assert share(cast.marketing, march, {"all": [never, GIFT]}) == 20
    assert share(cast.marketing, march, {"not": {"any": [never, GIFT]}}) == 80
    third = {"field": "event.order_number", "window": "ever", "op": "eq", "value": 3}
    assert share(cast.marketing, march, {"all": [third, GIFT]}) == 20


def test_a_share_holds_what_the_person_may_see_and_members_only_where_they_are_seen(
    march: CoffeeGroup, cast: Cast
) -> None:
    assert share(cast.outsider, march, {"all": []}) is None
    assert share(cast.regional_manager, march, {"all": [GIFT]}) == 20
    Member.objects.filter(identifiers__masked__endswith="1").update(
        attributes={"roast": "dark"}, home_unit=march["S101"]
    )
    assert share(cast.regional_manager, march, {"all": [GIFT]}) == 25
    assert share(cast.marketing, march, {"all": [GIFT]}) == 20
    assert share(cast.marketing, march, {"all": [DARK]}) is None
    Member.objects.update(home_unit=march["S001"])
    assert share(cast.marketing, march, {"all": [DARK]}) == 100


def test_members_have_the_tags_of_the_day_of_the_purchase(march: CoffeeGroup, cast: Cast) -> None:
    member = Member.objects.get(identifiers__masked__endswith="1")
    given = {"member": member, "rule_id": 1, "event_id": 1}
    MemberTag.objects.create(tag="spring", from_on=date(2026, 3, 2), until_on=date(2026, 3, 31), **given)
    MemberTag.objects.create(tag="regular", from_on=date(2026, 3, 31), **given)
    asked = [{"field": "member.tags", "op": "has_any", "value": [tag]} for tag in ("spring", "regular")]
    assert [share(cast.marketing, march, each) for each in asked] == [0, 20]


def test_of_many_purchases_a_sample_is_judged_the_same_each_time(
    till: Till, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.send(*(purchase(str(number % 10 + 1)) for number in range(600)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE activity_event")
    monkeypatch.setattr(purchases, "MOST", 100)
    dear = {"field": "event.amount", "op": "ge", "value": "6"}
    for scanned, few in ((10_000, 0), (300, 0), (300, 10_000)):
        monkeypatch.setattr(purchases, "SCANNED", scanned)
        monkeypatch.setattr(purchases, "FEW", few)
        units = list(OrgUnit.objects.within(till.group["EAST"].path).values_list("pk", flat=True))
        month = date(2026, 3, 1), date(2026, 3, 31)
        found = purchases.purchases_between(cast.marketing, till.group.east, units, *month, members=False, lines=True)
        assert 40 <= len(found or []) <= 160
        shares = {share(cast.marketing, till.group, dear) for _ in range(3)}
        assert [30 <= each <= 70 for each in shares] == [True]


def test_a_share_that_takes_too_long_is_not_told(
    march: CoffeeGroup, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> Any:
        raise TookTooLong

    monkeypatch.setattr(purchases, "_ids", never)
    assert share(cast.marketing, march, {"all": []}) is None


def test_the_editor_is_told_the_share_in_both_languages(client: Client, till: Till, cast: Cast) -> None:
    zone = ZoneInfo(till.group.east.time_zone)
    at = start_of_day(local_day(now(), zone).replace(day=1), zone) - timedelta(days=1)
    amounts = [1, 2, 3, *[1000] * 297]
    till.send(*(purchase(str(amount), occurred_at=at) for amount in amounts), when=now())
    client.force_login(cast.marketing, backend="apps.orgs.auth.RoleBackend")

    def said(language: str, most: str) -> Any:
        condition = {"field": "event.amount", "op": "le", "value": most}
        asked = {"program": till.group.east.pk, "of": "purchases", "definition": json.dumps({"condition": condition})}
        address = reverse("admin:rules_rule_count")
        return client.post(address, asked, headers={"accept-language": language}).json()["text"]

    assert said("en", "999") == "1 % of last month’s purchases"
    assert said("zh-hans", "1000") == "上月消费的 100%"
    assert said("en", "1") == "Less than 1 % of last month’s purchases"
    assert said("zh-hans", "1") == "不到上月消费的 1%"
    assert said("en", "x") == ""
