"""Awards: one at a time from several tills, everybody at few members, and in batches."""

import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from django.db import connection, connections

from benchmarks import world as worlds
from benchmarks.measuring import Figure, Jobs, agree, by_turns, team
from benchmarks.tills import Till
from benchmarks.world import LIMITED_FROM, START, World, written

SQL = Path(__file__).parent / "sql"


def award_one(quick: bool) -> list[Figure]:
    """One purchase at a time on four connections, and the turns on the wire that each takes."""
    each, pairs = (10, 1) if quick else (500, 7)
    with world_with("one", 2_000 if quick else 100_000, "award.sql") as world:
        with team(4, partial(serve, world)) as tills:
            seen = by_turns(lambda: tills.rate("product", each), lambda: tills.rate("limit", each), pairs)
        agree("award_one", written(world.product), written(world.limit))
        trips = round_trips(Till(world, 4, 5))
    return [
        Figure("award_one", seen.percent, 40, seen=seen.seen),
        Figure("round_trips", trips, 4, at_most=True, unit="", seen="per award, BEGIN and COMMIT included"),
    ]


def hot_members(quick: bool) -> list[Figure]:
    """Eight connections that all serve the same ten members, against the same eight on everybody."""
    members, each, pairs = (2_000, 5, 1) if quick else (1_000_000, 150, 5)
    with worlds.world("hot", members) as world:
        with team(8, partial(crowd, world)) as tills:
            seen = by_turns(lambda: tills.rate("ten", each), lambda: tills.rate("everybody", each), pairs)
        with connection.cursor() as cursor:
            cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            (deadlocks,) = cursor.fetchone()
    return [
        Figure("hot_members", seen.percent, 60, seen=f"{seen.seen}; 10 members of {members:,}"),
        Figure("hot_members: deadlocks", deadlocks, 0, at_most=True, unit=""),
    ]


def award_batch(quick: bool) -> list[Figure]:
    """Batches down the same road on one connection, and how much faster that is than one by one."""
    size, pairs = (50, 1) if quick else (5_000, 7)
    with world_with("batch", 2_000 if quick else 100_000, "award_batch.sql") as world:
        till = Till(world)
        singles: list[float] = []

        def product() -> float:
            singles.append(till.product(size // 10))
            till.limit_batch(size // 10)
            return till.product(size, batch=size)

        seen = by_turns(product, lambda: till.limit_batch(size), pairs)
        agree("award_batch", written(world.product), written(world.limit))
    times = statistics.median(seen.product) / statistics.median(singles)
    return [
        Figure("award_batch", seen.percent, 40, seen=f"{seen.seen}, one connection"),
        Figure("award_batch: against one by one", times, 4, unit="×", seen=f"{statistics.median(singles):,.0f}/s"),
    ]


def award_limits(quick: bool) -> list[Figure]:
    """Batches under limits for members, stores and the programme, against the same batches without."""
    size, pairs = (50, 1) if quick else (5_000, 7)
    with worlds.world("limits", 2_000 if quick else 100_000) as world:
        worlds.limit_rules()
        limited, free = Till(world, 0, 2, later=LIMITED_FROM - START), Till(world, 1, 2)
        seen = by_turns(lambda: limited.product(size, batch=size), lambda: free.product(size, batch=size), pairs)
    return [Figure("award_limits", seen.percent, 67, seen=f"{seen.seen} without limits")]


def award_gathers(quick: bool) -> list[Figure]:
    """Batches under rules that gather, against the same batches under rules that do not."""
    size, pairs = (50, 1) if quick else (5_000, 7)
    with worlds.world("gathers", 2_000 if quick else 100_000) as world:
        worlds.gathering_rules()
        gathering, free = Till(world, 0, 2, later=LIMITED_FROM - START), Till(world, 1, 2)
        seen = by_turns(lambda: gathering.product(size, batch=size), lambda: free.product(size, batch=size), pairs)
    return [Figure("award_gathers", seen.percent, 67, seen=f"{seen.seen} that gather nothing")]


@contextmanager
def world_with(label: str, members: int, file: str) -> Iterator[World]:
    """The world, and the limit's function in it."""
    with worlds.world(label, members) as world:
        with connections["owner"].cursor() as cursor:
            cursor.execute((SQL / file).read_text(encoding="utf-8"))
        yield world


def serve(world: World, number: int) -> Jobs:
    till = Till(world, number, 4)
    return {"product": till.product, "limit": till.limit}


def crowd(world: World, number: int) -> Jobs:
    """Both jobs go through the product: on ten members, and on all the others."""
    few, all_others = Till(world, number, 8), Till(world, number, 8)
    return {"ten": few.product, "everybody": all_others.product}


def round_trips(till: Till) -> int:
    """How often the wire's direction turns for one award: what the client library itself sends and receives."""
    till.product(2)
    raw = connection.connection.pgconn
    with tempfile.TemporaryFile() as log:
        raw.trace(log.fileno())
        till.product(1)
        raw.untrace()
        os.lseek(log.fileno(), 0, os.SEEK_SET)
        senders = [line.split(b"\t")[1] for line in log.read().splitlines() if line.count(b"\t") > 1]
    return sum(1 for before, sender in zip([b"B", *senders], senders, strict=False) if (before, sender) == (b"B", b"F"))
