"""What named somebody who was erased is known by its keyed hash alone, and no door takes it in again."""

from datetime import datetime
from typing import Any

from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members.crypto import lookup_hash
from apps.members.errors import IdentifierMalformed, ReasonMissing, UnknownIdentifierKind
from apps.members.identifiers import is_kind, is_well_formed
from apps.members.models import BlockedIdentifier
from apps.members.privacy.errors import NothingBlocked
from apps.members.privacy.holdings import Erasing
from apps.members.services.looking import place_of
from apps.members.services.rows import author_of
from apps.orgs.models import OrgUnit

LIFT = "members.lift_blockedidentifier"


def block(erasing: Erasing) -> None:
    """Keeps what names the member, so that it names nobody again. The day is kept, not the moment, which would lead to
    the certificate of the same moment."""
    group = OrgUnit.objects.get(depth=1)
    BlockedIdentifier.objects.bulk_create(
        (
            BlockedIdentifier(unit=group, kind=kind, value_hash=value, blocked_on=erasing.when.date())
            for kind, value in sorted(erasing.named)
        ),
        ignore_conflicts=True,
    )


@in_transaction
def lift_block(actor: Any, kind: str, value: str, *, reason: str, when: datetime) -> BlockedIdentifier:
    """Lets one identifier name somebody again: its owner came back themselves, and `reason` says so.

    Raises ReasonMissing, UnknownIdentifierKind, IdentifierMalformed, NothingBlocked, NotAllowed.
    """
    require(actor, LIFT, place_of(actor).path)
    if not reason.strip():
        raise ReasonMissing()
    if not is_kind(kind):
        raise UnknownIdentifierKind(kind="kind")
    if not is_well_formed(kind, value):
        raise IdentifierMalformed(kind=kind)
    rows = BlockedIdentifier.objects.select_for_update(no_key=True)
    blocked: BlockedIdentifier | None = rows.filter(
        kind=kind, value_hash=lookup_hash(kind, value), lifted_at=None
    ).first()
    if blocked is None:
        raise NothingBlocked()
    blocked.lifted_at, blocked.reason = when, reason.strip()[:500]
    for name, who in author_of(actor).items():
        setattr(blocked, name, who)
    blocked.save()
    return blocked
