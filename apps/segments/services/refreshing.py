"""Bringing tags up to date. One statement for each tag, however many members: who is to hold it and does not gets it, and
of those who no longer are it ends. A second run changes nothing; two at once wait for each other at the tags' rows.

The tags of an exclusive group are refreshed together, in one transaction, so that nobody ever holds two of them.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection

from apps.conditions.tree import ConditionError
from apps.core.clock import local_day
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members.privacy.turns import take_part
from apps.segments.models import ALLOWED, Failure, Tag, TagRefresh
from apps.segments.services.figures import failure_of, milliseconds, refreshed
from apps.segments.services.holding import Holding, holding_tag

CHANGE = "segments.change_tag"
KEPT_RUNS = 200
"""Lines of the log that a tag keeps."""

REFRESH = """WITH held AS (
    SELECT id, member_id FROM members_membertag WHERE definition_id = %s AND until_on IS NULL {of_some}
), found AS MATERIALIZED (
    SELECT wanted.id AS member_id, held.id AS held_id
    FROM (SELECT member.id {holding}) AS wanted FULL JOIN held ON held.member_id = wanted.id
), gone AS (
    UPDATE members_membertag AS tag SET until_on = greatest(tag.from_on, %s::date + %s::int)
    FROM found WHERE found.member_id IS NULL AND tag.id = found.held_id
    RETURNING tag.id
), entered AS (
    INSERT INTO members_membertag (member_id, tag, from_on, definition_id)
    SELECT member_id, %s, %s::date, %s FROM found WHERE held_id IS NULL
    ON CONFLICT (member_id, tag, rule_id, from_on, event_id, definition_id) DO UPDATE SET until_on = NULL
    RETURNING id
)
SELECT (SELECT count(member_id) FROM found), (SELECT count(*) FROM entered), (SELECT count(*) FROM gone)"""
"""Joined fully, who is to hold it and who does are always hashed, however few the planner expects: a table that was empty
a moment ago would else be looked through for each of a million."""


@dataclass(frozen=True)
class Run:
    """What a refresh came to: how many hold the tag, entered and left; or why it came to nothing."""

    size: int = 0
    entered: int = 0
    left: int = 0
    took_ms: int = 0
    error: str = ""


def refresh_now(actor: Any, tag: Tag, when: datetime) -> dict[int, Run]:
    """`refresh_tag` for whoever may change the tag. Raises NotAllowed."""
    require(actor, CHANGE, tag.program.unit.path)
    return refresh_tag(tag.pk, when)


def refresh_tag(tag_id: int, when: datetime) -> dict[int, Run]:
    """Brings a tag up to date for all members, its exclusive group with it; what it came to, by tag. A failure is kept on
    the tags, and leaves their members as they were."""
    runs: dict[int, Run] = {}
    try:
        runs = _refresh(tag_id, when)
    except ConditionError:
        runs = _failed(tag_id, Failure.CONDITION)
    except DatabaseError as error:
        runs = _failed(tag_id, failure_of(error))
    _keep(runs, when)
    return runs


def refresh_members(program_id: int, members: Collection[int], when: datetime) -> None:
    """Brings the tags of a programme that follow events up to date for these members alone."""
    following = Tag.objects.filter(program=program_id, refresh=Tag.Refresh.AT_ONCE, children__isnull=True)
    done: set[int] = set()
    for tag in following.order_by("pk"):
        if tag.pk not in done and tag.is_automatic:
            try:
                done |= _refresh(tag.pk, when, members).keys()
            except ConditionError:
                continue  # the next refresh of all members tells it on the tag


@in_transaction
def _refresh(tag_id: int, when: datetime, members: Collection[int] | None = None) -> dict[int, Run]:
    take_part()
    group = family(tag_id)
    list(
        Tag.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=[tag.pk for tag in group]).order_by("pk")
    )
    is_exclusive = len(group) > 1
    runs = {}
    for number, tag in enumerate(group):
        day = local_day(when, ZoneInfo(tag.program.time_zone))
        before = group[:number] if is_exclusive else []
        runs[tag.pk] = _run(tag, holding_tag(tag, before, day, members), day, members)
    return runs


def family(tag_id: int) -> Sequence[Tag]:
    """The automatic tags that are refreshed together with one, itself among them, in order."""
    tags = Tag.objects.select_related("program__unit", "parent")
    tag = tags.get(pk=tag_id)
    if tag.parent is None or not tag.parent.is_exclusive:
        return [tag] if tag.is_automatic else []
    beside = tags.filter(parent=tag.parent_id).order_by("position", "pk")
    return [each for each in beside if each.is_automatic]


def _run(tag: Tag, wanted: Holding, day: date, members: Collection[int] | None) -> Run:
    of_some = "" if members is None else "AND member_id = ANY(%s)"
    parameters = [
        tag.pk, *([] if members is None else [list(members)]), *wanted.parameters, day, tag.kept_days, tag.key, day, tag.pk,
    ]  # fmt: skip
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(REFRESH.format(holding=wanted.text, of_some=of_some), parameters)
        size, entered, left = cursor.fetchone()
    return Run(size, entered, left, milliseconds(started))


def _failed(tag_id: int, error: Failure) -> dict[int, Run]:
    return {tag.pk: Run(error=error.value) for tag in family(tag_id)}


@in_transaction
def _keep(runs: dict[int, Run], when: datetime) -> None:
    """The figures on the tags, and a line of the log for each."""
    for pk, run in runs.items():
        tags = Tag.objects.filter(pk=pk)
        if run.error:
            tags.update(last_error=run.error)
        else:
            tags.update(**refreshed(run.size, run.took_ms, when))
    TagRefresh.objects.bulk_create(
        TagRefresh(
            tag_id=pk, at=when, size=None if run.error else run.size, entered=run.entered, left=run.left,
            took_ms=run.took_ms, error=run.error,
        )
        for pk, run in runs.items()
    )  # fmt: skip
    for pk in runs:
        oldest = (
            TagRefresh.objects.filter(tag=pk).order_by("-pk").values_list("pk", flat=True)[KEPT_RUNS : KEPT_RUNS + 1]
        )
        for kept in oldest:
            TagRefresh.objects.filter(tag=pk, pk__lte=kept).delete()


def is_due(tag: Tag, when: datetime) -> bool:
    """Whether its time has come: the hour is over, or a local day or a week has begun since. What scores give is refreshed
    when these are."""
    if not tag.is_automatic or tag.rfm_group or tag.refresh == Tag.Refresh.BY_HAND:
        return False
    if tag.refreshed_at is None or tag.refresh == Tag.Refresh.HOURLY:
        return tag.refreshed_at is None or when - tag.refreshed_at >= timedelta(minutes=55)
    zone = ZoneInfo(tag.program.time_zone)
    days = (local_day(when, zone) - local_day(tag.refreshed_at, zone)).days
    return days >= (7 if tag.refresh == Tag.Refresh.WEEKLY else 1)


def is_stale(tag: Tag, when: datetime) -> bool:
    """Whether an automatic tag is older than its frequency allows, or was never refreshed."""
    if not tag.is_automatic:
        return False
    allowed = ALLOWED.get(tag.refresh)
    return tag.refreshed_at is None or (allowed is not None and when - tag.refreshed_at > allowed)


def tags_due(when: datetime) -> list[int]:
    """One tag of each group of tags that is to be refreshed."""
    due: dict[tuple[int, int], int] = {}
    for tag in Tag.objects.select_related("program", "parent").filter(children__isnull=True).order_by("pk"):
        if is_due(tag, when):
            is_together = tag.parent is not None and tag.parent.is_exclusive
            due.setdefault((tag.parent_id or 0, 0) if is_together else (0, tag.pk), tag.pk)
    return sorted(due.values())
