"""Members who may be one person: how they are found, who sees them, and what becomes of the pair."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core.errors import NotAllowed
from apps.members import services
from apps.members.merging import finding
from apps.members.merging.errors import AlreadyJudged, MemberMerged
from apps.members.merging.judging import are_different, propose
from apps.members.merging.services import merge, unmerge
from apps.members.models import DuplicatePair, DuplicateSearch, Member, Merge
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import BORN, NAME, PHONE, WHEN

LATER = WHEN + timedelta(days=1)
BOARD = "/members/duplicatepair/"


def enrol(group: CoffeeGroup, *identifiers: tuple[str, str], unit: str = "S001", **more: Any) -> Member:
    return services.create_member(None, group[unit], identifiers=identifiers, when=WHEN, **more)


def search() -> DuplicateSearch:
    return finding.search(finding.ask_search(None, when=LATER).pk, when=LATER)


def found() -> list[tuple[int, int, int, dict[str, int]]]:
    search()
    return list(DuplicatePair.objects.order_by("first", "second").values_list("first", "second", "score", "reasons"))


def test_the_same_value_under_two_kinds_is_found(group: CoffeeGroup, wang: Member) -> None:
    other = enrol(group, ("external:pos", PHONE))
    enrol(group, ("external:pos", "13912341234"))
    assert found() == [(wang.pk, other.pk, 90, {"value": 90})]


def test_the_same_birthday_and_a_name_alike_are_found(group: CoffeeGroup, wang: Member) -> None:
    # Of 王小明 and 王小朋 three of seven hashes agree, of 王小明 and 王小明明 all of five and six.
    same, alike = (
        enrol(group, ("card", "A1"), name=NAME, birth_on=BORN),
        enrol(group, ("card", "A2"), name="王小明明", birth_on=BORN),
    )
    (
        enrol(group, ("card", "A3"), name="王小朋", birth_on=BORN),
        enrol(group, ("card", "A4"), name=NAME, birth_on=date(1990, 2, 15)),
    )
    assert found() == [
        (wang.pk, same.pk, 90, {"birthday": 90}), (wang.pk, alike.pk, 81, {"birthday": 81}), (same.pk, alike.pk, 81, {"birthday": 81}),
    ]  # fmt: skip


def test_the_same_ending_and_the_same_name_are_found_and_reasons_add_up(group: CoffeeGroup, wang: Member) -> None:
    other = enrol(group, ("phone", "13900001234"), name=NAME, birth_on=BORN)
    third = enrol(group, ("phone", "13700001234"), name=NAME)
    enrol(group, ("phone", "13600001234"), name="李雷雷")
    assert found() == [
        (wang.pk, other.pk, 97, {"birthday": 90, "ending": 70}), (wang.pk, third.pk, 70, {"ending": 70}),
        (other.pk, third.pk, 70, {"ending": 70}),
    ]  # fmt: skip


def test_what_very_many_share_is_left_out(group: CoffeeGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    for most in ("MOST_BORN", "MOST_SHARING", "MOST_ALIKE"):
        monkeypatch.setattr(finding, most, 2)
    for number in range(3):
        enrol(group, ("card", f"A{number}"), (f"external:{number}", "0000000000"), name=NAME, birth_on=BORN)
    assert found() == []
    assert DuplicateSearch.objects.get().skipped == 2


def test_a_search_again_forgets_what_is_no_more_and_keeps_what_was_decided(group: CoffeeGroup, wang: Member) -> None:
    other, third = enrol(group, ("card", "A1"), name=NAME, birth_on=BORN), enrol(group, ("external:pos", PHONE))
    assert len(found()) == 2
    are_different(None, DuplicatePair.objects.get(second=third).pk, why="his son", when=LATER)
    services.change_member(None, other.pk, birth_on=date(1991, 1, 1), when=LATER)
    finding.search(finding.ask_search(None, when=LATER + timedelta(days=1)).pk, when=LATER + timedelta(days=1))
    assert list(DuplicatePair.objects.values_list("second", "state", "why")) == [(third.pk, "different", "his son")]


def test_a_pair_lives_at_the_nearest_unit_above_both(group: CoffeeGroup, cast: Cast, wang: Member) -> None:
    enrol(group, ("external:a", PHONE), unit="S002"), enrol(group, ("external:b", PHONE), unit="S003")
    enrol(group, ("external:c", PHONE), unit="S101")
    search()
    units = dict(DuplicatePair.objects.filter(first=wang).values_list("second__home_unit__code", "unit__code"))
    assert units == {"S002": "EAST-N", "S003": "EAST", "S101": "G"}
    seen = {
        each: DuplicatePair.objects.visible_to(cast[each]).count()
        for each in ("regional_manager", "service", "auditor", "outsider", "shop")
    }
    assert seen == {"regional_manager": 1, "service": 3, "auditor": 6, "outsider": 0, "shop": 0}


def test_a_merge_answers_the_pair_and_what_else_asked_about_the_gone_one(group: CoffeeGroup, wang: Member) -> None:
    other, third = enrol(group, ("external:a", PHONE)), enrol(group, ("external:b", PHONE))
    search()
    made = merge(None, wang.pk, other.pk, reason="one person", when=LATER)
    assert list(DuplicatePair.objects.order_by("pk").values_list("first", "second", "state", "merge")) == [
        (wang.pk, other.pk, "merged", made.pk), (wang.pk, third.pk, "open", None),
    ]  # fmt: skip
    unmerge(None, made.pk, reason="two brothers", when=LATER)
    assert DuplicatePair.objects.get(second=other).state == "different"


def test_service_proposes_and_only_who_may_merge_merges(group: CoffeeGroup, cast: Cast, wang: Member) -> None:
    other = enrol(group, ("card", "A1"), unit="S002")
    pair = propose(cast["service"], other.pk, wang.pk, note="he said so", when=LATER)
    assert (pair.first, pair.second, pair.unit.code, pair.score) == (wang, other, "EAST-N", 100)
    with pytest.raises(NotAllowed):
        merge(cast["service"], wang.pk, other.pk, reason="x", when=LATER)
    merge(cast["regional_manager"], wang.pk, other.pk, reason="x", when=LATER)
    with pytest.raises(MemberMerged):
        propose(cast["service"], other.pk, wang.pk, note="again", when=LATER)
    with pytest.raises(AlreadyJudged):
        are_different(cast["service"], pair.pk, why="x", when=LATER)
    search()
    assert DuplicatePair.objects.get().state == "merged"


@pytest.fixture
def browse(client: Client, cast: Cast) -> Any:
    def sign_in(persona: str) -> Client:
        client.force_login(cast[persona], backend="apps.orgs.auth.RoleBackend")
        return client

    return sign_in


def test_the_board_costs_the_same_however_many_pairs(group: CoffeeGroup, browse: Any, wang: Member) -> None:
    person, numbers = browse("regional_manager"), []
    for number in range(3):
        enrol(group, (f"external:{number}", PHONE))
        search()
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert person.get(BOARD).status_code == 200
        numbers.append(len(asked))
    assert numbers[1] == numbers[2] <= 15


def test_two_side_by_side_show_masks_and_are_merged_as_chosen(group: CoffeeGroup, browse: Any, wang: Member) -> None:
    other = enrol(
        group, ("external:pos", PHONE), ("card", "A1"), unit="S002", name="王晓明", attributes={"colour": "red"}
    )
    search()
    person, page = browse("regional_manager"), f"{BOARD}{DuplicatePair.objects.get().pk}/change/"
    with CaptureQueriesContext(connection) as asked:
        body = person.get(page).content.decode()
    assert len(asked) <= 20
    assert "138****1234" in body
    assert [value for value in (NAME, PHONE, "王晓明", "1990") if value in body] == []
    assert person.get(page, {"keep": other.pk}).context["kept"] == other
    sent = {"keep": str(other.pk), "take:name": str(wang.pk), "take:home_unit": str(wang.pk), "reason": "one person"}
    answer = person.post(page.replace("change", "merge"), sent)
    made = Merge.objects.get()
    assert (answer.headers["Location"], made.kept, made.gone) == (f"/members/merge/{made.pk}/change/", other, wang)
    assert (made.choices["name"], made.choices["home_unit"]) == ("gone", "gone")
    other.refresh_from_db()
    assert (other.home_unit.code, other.masked_name) == ("S001", "王**")


def test_a_merge_is_undone_from_its_page_and_the_pages_of_both_say_where_they_went(
    group: CoffeeGroup, browse: Any, wang: Member
) -> None:
    other = enrol(group, ("card", "A1"), unit="S002")
    made = merge(None, wang.pk, other.pk, reason="one person", when=LATER)
    person = browse("regional_manager")
    assert f"/members/member/{wang.pk}/change/" in person.get(f"/members/member/{other.pk}/change/").content.decode()
    assert f"/members/member/{other.pk}/change/" in person.get(f"/members/member/{wang.pk}/change/").content.decode()
    listed = [row.pk for row in person.get("/members/member/").context_data["cl"].result_list]
    assert listed == [wang.pk]
    assert person.post(f"/members/merge/{made.pk}/undo/", {"reason": "two people"}).status_code == 302
    made.refresh_from_db()
    assert made.undo_reason == "two people"
    assert "two people" in person.get(f"/members/merge/{made.pk}/change/").content.decode()


def test_service_proposes_on_a_members_page(group: CoffeeGroup, browse: Any, wang: Member) -> None:
    other = enrol(group, ("card", "A1"))
    person = browse("service")
    page = f"/members/member/{wang.pk}/propose/"
    person.post(page, {"other": "nobody", "note": "x"})
    assert not DuplicatePair.objects.exists()
    person.post(page, {"other": f"#{other.pk}", "note": "he said so"})
    pair = DuplicatePair.objects.get()
    assert (pair.note, pair.state) == ("he said so", "open")
    person.post(f"{BOARD}{pair.pk}/different/", {"reason": "his son"})
    pair.refresh_from_db()
    assert (pair.state, pair.why) == ("different", "his son")
