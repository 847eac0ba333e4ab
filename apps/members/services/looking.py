"""Looking: at personal data in clear, for a member by identifier, at a list as a file. Each leaves a row first."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q

from apps.core.scope import reach_of
from apps.core.transactions import in_transaction
from apps.members.changes import HIDDEN
from apps.members.crypto import lookup_hash, tail_hash
from apps.members.errors import ReasonMissing
from apps.members.identifiers import ASKED_CHARACTERS, is_kind, is_well_formed, mask, tail_of
from apps.members.models import Identifier, Look, Member
from apps.members.services.reading import birthday_of, name_of, value_of
from apps.members.services.rows import author_of, locked
from apps.orgs.models import OrgUnit

PERMISSION = "members.reveal_member"
SHOWN_FOR = timedelta(minutes=10)
MOST_FOUND = 50


@dataclass(frozen=True)
class RevealedIdentifier:
    id: int
    kind: str
    value: str


@dataclass(frozen=True)
class Revealed:
    """Personal data in clear, to be shown until `until`, excluded, and kept nowhere."""

    name: str
    birth_on: date | None
    identifiers: tuple[RevealedIdentifier, ...]
    until: datetime


@in_transaction
def reveal(actor: Any, member_id: int, *, reason: str, when: datetime) -> Revealed:
    """The member's personal data, for a reason and for ten minutes, on record in the same transaction.

    Raises ReasonMissing, Unreadable, NoSuchMember, NotAllowed.
    """
    member = locked(actor, member_id, PERMISSION)
    if not reason.strip():
        raise ReasonMissing()
    until = when + SHOWN_FOR
    revealed = _read(member, until)
    _record(
        actor, Look.Kind.REVEAL, member.home_unit,
        member=member, what=_fields(revealed), reason=reason.strip()[:500], until=until,
    )  # fmt: skip
    return revealed


def open_look(actor: Any, member: Member, *, when: datetime) -> Revealed | None:
    """What `actor` was let see of the member and may still see; None when there was no look or its time is over."""
    if not reach_of(actor, PERMISSION).covers(member.home_unit.path):
        return None
    looks = Look.objects.filter(kind=Look.Kind.REVEAL, member=member, until__gt=when, **author_of(actor))
    look = looks.order_by("-until").first()
    return _read(member, look.until) if look is not None and look.until else None


def find_by_identifier(actor: Any, kind: str, value: str) -> Member | None:
    """The member that an identifier names, if `actor` may see them. The search is on record, found or not; what is
    no kind of identifier names nobody and is not searched for."""
    if not is_kind(kind):
        return None
    named = Identifier.objects.filter(kind=kind, value_hash=lookup_hash(kind, value))
    return next(iter(_search(actor, named, f"{kind} {_shown(value)}")), None)


def find_members(actor: Any, term: str) -> list[Member]:
    """The members that a whole card, phone, e-mail or other identifier names, or its last four characters; the newest
    first, fifty at most, as far as `actor` may see them. Two look-ups by hash, never a search in clear. The search is
    on record."""
    term = term.strip()
    if len(term) < ASKED_CHARACTERS:
        return []
    named = Q(pk__in=())
    for kind in Identifier.Kind.values:
        named |= Q(kind=kind, value_hash=lookup_hash(kind, term))
    if len(term) == ASKED_CHARACTERS:
        named |= Q(tail_hash=tail_hash(tail_of("card", term)))
    return _search(actor, Identifier.objects.filter(named), _shown(term))


@in_transaction
def record_export(actor: Any, what: str) -> None:
    """A list of members is about to leave as a file; `what` says which."""
    _record(actor, Look.Kind.EXPORT, _belongs(actor), what=what[:200])


@in_transaction
def record_matching(actor: Any, what: str, found: int) -> None:
    """A list of identifiers was held against the members; `what` says which, `found` how many it named."""
    _record(actor, Look.Kind.SEARCH, _belongs(actor), what=what[:200], found=found)


@in_transaction
def _search(actor: Any, named: Any, shown: str) -> list[Member]:
    members = Member.objects.filter(pk__in=named.values("member"))
    if actor is not None:
        members = members.visible_to(actor)
    found = list(members.select_related("home_unit").order_by("-pk")[:MOST_FOUND])
    if actor is not None:
        only = found[0] if len(found) == 1 else None
        unit = only.home_unit if only else _belongs(actor)
        _record(actor, Look.Kind.SEARCH, unit, member=only, what=shown[:200], found=len(found))
    return found


def _record(actor: Any, kind: str, unit: OrgUnit, **more: Any) -> None:
    Look.objects.create(kind=kind, unit=unit, **author_of(actor), **more)


def _shown(term: str) -> str:
    """What was asked for, as the record may show it; nothing of what might be a name."""
    kind = "email" if "@" in term else "phone" if is_well_formed("phone", term) else "card"
    if not (term.isascii() and term.isprintable() and any(each.isdigit() or each == "@" for each in term)):
        return HIDDEN
    return mask(kind, term) if len(term) > ASKED_CHARACTERS else f"{HIDDEN}{term}"


def _belongs(actor: Any) -> OrgUnit:
    """Where who looks belongs; the whole group where that is not said."""
    unit: OrgUnit | None = getattr(actor, "unit", None)
    return unit or OrgUnit.objects.get(depth=1)


def _read(member: Member, until: datetime) -> Revealed:
    named = sorted(member.identifiers.all(), key=lambda each: (each.kind, each.pk))
    identifiers = tuple(RevealedIdentifier(each.pk, each.kind, value_of(each)) for each in named)
    return Revealed(name_of(member), birthday_of(member), identifiers, until)


def _fields(revealed: Revealed) -> str:
    """Which fields a look showed, by their codes."""
    own = [name for name, value in (("name", revealed.name), ("birth_on", revealed.birth_on)) if value]
    return ", ".join([*own, *(each.kind for each in revealed.identifiers)])[:200]
