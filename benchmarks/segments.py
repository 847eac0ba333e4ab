"""Segments: a condition on members compiled to SQL, and a tag brought up to date, against the same written by hand."""

import statistics
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from django.db import connection, connections

from apps.activity.segments import MEMBER_CATALOGUE, count_members, members_in
from apps.conditions.tree import Tree, parse
from apps.members.models import Member
from apps.orgs.models import OrgUnit, Staff
from apps.segments.models import Tag
from apps.segments.services.defining import create_tag
from apps.segments.services.refreshing import refresh_tag
from benchmarks import world as worlds
from benchmarks.measuring import PAIRS, Figure, agree
from benchmarks.world import World, settle
from tests.factories import make_staff

SQL = Path(__file__).parent / "sql"
DAY = date(2026, 3, 1)
REGION = "EAST-N"
SEGMENT = {
    "all": [
        {"field": "member.home_unit", "op": "within", "value": [REGION]},
        {"field": "member.attributes.level", "op": "eq", "value": "gold"},
        {"field": "history.orders", "window": 30, "op": "ge", "value": 2},
    ]
}


def conditions_sql(quick: bool) -> list[Figure]:
    """Three questions, one of them about thirty days; then what the person who asks them in the browser waits for."""
    members, days, pairs = (2_000, 40, 1) if quick else (1_000_000, 200, 2 * PAIRS)
    with worlds.world("segments", 400) as world:
        shop(world, members, days)
        units = dict(OrgUnit.objects.values_list("code", "path"))
        tree = parse(SEGMENT, MEMBER_CATALOGUE, units)
        seen = [(ask(world, tree, units), ask_by_hand(world, units)) for _ in range(pairs + 1)][1:]
        for (_, mine), (_, theirs) in seen:
            agree("conditions_sql", mine, theirs)
        person = make_staff(world.group["EAST"], ["marketing"], username="asker")
        waits = [wait(person, world, tree, units) for _ in range(pairs)]
    ratio = statistics.median(mine / limit for (mine, _), (limit, _) in seen)
    mine, limit = (1000 * statistics.median(each[side][0] for each in seen) for side in (0, 1))
    told = f"{mine:.0f} ms, {limit:.0f} ms by hand; {seen[0][0][1]:,} of {members:,} members"
    return [
        Figure("conditions_sql", ratio, 1.5, at_most=True, unit="×", seen=told),
        Figure(
            "conditions_sql: live count", statistics.median(waits), 1, at_most=True, unit="s", seen="of all visible"
        ),
    ]


def shop(world: World, members: int, days: int) -> None:
    with connections["owner"].cursor() as cursor:
        values = {"program": world.group.east.pk, "day": DAY, "days": days, "members": members}
        cursor.execute((SQL / "shoppers.sql").read_text(encoding="utf-8"), values)
    settle()


def ask(world: World, tree: Tree, units: dict[str, str]) -> tuple[float, int]:
    """Seconds of the database, and how many."""
    active = Member.objects.filter(state=Member.State.ACTIVE)
    text, parameters = members_in(active, world.group.east, tree, units, DAY)
    return timed(f"SELECT count(*) {text}", parameters)


def ask_by_hand(world: World, units: dict[str, str]) -> tuple[float, int]:
    values = {"program": world.group.east.pk, "day": DAY, "path": units[REGION] + "%"}
    return timed((SQL / "segment.sql").read_text(encoding="utf-8"), values)


def timed(statement: str, parameters: object) -> tuple[float, int]:
    with connection.cursor() as cursor:
        started = time.perf_counter()
        cursor.execute(statement, parameters)  # type: ignore[arg-type]
        (count,) = cursor.fetchone()
        return time.perf_counter() - started, count


def wait(person: Staff, world: World, tree: Tree, units: dict[str, str]) -> float:
    started = time.perf_counter()
    count_members(person, world.group.east, tree, units, DAY, seconds=60)
    return time.perf_counter() - started


ORDERED = {
    "all": [
        {"field": "member.home_unit", "op": "within", "value": [REGION]},
        {"field": "history.orders", "window": 30, "op": "ge", "value": 1},
    ]
}
BY_HAND = -1
"""The definition that the rows written by hand name."""


def segment_refresh(quick: bool) -> list[Figure]:
    """A tag for all members for the first time, then again five days later each, when some enter and some leave."""
    members, days, turns = (2_000, 40, 2) if quick else (1_000_000, 200, 2 * PAIRS)
    with worlds.world("refresh", 400) as world:
        shop(world, members, days)
        path = OrgUnit.objects.get(code=REGION).path
        tag = create_tag(None, world.group.east, key="ordered", label="Ordered", condition=ORDERED)
        seen = []
        for number in range(turns + 1):
            day = DAY - timedelta(days=5 * (turns - number))
            mine, theirs = refresh(tag, day), refresh_by_hand(world, path, day)
            agree("segment_refresh", mine[1], theirs[1])
            seen.append((mine, theirs))
            if not number:
                settle()
    (first, by_hand), *later = seen
    ratio = statistics.median(mine / limit for (mine, _), (limit, _) in later)
    mine, limit = (1000 * statistics.median(each[side][0] for each in later) for side in (0, 1))
    size, entered, left = later[-1][0][1]
    told = f"{mine:.0f} ms, {limit:.0f} ms by hand; {size:,} of {members:,} hold it, {entered:,} entered, {left:,} left"
    filled = f"{1000 * first[0]:.0f} ms, {1000 * by_hand[0]:.0f} ms by hand; {first[1][0]:,} of {members:,} get it"
    return [
        Figure("segment_refresh", ratio, 1.5, at_most=True, unit="×", seen=told),
        Figure("segment_refresh: first time", first[0] / by_hand[0], 1.5, at_most=True, unit="×", seen=filled),
    ]


def refresh(tag: Tag, day: date) -> tuple[float, tuple[int, int, int]]:
    """Seconds, log and figures included; how many hold it, entered and left."""
    started = time.perf_counter()
    run = refresh_tag(tag.pk, datetime(day.year, day.month, day.day, 4, tzinfo=UTC))[tag.pk]
    return time.perf_counter() - started, (run.size, run.entered, run.left)


def refresh_by_hand(world: World, path: str, day: date) -> tuple[float, tuple[int, int, int]]:
    values = {"program": world.group.east.pk, "day": day, "path": path + "%", "tag": BY_HAND}
    statement = (SQL / "refresh.sql").read_text(encoding="utf-8")
    with connection.cursor() as cursor:
        started = time.perf_counter()
        cursor.execute(statement, values)
        size, entered, left = cursor.fetchone()
        return time.perf_counter() - started, (size, entered, left)
