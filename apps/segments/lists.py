"""Lists of members by tag, segment or score, as the member list and these pages show them: who sees which follows from the
members."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.conditions.tree import ConditionError
from apps.core.addresses import address
from apps.core.clock import local_day
from apps.core.timeouts import TookTooLong, given_up_after
from apps.members.chosen import Chosen, chooses
from apps.members.models import Member, MemberTag
from apps.orgs.models import Program
from apps.segments.catalogue import read
from apps.segments.groups import GROUPS
from apps.segments.models import RfmScheme, RfmScore, Segment, SegmentMember, Tag
from apps.segments.services.holding import NOBODY, at_home, holding

LONGEST_COUNT = 5.0
"""Seconds for one count of a page."""
SIDES = ("first", "both", "second")
"""Of two segments that are compared: who is in the one alone, in both, in the other alone."""


def list_address(name: str) -> str:
    """The member list filtered to the list of that name."""
    return f"{address('members_member_changelist')}?{urlencode({'in': name})}"


def holding_now(tag: Tag, when: datetime) -> Q:
    """The members who hold the tag on the local day of `when`, whoever gave it."""
    day = local_day(when, ZoneInfo(tag.program.time_zone))
    held = MemberTag.objects.filter(member=OuterRef("pk"), tag=tag.key, from_on__lte=day)
    return Q(Exists(held.exclude(until_on__lte=day))) & Q(pk__in=at_home(tag.program).values("pk"))


def in_segment(segment: Segment, when: datetime) -> Q:
    """The members for whom the segment's condition holds; of one of which track is kept, those who are in it. Raises
    ConditionError."""
    if segment.keeps_track and segment.refreshed_at is not None:
        return Q(pk__in=SegmentMember.objects.filter(segment=segment).values("member"))
    return meeting(segment.program, segment.condition, when)


def meeting(program: Program, condition: Any, when: datetime) -> Q:
    """The members at home in the programme's unit for whom a condition holds. Raises ConditionError."""
    found = holding(program, read(program, condition), local_day(when, ZoneInfo(program.time_zone)))
    if found is NOBODY:
        return Q(pk__in=())
    return Q(pk__in=RawSQL(f"SELECT member.id {found.text}", found.parameters))  # noqa: S611 -- of parameters


def on_side(first: Q, second: Q, side: str) -> Q:
    return {"first": first & ~second, "both": first & second, "second": second & ~first}[side]


@chooses("tag")
def of_tag(person: Any, name: str, when: datetime) -> Chosen | None:
    tag = _row(Tag, person, name)
    return Chosen(str(tag), holding_now(tag, when)) if tag is not None else None


@chooses("segment")
def of_segment(person: Any, name: str, when: datetime) -> Chosen | None:
    segment = _row(Segment, person, name)
    try:
        return Chosen(str(segment), in_segment(segment, when)) if segment is not None else None
    except ConditionError:
        return None


@chooses("segments")
def of_two(person: Any, name: str, when: datetime) -> Chosen | None:
    """`segments:3-7-both`, of the two the first alone, both, or the second alone."""
    parts = name.split("-")
    if len(parts) != 3 or parts[2] not in SIDES:
        return None
    first, second = (_row(Segment, person, part) for part in parts[:2])
    if first is None or second is None:
        return None
    try:
        members = on_side(in_segment(first, when), in_segment(second, when), parts[2])
    except ConditionError:
        return None
    return Chosen(side_words(first, second)[parts[2]], members)


def side_words(first: Segment, second: Segment) -> Mapping[str, str]:
    said = {"first": first, "second": second}
    return {
        "first": _("In “%(first)s”, not in “%(second)s”") % said,
        "both": _("In both, “%(first)s” and “%(second)s”") % said,
        "second": _("In “%(second)s”, not in “%(first)s”") % said,
    }


@chooses("rfm")
def of_scores(person: Any, name: str, when: datetime) -> Chosen | None:
    """`rfm:3-champions` is a group of a scheme, `rfm:3-5-4` the cell of recency 5 and frequency and money 4."""
    scheme_name, _dash, rest = name.partition("-")
    scheme = _row(RfmScheme, person, scheme_name)
    if scheme is None:
        return None
    scored = RfmScore.objects.filter(scheme=scheme)
    if rest in GROUPS:
        title = GROUPS[rest].words.in_language(get_language() or "en")
        return Chosen(title, Q(pk__in=scored.filter(group=rest).values("member")))
    recency, _dash, worth = rest.partition("-")
    if not (recency.isdecimal() and worth.isdecimal() and len(rest) == 3):
        return None
    title = _("Recency %(recency)s, frequency and money %(worth)s") % {"recency": recency, "worth": worth}
    return Chosen(title, Q(pk__in=scored.filter(recency=int(recency), worth=int(worth)).values("member")))


def _row(model: Any, person: Any, text: str) -> Any:
    """The row with that id, where `person` sees it."""
    if not text.isdecimal() or len(text) > 18:
        return None
    return model.objects.visible_to(person).select_related("program__unit").filter(pk=text).first()


def members_seen(person: Any, found: Q) -> Any:
    """Those of `found` who are active and whom `person` may see."""
    return Member.objects.visible_to(person).filter(found, state=Member.State.ACTIVE)


def count_seen(person: Any, found: Q) -> int | None:
    """How many of `found` the person sees; None where that took longer than anybody waits."""
    try:
        with given_up_after(LONGEST_COUNT):
            return int(members_seen(person, found).count())
    except TookTooLong:
        return None
