"""Holding every staged row against the studio: who is known, what would change, what a person must settle."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.db import connection
from django.db.models import Count
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from apps.members.importing import again
from apps.members.importing.findings import REFUSING
from apps.members.importing.knowing import differing, kept_of
from apps.members.importing.mapping import LEVEL
from apps.members.importing.models import MemberImport, MemberRow, RowIdentifier
from apps.members.importing.parts import parts
from apps.members.importing.rows import StagedRow, mapping_of
from apps.members.models import Member
from apps.members.quality.standing import QUALITY, share_of_file
from apps.members.services.reading import birthday_of, name_of

COMPARED = 2_000
MOST_LEVELS = 50
LARGE = 20_000
"""From so many rows on, the identifiers of a file are held whole against the studio's instead of one by one."""


def match(job: MemberImport) -> None:
    """Finds what stands twice and who was erased; and looks again at rows whose identifiers name others since they were read
    (`staging` has found their members and compared them)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT members_import_known(%s, %s)", [job.pk, job.rows_read > LARGE])
        (touched,) = cursor.fetchone()
        cursor.execute(
            "SELECT members_import_match(%s, %s, %s, %s)",
            [job.pk, list(mapping_of(job).match), job.program.unit.path, touched],
        )
        cursor.execute("SELECT members_import_blocked(%s)", [job.pk])
    again.mark(job)
    compare(job, touched)
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


def compare(job: MemberImport, numbers: Sequence[int]) -> None:
    """Writes into those rows, where they are of known members, what would change. Personal data is encrypted: it is compared
    here."""
    for first in range(0, len(numbers), COMPARED):
        part = numbers[first : first + COMPARED]
        known = job.staged.filter(number__in=part, member__isnull=False).exclude(notes__contains=["known_elsewhere"])
        rows = [(row, row.member_id) for row in known if row.member_id is not None]
        kept = kept_of({member for _row, member in rows}, job.program.unit.path)
        fresh: dict[int, list[tuple[str, str]]] = {}
        named = RowIdentifier.objects.filter(job=job, number__in=part, member=None).order_by("pk")
        for number, kind, masked in named.values_list("number", "kind", "masked"):
            fresh.setdefault(number, []).append((kind, masked))
        _write([(row.pk, differing(_said(row), kept[member], fresh.get(row.number, []))) for row, member in rows])


def _said(row: MemberRow) -> StagedRow:
    """What a row says of a member, in clear."""
    said = Member(name_cipher=row.name_cipher, birth_on_cipher=row.birth_on_cipher)
    return StagedRow(
        row.number, [], name=name_of(said), born=birthday_of(said), joined=row.joined_on, unit_id=row.unit_id,
        attributes=row.attributes,
    )  # fmt: skip


def _write(found: Sequence[tuple[int, list[dict[str, Any]]]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE members_memberrow r SET changes = f.changes"
            " FROM jsonb_to_recordset(%s::jsonb) AS f(id bigint, changes jsonb) WHERE r.id = f.id",
            [orjson.dumps([{"id": pk, "changes": made} for pk, made in found]).decode()],
        )
