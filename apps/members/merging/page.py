"""What the page of a member says of merges: where a merged one went, and who became part of a kept one."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.members.merging.models import Merge
from apps.members.models import Member
from apps.members.page import Asked, Block, block
from apps.members.timeline import zone_on


@block(order=5, permission="members.view_merge")
def merges(asked: Asked) -> Block | None:
    member = asked.member
    found = Merge.objects.visible_to(asked.person).filter(Q(kept=member) | Q(gone=member), undone_at=None)
    rows = list(found.select_related("author").order_by("-pk"))
    if not rows:
        return None
    others = {row.gone_id if row.kept_id == member.pk else row.kept_id for row in rows}
    seen: dict[int, Any] = Member.objects.visible_to(asked.person).in_bulk(others)
    zone = str(asked.once(zone_on))
    told = [
        {"merge": row, "is_gone": row.gone_id == member.pk, "number": other, "other": seen.get(other), "zone": zone}
        for row in rows
        for other in [row.gone_id if row.kept_id == member.pk else row.kept_id]
    ]
    return Block(_("Merges"), "members/member_merges.html", told)
