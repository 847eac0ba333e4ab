"""What the home page says about members."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.core.formats import number, signed
from apps.core.home import Figure, Panel, Search, section
from apps.core.palette import MOST, Found, source
from apps.members.crypto import lookup_hash, tail_hash
from apps.members.identifiers import tail_of
from apps.members.models import Identifier, Member
from apps.orgs.jobs import jobs_held

MEMBERS = "members_member_changelist"


@section(order=10, permission="members.view_member")
def look_up(person: Any, when: datetime) -> Panel | None:
    """Customer service finds a member before anything else."""
    if "service" not in jobs_held(person):
        return None
    label = _("Card, phone, e-mail or the last four digits")
    search = Search(address(MEMBERS), "q", label, _("The member's page shows points, history and the reason of each."))
    return Panel(_("Find a member"), search=search, is_wide=True)


@section(order=30, permission="members.view_member")
def joined(person: Any, when: datetime) -> Panel | None:
    """How many members a manager's stores have won."""
    if "regional_manager" not in jobs_held(person):
        return None
    today = when.date()
    week, before = today - timedelta(days=7), today - timedelta(days=14)
    counts = Member.objects.visible_to(person).aggregate(
        active=Count("pk", filter=Q(state=Member.State.ACTIVE)),
        new=Count("pk", filter=Q(joined_on__gt=week, joined_on__lte=today)),
        before=Count("pk", filter=Q(joined_on__gt=before, joined_on__lte=week)),
    )
    change = signed(counts["new"] - counts["before"])
    note = _("%(change)s against the 7 days before") % {"change": change}
    figures = (
        Figure(_("Active members"), number(counts["active"]), address=address(MEMBERS)),
        Figure(_("Joined in the last 7 days"), number(counts["new"]), note),
    )
    return Panel(_("Members of your stores"), figures=figures)


@source(permission="members.view_identifier")
def members(person: Any, term: str) -> list[Found]:
    """Members by a whole identifier, or by its last four characters; two look-ups by hash, no search in clear."""
    if len(term) < 4:
        return []
    named = Q(tail_hash=tail_hash(tail_of("card", term))) if len(term) == 4 else Q(pk__in=())
    for kind in Identifier.Kind.values:
        named |= Q(kind=kind, value_hash=lookup_hash(kind, term))
    rows = Identifier.objects.visible_to(person).filter(named).select_related("member", "member__home_unit")
    return [
        Found(
            f"{row.member.masked_name or row.masked}", f"{row.masked}, {row.member.home_unit}",
            address("members_member_change", row.member_id), "person",
        )
        for row in rows.order_by("-pk")[:MOST]
    ]  # fmt: skip
