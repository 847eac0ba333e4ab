"""What the verbs share: a member under a lock, values that are checked, and the line in the history."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from apps.core.clock import local_day
from apps.core.scope import require
from apps.members.attributes import values_of
from apps.members.changes import FieldChange
from apps.members.crypto import encrypt
from apps.members.errors import AttributesMalformed, BirthdayImpossible, NameMalformed, NoSuchMember
from apps.members.identifiers import LONGEST_NAME, mask_name
from apps.members.merging.errors import MemberMerged
from apps.members.models import LONGEST_KEY, Member, MemberChange
from apps.members.names import grams_of
from apps.members.privacy.errors import MemberErased
from apps.members.querysets import definitions_for
from apps.orgs.models import ApiClient, OrgUnit, Staff
from apps.orgs.querysets import program_of

CHANGE = "members.change_member"
EARLIEST_BIRTH = date(1900, 1, 1)
MOST_ATTRIBUTES, LONGEST_VALUE, MOST_TEXTS = 50, 500, 50


def author_of(actor: Any) -> dict[str, Any]:
    """The fields of `Authored` for whoever did it; who sees the studio as somebody else is themselves on record."""
    actor = getattr(actor, "seen_by", actor)
    return {
        "actor": actor if isinstance(actor, Staff) else None,
        "client": actor if isinstance(actor, ApiClient) else None,
    }


def require_seen(actor: Any, member_id: int) -> None:
    """Raises NoSuchMember for a member that `actor` does not see."""
    if actor is not None and not Member.objects.visible_to(actor).filter(pk=member_id).exists():
        raise NoSuchMember()


def locked(actor: Any, member_id: int, permission: str = CHANGE) -> Member:
    """The member under a lock. Raises NoSuchMember for one that `actor` does not see, MemberErased, NotAllowed; MemberMerged where it
    is to be changed and is part of another."""
    members = Member.objects.select_for_update(no_key=True, of=("self",)).select_related("home_unit")
    if actor is not None:
        members = members.visible_to(actor)
    member = members.filter(pk=member_id).first()
    if member is None:
        raise NoSuchMember()
    require(actor, permission, member.home_unit.path)
    if member.state == Member.State.REMOVED:
        raise MemberErased()
    if permission == CHANGE and member.state == Member.State.MERGED:
        raise MemberMerged(member=member.pk, into=member.merged_into_id)
    return member


def record(
    member: Member,
    actor: Any,
    changes: Iterable[FieldChange],
    *,
    when: datetime,
    kind: str = MemberChange.Kind.CHANGED,
    reason: str = "",
) -> None:
    """Adds a line to the member's history."""
    MemberChange.objects.create(
        member=member, kind=kind, changes=[change.model_dump() for change in changes], reason=reason, at=when,
        **author_of(actor),
    )  # fmt: skip


def today_at(unit: OrgUnit, when: datetime) -> date:
    """The local day of the unit's programme."""
    program = program_of(unit)
    return local_day(when, ZoneInfo(program.time_zone if program else "UTC"))


def checked_name(name: str) -> str:
    """`name` without blanks around it. Raises NameMalformed."""
    name = name.strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise NameMalformed()
    return name


def put_name(member: Member, name: str) -> None:
    """Sets the name: encrypted, masked, and the hashes by which it is found."""
    member.name_cipher = encrypt(name, "name") if name else None
    member.masked_name = mask_name(name)
    member.name_grams = grams_of(name) or None


def checked_birthday(birth_on: date | None, today: date) -> date | None:
    """Raises BirthdayImpossible."""
    if birth_on is not None and not EARLIEST_BIRTH <= birth_on <= today:
        raise BirthdayImpossible()
    return birth_on


def put_birthday(member: Member, birth_on: date | None) -> None:
    """Sets the birthday: encrypted, and in plain what conditions ask about."""
    member.birth_on_cipher = encrypt(birth_on.isoformat(), "birth_on") if birth_on else None
    member.birth_day = birth_on.month * 100 + birth_on.day if birth_on else None
    member.birth_year = birth_on.year if birth_on else None


def checked_attributes(
    attributes: Mapping[str, Any], unit: OrgUnit, held: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The attributes of a member of `unit` as they are kept: those with a definition as it says, the others free; those
    set to None are dropped, and what the member holds already (`held`) stays allowed. One query.

    Raises AttributesMalformed, AttributesRefused.
    """
    told = {name: value for name, value in attributes.items() if value is not None}
    if not told:
        return told
    definitions = definitions_for(unit)
    defined = {definition.key for definition in definitions}
    free = {name: _plain(value) for name, value in told.items() if name not in defined}
    if len(told) > MOST_ATTRIBUTES or not all(_is_name(name) and _is_value(value) for name, value in free.items()):
        raise AttributesMalformed()
    kept = values_of(definitions, told, held)
    return {name: (free if name in free else kept)[name] for name in told if name in free or name in kept}


def _plain(value: Any) -> Any:
    """A free value as JSON has it; the ledger's exactness is not asked of it."""
    return float(value) if isinstance(value, Decimal) else value


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) <= LONGEST_KEY and name.isprintable()


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST_VALUE and value.isprintable()
    if isinstance(value, list):
        return len(value) <= MOST_TEXTS and all(isinstance(text, str) and _is_value(text) for text in value)
    return isinstance(value, bool) or (isinstance(value, int | float) and abs(value) < 10**15)
