"""Changing what is known of a member; closing and reopening."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypedDict, Unpack

from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members import changes
from apps.members.changes import FieldChange
from apps.members.errors import ReasonMissing
from apps.members.models import Member
from apps.members.services.identifying import set_referrer
from apps.members.services.reading import birthday_of, name_of
from apps.members.services.rows import (
    CHANGE,
    checked_attributes,
    checked_birthday,
    checked_name,
    locked,
    put_birthday,
    put_name,
    record,
    today_at,
)
from apps.orgs.models import OrgUnit

CHANGED = (
    "name_cipher",
    "masked_name",
    "name_grams",
    "birth_on_cipher",
    "birth_day",
    "birth_year",
    "home_unit",
    "attributes",
    "brought_by",
)


class Particulars(TypedDict, total=False):
    """What can be changed; what is left out stays as it is. `attributes` replaces all of them."""

    name: str
    birth_on: date | None
    home_unit: OrgUnit
    attributes: Mapping[str, Any]
    referrer: tuple[str | None, str]
    """What names whoever brought them: of which kind (None: any), and how."""


@in_transaction
def change_member(actor: Any, member_id: int, *, when: datetime, **new: Unpack[Particulars]) -> Member:
    """The member with new particulars. Who moves a member must be allowed to change those of the new unit too.

    Raises NameMalformed, BirthdayImpossible, AttributesMalformed, AttributesRefused, ReferrerUnknown, ReferrerImpossible,
    Unreadable, NoSuchMember, NotAllowed.
    """
    member = locked(actor, member_id)
    made: list[FieldChange] = []
    if "name" in new:
        made += _rename(member, checked_name(new["name"]))
    if "birth_on" in new:
        made += _set_birthday(member, checked_birthday(new["birth_on"], today_at(member.home_unit, when)))
    if "home_unit" in new and new["home_unit"].pk != member.home_unit_id:
        require(actor, CHANGE, new["home_unit"].path)
        made.append(FieldChange(field="home_unit", old=str(member.home_unit_id), new=str(new["home_unit"].pk)))
        member.home_unit = new["home_unit"]
    if "attributes" in new:
        attributes = checked_attributes(new["attributes"], member.home_unit, member.attributes)
        made += changes.of_attributes(member.attributes, attributes)
        member.attributes = attributes
    if "referrer" in new:
        kind, value = new["referrer"]
        made += set_referrer(member, value, kind)
    if made:
        member.save(update_fields=CHANGED)
        record(member, actor, made, when=when)
    return member


def _rename(member: Member, name: str) -> list[FieldChange]:
    old = name_of(member)
    if name == old:
        return []
    put_name(member, name)
    return [changes.of_name(old, name)]


def _set_birthday(member: Member, birth_on: date | None) -> list[FieldChange]:
    old = birthday_of(member)
    if birth_on == old:
        return []
    put_birthday(member, birth_on)
    return [changes.of_birthday(old, birth_on)]


def close_member(actor: Any, member_id: int, *, reason: str, when: datetime) -> Member:
    """The member has left; points and history stay. Raises ReasonMissing, NoSuchMember, NotAllowed."""
    return _set_state(actor, member_id, Member.State.CLOSED, reason, when)


def reopen_member(actor: Any, member_id: int, *, reason: str, when: datetime) -> Member:
    """The member is back. Raises ReasonMissing, NoSuchMember, NotAllowed."""
    return _set_state(actor, member_id, Member.State.ACTIVE, reason, when)


@in_transaction
def _set_state(actor: Any, member_id: int, state: str, reason: str, when: datetime) -> Member:
    member = locked(actor, member_id)
    if not reason.strip():
        raise ReasonMissing()
    if member.state != state:
        change = FieldChange(field="state", old=member.state, new=state)
        member.state = state
        member.save(update_fields=["state"])
        record(member, actor, [change], reason=reason.strip()[:500], when=when)
    return member
