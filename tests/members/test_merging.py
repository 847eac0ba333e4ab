"""Two members become one and are taken apart again: identifiers, particulars, tags, friends, histories."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.approvals.models import ApprovalRequest
from apps.core.formats import moment
from apps.core.scope import NotAllowed
from apps.members import services
from apps.members.errors import NoSuchMember, ReasonMissing
from apps.members.merging.errors import MemberMerged, MergeRefused, SameMember
from apps.members.merging.services import merge, unmerge
from apps.members.models import Member, MemberChange, MemberTag, Merge
from apps.members.querysets import member_within
from apps.members.services.reading import birthday_of, name_of
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import BORN, NAME, PHONE, WHEN

LATER = WHEN + timedelta(days=1)
WHY = "the same phone number on both receipts"


@pytest.fixture
def other(group: CoffeeGroup, wang: Member) -> Member:
    """Wang Xiaoming a second time, enrolled at the next store with another card."""
    return services.create_member(
        None, group["S002"], identifiers=[("card", "D00054321"), ("phone", "13900001111")], name="王晓明",
        joined_on=date(2025, 3, 1), attributes={"colour": "red"}, when=WHEN,
    )  # fmt: skip


def told(member: Member) -> dict[str, Any]:
    """All that is known of a member, in clear."""
    member = Member.objects.get(pk=member.pk)
    return {
        "state": member.state, "name": name_of(member), "masked": member.masked_name, "grams": sorted(member.name_grams or []),
        "birth": birthday_of(member), "day": (member.birth_day, member.birth_year), "home": member.home_unit.code,
        "joined": member.joined_on, "attributes": member.attributes, "brought_by": member.brought_by_id,
        "into": member.merged_into_id, "named": sorted(member.identifiers.values_list("pk", "kind", "masked")),
        "tags": sorted(member.tags.values_list("tag", flat=True)), "friends": sorted(member.friends.values_list("pk", flat=True)),
    }  # fmt: skip


def tag(member: Member, name: str, event: int = 1) -> None:
    MemberTag.objects.create(member=member, tag=name, from_on=date(2026, 1, 1), rule_id=1, event_id=event)


def test_a_merged_member_is_part_of_the_kept_one(group: CoffeeGroup, wang: Member, other: Member) -> None:
    friend = services.create_member(None, group["S001"], identifiers=[("card", "F1")], referrer="D00054321", when=WHEN)
    tag(wang, "vip"), tag(other, "vip"), tag(other, "early", event=2)
    made = merge(None, wang.pk, other.pk, reason=WHY, when=LATER)
    kept, gone = told(wang), told(other)
    assert [kind for _, kind, _ in kept["named"]] == ["phone", "email", "card", "card", "phone"]
    assert (kept["name"], kept["birth"], kept["home"], kept["joined"]) == (NAME, BORN, "S001", date(2025, 3, 1))
    assert kept["attributes"] == {"level": 3, "colour": "red"}
    assert (kept["tags"], gone["tags"]) == (["early", "vip"], ["vip"])
    assert (kept["friends"], gone["friends"]) == ([friend.pk], [])
    assert (gone["state"], gone["into"], gone["named"], gone["grams"]) == ("merged", wang.pk, [], [])
    assert made.choices == {
        "name": "kept", "birth_on": "kept", "home_unit": "kept", "joined_on": "gone", "referrer": "kept",
        "attributes:colour": "gone", "attributes:level": "kept",
    }  # fmt: skip


def test_both_histories_tell_of_it_in_masks(wang: Member, other: Member) -> None:
    merge(None, wang.pk, other.pk, reason=WHY, when=LATER)
    of_kept, of_gone = (MemberChange.objects.filter(member=member).latest("pk") for member in (wang, other))
    assert (of_kept.reason, of_gone.reason) == (WHY, WHY)
    assert [(each["field"], each["old"], each["new"]) for each in of_kept.changes] == [
        ("merged_from", None, str(other.pk)), ("joined_on", "2026-01-05", "2025-03-01"), ("attributes:colour", None, "red"),
        ("identifier:card", None, "****4321"), ("identifier:phone", None, "139****1111"),
    ]  # fmt: skip
    assert of_gone.changes[0] == {"field": "merged_into", "old": None, "new": str(wang.pk)}


def test_merge_and_unmerge_leave_both_as_they_were(wang: Member, other: Member) -> None:
    tag(other, "early"), tag(wang, "vip")
    before = told(wang), told(other)
    made = merge(None, wang.pk, other.pk, choices={"name": "gone", "home_unit": "gone"}, reason=WHY, when=LATER)
    assert (told(wang)["name"], told(wang)["home"]) == ("王晓明", "S002")
    unmerge(None, made.pk, reason="they are brothers", when=LATER)
    assert (told(wang), told(other)) == before
    made.refresh_from_db()
    assert (made.undone_at, made.undo_reason) == (LATER, "they are brothers")


def test_what_changed_since_stays_when_a_merge_is_undone(wang: Member, other: Member) -> None:
    made = merge(None, wang.pk, other.pk, choices={"name": "gone"}, reason=WHY, when=LATER)
    services.change_member(None, wang.pk, name="王小朋", attributes={"level": 3, "colour": "blue"}, when=LATER)
    unmerge(None, made.pk, reason="they are brothers", when=LATER)
    assert (told(wang)["name"], told(wang)["attributes"]) == ("王小朋", {"level": 3, "colour": "blue"})
    assert told(wang)["joined"] == date(2026, 1, 5)
    assert Merge.objects.get().returned["members"] == {"stayed": ["name", "attributes:colour"], "identifiers": 2}


def test_an_identifier_that_was_taken_away_meanwhile_does_not_come_back(wang: Member, other: Member) -> None:
    made = merge(None, wang.pk, other.pk, reason=WHY, when=LATER)
    card = wang.identifiers.get(masked="****4321")
    services.remove_identifier(None, wang.pk, card.pk, when=LATER)
    unmerge(None, made.pk, reason="they are brothers", when=LATER)
    assert [masked for _, _, masked in told(other)["named"]] == ["139****1111"]


def test_everything_in_the_way_is_said_at_once(wang: Member, other: Member, group: CoffeeGroup) -> None:
    third = services.create_member(None, group["S001"], identifiers=[("card", "X1")], when=WHEN)
    merge(None, wang.pk, other.pk, reason=WHY, when=LATER)
    services.close_member(None, third.pk, reason="left", when=LATER)
    with pytest.raises(MergeRefused) as refused:
        merge(None, third.pk, other.pk, reason=WHY, when=LATER)
    assert [part.code for part in refused.value.parts] == ["member_merged", "member_closed"]
    assert refused.value.sentence() == (
        f"Member #{other.pk} was merged into #{wang.pk}. Member #{third.pk} is closed. Reopen it, or keep the other one."
    )
    with pytest.raises(SameMember):
        merge(None, wang.pk, wang.pk, reason=WHY, when=LATER)
    with pytest.raises(ReasonMissing):
        merge(None, wang.pk, third.pk, reason=" ", when=LATER)
    assert Merge.objects.count() == 1


def test_a_kept_member_is_not_left_nameless(wang: Member, other: Member) -> None:
    made = merge(None, wang.pk, other.pk, reason=WHY, when=LATER)
    for own in wang.identifiers.exclude(pk__in=made.moved["members"]["identifiers"]):
        services.remove_identifier(None, wang.pk, own.pk, when=LATER)
    with pytest.raises(MergeRefused) as refused:
        unmerge(None, made.pk, reason="x", when=LATER)
    assert [part.code for part in refused.value.parts] == ["left_nameless"]


def test_merges_in_a_row_are_undone_the_last_one_first(wang: Member, other: Member, group: CoffeeGroup) -> None:
    third = services.create_member(None, group["S001"], identifiers=[("card", "X1")], when=WHEN)
    first = merge(None, other.pk, third.pk, reason=WHY, when=LATER)
    second = merge(None, wang.pk, other.pk, reason=WHY, when=LATER)
    assert told(third)["into"] == wang.pk
    assert len(told(wang)["named"]) == 6
    with pytest.raises(MergeRefused) as refused:
        unmerge(None, first.pk, reason="x", when=LATER)
    assert [part.code for part in refused.value.parts] == ["merged_on"]
    unmerge(None, second.pk, reason="x", when=LATER)
    assert told(third)["into"] == other.pk
    unmerge(None, first.pk, reason="x", when=LATER)
    assert (told(third)["into"], len(told(third)["named"])) == (None, 1)
    with pytest.raises(MergeRefused) as again:
        unmerge(None, first.pk, reason="x", when=LATER)
    assert [part.code for part in again.value.parts] == ["already_undone"]


def test_whoever_one_brought_nobody_brought_once_they_are_one(wang: Member, other: Member) -> None:
    services.change_member(None, wang.pk, referrer=("card", "D00054321"), when=WHEN)
    made = merge(None, wang.pk, other.pk, reason=WHY, when=LATER)
    assert told(wang)["brought_by"] is None
    unmerge(None, made.pk, reason="x", when=LATER)
    assert told(wang)["brought_by"] == other.pk


def test_only_who_may_merge_on_both_does(cast: Cast, group: CoffeeGroup, wang: Member, other: Member) -> None:
    far = services.create_member(None, group["S003"], identifiers=[("card", "S3")], when=WHEN)
    for persona, gone, refusal in (
        ("regional_manager", far, NoSuchMember), ("outsider", other, NoSuchMember), ("service", other, NotAllowed),
        ("auditor", other, NotAllowed),
    ):  # fmt: skip
        with pytest.raises(refusal):
            merge(cast[persona], wang.pk, gone.pk, reason=WHY, when=LATER)
    made = merge(cast["regional_manager"], wang.pk, other.pk, reason=WHY, when=LATER)
    assert made.author == cast.regional_manager
    assert not ApprovalRequest.objects.exists()
    with pytest.raises(NotAllowed):
        unmerge(cast["service"], made.pk, reason="x", when=LATER)


def test_a_merged_member_is_found_and_read_as_the_kept_one(cast: Cast, wang: Member, other: Member) -> None:
    merge(None, wang.pk, other.pk, reason=WHY, when=LATER)
    service = cast["service"]
    for text in (f"#{other.pk}", "D00054321", "4321", PHONE, "王"):
        assert [found.member.pk for found in services.search(service, text)] == [wang.pk], text
    assert services.search(service, "晓") == []
    found = services.find_by_identifier(service, "card", "D00054321")
    assert found == wang
    assert member_within(service, other.pk).pk == wang.pk
    friend = services.create_member(
        None, wang.home_unit, identifiers=[("card", "F2")], referrer="D00054321", when=LATER
    )
    assert friend.brought_by_id == wang.pk


def test_a_merged_member_is_changed_no_more(wang: Member, other: Member) -> None:
    merge(None, wang.pk, other.pk, reason=WHY, when=LATER)
    for verb in (
        lambda: services.change_member(None, other.pk, name="x", when=LATER),
        lambda: services.add_identifier(None, other.pk, "card", "new", when=LATER),
        lambda: services.reopen_member(None, other.pk, reason="x", when=LATER),
    ):
        with pytest.raises(MemberMerged):
            verb()


def test_the_merge_tells_company_time_and_who_and_why_one_cannot_undo_it(
    browse: Any, wang: Member, other: Member
) -> None:
    made = merge(None, wang.pk, other.pk, reason=WHY, when=LATER)
    page = browse("service").get(f"/members/merge/{made.pk}/change/").content.decode()
    for said in (
        moment(LATER, ZoneInfo("Asia/Shanghai")),
        "The studio",
        "Merge members, and undo merges: why can I not?",
    ):
        assert said in page
    gone = browse("service").get(f"/members/member/{other.pk}/change/").content.decode()
    assert "What named this member names the one it was merged into." in gone
