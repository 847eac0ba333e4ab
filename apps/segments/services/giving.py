"""Tags that people give members by hand, and take away again. Such a row of `members.MemberTag` names no rule, event or
definition; who did it and why stands in the member's history."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from apps.core.clock import local_day
from apps.core.transactions import in_transaction
from apps.members.changes import of_tag
from apps.members.errors import ReasonMissing
from apps.members.merging.errors import MemberMerged
from apps.members.models import Member, MemberTag
from apps.members.services.rows import locked, record
from apps.orgs.querysets import paths_above
from apps.segments.errors import HeldAlready, NotByHand, NotHeldByHand, OneAtMost
from apps.segments.models import BY_HAND, Tag

PERMISSION = "members.change_membertag"


def tags_of_home(principal: Any, member: Member) -> "QuerySet[Tag]":
    """The tags that a member may hold, as far as `principal` sees them (the studio itself all), in the order of their trees."""
    seen = Tag.objects.all() if principal is None else Tag.objects.visible_to(principal)
    near = seen.filter(program__unit__path__in=paths_above(member.home_unit.path))
    return near.select_related("program", "parent").filter(children=None).order_by("program", "place")


def tags_for_hands(principal: Any, member: Member) -> "QuerySet[Tag]":
    """Of those, what can be given by hand: no refresh gives it."""
    return tags_of_home(principal, member).filter(condition__isnull=True, rfm_group="")


def held_on(member: Member, day: date) -> "QuerySet[MemberTag]":
    """What the member holds on that local day, whoever gave it."""
    return MemberTag.objects.filter(member=member, from_on__lte=day).exclude(until_on__lte=day)


@dataclass(frozen=True)
class Line:
    """A tag that can be given by hand, as it stands with a member. `since` is the day on which it was given by hand."""

    tag: Tag
    since: date | None
    is_given_otherwise: bool
    """Whether a rule gave it, too."""


def lines_of(principal: Any, member: Member, when: datetime) -> list[Line]:
    """How the tags for hands stand with the member, with those that were given by hand before a condition gave them. Two queries."""
    held: dict[str, list[MemberTag]] = {}
    for row in MemberTag.objects.visible_to(principal).filter(member=member).order_by("from_on"):
        held.setdefault(row.tag, []).append(row)
    lines = []
    for tag in tags_of_home(principal, member):
        today = _today(tag, when)
        now = [
            each
            for each in held.get(tag.key, ())
            if each.from_on <= today and (each.until_on is None or each.until_on > today)
        ]
        by_hand = [each for each in now if each.is_by_hand]
        if by_hand or not tag.is_automatic:
            lines.append(Line(tag, by_hand[0].from_on if by_hand else None, len(now) > len(by_hand)))
    return lines


@in_transaction
def give_tag(actor: Any, member_id: int, tag_id: int, *, reason: str, when: datetime) -> MemberTag:
    """The member holds the tag from today on, until somebody takes it away.

    Raises NotByHand, HeldAlready, OneAtMost, ReasonMissing, MemberMerged, MemberErased, NoSuchMember, NotAllowed.
    """
    member = _whole(actor, member_id)
    tag = tags_for_hands(actor, member).filter(pk=tag_id).first()
    if tag is None:
        raise NotByHand()
    if not reason.strip():
        raise ReasonMissing()
    today = _today(tag, when)
    held = held_on(member, today)
    if held.filter(BY_HAND, tag=tag.key).exists():
        raise HeldAlready(tag=str(tag))
    if tag.parent is not None and tag.parent.is_exclusive:
        beside = tag.parent.children.exclude(pk=tag.pk)
        other = beside.filter(key__in=held.values("tag")).first()
        if other is not None:
            raise OneAtMost(tag=str(other))
    given, _is_new = MemberTag.objects.update_or_create(
        member=member, tag=tag.key, from_on=today, rule_id=None, event_id=None, definition_id=None,
        defaults={"until_on": None},
    )  # fmt: skip
    record(member, actor, [of_tag(tag.key, is_given=True)], reason=reason.strip()[:500], when=when)
    return given


@in_transaction
def take_tag(actor: Any, member_id: int, tag_id: int, *, reason: str, when: datetime) -> None:
    """What was given by hand of the tag ends today; what rules or its condition give stays.

    Raises NotHeldByHand, ReasonMissing, MemberMerged, MemberErased, NoSuchMember, NotAllowed.
    """
    member = _whole(actor, member_id)
    tag = tags_of_home(actor, member).filter(pk=tag_id).first()
    if tag is None:
        raise NotHeldByHand()
    if not reason.strip():
        raise ReasonMissing()
    today = _today(tag, when)
    if not held_on(member, today).filter(BY_HAND, tag=tag.key).update(until_on=today):
        raise NotHeldByHand()
    record(member, actor, [of_tag(tag.key, is_given=False)], reason=reason.strip()[:500], when=when)


def _whole(actor: Any, member_id: int) -> Member:
    member = locked(actor, member_id, PERMISSION)
    if member.state == Member.State.MERGED:
        raise MemberMerged(member=member.pk, into=member.merged_into_id)
    return member


def _today(tag: Tag, when: datetime) -> date:
    return local_day(when, ZoneInfo(tag.program.time_zone))
