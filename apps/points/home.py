"""What the home page says about points: members in debt; and to shop staff, that the till does their work."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.core.formats import number
from apps.core.home import Empty, Link, Panel, Row, section
from apps.orgs.jobs import jobs_held
from apps.points.models import Account

SHOWN = 5


@section(order=35, permission="points.view_account")
def debts(person: Any, when: datetime) -> Panel | None:
    """Members who owe points after refunds of what they had already spent."""
    if not jobs_held(person) & {"regional_manager", "finance", "vice_president"}:
        return None
    owing = Account.objects.visible_to(person).filter(debt__gt=0)
    total = owing.aggregate(members=Count("member", distinct=True), points=Sum("debt"))
    largest = owing.select_related("member", "member__home_unit", "point_type").order_by("-debt", "pk")[:SHOWN]
    rows = tuple(
        Row(
            str(account.member),
            address("members_member_change", account.member_id),
            str(account.member.home_unit),
            _("%(points)s points") % {"points": number(account.debt)},
        )
        for account in largest
    )
    note = ""
    if rows:
        note = _("%(members)s members owe %(points)s points in all") % {
            "members": number(total["members"]), "points": number(total["points"]),
        }  # fmt: skip
    empty = Empty(_("Nobody owes points. A refund of points that are already spent would show here."))
    more = Link(_("All balances in debt"), f"{address('points_account_changelist')}?in_debt=yes")
    return Panel(_("Members in debt"), note, rows=rows, empty=empty, more=more if rows else None)


@section(order=10, permission="points.redeem_points")
def till(person: Any, when: datetime) -> Panel | None:
    """A job without a page of its own is told so: the home page is not empty for want of a role."""
    if jobs_held(person) != {"shop"}:
        return None
    words = _("The till sends purchases, refunds and redemptions to the studio by itself. Nothing needs doing here.")
    return Panel(_("Your work is done at the till"), empty=Empty(words), is_wide=True)
