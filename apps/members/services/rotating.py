"""Encrypting everything again under the newest key of the ring, in chunks, beside whatever else is going on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from django.db import connection
from django.db.models import BinaryField, F, Func, QuerySet, Value

from apps.core.transactions import in_transaction
from apps.members.crypto import encrypt, newest_key, open_sealed, purpose_of
from apps.members.errors import Unreadable
from apps.members.importing.sealed import seal_again
from apps.members.models import CELLS, Identifier, Member, MemberImport, MemberRow, Merge, RowIdentifier

CHUNK = 2_000


@dataclass(frozen=True)
class Sealed:
    """A column of cipher texts and, for each row, what its text is encrypted for."""

    model: Any
    column: str
    purpose: Callable[[Any], str]

    def __str__(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"


SEALED = [
    Sealed(Member, "name_cipher", lambda row: "name"),
    Sealed(Member, "birth_on_cipher", lambda row: "birth_on"),
    Sealed(Identifier, "value_cipher", lambda row: purpose_of(row.kind)),
    Sealed(MemberRow, "name_cipher", lambda row: "name"),
    Sealed(MemberRow, "birth_on_cipher", lambda row: "birth_on"),
    Sealed(MemberRow, "cells_cipher", lambda row: CELLS),
    Sealed(RowIdentifier, "value_cipher", lambda row: purpose_of(row.kind)),
    Sealed(Merge, "name_cipher", lambda row: "name"),
    Sealed(Merge, "birth_on_cipher", lambda row: "birth_on"),
]
"""Every column of cipher texts, higher rooms' too; a test holds the list against the schema."""


def seals(*columns: Sealed) -> None:
    """Adds a higher room's columns."""
    SEALED.extend(each for each in columns if str(each) not in {str(known) for known in SEALED})


@dataclass(frozen=True)
class Rotated:
    """What one chunk came to; `unreadable` names rows that no key of the ring opens."""

    sealed: Sealed
    rows: int
    unreadable: tuple[int, ...]


FILES = Sealed(MemberImport, "path", lambda row: "")
"""Stands for the files that wait on disk."""


def waiting(sealed: Sealed) -> int:
    """How many texts of a column are under an older key."""
    return _older(sealed).count()


def rotate(size: int = CHUNK) -> Iterator[Rotated]:
    """Does one chunk after the other, each in a transaction of its own.

    What is done needs no second look, so that a rotation that was killed goes on where it stopped.
    """
    for sealed in SEALED:
        after: int | None = 0
        while after is not None:
            after, done = _rotate_chunk(sealed, after, size)
            if done.rows or done.unreadable:
                yield done
    yield from _rotate_files()


def _rotate_files() -> Iterator[Rotated]:
    """Files of members that wait on disk. One that another process just reads is read on as it was."""
    state = MemberImport.State
    for job in MemberImport.objects.filter(state__in=(state.NEW, state.CHECKING, state.CHECKED)).order_by("pk"):
        try:
            if seal_again(Path(job.path)):
                yield Rotated(FILES, 1, ())
        except (InvalidTag, KeyError, ValueError):
            yield Rotated(FILES, 0, (job.pk,))


@in_transaction
def _rotate_chunk(sealed: Sealed, after: int, size: int) -> tuple[int | None, Rotated]:
    """The last row of the chunk, None at the end. Rows are locked, so that no change made meanwhile is lost."""
    rows = list(_older(sealed).filter(pk__gt=after).select_for_update(no_key=True).order_by("pk")[:size])
    fresh, unreadable = {}, []
    for row in rows:
        purpose = sealed.purpose(row)
        try:
            fresh[row.pk] = encrypt(open_sealed(getattr(row, sealed.column), purpose), purpose)
        except Unreadable:
            unreadable.append(row.pk)
    _store(sealed, fresh)
    return rows[-1].pk if rows else None, Rotated(sealed, len(fresh), tuple(unreadable))


def _older(sealed: Sealed) -> QuerySet:
    number = Func(F(sealed.column), Value(2), Value(2), function="substring", output_field=BinaryField())
    rows = sealed.model.objects.filter(**{f"{sealed.column}__isnull": False}).exclude(**{sealed.column: b""})
    rows = rows.annotate(under_key=number)
    older: QuerySet = rows.exclude(under_key=newest_key().to_bytes(2, "big"))
    return older


def _store(sealed: Sealed, fresh: dict[int, bytes]) -> None:
    name = connection.ops.quote_name
    table, column = name(sealed.model._meta.db_table), name(sealed.column)
    statement = (
        f"UPDATE {table} SET {column} = fresh.cipher "  # noqa: S608 -- names of our own columns
        f"FROM unnest(%s::bigint[], %s::bytea[]) AS fresh(id, cipher) WHERE {table}.id = fresh.id"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(fresh), list(fresh.values())])
