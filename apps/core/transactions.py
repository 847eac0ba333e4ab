"""Transactions that survive what a database does to them: a deadlock, a serialization failure, a lost connection.

What is retried must be safe to run twice; every verb of ours is, because each carries a unique key.
"""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 6
_AGAIN = ("40001", "40P01", "55P03", "57P01", "57P02", "57P03")  # serialization, deadlock, lock, shutdown, crash


def is_passing(error: Exception) -> bool:
    """Whether the same transaction may well succeed when run again."""
    if isinstance(error, InterfaceError):
        return True
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state in _AGAIN or state.startswith("08")


def in_transaction(verb: Callable[P, R]) -> Callable[P, R]:
    """Runs `verb` in one transaction and again when the database asks for it; inside another one, as part of it."""

    @wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return verb(*args, **kwargs)
        for attempt in range(1, ATTEMPTS):
            try:
                with transaction.atomic():
                    return verb(*args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                if not is_passing(error):
                    raise
                if not connection.is_usable():
                    connection.close()
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 -- spreads retries, guards nothing
        with transaction.atomic():
            return verb(*args, **kwargs)

    return run
