"""Segments: a condition on members compiled to SQL, against the same question written by hand."""

import statistics
import time
from datetime import date
from pathlib import Path

from django.db import connection, connections

from apps.activity.segments import MEMBER_CATALOGUE, count_members, members_in
from apps.conditions.tree import Tree, parse
from apps.members.models import Member
from apps.orgs.models import OrgUnit, Staff
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
