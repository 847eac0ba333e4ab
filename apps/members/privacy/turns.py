"""Who writes rows about many members at once, and an erasure, take turns: else a row of what was read before the erasure could
be written after it, and stay. Each lasts as long as its transaction, and is taken before any row is locked."""

from django.db import connection

_NAME = "rows about members"


def take_part() -> None:
    """Beside others who write for many members; waits for erasures under way, and what is read next knows of them."""
    _lock("pg_advisory_xact_lock_shared")


def take_all() -> None:
    """For an erasure: waits until nobody writes for many members, and has them wait."""
    _lock("pg_advisory_xact_lock")


def _lock(function: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [_NAME])
