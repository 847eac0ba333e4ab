"""Tags that people give and take away by hand."""

from typing import Any

import pytest
from django.test import Client

from apps.core.errors import LoyaltyError
from apps.core.scope import NotAllowed
from apps.members.errors import NoSuchMember
from apps.members.merging.services import merge, unmerge
from apps.members.models import Member, MemberChange, MemberTag
from apps.members.page import Asked
from apps.members.timeline import narrowed_of, page_of
from apps.segments.models import Tag
from apps.segments.services.defining import create_tag, delete_tag
from apps.segments.services.giving import give_tag, take_tag
from tests.factories import Cast, CoffeeGroup
from tests.segments.conftest import DAY, LATER, REGULAR, WHEN, enrol, holders
from tests.segments.test_pages import text_of

WHY = "writes about coffee"


@pytest.fixture
def press(group: CoffeeGroup) -> Tag:
    return create_tag(None, group.east, key="press", label="Press", label_zh="媒体")


@pytest.fixture
def one(group: CoffeeGroup) -> Member:
    return enrol(group, 1)[0]


def timeline(person: Any, member: Member) -> list[tuple[str, str, str]]:
    """What the member's timeline tells of tags and changes, the newest first."""
    asked = Asked(person, Member.objects.select_related("home_unit").get(pk=member.pk), LATER)
    page = page_of(asked, narrowed_of(asked))
    return [(each.title, each.detail, each.who) for each in page.moments if "nrolled" not in each.title]


def test_service_gives_a_tag_and_marketing_takes_it_with_reasons_on_record(cast: Cast, press: Tag, one: Member) -> None:
    give_tag(cast["service"], one.pk, press.pk, reason=WHY, when=WHEN)
    assert holders(press) == [one.pk]
    take_tag(cast["marketing"], one.pk, press.pk, reason="writes no more", when=LATER)
    assert (holders(press), holders(press, LATER.date())) == ([one.pk], [])
    service, marketing = (str(cast[who].get_full_name() or cast[who].username) for who in ("service", "marketing"))
    assert timeline(cast["auditor"], one) == [
        ("Tag taken away by hand: Press", "writes no more", marketing), ("Tag given by hand: Press", WHY, service),
    ]  # fmt: skip


def test_taken_and_given_again_on_one_day_it_goes_on(press: Tag, one: Member) -> None:
    for verb in (give_tag, take_tag, give_tag):
        verb(None, one.pk, press.pk, reason=WHY, when=WHEN)
    assert holders(press) == [one.pk]
    assert MemberTag.objects.count() == 1
    assert MemberChange.objects.filter(member=one, reason=WHY).count() == 3


def test_what_is_refused_leaves_no_trace(group: CoffeeGroup, cast: Cast, press: Tag, one: Member) -> None:
    regular = create_tag(None, group.east, key="regular", label="Regular", condition=REGULAR)
    above = create_tag(None, group.east, key="levels", label="Levels", is_exclusive=True)
    first, second = (create_tag(None, group.east, key=key, label=key, parent=above) for key in ("first", "second"))
    west = create_tag(None, group.programs["west"], key="west", label="West")
    give_tag(None, one.pk, first.pk, reason=WHY, when=WHEN)

    def refused(verb: Any, tag: Tag, reason: str = WHY) -> str:
        with pytest.raises(LoyaltyError) as refusal:
            verb(cast["service"], one.pk, tag.pk, reason=reason, when=WHEN)
        return refusal.value.code

    assert [refused(give_tag, tag) for tag in (regular, above, west)] == ["tag_not_by_hand"] * 3
    assert refused(give_tag, first) == "tag_held_already"
    assert refused(give_tag, second) == "tag_one_at_most"
    assert refused(give_tag, press, " ") == "reason_missing"
    assert [refused(take_tag, tag) for tag in (press, regular)] == ["tag_not_held_by_hand"] * 2
    assert MemberTag.objects.count() == 1


def test_only_who_may_where_the_member_lives_gives_tags(cast: Cast, press: Tag, one: Member) -> None:
    for verb in (give_tag, take_tag):
        with pytest.raises(NotAllowed):
            verb(cast["auditor"], one.pk, press.pk, reason=WHY, when=WHEN)
        with pytest.raises(NoSuchMember):
            verb(cast["outsider"], one.pk, press.pk, reason=WHY, when=WHEN)
    assert not MemberTag.objects.exists()


def test_it_goes_along_with_a_merge_once_and_back(group: CoffeeGroup, press: Tag, one: Member) -> None:
    other = enrol(group, 1, prefix="D")[0]
    early = create_tag(None, group.east, key="early", label="Early")
    for member, tag in ((one, press), (other, press), (other, early)):
        give_tag(None, member.pk, tag.pk, reason=WHY, when=WHEN)
    made = merge(None, one.pk, other.pk, reason=WHY, when=LATER)
    assert sorted(one.tags.values_list("tag", flat=True)) == ["early", "press"]
    with pytest.raises(LoyaltyError, match=f"#{other.pk}"):
        give_tag(None, other.pk, press.pk, reason=WHY, when=LATER)
    unmerge(None, made.pk, reason=WHY, when=LATER)
    assert list(one.tags.values_list("tag", flat=True)) == ["press"]
    assert sorted(other.tags.values_list("tag", flat=True)) == ["early", "press"]


def test_a_tag_that_is_deleted_is_held_by_nobody(press: Tag, one: Member) -> None:
    give_tag(None, one.pk, press.pk, reason=WHY, when=WHEN)
    delete_tag(None, press.pk, LATER)
    assert (holders(press, DAY), holders(press, LATER.date())) == ([one.pk], [])


def test_it_is_given_and_taken_away_on_a_page(
    client: Client, cast: Cast, press: Tag, one: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.segments.admin.tags.now", lambda: WHEN)
    monkeypatch.setattr("apps.members.admin.members.now", lambda: WHEN)
    client.force_login(cast["service"], backend="apps.orgs.auth.RoleBackend")
    page, member = f"/segments/tag/member/{one.pk}/", f"/members/member/{one.pk}/change/"
    assert page in client.get(member).content.decode()
    assert "not held" in text_of(client.get(page))
    sent = client.post(f"{page}hand/", {"tag": press.pk, "reason": WHY}, follow=True)
    assert "Given. It counts from now on." in text_of(sent)
    assert "Press given by hand, until somebody takes it away" in text_of(client.get(member))
    sent = client.post(f"{page}hand/", {"tag": press.pk, "reason": WHY, "what": "take"}, follow=True)
    assert "Taken away. It counts no longer." in text_of(sent)
    history = text_of(client.get(f"/members/member/{one.pk}/history/"))
    assert "Tag “press”" in history
    assert "held" in history
