"""Segments: saved conditions, and who enters and leaves those of which track is kept."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from apps.core.errors import LoyaltyError, NotAllowed
from apps.segments.models import Segment, SegmentMember, SegmentMove
from apps.segments.services.tracking import (
    change_segment,
    create_segment,
    delete_segment,
    refresh_segment,
    segments_due,
)
from tests.factories import Cast, CoffeeGroup
from tests.segments.conftest import DAY, LATER, REGULAR, WHEN, bought, enrol, ids, orders


@pytest.fixture
def tracked(group: CoffeeGroup) -> Segment:
    return create_segment(
        None, group.east, key="buyers", label="Buyers", condition=orders(1, "ge", 1), keeps_track=True
    )


def moves() -> list[tuple[int, str, date]]:
    return list(SegmentMove.objects.order_by("pk").values_list("member_id", "kind", "day"))


def test_who_enters_and_who_leaves_is_on_record_once(group: CoffeeGroup, tracked: Segment) -> None:
    one, two = enrol(group, 2)
    bought(group, one, 1, ago=0)
    bought(group, two, 1, ago=-1)
    for when in (WHEN, WHEN, LATER, LATER):
        refresh_segment(tracked.pk, when)
    tomorrow = DAY + timedelta(days=1)
    assert moves()[:1] == [(one.pk, "entered", DAY)]
    assert sorted(moves()[1:]) == [(one.pk, "left", tomorrow), (two.pk, "entered", tomorrow)]
    assert list(SegmentMember.objects.values_list("member_id", "since_on")) == [(two.pk, tomorrow)]
    tracked.refresh_from_db()
    assert (tracked.size, tracked.refreshed_at, tracked.last_error) == (1, LATER, "")


def test_a_segment_without_track_is_kept_nowhere(group: CoffeeGroup) -> None:
    segment = create_segment(None, group.east, key="regulars", label="Regulars", condition=REGULAR)
    (member,) = enrol(group, 1)
    bought(group, member, 2)
    assert segments_due(WHEN) == []
    refresh_segment(segment.pk, WHEN)
    assert moves() == []
    change_segment(None, segment.pk, keeps_track=True)
    assert segments_due(WHEN) == [segment.pk]
    refresh_segment(segment.pk, WHEN)
    assert segments_due(WHEN) == []
    assert [row.member_id for row in SegmentMember.objects.all()] == ids([member])
    change_segment(None, segment.pk, keeps_track=False)
    assert not SegmentMember.objects.exists()
    assert len(moves()) == 1


def test_moves_stay_whoever_asks(group: CoffeeGroup, tracked: Segment) -> None:
    (member,) = enrol(group, 1)
    bought(group, member, 1, ago=0)
    refresh_segment(tracked.pk, WHEN)
    with pytest.raises(LoyaltyError) as refusal:
        delete_segment(None, tracked.pk)
    assert refusal.value.code == "segment_has_moves"
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM segments_segmentmove")
    assert len(moves()) == 1


def test_only_who_may_where_it_is_writes_segments(group: CoffeeGroup, cast: Cast, tracked: Segment) -> None:
    change_segment(cast.marketing, tracked.pk, label="Buyers of today")
    for person in (cast.outsider, cast.service, cast.auditor):
        with pytest.raises(NotAllowed):
            change_segment(person, tracked.pk, label="Mine")
        with pytest.raises(NotAllowed):
            create_segment(person, group.east, key="x", label="X", condition=REGULAR)
    with pytest.raises(LoyaltyError) as refusal:
        create_segment(cast.marketing, group.east, key="buyers", label="X", condition=REGULAR)
    assert refusal.value.code == "tag_key_taken"
    with pytest.raises(LoyaltyError) as refusal:
        create_segment(cast.marketing, group.east, key="faulty", label="X", condition={"all": [{"field": "x"}]})
    assert refusal.value.code == "condition_faulty"


def test_a_condition_that_can_no_longer_be_read_is_told(group: CoffeeGroup, tracked: Segment) -> None:
    Segment.objects.update(condition={"all": [{"field": "member.home_unit", "op": "within", "value": ["GONE"]}]})
    refresh_segment(tracked.pk, WHEN)
    tracked.refresh_from_db()
    assert (tracked.last_error, tracked.refreshed_at) == ("condition", None)
