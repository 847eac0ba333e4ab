"""The nightly expiry: a million due lots through the service, against one set-based statement in chunks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import psycopg
from django.db import connection, connections

from apps.points.services import expire_due
from benchmarks import world as worlds
from benchmarks.measuring import Figure, agree, by_turns, rate_of
from benchmarks.tills import raw_connection
from benchmarks.world import World, settle

SQL = Path(__file__).parent / "sql"
CHUNK = 10_000
FIRST = {"product": datetime(2027, 1, 1, tzinfo=UTC), "limit": datetime(2029, 1, 1, tzinfo=UTC)}
"""When the first lots of each half fall due; the service is never asked about the later half."""


def expire(quick: bool) -> list[Figure]:
    """Each turn expires the lots of one day, two an account; the turns together a million."""
    accounts, pairs = (100, 1) if quick else (100_000, 5)
    with worlds.world("expire", 2 * accounts) as world:
        earn(world, accounts, days=pairs + 1)
        product_days, limit_days = count(), count()
        longest: list[float] = []

        def product() -> float:
            day = FIRST["product"] + timedelta(days=next(product_days))
            with longest_transaction(longest):
                return rate_of(2 * accounts, lambda: expire_due(day))

        def limit() -> float:
            day = FIRST["limit"] + timedelta(days=next(limit_days))
            return rate_of(2 * accounts, lambda: expire_by_hand(world, day))

        seen = by_turns(product, limit, pairs)
        agree("expire", *(expired(half) for half in FIRST))
    return [
        Figure("expire", seen.percent, 50, seen=seen.seen.replace("/s", " lots/s")),
        Figure("expire: longest lock", max(longest), 1, at_most=True, unit="s"),
    ]


def earn(world: World, accounts: int, days: int) -> None:
    """Two lots for each account and day; without the entries of their earning, which expiry does not read."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for number, first in enumerate(FIRST.values()):
            values = {"type": world.group.point_types["east"].pk, "unit": world.group.units["S001"].pk}
            values |= {"skip": number * accounts, "most": accounts, "days": days, "first": first}
            cursor.execute((SQL / "earn.sql").read_text(encoding="utf-8"), values)
        cursor.execute("SET session_replication_role = origin")
    settle()


def expire_by_hand(world: World, day: datetime) -> None:
    statement = (SQL / "expire.sql").read_text(encoding="utf-8")
    values = {"day": day, "local": day.date(), "program": world.group.east.pk, "chunk": CHUNK}
    with raw_connection() as raw:
        while raw.execute(statement, values).fetchone() != (0,):
            pass


def expired(half: str) -> list[tuple[object, ...]]:
    """What expiry wrote for a half, day by day; what is left of its lots and accounts."""
    with connection.cursor() as cursor:
        cursor.execute((SQL / "expired.sql").read_text(encoding="utf-8"), {"first": FIRST[half]})
        return list(cursor.fetchall())


@contextmanager
def longest_transaction(found: list[float]) -> Iterator[None]:
    """Adds how long, in seconds, the longest transaction of this process's connection lasted: so long it held locks."""
    connection.ensure_connection()
    watched, done = connection.connection.info.backend_pid, threading.Event()

    def watch(raw: psycopg.Connection) -> None:
        ask = "SELECT extract(epoch FROM clock_timestamp() - xact_start) FROM pg_stat_activity WHERE pid = %s"
        ended = False
        while not ended:
            row = raw.execute(ask, [watched]).fetchone()
            found.append(float(row[0] or 0) if row else 0.0)
            ended = done.wait(0.02)

    with raw_connection() as raw:
        watcher = threading.Thread(target=watch, args=[raw])
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
