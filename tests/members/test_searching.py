"""Searching for members: by what names them, whole or by four digits, by a part of the name, by number; on record."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from apps.core.errors import LoyaltyError
from apps.members import services
from apps.members.errors import IdentifierMalformed
from apps.members.identifiers import normalise
from apps.members.models import Look, Member
from apps.members.services import searching
from apps.members.services.searching import MOST_SEARCHES, WINDOW, search
from apps.orgs.models import OrgUnit
from tests.factories import Cast, CoffeeGroup, make_group
from tests.members.conftest import CARD, EMAIL, NAME, PHONE, WHEN

BY = {PHONE: "phone", "138-1234-1234": "phone", EMAIL: "email", CARD.lower(): "card", "1234": "phone", "2345": "card",
      "wang": "email", "王": "name", "小": "name", "小明": "name", "王小明": "name", " 王 小明 ": "name", "Ｘ明": None}  # fmt: skip


def made(unit: OrgUnit, name: str, number: int = 1) -> Member:
    return services.create_member(None, unit, identifiers=[("card", f"D{unit.code}{number:06}")], name=name, when=WHEN)


def pks(found: list[services.Found]) -> list[int]:
    return [each.member.pk for each in found]


@pytest.mark.parametrize("term", BY)
def test_a_member_is_found_by_whatever_names_them_and_nobody_of_another_company(
    cast: Cast, wang: Member, term: str
) -> None:
    expected = [(wang, BY[term])] if BY[term] else []
    assert [(each.member, each.by) for each in search(cast["service"], term)] == expected
    assert search(cast["outsider"], term) == []
    assert [(look.found, look.member) for look in Look.objects.order_by("pk")] == [
        (len(expected), wang if expected else None), (0, None),
    ]  # fmt: skip


def test_a_number_names_its_member_within_reach(cast: Cast, wang: Member) -> None:
    assert [(each.member, each.by) for each in search(cast["service"], f"#{wang.pk}")] == [(wang, "number")]
    assert search(cast["outsider"], f"#{wang.pk}") == []
    assert search(cast["service"], f"#{wang.pk}0") == []
    assert [look.what for look in Look.objects.order_by("pk")] == [f"#{wang.pk}", f"#{wang.pk}", f"#{wang.pk}0"]


@pytest.mark.parametrize("term", ["", "234", "%", "##", "#", "#x", "a", "#" + "9" * 30, "**"])
def test_what_can_name_nobody_is_not_searched_for(cast: Cast, wang: Member, term: str) -> None:
    assert search(cast["service"], term) == []
    assert not Look.objects.exists()


@pytest.mark.parametrize("term", ["王**", "138****1234", "C0001", "xiaoming", "1____", "****", "13812341235", "%%%%"])
def test_masks_and_parts_of_identifiers_find_nobody_by_an_identifier(cast: Cast, wang: Member, term: str) -> None:
    assert [each.by for each in search(cast["service"], term)] == (["name"] if "王" in term else [])


@pytest.mark.parametrize(
    ("term", "what"),
    [("13812341234", "138****1234"), ("1234", "****1234"), (EMAIL, "x***@example.com"), ("王小明的卡", "name ****"),
     ("王小明 13812341234", "name ****"), ("Xiaoming", "name ****"), ("王", "name ****"), ("C00012345", "****2345")],
)  # fmt: skip
def test_the_record_of_a_search_holds_no_more_than_a_mask(cast: Cast, term: str, what: str) -> None:
    search(cast["service"], term)
    assert [look.what for look in Look.objects.all()] == [what]


def test_a_search_that_finds_several_counts_them_and_puts_the_newest_first(
    group: CoffeeGroup, cast: Cast, wang: Member
) -> None:
    other = services.create_member(None, group["S002"], identifiers=[("card", "D1234")], when=WHEN)
    assert pks(search(cast["service"], "1234")) == [other.pk, wang.pk]
    assert [(look.found, look.member) for look in Look.objects.all()] == [(2, None)]


def test_whom_a_whole_identifier_names_comes_before_those_whose_last_digits_it_is(
    group: CoffeeGroup, cast: Cast, wang: Member
) -> None:
    services.add_identifier(None, wang.pk, "card", "7777", when=WHEN)
    newer = [
        services.create_member(None, group["S002"], identifiers=[("card", f"D{n}7777")], when=WHEN) for n in range(3)
    ]
    assert pks(search(cast["service"], "7777", limit=2)) == [wang.pk, newer[-1].pk]


def test_a_member_whom_two_things_name_is_found_once(group: CoffeeGroup, cast: Cast) -> None:
    twice = [("phone", "13900005555"), ("card", "C5555"), ("external", "X5555")]
    both = services.create_member(None, group["S001"], identifiers=twice, name="5555 a", when=WHEN)
    assert pks(search(cast["service"], "5555")) == [both.pk]


def test_what_only_looks_like_a_part_of_a_name_is_dropped(group: CoffeeGroup, cast: Cast) -> None:
    for number, name in enumerate(("banana", "bananas", "nanaban")):
        made(group["S001"], name, number)
    assert [each.member.masked_name for each in search(cast["service"], "anab")] == ["n**"]
    # Every triple of “anabana” stands in “nanaban”, but not in this order.
    Member.objects.filter(masked_name="n**").update(name_grams=searching.asked_grams("anabanana"))
    assert search(cast["service"], "anabanana") == []


@pytest.mark.parametrize("persona", ["service", "regional_manager", "auditor", "shop"])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_rare_and_common_names_are_found_alike(
    group: CoffeeGroup, cast: Cast, persona: str, share: float, monkeypatch: Any
) -> None:
    """Whichever way the statistics lead: the members of one's reach, the newest first, as many as are asked for."""
    members = [made(group[unit], "王芳", n) for n, unit in enumerate(("S101", "S001", "S003", "S002", "S101", "S001"))]
    monkeypatch.setattr(searching, "_how_common", lambda term: (share, 1e9))
    person = cast[persona]
    expected = list(Member.objects.visible_to(person).order_by("-pk").values_list("pk", flat=True))
    assert {1, 3} <= {n for n, member in enumerate(members) if member.pk in expected} or persona == "shop"
    assert pks(search(person, "王")) == expected
    assert pks(search(person, "王", limit=2)) == expected[:2]


def test_the_statistics_tell_how_common_a_part_is(committed: str) -> None:
    group = make_group()
    for number in range(40):
        made(group["S001"], "王芳" if number % 4 else "李雷", number)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE members_member")
    shares = {term: round(searching._how_common(term)[0], 2) for term in ("王", "王芳", "李", "李 雷", "赵", "王 赵")}
    assert shares == {"王": 0.75, "王芳": 0.75, "李": 0.25, "李 雷": 0.25, "赵": 0, "王 赵": 0}
    assert searching._how_common("王")[1] == 40


def test_a_name_that_no_key_opens_is_not_found_and_hides_no_other(group: CoffeeGroup, cast: Cast, wang: Member) -> None:
    other = made(group["S001"], NAME)
    Member.objects.filter(pk=other.pk).update(name_cipher=b"\x01\x00\x01" + b"x" * 40)
    assert pks(search(cast["service"], NAME)) == [wang.pk]


def test_a_search_asks_as_often_however_many_are_found(group: CoffeeGroup, cast: Cast) -> None:
    def asked(person: Any) -> int:
        search(person, "王小明")  # knows its reach
        with CaptureQueriesContext(
            connection,
        ) as queries:
            search(person, "王小明")
        return len(queries)

    made(group["S001"], NAME, 0)
    few = asked(cast["service"])
    for number in range(1, 20):
        made(group["S002"], NAME, number)
    assert asked(cast["service"]) == few <= 8


def test_who_searches_without_end_is_stopped_until_some_minutes_have_passed(cast: Cast, wang: Member) -> None:
    row = {"kind": "search", "unit": cast.service.unit, "actor": cast["service"]}
    Look.objects.bulk_create([Look(**row) for _ in range(MOST_SEARCHES - 1)])
    Look.objects.bulk_create([Look(**row, at=Now() - WINDOW - timedelta(seconds=1)) for _ in range(5)])
    assert pks(search(cast["service"], "1234")) == [wang.pk]
    with pytest.raises(LoyaltyError) as refusal:
        search(cast["service"], "1234")
    assert refusal.value.code == "too_many_searches"
    assert Look.objects.count() == MOST_SEARCHES + 5
    assert pks(search(cast["regional_manager"], "1234")) == [wang.pk]


def test_a_text_that_is_longer_than_any_name_is_not_read(cast: Cast, wang: Member) -> None:
    """The mistake: a megabyte is folded, cut and hashed, and kept in memory with the next thousand."""
    kept = normalise.cache_info().currsize
    for text in ("王" * 1_000_000, "1" * 1_000_000, f"#{'1' * 1_000_000}"):
        assert services.search(cast["service"], text) == []
        with pytest.raises(IdentifierMalformed):
            services.add_identifier(None, wang.pk, "card", text, when=WHEN)
    assert normalise.cache_info().currsize == kept
