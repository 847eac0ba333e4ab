"""Statements that are given up when they take too long."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, OperationalError, connection, transaction

CANCELED = "57014"


class TookTooLong(Exception):
    """A statement was given up."""


def was_canceled(error: DatabaseError) -> bool:
    """Whether the database gave a statement up."""
    return getattr(error.__cause__, "sqlstate", None) == CANCELED


@contextmanager
def given_up_after(seconds: float) -> Iterator[None]:
    """Gives up each statement inside that takes longer. Raises TookTooLong; nothing inside has happened then."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(int(seconds * 1000))])
            yield
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if not was_canceled(error):
            raise
        raise TookTooLong from None
