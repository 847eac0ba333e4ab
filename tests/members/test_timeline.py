"""One timeline of everything: in order, whole over its pages, within the reader's reach, at a constant cost."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.activity.models import Event
from apps.activity.services import source_for
from apps.members import services
from apps.members.changes import FieldChange
from apps.members.models import (
    Consent,
    ConsentPurpose,
    ConsentWording,
    Look,
    Member,
    MemberChange,
    MemberTag,
    Merge,
)
from apps.members.page import Asked
from apps.members.timeline import Narrowed, _cursor, cursor_of, narrowed_of, page_of
from apps.members.timeline import pages_of as moments_of
from apps.points import services as points
from apps.points.models import Posting
from apps.segments.models import Segment, SegmentMove
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import CARD, EMAIL, NAME, PHONE, WHEN
from tests.members.test_pages import page_of as address_of
from tests.members.test_pages import text_of
from tests.rules.conftest import PER_YUAN, Till, publish, purchase

SHANGHAI = ZoneInfo("Asia/Shanghai")
_numbers = count(1)


def asked_by(person: Any, member: Member, **query: str) -> Asked:
    return Asked(person, Member.objects.select_related("home_unit").get(pk=member.pk), WHEN + timedelta(days=90), query)


def keys_of(asked: Asked, size: int) -> list[tuple[datetime, str, int]]:
    """The keys of all moments, read page by page."""
    narrowed, keys = narrowed_of(asked), []
    while True:
        page = page_of(asked, narrowed, size)
        keys += [moment.row.key for moment in page.moments]
        if not page.older:
            return keys
        narrowed = Narrowed(narrowed.zone, narrowed.source, narrowed.since, narrowed.until, _cursor(page.older))


def happens(group: CoffeeGroup, member: Member, kind: str, at: datetime) -> tuple[datetime, str, int]:
    """Something of a kind happens to the member, written as it is kept; its key."""
    number = next(_numbers)
    if kind == "change":
        change = FieldChange(field="attributes:level", old=None, new=str(number)).model_dump()
        row: Any = MemberChange.objects.create(member=member, kind="~", changes=[change], at=at)
    elif kind == "look":
        row = Look.objects.create(kind="reveal", unit=group["S001"], member=member, what="name", reason="call", at=at)
    elif kind == "tag":
        row = MemberTag.objects.create(member=member, tag="VIP", from_on=at.date(), rule_id=number, event_id=number)
        at = datetime.combine(at.date(), datetime.min.time(), SHANGHAI).astimezone(UTC)
    else:
        row = Event.objects.create(
            source=source_for("test", group["EAST"]), key=f"t{number}", content_hash=b"0" * 16, program=group.east,
            member=member, org_unit=group["S001"], kind="check_in", occurred_at=at, day=at.date(), received_at=at,
        )  # fmt: skip
    return at, kind, row.pk


INSTANTS = [WHEN, WHEN + timedelta(minutes=1), WHEN + timedelta(days=1)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=st.lists(
        st.tuples(st.sampled_from(["change", "look", "tag", "event"]), st.sampled_from(INSTANTS)), max_size=14
    ),
    size=st.integers(1, 6),
)
def test_the_pages_are_all_sources_together_in_order_without_doubles_or_gaps(
    group: CoffeeGroup, cast: Cast, drawn: list[tuple[str, datetime]], size: int
) -> None:
    member = Member.objects.create(home_unit=group["S001"], joined_on=date(2026, 1, 1), created_at=WHEN)
    happened = [happens(group, member, kind, at) for kind, at in drawn]
    assert keys_of(asked_by(cast["auditor"], member), size) == sorted(happened, reverse=True)


def test_each_reader_sees_what_they_may_see(group: CoffeeGroup, cast: Cast, wang: Member) -> None:
    for kind in ("look", "tag", "event"):
        happens(group, wang, kind, WHEN + timedelta(hours=1))
    points.adjust(None, wang.pk, group.point_types["east"].pk, 5, reason="welcome", key="k1", when=WHEN)

    def kinds(who: str) -> list[str]:
        return sorted({code for _at, code, _id in keys_of(asked_by(cast[who], wang), 30)})

    assert kinds("auditor") == ["change", "event", "look", "points", "tag"]
    assert kinds("service") == kinds("marketing") == ["change", "event", "points", "tag"]
    assert kinds("shop") == kinds("outsider") == kinds("integrator") == []


@pytest.mark.parametrize(("who", "status"), [("outsider", 404), ("shop", 404), ("integrator", 404)])
def test_who_may_not_see_the_member_sees_no_page_of_it(
    browse: Any,
    wang: Member,
    who: str,
    status: int,
) -> None:
    client = browse(who)
    answers = [
        client.get(reverse(f"admin:members_member_{page}", args=[wang.pk])) for page in ("timeline", "timeline_file")
    ]
    assert [answer.status_code for answer in answers] == [status, status]
    assert Look.objects.count() == 0


def test_queries_stay_the_same_from_ten_moments_to_two_thousand(
    browse: Any,
    group: CoffeeGroup,
    wang: Member,
) -> None:
    client, source = browse("auditor"), source_for("test", group["EAST"])

    def fill(first: int, last: int) -> None:
        Event.objects.bulk_create(
            Event(
                source=source, key=f"f{n}", content_hash=b"0" * 16, program=group.east, member=wang, kind="check_in",
                org_unit=group["S001"], occurred_at=WHEN + timedelta(minutes=n), day=WHEN.date(), received_at=WHEN,
            )
            for n in range(first, last)
        )  # fmt: skip
        MemberChange.objects.bulk_create(
            MemberChange(member=wang, kind="~", changes=[], at=WHEN + timedelta(minutes=n)) for n in range(first, last)
        )

    def counted(query: str = "") -> tuple[int, ...]:
        asked = []
        for page in (address_of(wang), reverse("admin:members_member_timeline", args=[wang.pk])):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page + query).status_code == 200
            asked.append(len(queries))
        return tuple(asked)

    fill(0, 5), points.adjust(None, wang.pk, group.point_types["east"].pk, 5, reason="x", key="k", when=WHEN)
    counted()
    few = counted()
    fill(5, 1_000)
    deep = "?before=" + cursor_of((WHEN + timedelta(minutes=500), "event", 1))
    assert (counted(), counted(deep)) == (few, few)
    assert few[0] <= 15
    fragment = client.get(reverse("admin:members_member_timeline", args=[wang.pk]) + deep).content.decode()
    assert fragment.count('class="timeline-moment"') == 30


def test_a_moment_tells_what_who_where_and_leads_to_its_record(
    browse: Any,
    group: CoffeeGroup,
    wang: Member,
    cast: Cast,
) -> None:
    rule = publish(group, PER_YUAN).rule.name
    Till(group, source_for("test", group["EAST"])).send(purchase("36.00", member=CARD, occurred_at=WHEN), when=WHEN)
    points.adjust(
        cast["service"],
        wang.pk,
        group.point_types["east"].pk,
        -6,
        reason="broken cup",
        key="k1",
        when=WHEN + timedelta(hours=5),
    )
    services.change_member(None, wang.pk, home_unit=group["S003"], when=WHEN + timedelta(days=1))
    answer = browse("service").get(address_of(wang))
    said = text_of(answer).partition("Timeline")[2]
    for told in (
        "Home unit Lakeside → Harbour",
        "01:00 Adjusted Lakeside service broken cup In 1 lot −6 · earned on 4 May 2026, no fixed day −6 Reverse",
        f"20:00 Purchase ¥36.00 Lakeside +36 {rule}, version 1. ¥36.00 at 1 point for each ¥1 is 36 points",
    ):
        assert told in said, said
    posting = Posting.objects.get(kind="adjust")
    assert reverse("admin:points_posting_change", args=[posting.pk]) in answer.content.decode()
    assert [value for value in (NAME, PHONE, EMAIL, CARD) if value in answer.content.decode()] == []


def test_the_day_and_the_hour_are_those_of_the_company(
    browse: Any,
    group: CoffeeGroup,
    wang: Member,
) -> None:
    happens(group, wang, "event", datetime(2026, 5, 4, 17, 30, tzinfo=UTC))
    said = text_of(browse("service").get(address_of(wang))).partition("Timeline")[2]
    assert re.search(r"5 May 2026.*01:30 Check-in.*4 May 2026.*20:00 Enrolled", said)
    assert "Times are those of Asia/Shanghai." in said


def test_a_filter_a_period_and_a_cursor_narrow_it_and_nonsense_does_not(
    browse: Any,
    group: CoffeeGroup,
    wang: Member,
    cast: Cast,
) -> None:
    for days in (0, 1, 2):
        happens(group, wang, "event", WHEN + timedelta(days=days))
        happens(group, wang, "change", WHEN + timedelta(days=days))

    def shown(**query: str) -> int:
        return len(keys_of(asked_by(cast["service"], wang, **query), 30))

    assert (shown(), shown(source="event"), shown(source="look"), shown(source="none")) == (7, 3, 0, 7)
    assert (shown(since="2026-05-05"), shown(until="2026-05-05"), shown(since="2026-05-05", until="2026-05-05")) == (
        4,
        5,
        2,
    )
    assert shown(since="0001-01-01", until="9999-12-31", before="bm9uc2Vuc2U") == shown(since="31") == 7
    for bad in ("", "%00", "!!", "MjAyNi0wNS0wNCxldmVudCwx", "é"):
        assert _cursor(bad) is None
    empty = text_of(browse("service").get(address_of(wang), {"source": "event", "since": "2030-01-01"}))
    assert "Nothing of this kind happened in this time." in empty


def test_without_a_script_older_pages_are_a_link_and_the_newest_is_one_back(
    browse: Any,
    group: CoffeeGroup,
    wang: Member,
) -> None:
    for minutes in range(40):
        happens(group, wang, "event", WHEN + timedelta(minutes=minutes))
    client = browse("service")
    first = client.get(address_of(wang), {"source": "event"}).content.decode()
    link = re.search(r'rel="next" data-timeline-more href="([^"]+)" data-part="([^"]+)"', first)
    assert link is not None
    page, part = (client.get(address.replace("&amp;", "&").partition("#")[0]) for address in link.groups())
    assert [answer.content.decode().count('class="timeline-moment"') for answer in (page, part)] == [10, 10]
    assert "Back to the newest" in text_of(page)
    assert "<html" not in part.content.decode()
    assert "10 older entries are shown." in part.content.decode()


def test_the_timeline_leaves_as_a_masked_file_and_that_is_on_record(
    browse: Any,
    group: CoffeeGroup,
    wang: Member,
) -> None:
    happens(group, wang, "event", WHEN)
    points.adjust(None, wang.pk, group.point_types["east"].pk, 5, reason="=1+1", key="k1", when=WHEN)
    client: Client = browse("marketing")
    answer = client.get(reverse("admin:members_member_timeline_file", args=[wang.pk]), {"source": "points"})
    body = b"".join(answer.streaming_content).decode()
    assert body.splitlines()[1:] == [
        "2026-05-04 20:00:00+08:00,Points,Adjusted,'=1+1,Lakeside,,,5,",
    ]
    whole = b"".join(
        client.get(reverse("admin:members_member_timeline_file", args=[wang.pk])).streaming_content
    ).decode()
    assert [line.split(",")[2] for line in whole.splitlines()[1:]] == ["Adjusted", "Check-in", "Enrolled"]
    assert "138****1234" in whole
    assert [value for value in (NAME, PHONE, EMAIL, CARD) if value in whole] == []
    assert [(look.kind, look.what, look.member) for look in Look.objects.order_by("pk")] == [
        ("export", "timeline=&source=points", wang), ("export", "timeline=", wang),
    ]  # fmt: skip


def test_a_file_goes_on_where_its_first_thousand_end(
    group: CoffeeGroup, cast: Cast, wang: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.members.timeline.FILE_PAGE", 3)
    for minutes in range(8):
        happens(group, wang, "event", WHEN + timedelta(minutes=minutes // 2))
    asked = asked_by(cast["auditor"], wang)
    keys = [moment.row.key for moment in moments_of(asked, narrowed_of(asked))]
    assert keys == sorted(set(keys), reverse=True)
    assert len(keys) == 9


def test_consents_merges_and_segments_have_their_place_in_it(browse: Any, group: CoffeeGroup, wang: Member) -> None:
    other = services.create_member(None, group["S001"], identifiers=[("card", "E1")], when=WHEN)
    purpose = ConsentPurpose.objects.create(unit=group["EAST"], key="news", label="News", label_zh="资讯")
    wording = ConsentWording.objects.create(
        purpose=purpose, version=1, wording="Yes?", wording_zh="同意？", written_at=WHEN
    )
    given = {"member": wang, "purpose": purpose, "wording": wording, "channel": "sms", "source": "hand"}
    Consent.objects.create(**given, is_given=True, at=WHEN + timedelta(days=1))
    Consent.objects.create(**given, is_given=False, at=WHEN + timedelta(days=2))
    Merge.objects.create(
        kept=wang, gone=other, at=WHEN + timedelta(days=3), reason="one person",
        undone_at=WHEN + timedelta(days=4), undo_reason="two after all",
    )  # fmt: skip
    segment = Segment.objects.create(
        program=group.east, key="loyal", label="Loyal", condition={"all": []}, keeps_track=True
    )
    SegmentMove.objects.create(
        segment=segment, member=wang, kind="entered", day=WHEN.date(), at=WHEN + timedelta(days=5)
    )  # fmt: skip
    said = text_of(browse("auditor").get(address_of(wang))).partition("Timeline")[2]
    assert re.search(
        "Entered the segment “Loyal”.*Taken apart again from member #(\\d+).*two after all.*Member #\\1 became part of this one"
        ".*one person.*Withdrew News: SMS.*Agreed to News: SMS.*Enrolled",
        said,
    )
    there = text_of(browse("auditor").get(address_of(other))).partition("Timeline")[2]
    assert f"Became part of member #{wang.pk}" in there
