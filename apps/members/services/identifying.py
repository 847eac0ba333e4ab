"""What names a member: identifiers that come and go. One value of a kind names one member of the group."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from apps.core.transactions import in_transaction
from apps.members import changes
from apps.members.crypto import encrypt, lookup_hash, purpose_of, tail_hash
from apps.members.errors import (
    IdentifierMalformed,
    IdentifierMissing,
    IdentifierTaken,
    NoSuchIdentifier,
    ReasonMissing,
    ReferrerImpossible,
    ReferrerUnknown,
    UnknownIdentifierKind,
)
from apps.members.identifiers import is_kind, is_well_formed, mask, normalise, tail_of
from apps.members.models import Identifier, Member
from apps.members.privacy.blocked import is_blocked
from apps.members.privacy.errors import IdentifierBlocked
from apps.members.services.rows import locked, record


@in_transaction
def add_identifier(actor: Any, member_id: int, kind: str, value: str, *, when: datetime) -> Identifier:
    """One more name of the member.

    Raises UnknownIdentifierKind, IdentifierMalformed, IdentifierBlocked, IdentifierTaken, MemberErased, NoSuchMember,
    NotAllowed.
    """
    member = locked(actor, member_id)
    identifier = insert_identifier(member, kind, value, when)
    record(member, actor, [changes.of_identifier(kind, new=value)], when=when)
    return identifier


@in_transaction
def remove_identifier(actor: Any, member_id: int, identifier_id: int, *, when: datetime) -> None:
    """The member is found by it no longer; the last one stays.

    Raises NoSuchIdentifier, IdentifierMissing, NoSuchMember, NotAllowed.
    """
    member = locked(actor, member_id)
    identifiers = {each.pk: each for each in member.identifiers.all()}
    identifier = identifiers.get(identifier_id)
    if identifier is None:
        raise NoSuchIdentifier()
    if len(identifiers) == 1:
        raise IdentifierMissing()
    identifier.delete()
    gone = changes.FieldChange(field=f"identifier:{identifier.kind}", old=identifier.masked)
    record(member, actor, [gone], when=when)


@in_transaction
def verify(actor: Any, identifier_id: int, how: str, *, when: datetime) -> Identifier:
    """It is known to be theirs: by a code that was sent, a card that was shown. `how` stays beside it in the history.

    Raises ReasonMissing, NoSuchIdentifier, NoSuchMember, NotAllowed.
    """
    return _set_verified(actor, identifier_id, when, how, when)


@in_transaction
def unverify(actor: Any, identifier_id: int, why: str, *, when: datetime) -> Identifier:
    """It is not known to be theirs after all. Raises ReasonMissing, NoSuchIdentifier, NoSuchMember, NotAllowed."""
    return _set_verified(actor, identifier_id, None, why, when)


def _set_verified(actor: Any, identifier_id: int, at: datetime | None, reason: str, when: datetime) -> Identifier:
    if not reason.strip():
        raise ReasonMissing()
    owner = Identifier.objects.filter(pk=identifier_id).values_list("member_id", flat=True).first()
    if owner is None:
        raise NoSuchIdentifier()
    member = locked(actor, owner)
    identifier = Identifier.objects.filter(pk=identifier_id, member=member).first()
    if identifier is None:
        raise NoSuchIdentifier()
    if (identifier.verified_at is None) != (at is None):
        identifier.verified_at = at
        identifier.save(update_fields=["verified_at"])
        old, new = (None, identifier.masked) if at else (identifier.masked, None)
        change = changes.FieldChange(field=f"verified:{identifier.kind}", old=old, new=new)
        record(member, actor, [change], reason=reason.strip()[:500], when=when)
    return identifier


def set_referrer(member: Member, value: str, kind: str | None = None) -> list[changes.FieldChange]:
    """Says whose recommendation brought a locked or new member: whoever `value` names, of any of the usual kinds where
    `kind` is None; nobody's where it is empty. What changed. Raises ReferrerUnknown, ReferrerImpossible."""
    referrer = _named(value, kind) if value.strip() else None
    if referrer is not None and member.pk and member.pk in (referrer.pk, referrer.brought_by_id):
        raise ReferrerImpossible()
    old, member.brought_by = member.brought_by_id, referrer
    if old == member.brought_by_id:
        return []
    return [changes.of_referrer(old, member.brought_by_id)]


def _named(value: str, kind: str | None) -> Member:
    kinds = [kind] if kind is not None else list(Identifier.Kind.values)
    hashes = [lookup_hash(each, value) for each in kinds if is_kind(each) and is_well_formed(each, value)]
    found = Identifier.objects.filter(kind__in=kinds, value_hash__in=hashes, member__state=Member.State.ACTIVE)
    identifier = found.select_related("member").order_by("pk").first()
    if identifier is None:
        raise ReferrerUnknown()
    return identifier.member


def insert_identifier(member: Member, kind: str, value: str, when: datetime) -> Identifier:
    """The new row of a locked or new member.

    Raises UnknownIdentifierKind, IdentifierMalformed, IdentifierBlocked, IdentifierTaken.
    """
    if not is_kind(kind):
        raise UnknownIdentifierKind(kind="kind")
    if not is_well_formed(kind, value):
        raise IdentifierMalformed(kind=kind)
    value_hash = lookup_hash(kind, value)
    if is_blocked(kind, value_hash):
        raise IdentifierBlocked(kind=kind)
    try:
        # The constraint decides: looking first would leave a moment for somebody else.
        with transaction.atomic():
            return Identifier.objects.create(
                member=member,
                kind=kind,
                value_cipher=encrypt(normalise(kind, value), purpose_of(kind)),
                value_hash=value_hash,
                tail_hash=tail_hash(tail_of(kind, value)),
                masked=mask(kind, value),
                created_at=when,
            )
    except IntegrityError:
        raise IdentifierTaken(kind=kind) from None
