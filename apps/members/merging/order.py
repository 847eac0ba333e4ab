"""By which identifiers a programme recognises a member, and in which order; files of members and enrolments ask here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members.crypto import lookup_hash
from apps.members.errors import IdentifierTaken, UnknownIdentifierKind
from apps.members.identifiers import is_kind
from apps.members.merging.models import MOST_KINDS, MatchingOrder
from apps.members.models import Identifier, Member
from apps.members.services.enrolling import PERMISSION as ENROL
from apps.members.services.enrolling import create_member
from apps.members.services.identifying import add_identifier, verify
from apps.orgs.models import OrgUnit, Program
from apps.orgs.querysets import program_of
from apps.orgs.services.actors import signed

ADD, CHANGE = "members.add_matchingorder", "members.change_matchingorder"


@in_transaction
def set_order(
    actor: Any, program: Program, kinds: Sequence[str], *, only_verified: bool = False, enrols_known: bool = False
) -> MatchingOrder:
    """How a programme recognises members from now on. Raises UnknownIdentifierKind, NotAllowed."""
    kinds = list(dict.fromkeys(kind.strip() for kind in kinds if kind.strip()))
    known = MatchingOrder.objects.select_for_update(no_key=True).filter(program=program).first()
    require(actor, CHANGE if known else ADD, program.unit.path)
    if not 0 < len(kinds) <= MOST_KINDS or not all(is_kind(kind) for kind in kinds):
        raise UnknownIdentifierKind(kind="kinds")
    order = known or MatchingOrder(program=program)
    order.kinds, order.only_verified, order.enrols_known = kinds, only_verified, enrols_known
    signed(order, actor).save()
    return order


def recognised(order: MatchingOrder, identifiers: Sequence[tuple[str, str]]) -> Member | None:
    """The active member whom these identifiers name, by the first kind of the order that names one."""
    given = {kind: lookup_hash(kind, value) for kind, value in reversed(identifiers)}
    named = Identifier.objects.filter(
        kind__in=order.kinds, value_hash__in=given.values(), member__state=Member.State.ACTIVE
    )
    if order.only_verified:
        named = named.filter(verified_at__isnull=False)
    found = {
        row.kind: row.member
        for row in named.select_related("member__home_unit")
        if given.get(row.kind) == bytes(row.value_hash)
    }
    return next((found[kind] for kind in order.kinds if kind in found), None)


@in_transaction
def enrol_or_recognise(
    actor: Any,
    unit: OrgUnit,
    *,
    identifiers: Sequence[tuple[str, str]],
    verified: Sequence[tuple[str, str]] = (),
    when: datetime,
    **particulars: Any,
) -> Member:
    """A new member as `create_member` makes one; where the unit's programme wants it, the member whom the identifiers name
    already, with those that named nobody. Their particulars stay. `verified` are those of `identifiers` that whoever tells of
    them has verified. Whom `actor` does not see is not recognised.

    Raises as `create_member` does.
    """
    member = _enrolled_or_recognised(actor, unit, identifiers, when, particulars)
    told = {lookup_hash(kind, value) for kind, value in verified}
    for each in member.identifiers.filter(value_hash__in=told, verified_at=None):
        verify(actor, each.pk, str(actor or "studio"), when=when)
    return member


def _enrolled_or_recognised(
    actor: Any, unit: OrgUnit, identifiers: Sequence[tuple[str, str]], when: datetime, particulars: Mapping[str, Any]
) -> Member:
    program = program_of(unit)
    order = MatchingOrder.objects.filter(program=program, enrols_known=True).first() if program is not None else None
    known = recognised(order, identifiers) if order is not None else None
    seen = Member.objects.all() if actor is None else Member.objects.visible_to(actor)
    if known is None or not seen.filter(pk=known.pk).exists():
        return create_member(actor, unit, identifiers=identifiers, when=when, **particulars)
    require(actor, ENROL, unit.path)
    for kind, value in identifiers:
        owner = Identifier.objects.filter(kind=kind, value_hash=lookup_hash(kind, value)).first()
        if owner is None:
            add_identifier(actor, known.pk, kind, value, when=when)
        elif owner.member_id != known.pk:
            raise IdentifierTaken(kind=kind)
    return known
