"""Reads of members that have a name."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import CharField, ExpressionWrapper, F, OuterRef, QuerySet, Subquery

from apps.members.crypto import lookup_hash
from apps.members.errors import NoSuchMember
from apps.members.models import AttributeDefinition, Identifier, Member
from apps.orgs.models import OrgUnit, Program
from apps.orgs.querysets import HOME_ZONE, paths_above, program_of

ORDERS = "members.view_matchingorder"


def member_within(principal: Any, member_id: int, permission: str = "members.view_member") -> Member:
    """The member, where `principal` may do `permission` to them; of one who was merged, the member that answers for it.
    Raises NoSuchMember."""
    members = Member.objects.visible_to(principal, permission).select_related("home_unit")
    member = members.filter(pk=member_id).first()
    if member is not None and member.merged_into_id is not None:
        member = members.filter(pk=member.merged_into_id).first()
    if member is None:
        raise NoSuchMember()
    return member


def with_zone(members: "QuerySet[Member]") -> "QuerySet[Member]":
    """Each with its `zone`: the name of the time zone by which its company tells days, where that is known."""
    above = Program.objects.annotate(below=ExpressionWrapper(OuterRef("home_unit__path"), CharField())).filter(
        below__startswith=F("unit__path")
    )
    return members.annotate(zone=Subquery(above.order_by("-unit__depth").values("time_zone")[:1]))


def zone_of(member: Member) -> str | None:
    """The name of the time zone by which the member's company tells days. One query."""
    program = program_of(member.home_unit)
    return program.time_zone if program else None


def zone_at(unit: OrgUnit) -> str:
    """The name of the time zone by which days are told at a unit. One query."""
    program = program_of(unit)
    return program.time_zone if program else str(HOME_ZONE)


def named_member(kind: str, value: str) -> Member | None:
    """The active member of the group that an identifier names, for verbs that act on whoever shows it."""
    named = Member.objects.filter(identifiers__kind=kind, identifiers__value_hash=lookup_hash(kind, value))
    return named.filter(state=Member.State.ACTIVE).first()


def kinds_in_use(principal: Any) -> list[str]:
    """The kinds of identifier that name members where `principal` sees by what they are recognised, by name. The index is asked for one kind after the other:
    two short queries each, however many identifiers there are."""
    kinds: list[str] = []
    seen = Identifier.objects.all() if principal is None else Identifier.objects.visible_to(principal, ORDERS)
    after = Identifier.objects.order_by("kind").values_list("kind", flat=True)
    kind = after.first()
    while kind is not None:
        if seen.filter(kind=kind).exists():
            kinds.append(kind)
        kind = after.filter(kind__gt=kind).first()
    return kinds


def masks_of(member_ids: Collection[int]) -> dict[int, list[str]]:
    """What names these members, as it may be shown, the oldest first. One query."""
    masks: dict[int, list[str]] = defaultdict(list)
    named = Identifier.objects.filter(member__in=member_ids).order_by("pk")
    for owner, masked in named.values_list("member", "masked"):
        masks[owner].append(masked)
    return masks


def definitions_for(unit: OrgUnit) -> list[AttributeDefinition]:
    """The attributes that members of `unit` have, in the order of forms; with those no longer in use. One query."""
    return definitions_at([unit.path])


def definitions_of(member: Member) -> list[AttributeDefinition]:
    """The attributes that a member has; asked once of an object."""
    known: list[AttributeDefinition] | None = member.__dict__.get("_definitions")
    if known is None:
        known = member.__dict__["_definitions"] = definitions_for(member.home_unit)
    return known


def definitions_at(paths: Iterable[str]) -> list[AttributeDefinition]:
    """The attributes that members of any of the units at `paths` have. One query."""
    above = {above for path in paths for above in paths_above(path)}
    defined = AttributeDefinition.objects.filter(unit__path__in=above)
    return list(defined.select_related("unit").order_by("position", "pk"))


def governing(definitions: Iterable[AttributeDefinition], path: str) -> list[AttributeDefinition]:
    """Those that members of the unit at `path` have."""
    return [each for each in definitions if path.startswith(each.unit.path)]
