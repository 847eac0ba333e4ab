"""A member's own data as one file: everything the studio holds of them, in words, streamed table by table."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
from django.utils import translation

from apps.core.transactions import in_transaction
from apps.members.models import Identifier, Look, Member
from apps.members.privacy import holdings
from apps.members.privacy.errors import PurposeMissing
from apps.members.services.looking import PURPOSES, record_look
from apps.members.services.reading import birthday_of, name_of, value_of
from apps.members.services.rows import locked
from apps.members.words import OWN_DATA

PERMISSION = "members.hand_out_member"
AT_ONCE = 2_000
"""Rows held in memory."""


@in_transaction
def hand_out(actor: Any, member_id: int, *, purpose: str, language: str, when: datetime) -> Member:
    """The member, whose `own_data` may now leave: that it does, and what for, is on record.

    Raises PurposeMissing, Unreadable, MemberErased, NoSuchMember, NotAllowed.
    """
    member = locked(actor, member_id, PERMISSION)
    if purpose not in PURPOSES:
        raise PurposeMissing()
    _require_readable(member)
    reason = PURPOSES[purpose].in_language(language)
    record_look(actor, Look.Kind.EXPORT, member.home_unit, member=member, what=OWN_DATA, reason=reason)
    return member


def _require_readable(member: Member) -> None:
    """Half a file would be none. Raises Unreadable."""
    name_of(member)
    birthday_of(member)
    for identifier in Identifier.objects.filter(member=member):
        value_of(identifier)


def own_data(member: Member, language: str, when: datetime) -> Iterator[bytes]:
    """One JSON object, piece by piece: by what a table holds its rows, each with labels in `language`. A constant number
    of queries for each table."""
    yield b'{"member": %d, "made_at": %s' % (member.pk, orjson.dumps(when))
    for holding in holdings.holdings():
        if holding.tells is None:
            continue
        yield b",\n%s: [" % orjson.dumps(holding.label.in_language(language))
        between = b"\n"
        for row in holding.rows(member.pk).iterator(chunk_size=AT_ONCE):
            with translation.override(language):
                told = {words.in_language(language): value for words, value in holding.tells(row).items()}
            yield between + orjson.dumps(told, default=str)
            between = b",\n"
        yield b"]"
    yield b"}\n"
