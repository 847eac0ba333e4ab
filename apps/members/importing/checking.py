"""Holding every staged row against the studio: who is known, what would change, what a person must settle."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.db import connection
from django.db.models import Count, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from apps.members import changes
from apps.members.importing import again
from apps.members.importing.findings import REFUSING
from apps.members.importing.mapping import LEVEL
from apps.members.importing.models import MemberImport, MemberRow, RowIdentifier
from apps.members.importing.parts import parts
from apps.members.importing.staging import mapping_of
from apps.members.models import Member
from apps.members.quality.standing import QUALITY, share_of_file
from apps.members.services.reading import birthday_of, name_in, name_of

COMPARED = 2_000
MOST_LEVELS = 50
LARGE = 20_000
"""From so many rows on, the identifiers of a file are held whole against the studio's instead of one by one."""


def match(job: MemberImport) -> None:
    """Finds each row's member, what stands twice and who was erased; compares what is known with what the file says."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT members_import_known(%s, %s)", [job.pk, job.rows_read > LARGE])
        cursor.execute(
            "SELECT members_import_match(%s, %s, %s)",
            [job.pk, list(mapping_of(job).match), job.program.unit.path],
        )
        cursor.execute("SELECT members_import_blocked(%s)", [job.pk])
    again.mark(job)
    _compare(job)
    settle_states(job)


def settle_states(job: MemberImport) -> None:
    """Each row's state from its findings, and the file's counts and totals from them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT members_import_states(%s, %s)", [job.pk, list(REFUSING)])
    count(job)


def count(job: MemberImport) -> None:
    states = job.staged.values_list("state").annotate(number=Count("pk")).order_by()
    job.counts = dict(states)
    found = {"levels": {"stated": _levels(job)}, **{part.code: part.totals(job) for part in parts()}}
    for code, before in job.totals.items():
        # What is held against the sender's totals is what the file says, whatever was decided since.
        found[code] = {**found.get(code, before), **({"stated": before["stated"]} if "stated" in before else {})}
    if job.state in (MemberImport.State.CHECKING, MemberImport.State.CHECKED):
        found[QUALITY] = share_of_file(job)
    job.totals = found
    job.save(update_fields=["counts", "totals"])


def _levels(job: MemberImport) -> dict[str, int]:
    """By the level that members had in the old system, also one that is still to be settled: how many rows."""
    if LEVEL not in mapping_of(job).attributes:
        return {}
    told = Coalesce(KeyTextTransform(LEVEL, "attributes"), KeyTextTransform(f"value_unknown:{LEVEL}", "findings"))
    levels = job.staged.annotate(level=told).filter(level__isnull=False).values_list("level").order_by()
    return {level[:200]: rows for level, rows in levels.annotate(rows=Count("pk")).order_by("-rows")[:MOST_LEVELS]}


def questions(job: MemberImport) -> list[tuple[str, str, int]]:
    """What is to be decided: the finding's code, the value at fault, and in how many rows that nothing refuses."""
    return _found(job, MemberRow.State.QUESTION)


def refusals(job: MemberImport) -> list[tuple[str, str, int]]:
    """Why rows are refused, in the same shape; values are left out."""
    found: dict[str, int] = {}
    for code, _value, number in _found(job, MemberRow.State.REFUSED):
        found[code] = found.get(code, 0) + number
    return [(code, "", number) for code, number in found.items()]


def _found(job: MemberImport, state: str) -> list[tuple[str, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.key, f.value, count(*) FROM members_memberrow r, LATERAL jsonb_each_text(r.findings) AS f"
            " WHERE r.job_id = %s AND r.state = %s GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 1000",
            [job.pk, state],
        )
        return list(cursor.fetchall())


def _compare(job: MemberImport) -> None:
    """Writes into the rows of known members what would change. Personal data is encrypted: it is compared here."""
    last = 0
    while block := _known(job, last):
        last = block[-1][1]
        differing = [pk for pk, _number, is_alike, said, kept in block if not (is_alike and _is_one_name(said, kept))]
        compare_rows(job, job.staged.filter(pk__in=differing))


def compare_rows(job: MemberImport, known: "QuerySet[MemberRow]") -> None:
    """Writes into those rows what would change."""
    rows = list(known.select_related("member").order_by("number"))
    named = _new_identifiers(job, rows[0].number, rows[-1].number) if rows else {}
    found = [
        (row.pk, made)
        for row in rows
        if row.member is not None and (made := _differing(row, row.member, named.get(row.number, [])))
    ]
    _write(found)


def _known(job: MemberImport, after: int) -> list[tuple[int, int, bool, bytes | None, bytes | None]]:
    """The next rows of known members: id, number, whether all but the name is as it was, and the name here and there."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [job.pk, after, COMPARED])
        return list(cursor.fetchall())


_KNOWN = """
WITH rows AS MATERIALIZED (
    SELECT * FROM members_memberrow
    WHERE job_id = %s AND number > %s AND member_id IS NOT NULL AND NOT notes @> '["known_elsewhere"]'
    ORDER BY number LIMIT %s
)
SELECT r.id, r.number,
       coalesce(r.unit_id, m.home_unit_id) = m.home_unit_id AND coalesce(r.joined_on, m.joined_on) = m.joined_on
       AND (r.birth_day IS NULL OR (r.birth_day, r.birth_year) IS NOT DISTINCT FROM (m.birth_day, m.birth_year))
       AND m.attributes || r.attributes = m.attributes
       AND NOT EXISTS (SELECT FROM members_rowidentifier n
                       WHERE n.job_id = r.job_id AND n.number = r.number AND n.member_id IS NULL),
       r.name_cipher, m.name_cipher
FROM rows r JOIN members_member m ON m.id = r.member_id
ORDER BY r.number
"""
"""The rows are cut down first: joined whole and then sorted, each block of a million would cost a million."""


def _is_one_name(said: bytes | None, kept: bytes | None) -> bool:
    """What the file leaves empty stays."""
    return said is None or name_in(said) in ("", name_in(kept))


def _new_identifiers(job: MemberImport, first: int, last: int) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    rows = RowIdentifier.objects.filter(job=job, number__range=(first, last), member=None).order_by("pk")
    for number, kind, masked in rows.values_list("number", "kind", "masked"):
        found.setdefault(number, []).append((kind, masked))
    return found


def _differing(row: MemberRow, member: Member, named: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """What would change: the file says something else than the studio. What the file leaves empty stays."""
    made: list[changes.FieldChange] = []
    said = Member(name_cipher=row.name_cipher, birth_on_cipher=row.birth_on_cipher)
    name = name_of(said)
    if name and name != (old := name_of(member)):
        made.append(changes.of_name(old, name))
    born = birthday_of(said)
    if born and born != (before := birthday_of(member)):
        made.append(changes.of_birthday(before, born))
    if row.unit_id and row.unit_id != member.home_unit_id:
        made.append(changes.FieldChange(field="home_unit", old=str(member.home_unit_id), new=str(row.unit_id)))
    if row.joined_on and row.joined_on != member.joined_on:
        made.append(changes.FieldChange(field="joined_on", old=str(member.joined_on), new=str(row.joined_on)))
    made += changes.of_attributes(member.attributes, {**member.attributes, **row.attributes})
    made += [changes.FieldChange(field=f"identifier:{kind}", new=masked) for kind, masked in named]
    return [each.model_dump() for each in made]


def _write(found: Sequence[tuple[int, list[dict[str, Any]]]]) -> None:
    if not found:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE members_memberrow r SET changes = f.changes"
            " FROM jsonb_to_recordset(%s::jsonb) AS f(id bigint, changes jsonb) WHERE r.id = f.id",
            [orjson.dumps([{"id": pk, "changes": made} for pk, made in found]).decode()],
        )
