"""Enrolling members: one with all that is known of them, or many by one identifier each."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from django.db import connection

from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members import changes
from apps.members.crypto import encrypt, lookup_hash, purpose_of, tail_hash
from apps.members.errors import IdentifierMissing, JoinedInFuture
from apps.members.identifiers import mask, normalise, tail_of
from apps.members.models import Member, MemberChange
from apps.members.services.identifying import insert_identifier, set_referrer
from apps.members.services.rows import (
    checked_attributes,
    checked_birthday,
    checked_name,
    put_birthday,
    put_name,
    record,
    today_at,
)
from apps.orgs.models import OrgUnit

PERMISSION = "members.add_member"

_ENROL = """
WITH incoming AS MATERIALIZED (
    SELECT DISTINCT ON (kind, hash) *, nextval('members_member_id_seq') AS id
    FROM jsonb_to_recordset(%s::jsonb)
        AS e(kind text, hash text, tail text, cipher text, masked text, unit bigint, joined date)
    WHERE NOT EXISTS (
        SELECT 1 FROM members_identifier i WHERE i.kind = e.kind AND i.value_hash = decode(e.hash, 'hex'))
    AND NOT EXISTS (
        SELECT 1 FROM members_blockedidentifier b
        WHERE b.kind = e.kind AND b.value_hash = decode(e.hash, 'hex') AND b.lifted_at IS NULL)
    ORDER BY kind, hash
), identified AS (
    -- Somebody else may enrol the same member just now: whoever comes second waits, and finds it known.
    INSERT INTO members_identifier (member_id, kind, value_cipher, value_hash, tail_hash, masked, created_at)
    SELECT id, kind, decode(cipher, 'hex'), decode(hash, 'hex'), decode(tail, 'hex'), masked, %s FROM incoming
    ON CONFLICT (kind, value_hash) DO NOTHING
    RETURNING member_id
)
INSERT INTO members_member (id, home_unit_id, state, joined_on, masked_name, attributes, created_at)
SELECT id, unit, 'active', joined, '', '{}', %s FROM incoming JOIN identified ON identified.member_id = incoming.id
"""


@in_transaction
def create_member(
    actor: Any,
    home_unit: OrgUnit,
    *,
    identifiers: Sequence[tuple[str, str]],
    name: str = "",
    birth_on: date | None = None,
    joined_on: date | None = None,
    attributes: Mapping[str, Any] | None = None,
    referrer: str = "",
    referrer_kind: str | None = None,
    when: datetime,
) -> Member:
    """The new member of `home_unit`, named by `identifiers`: (kind, value). `joined_on` None is today. `referrer` names
    the member who brought them.

    Raises ReferrerUnknown, IdentifierMissing, IdentifierMalformed, UnknownIdentifierKind, IdentifierBlocked, IdentifierTaken, NameMalformed,
    BirthdayImpossible, JoinedInFuture, AttributesMalformed, AttributesRefused, NotAllowed.
    """
    require(actor, PERMISSION, home_unit.path)
    if not identifiers:
        raise IdentifierMissing()
    today = today_at(home_unit, when)
    if joined_on is not None and joined_on > today:
        raise JoinedInFuture()
    name, birth_on = checked_name(name), checked_birthday(birth_on, today)
    member = Member(
        home_unit=home_unit,
        joined_on=joined_on or today,
        attributes=checked_attributes(attributes or {}, home_unit),
        created_at=when,
    )
    put_name(member, name)
    put_birthday(member, birth_on)
    brought = set_referrer(member, referrer, referrer_kind)
    member.save(force_insert=True)
    for kind, value in identifiers:
        insert_identifier(member, kind, value, when)
    named = [changes.of_identifier(kind, new=value) for kind, value in identifiers]
    record(member, actor, [*named, *brought], kind=MemberChange.Kind.CREATED, when=when)
    return member


@in_transaction
def enrol_many(rows: Sequence[tuple[str, str, int, date]], *, when: datetime) -> int:
    """Enrols members by one identifier each: (kind, value, home unit id, joined on). Known ones are left as they are,
    and so are those who were erased; how many are new. One statement, however many."""
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_ENROL, [orjson.dumps([_row(*row) for row in rows]).decode(), when, when])
        return int(cursor.rowcount)


def _row(kind: str, value: str, unit_id: int, joined_on: date) -> dict[str, object]:
    spelt = normalise(kind, value)
    return {
        "kind": kind,
        "hash": lookup_hash(kind, value).hex(),
        "tail": tail_hash(tail_of(kind, value)).hex(),
        "cipher": encrypt(spelt, purpose_of(kind)).hex(),
        "masked": mask(kind, value),
        "unit": unit_id,
        "joined": joined_on,
    }
