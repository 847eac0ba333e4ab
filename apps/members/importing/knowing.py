"""Whom the rows of a file name in the studio already, and what they would change of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import orjson
from django.db import connection

from apps.members import changes
from apps.members.importing.rows import StagedRow
from apps.members.services.reading import name_in

Named = tuple[str, bytes]
"""The kind of an identifier, and its hash."""

_FIND = """
SELECT asked.place, known.member_id
FROM unnest(%s::text[], %s::bytea[]) WITH ORDINALITY AS asked(kind, hash, place)
CROSS JOIN LATERAL (
    SELECT member_id FROM members_identifier i WHERE i.kind = asked.kind AND i.value_hash = asked.hash OFFSET 0
) AS known
"""
"""Looked up one by one, whatever the planner believes: a block names few of a million."""
_KEPT = """
SELECT m.id, starts_with(u.path, %s), m.home_unit_id, m.joined_on, m.name_cipher, m.birth_day, m.birth_year, m.attributes
FROM members_member m JOIN orgs_orgunit u ON u.id = m.home_unit_id WHERE m.id = ANY(%s)
"""


class Kept(NamedTuple):
    """What is kept of a member; `is_within` whether they live where the file may change them."""

    is_within: bool
    home_unit_id: int
    joined_on: date
    name_cipher: bytes | None
    birth_day: int | None
    birth_year: int | None
    attributes: dict[str, Any]

    @property
    def born(self) -> date | None:
        if self.birth_day is None or self.birth_year is None:
            return None
        return date(self.birth_year, self.birth_day // 100, self.birth_day % 100)


@dataclass(frozen=True, slots=True)
class Recognised:
    """The member of a row: whether its identifiers name others too, whether the member lives elsewhere in the group, and
    what the row would change."""

    member: int
    is_of_several: bool
    is_elsewhere: bool
    changes: list[dict[str, Any]]


def members_named(asked: Sequence[Named]) -> dict[Named, int]:
    """Those of the identifiers that name somebody, each with the member. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [[kind for kind, _hash in asked], [hashed for _kind, hashed in asked]])
        return {asked[place - 1]: member for place, member in cursor.fetchall()}


def kept_of(members: Collection[int], root: str) -> dict[int, Kept]:
    """What is kept of members, by their ids; within `root` a file may change them. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, [root, list(members)])
        return {
            member: Kept(is_within, home, joined, name, day, year, orjson.loads(attributes))
            for member, is_within, home, joined, name, day, year, attributes in cursor.fetchall()
        }


def recognise(
    rows: Sequence[tuple[StagedRow, Sequence[tuple[str, bytes, str]]]],
    known: Mapping[Named, int],
    kinds: Sequence[str],
    root: str,
) -> dict[int, Recognised]:
    """Each row whose identifiers (kind, hash, masked) name somebody in `known`, by its number: the member by the first of
    `kinds` that does, then by any other. One query."""
    if not known:
        return {}
    order = {kind: place for place, kind in enumerate(kinds)}
    found: dict[int, list[tuple[int, str, int]]] = {}
    for row, named in rows:
        for kind, hashed, _masked in named:
            member = known.get((kind, hashed))
            if member is not None:
                found.setdefault(row.number, []).append((order.get(kind, len(order)), kind, member))
    chosen = {number: min(each)[2] for number, each in found.items()}
    kept = kept_of(set(chosen.values()), root)
    recognised = {}
    for row, named in rows:
        if row.number in chosen:
            member = chosen[row.number]
            fresh = [(kind, masked) for kind, hashed, masked in named if (kind, hashed) not in known]
            is_within = kept[member].is_within
            recognised[row.number] = Recognised(
                member, len({each[2] for each in found[row.number]}) > 1, not is_within,
                differing(row, kept[member], fresh) if is_within else [],
            )  # fmt: skip
    return recognised


def differing(row: StagedRow, kept: Kept, fresh: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """What would change: the row says something else than the studio, or names the member by something new (`fresh`: kind
    and masked value). What the row leaves empty stays."""
    made: list[changes.FieldChange] = []
    if row.name and row.name != (old := name_in(kept.name_cipher)):
        made.append(changes.of_name(old, row.name))
    if row.born and row.born != kept.born:
        made.append(changes.of_birthday(kept.born, row.born))
    if row.unit_id and row.unit_id != kept.home_unit_id:
        made.append(changes.FieldChange(field="home_unit", old=str(kept.home_unit_id), new=str(row.unit_id)))
    if row.joined and row.joined != kept.joined_on:
        made.append(changes.FieldChange(field="joined_on", old=str(kept.joined_on), new=str(row.joined)))
    if row.attributes:
        made += changes.of_attributes(kept.attributes, {**kept.attributes, **row.attributes})
    made += [changes.FieldChange(field=f"identifier:{kind}", new=masked) for kind, masked in fresh]
    return [each.model_dump() for each in made]
