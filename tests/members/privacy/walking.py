"""The walk: every row of every table and every file is searched for what a person was known by, what decrypts in clear."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from django.db import connection

from apps.members.crypto import decrypt, lookup_hash, open_sealed_bytes, tail_hash
from apps.members.identifiers import mask, mask_name, tail_of

PURPOSES = (
    "name", "birth_on", "import:member", "import:row", "adjustment:row", "identifier:phone", "identifier:email",
    "identifier:card", "identifier:external",
)  # fmt: skip
FILES = "import:file"


@dataclass(frozen=True)
class Person:
    """What somebody was known by. `named` are kinds and values; `words` whatever else was said of them."""

    name: str
    born: str
    named: Sequence[tuple[str, str]]
    words: Sequence[str] = ()

    @property
    def clear(self) -> list[str]:
        return [self.name, self.born, *(value for _kind, value in self.named), *self.words]

    @property
    def traces(self) -> list[str]:
        """In clear, masked, and as hashes; as text and as the hexadecimal that a row shows of bytes."""
        masks = [mask_name(self.name), *(mask(kind, value) for kind, value in self.named)]
        hashes = [lookup_hash(kind, value).hex() for kind, value in self.named]
        tails = [tail_hash(tail_of(kind, value)).hex() for kind, value in self.named]
        return [*self.clear, *(each.encode().hex() for each in self.clear), *masks, *hashes, *tails]


def columns_of_bytes() -> dict[tuple[str, str], list[str]]:
    """Every table that can be read, with its columns of bytes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, c.relname, coalesce(array_agg(a.attname) FILTER (WHERE a.atttypid = 'bytea'::regtype), '{}')"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
            " WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
            " AND has_table_privilege(c.oid, 'SELECT') GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return {(schema, table): list(columns) for schema, table, columns in cursor.fetchall()}


def traces_in_tables(person: Person, *, beside: Iterable[str] = ("members_blockedidentifier",)) -> list[str]:
    """Where what they were known by stands: tables, with what was found. `beside` may keep keyed hashes."""
    found = []
    for (schema, table), columns in columns_of_bytes().items():
        if table in beside:
            continue
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT t::text FROM "{schema}"."{table}" AS t')
            rows = [row for (row,) in cursor.fetchall()]
            found += [f"{table}: {trace}" for trace in person.traces if any(trace in row for row in rows)]
            for column in columns:
                cursor.execute(f'SELECT "{column}" FROM "{schema}"."{table}" WHERE "{column}" IS NOT NULL')
                opened = [text for (cipher,) in cursor.fetchall() for text in texts_of(bytes(cipher))]
                found += [f"{table}.{column}: {each}" for each in person.clear if any(each in text for text in opened)]
    return found


def texts_of(cipher: bytes) -> Iterator[str]:
    """What a value says under any purpose that opens it."""
    for purpose in PURPOSES if cipher[:1] == b"\x01" else ():
        try:
            yield decrypt(cipher, purpose)
        except (InvalidTag, KeyError, ValueError):
            continue


def traces_in_files(person: Person, folder: Path) -> list[str]:
    """Files that say it, sealed ones opened."""
    return [
        path.name
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(each.encode() in content for each in person.clear for content in contents_of(path))
    ]


def contents_of(path: Path) -> Iterator[bytes]:
    stored = path.read_bytes()
    yield stored
    try:
        yield open_sealed_bytes(stored[4 : 4 + int.from_bytes(stored[:4], "big")], FILES)
    except (InvalidTag, KeyError, ValueError):
        return
