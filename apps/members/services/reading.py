"""Personal data in clear, for verbs that have checked who asks. Nothing outside this package reads it."""

from datetime import date

from apps.members.crypto import open_sealed, purpose_of
from apps.members.models import Identifier, Member


def name_of(member: Member) -> str:
    """The name; empty where none is known. Raises Unreadable."""
    return name_in(member.name_cipher)


def name_in(cipher: bytes | memoryview | None) -> str:
    """`name_of` of a member's column. Raises Unreadable."""
    return open_sealed(cipher, "name") if cipher else ""


def birthday_of(member: Member) -> date | None:
    """Raises Unreadable."""
    return date.fromisoformat(open_sealed(member.birth_on_cipher, "birth_on")) if member.birth_on_cipher else None


def value_of(identifier: Identifier) -> str:
    """Raises Unreadable."""
    return open_sealed(identifier.value_cipher, purpose_of(identifier.kind))
