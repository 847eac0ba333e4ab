"""Segments: saved conditions; and of those of which track is kept, who is in them and who entered or left."""

import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection
from django.db.models.deletion import ProtectedError

from apps.conditions.tree import ConditionError
from apps.core.clock import local_day
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.core.work import unless_promised
from apps.members.privacy.turns import take_part
from apps.orgs.models import Program
from apps.orgs.services.actors import signed
from apps.segments.catalogue import read
from apps.segments.errors import Fixed, HasMoves, Unlabelled
from apps.segments.models import Failure, Segment, SegmentMember
from apps.segments.services.defining import checked, require_free_key
from apps.segments.services.figures import failure_of, is_of_a_day_before, milliseconds, refreshed
from apps.segments.services.holding import holding

ADD, CHANGE, DELETE = (f"segments.{verb}_segment" for verb in ("add", "change", "delete"))
CHANGEABLE = frozenset({"label", "label_zh", "description", "condition", "keeps_track"})

REFRESH = """WITH held AS (
    SELECT id, member_id FROM segments_segmentmember WHERE segment_id = %s
), found AS MATERIALIZED (
    SELECT wanted.id AS member_id, held.id AS held_id
    FROM (SELECT member.id {holding}) AS wanted FULL JOIN held ON held.member_id = wanted.id
), gone AS (
    DELETE FROM segments_segmentmember AS row USING found WHERE found.member_id IS NULL AND row.id = found.held_id
    RETURNING row.member_id
), entered AS (
    INSERT INTO segments_segmentmember (segment_id, member_id, since_on)
    SELECT %s, member_id, %s::date FROM found WHERE held_id IS NULL
    RETURNING member_id
), moved AS (
    INSERT INTO segments_segmentmove (segment_id, member_id, kind, day, at)
    SELECT %s, member_id, kind, %s::date, %s::timestamptz
    FROM (SELECT member_id, 'entered' AS kind FROM entered UNION ALL SELECT member_id, 'left' FROM gone) AS moves
)
SELECT count(member_id) FROM found"""
"""Joined fully for the same reason as in `refreshing`; under the lock of the segment's row."""


@in_transaction
def create_segment(actor: Any, program: Program, *, key: str, condition: Any, **values: Any) -> Segment:
    """A new segment of the programme's members. Raises KeyMalformed, KeyTaken, Unlabelled, ConditionFaulty, NotAllowed."""
    require(actor, ADD, program.unit.path)
    require_free_key(Segment, program, key)
    segment = Segment(program=program, key=key)
    _put(segment, {"condition": condition, **values})
    signed(segment, actor).save()
    _begin(segment)
    return segment


@in_transaction
def change_segment(actor: Any, segment_id: int, **values: Any) -> Segment:
    """The segment with other values. Where no track is kept any more, nobody is in it; the moves stay on record.

    Raises Fixed, Unlabelled, ConditionFaulty, NotAllowed.
    """
    segment = _locked(actor, segment_id, CHANGE)
    before = segment.keeps_track, segment.condition
    _put(segment, values)
    signed(segment, actor).save()
    if not segment.keeps_track:
        SegmentMember.objects.filter(segment=segment).delete()
    elif (segment.keeps_track, segment.condition) != before:
        _begin(segment)
    return segment


@in_transaction
def delete_segment(actor: Any, segment_id: int) -> None:
    """Raises HasMoves, NotAllowed."""
    segment = _locked(actor, segment_id, DELETE)
    try:
        signed(segment, actor).delete()
    except ProtectedError:
        raise HasMoves() from None


def _locked(actor: Any, segment_id: int, permission: str) -> Segment:
    rows = Segment.objects.select_for_update(no_key=True, of=("self",)).select_related("program__unit")
    segment: Segment = rows.get(pk=segment_id)
    require(actor, permission, segment.program.unit.path)
    return segment


def _put(segment: Segment, values: dict[str, Any]) -> None:
    if set(values) - CHANGEABLE:
        raise Fixed()
    before = segment.condition
    for name, value in values.items():
        setattr(segment, name, value.strip() if isinstance(value, str) else value)
    if not (segment.label or segment.label_zh):
        raise Unlabelled()
    if segment.condition != before or before is None:
        checked(segment.program, segment.condition)


def _begin(segment: Segment) -> None:
    if segment.keeps_track:
        unless_promised("apps.segments.tasks.refresh_segment", segment.pk)


def refresh_segment(segment_id: int, when: datetime) -> None:
    """Brings up to date who is in a segment of which track is kept; again, it changes nothing. A failure is kept on it."""
    try:
        _refresh(segment_id, when)
    except ConditionError:
        Segment.objects.filter(pk=segment_id).update(last_error=Failure.CONDITION)
    except DatabaseError as error:
        Segment.objects.filter(pk=segment_id).update(last_error=failure_of(error))


@in_transaction
def _refresh(segment_id: int, when: datetime) -> None:
    take_part()
    rows = Segment.objects.select_for_update(no_key=True, of=("self",)).select_related("program__unit")
    segment = rows.filter(pk=segment_id, keeps_track=True).first()
    if segment is None:
        return
    day = local_day(when, ZoneInfo(segment.program.time_zone))
    wanted = holding(segment.program, read(segment.program, segment.condition), day)
    pk = segment.pk
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(REFRESH.format(holding=wanted.text), [pk, *wanted.parameters, pk, day, pk, day, when])
        (size,) = cursor.fetchone()
    Segment.objects.filter(pk=pk).update(**refreshed(size, milliseconds(started), when))


def segments_due(when: datetime) -> list[int]:
    """Those of which track is kept and that were not refreshed since their programme's day began."""
    rows = Segment.objects.select_related("program").filter(keeps_track=True).order_by("pk")
    return [row.pk for row in rows if is_of_a_day_before(row.program, row.refreshed_at, when)]
