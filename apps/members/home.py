"""What the home page says about members."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.addresses import address
from apps.core.formats import number, signed
from apps.core.home import Figure, Panel, Search, section
from apps.core.palette import MOST, Found, source
from apps.members.models import Identifier, Member
from apps.members.querysets import masks_of
from apps.members.services import Found as ByTerm
from apps.members.services import search
from apps.orgs.jobs import jobs_held

MEMBERS = "members_member_changelist"
SHOWN = 2
"""Identifiers of a member in a line."""


@section(order=0, permission="members.view_member")
def look_up(person: Any, when: datetime) -> Panel | None:
    """Customer service finds a member before anything else."""
    if "service" not in jobs_held(person):
        return None
    label = _("Card, phone, e-mail, the last four digits, or part of the name")
    box = Search(address(MEMBERS), "q", label, _("The member's page shows points, history and the reason of each."))
    return Panel(_("Find a member"), search=box, is_wide=True)


@section(order=30, permission="members.view_member")
def joined(person: Any, when: datetime) -> Panel | None:
    """How many members a manager's stores have won."""
    if "regional_manager" not in jobs_held(person):
        return None
    today = when.date()
    week, before = today - timedelta(days=7), today - timedelta(days=14)
    counts = (
        Member.objects.visible_to(person)
        .exclude(state=Member.State.MERGED)
        .aggregate(
            active=Count("pk", filter=Q(state=Member.State.ACTIVE)),
            new=Count("pk", filter=Q(joined_on__gt=week, joined_on__lte=today)),
            before=Count("pk", filter=Q(joined_on__gt=before, joined_on__lte=week)),
        )
    )
    change = signed(counts["new"] - counts["before"])
    note = _("%(change)s against the 7 days before") % {"change": change}
    figures = (
        Figure(_("Active members"), number(counts["active"]), address=address(MEMBERS)),
        Figure(_("Joined in the last 7 days"), number(counts["new"]), note),
    )
    return Panel(_("Members of your stores"), figures=figures)


@source(gettext_lazy("Members"), permission="members.view_member", listed=MEMBERS)
def members(person: Any, term: str) -> list[Found]:
    """Members as the list's search box finds them, with what names them masked: the first character of a name that many
    have tells nobody apart."""
    found = search(person, term, MOST + 1)
    masks = masks_of([each.member.pk for each in found])
    return [_line(each, masks[each.member.pk]) for each in found]


def _line(found: ByTerm, masks: list[str]) -> Found:
    member = found.member
    kind = dict(Identifier.Kind.choices).get(found.by)
    named = f"{kind} {found.masked}" if kind else ", ".join(masks[:SHOWN])
    return Found(
        str(member),
        " · ".join(filter(None, (member.home_unit.name, named))),
        address("members_member_change", member.pk),
        "person",
        mark="" if member.state == Member.State.REMOVED else f"#{member.pk}",
        tag="" if member.state == Member.State.ACTIVE else member.get_state_display(),
    )
