"""An erasure while members are tagged, scored and put into segments by the million: nothing about them is written after it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection, transaction

from apps.members.models import Member, MemberTag
from apps.members.privacy.erasing import erase
from apps.segments.models import RfmScore, SegmentMember
from apps.segments.services.defining import create_tag
from apps.segments.services.refreshing import refresh_tag
from apps.segments.services.scoring import score, set_up
from apps.segments.services.tracking import create_segment, refresh_segment
from tests.factories import CoffeeGroup, make_group
from tests.segments.conftest import REGULAR, WHEN, bought, enrol

pytestmark = pytest.mark.faults


def tags(group: CoffeeGroup) -> tuple[Any, Callable[[], object]]:
    tag = create_tag(None, group.east, key="regular", label="Regular", condition=REGULAR)
    return MemberTag, lambda: refresh_tag(tag.pk, WHEN)


def segments(group: CoffeeGroup) -> tuple[Any, Callable[[], object]]:
    kept = create_segment(None, group.east, key="s", label="S", condition=REGULAR, keeps_track=True)
    return SegmentMember, lambda: refresh_segment(kept.pk, WHEN)


def scores(group: CoffeeGroup) -> tuple[Any, Callable[[], object]]:
    set_up(None, group.east, when=WHEN)
    return RfmScore, lambda: score(group.east.pk, WHEN)


@pytest.mark.parametrize("kind", [tags, segments, scores])
def test_who_is_erased_while_they_are_written_of_is_not_written_of_any_more(committed: str, kind: Any) -> None:
    """The mistake: rows that a refresh has read of them, and writes once they are gone."""
    group = make_group()
    gone, stays = enrol(group, 2)
    for member in (gone, stays):
        bought(group, member, 2, 900)
    model, refresh = kind(group)

    def closing(work: Callable[[], object]) -> object:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            # The key to this member is looked at once all rows are written: there the refresh waits.
            Member.objects.select_for_update().get(pk=stays.pk)
            refreshing = pool.submit(closing, refresh)
            until(lambda: waiting() == 1)
            erasing = pool.submit(closing, lambda: erase(None, gone.pk, why="asked", when=WHEN + timedelta(days=1)))
            until(lambda: erasing.done() or waiting() == 2)
        refreshing.result(30)
        erasing.result(30)
    assert set(model.objects.values_list("member", flat=True)) == {stays.pk}


def waiting() -> int:
    """How many connections wait for another's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def until(holds: Callable[[], bool]) -> None:
    ends = monotonic() + 20
    while not holds():
        assert monotonic() < ends
        sleep(0.02)
