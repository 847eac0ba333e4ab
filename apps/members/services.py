"""Enrolling members."""

from collections.abc import Sequence
from datetime import date, datetime

import orjson
from django.db import connection

from apps.core.transactions import in_transaction
from apps.members.crypto import encrypt, lookup_hash, tail_hash
from apps.members.identifiers import mask, normalise, tail_of

_ENROL = """
WITH incoming AS MATERIALIZED (
    SELECT DISTINCT ON (kind, hash) *, nextval('members_member_id_seq') AS id
    FROM jsonb_to_recordset(%s::jsonb)
        AS e(kind text, hash text, tail text, cipher text, masked text, unit bigint, joined date)
    WHERE NOT EXISTS (
        SELECT 1 FROM members_identifier i WHERE i.kind = e.kind AND i.value_hash = decode(e.hash, 'hex'))
    ORDER BY kind, hash
), enrolled AS (
    INSERT INTO members_member (id, home_unit_id, state, joined_on, masked_name, attributes, created_at)
    SELECT id, unit, 'active', joined, '', '{}', %s FROM incoming
)
INSERT INTO members_identifier (member_id, kind, value_cipher, value_hash, tail_hash, masked, created_at)
SELECT id, kind, decode(cipher, 'hex'), decode(hash, 'hex'), decode(tail, 'hex'), masked, %s FROM incoming
"""


@in_transaction
def enrol_many(rows: Sequence[tuple[str, str, int, date]], *, when: datetime) -> int:
    """Enrols members by one identifier each: (kind, value, home unit id, joined on). Known ones are left as they are;
    how many are new. One statement, however many."""
    if not rows:
        return 0
    with connection.cursor() as cursor:
        # Two imports that meet the same new member: the second waits and then finds it known.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('enrol_many'))")
        cursor.execute(_ENROL, [orjson.dumps([_row(*row) for row in rows]).decode(), when, when])
        return int(cursor.rowcount)


def _row(kind: str, value: str, unit_id: int, joined_on: date) -> dict[str, object]:
    spelt = normalise(kind, value)
    return {
        "kind": kind,
        "hash": lookup_hash(kind, value).hex(),
        "tail": tail_hash(tail_of(kind, value)).hex(),
        "cipher": encrypt(spelt, f"identifier:{kind}").hex(),
        "masked": mask(kind, value),
        "unit": unit_id,
        "joined": joined_on,
    }
