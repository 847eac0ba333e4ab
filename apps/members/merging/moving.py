"""What this room moves itself when two members become one: identifiers, tags, friends, particulars; and back."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from pydantic import BaseModel

from apps.members import changes
from apps.members.changes import FieldChange
from apps.members.merging.choosing import GONE, Side
from apps.members.merging.models import Merge
from apps.members.models import Identifier, Member, MemberChange, MemberTag
from apps.members.names import grams_of
from apps.members.services.reading import birthday_of, name_of
from apps.members.services.rows import put_birthday, put_name
from apps.orgs.models import OrgUnit

TAKEN = (
    "name_cipher", "masked_name", "name_grams", "birth_on_cipher", "birth_day", "birth_year", "home_unit", "joined_on",
    "attributes", "brought_by",
)  # fmt: skip
FIELDS_TOLD = 500
"""Lines of a history that are looked through for when a particular was last told."""


class Moved(BaseModel):
    """What went along. `before` holds what the kept member's particulars were, `after` what they became, by field, but for
    name and birthday."""

    identifiers: list[int] = []
    tags: list[int] = []
    friends: list[int] = []
    absorbed: list[int] = []
    """Who had been merged into the gone member before."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    gone_state: str = Member.State.ACTIVE


def side_of(member: Member, since: Mapping[str, datetime] | None = None) -> Side:
    """What the member's particulars are. Raises Unreadable."""
    values: dict[str, Any] = {
        "name": name_of(member), "birth_on": birthday_of(member), "home_unit": member.home_unit_id,
        "joined_on": member.joined_on, "referrer": member.brought_by_id,
        **{f"attributes:{key}": value for key, value in member.attributes.items()},
    }  # fmt: skip
    return Side({field: value for field, value in values.items() if value not in (None, "", [])}, since or {})


def told_since(*members: Member) -> list[dict[str, datetime]]:
    """For each member, since when each of its particulars is as it is. One query."""
    since: dict[int, dict[str, datetime]] = {member.pk: {} for member in members}
    rows = MemberChange.objects.filter(member__in=since).order_by("-pk")[:FIELDS_TOLD]
    for owner, made, at in rows.values_list("member_id", "changes", "at"):
        for change in made:
            since[owner].setdefault(change["field"], at)
    for member in members:
        told = since[member.pk]
        for field in side_of(member).values:
            told.setdefault(field, member.created_at)
    return [since[member.pk] for member in members]


def take_particulars(merge: Merge, kept: Member, gone: Member, moved: Moved) -> list[FieldChange]:
    """Gives the kept member what was chosen of the gone one's; what changed. Saves nothing."""
    taken = {field for field, whose in merge.choices.items() if whose == GONE}
    made: list[FieldChange] = []
    if "name" in taken:
        made.append(changes.of_name(name_of(kept), name_of(gone)))
        merge.name_cipher = kept.name_cipher
        put_name(kept, name_of(gone))
    if "birth_on" in taken:
        made.append(changes.of_birthday(birthday_of(kept), birthday_of(gone)))
        merge.birth_on_cipher = kept.birth_on_cipher
        put_birthday(kept, birthday_of(gone))
    if "home_unit" in taken:
        made.append(FieldChange(field="home_unit", old=str(kept.home_unit_id), new=str(gone.home_unit_id)))
        moved.before["home_unit"], moved.after["home_unit"] = kept.home_unit_id, gone.home_unit_id
        kept.home_unit = gone.home_unit
    if "joined_on" in taken:
        made.append(FieldChange(field="joined_on", old=str(kept.joined_on), new=str(gone.joined_on)))
        moved.before["joined_on"], moved.after["joined_on"] = str(kept.joined_on), str(gone.joined_on)
        kept.joined_on = gone.joined_on
    made += _take_referrer(kept, gone, "referrer" in taken, moved)
    attributes = _attributes_taken(kept, gone, taken, moved)
    made += changes.of_attributes(kept.attributes, attributes)
    kept.attributes = attributes
    return made


def _take_referrer(kept: Member, gone: Member, is_taken: bool, moved: Moved) -> list[FieldChange]:
    """Whoever the one brought who is now the same person, nobody brought."""
    old = kept.brought_by_id
    new = gone.brought_by_id if is_taken or old == gone.pk else old
    new = None if new == kept.pk else new
    if new == old:
        return []
    moved.before["referrer"], moved.after["referrer"] = old, new
    kept.brought_by_id = new
    return [changes.of_referrer(old, new)]


def _attributes_taken(kept: Member, gone: Member, taken: set[str], moved: Moved) -> dict[str, Any]:
    attributes = dict(kept.attributes)
    for field in sorted(taken):
        part, _colon, key = field.partition(":")
        if part == "attributes" and gone.attributes.get(key) != attributes.get(key):
            moved.before[field], moved.after[field] = attributes.get(key), gone.attributes.get(key)
            attributes[key] = gone.attributes.get(key)
    return {key: value for key, value in attributes.items() if value is not None}


def move_rows(kept: Member, gone: Member, moved: Moved) -> list[Identifier]:
    """Identifiers, friends and the tags that rules and people gave go to the kept member; the identifiers, as they were. Tags by a
    condition are the kept member's where it holds for that one."""
    identifiers = list(gone.identifiers.order_by("pk"))
    moved.identifiers = [each.pk for each in identifiers]
    Identifier.objects.filter(pk__in=moved.identifiers).update(member=kept)
    alike = MemberTag.objects.filter(member=kept, definition_id=None, tag=OuterRef("tag"), from_on=OuterRef("from_on"))
    of_a_rule = Q(rule_id=OuterRef("rule_id"), event_id=OuterRef("event_id"))
    by_hand = Q(rule_id=None, event_id=None)
    same = Exists(alike.filter(of_a_rule)) | (by_hand & Exists(alike.filter(by_hand)))
    moved.tags = list(MemberTag.objects.filter(~same, member=gone, definition_id=None).values_list("pk", flat=True))
    MemberTag.objects.filter(pk__in=moved.tags).update(member=kept)
    moved.friends = list(Member.objects.filter(brought_by=gone).exclude(pk=kept.pk).values_list("pk", flat=True))
    Member.objects.filter(pk__in=moved.friends).update(brought_by=kept)
    moved.absorbed = list(Member.objects.filter(merged_into=gone).values_list("pk", flat=True))
    Member.objects.filter(pk__in=moved.absorbed).update(merged_into=kept)
    return identifiers


def give_rows_back(merge: Merge, moved: Moved) -> list[Identifier]:
    """What is still the kept member's of what moved goes back; the identifiers."""
    identifiers = list(Identifier.objects.filter(pk__in=moved.identifiers, member=merge.kept_id).order_by("pk"))
    Identifier.objects.filter(pk__in=[each.pk for each in identifiers]).update(member=merge.gone_id)
    MemberTag.objects.filter(pk__in=moved.tags, member=merge.kept_id).update(member=merge.gone_id)
    Member.objects.filter(pk__in=moved.friends, brought_by=merge.kept_id).update(brought_by=merge.gone_id)
    Member.objects.filter(pk__in=moved.absorbed, merged_into=merge.kept_id).update(merged_into=merge.gone_id)
    return identifiers


def put_back(merge: Merge, kept: Member, gone: Member, moved: Moved) -> tuple[list[FieldChange], list[str]]:
    """Gives the kept member its own particulars back, but for those that were changed since: what changed, and those
    fields. Saves nothing."""
    taken = {field for field, whose in merge.choices.items() if whose == GONE}
    made: list[FieldChange] = []
    stayed: list[str] = []
    before = Member(name_cipher=merge.name_cipher, birth_on_cipher=merge.birth_on_cipher)
    if "name" in taken:
        if name_of(kept) == name_of(gone):
            made.append(changes.of_name(name_of(kept), name_of(before)))
            put_name(kept, name_of(before))
        else:
            stayed.append("name")
    if "birth_on" in taken:
        if birthday_of(kept) == birthday_of(gone):
            made.append(changes.of_birthday(birthday_of(kept), birthday_of(before)))
            put_birthday(kept, birthday_of(before))
        else:
            stayed.append("birth_on")
    attributes = dict(kept.attributes)
    now_is = {"home_unit": kept.home_unit_id, "joined_on": str(kept.joined_on), "referrer": kept.brought_by_id}
    for field, became in moved.after.items():
        key = field.removeprefix("attributes:")
        current = attributes.get(key) if key != field else now_is[field]
        if current != became:
            stayed.append(field)
        elif key != field:
            attributes[key] = moved.before[field]
        else:
            made.append(_own_again(kept, field, current, moved.before[field]))
    attributes = {key: value for key, value in attributes.items() if value is not None}
    made += changes.of_attributes(kept.attributes, attributes)
    kept.attributes = attributes
    return made, stayed


def _own_again(kept: Member, field: str, current: Any, own: Any) -> FieldChange:
    if field == "home_unit":
        kept.home_unit = OrgUnit.objects.get(pk=own)
    elif field == "joined_on":
        kept.joined_on = date.fromisoformat(own)
    else:
        kept.brought_by_id = own
    return FieldChange(field=field, old=current and str(current), new=own and str(own))


def found_by_name_again(member: Member) -> None:
    """A merged member is found by its name no longer; one that is taken out again is."""
    member.name_grams = grams_of(name_of(member)) or None
