"""What this room holds of a member, and what becomes of their points when they are erased."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from apps.conditions.words import Words
from apps.members.models import Member
from apps.members.privacy.holdings import (
    FIGURES,
    Erasing,
    Holding,
    Remainder,
    door,
    hindrance,
    of_member,
    register,
    settles,
    through,
)
from apps.members.services.rotating import Sealed, seals
from apps.points.models import Account, AdjustmentBatch, AdjustmentRow, Entry, Hold, HoldLot, Lot, Posting
from apps.points.services.batches import PURPOSE, cells_of
from apps.points.services.forfeiting import forfeit_all, points_left

POINTS, TYPE, WHEN = Words("points", "积分"), Words("point type", "积分类型"), Words("when", "时间")
REASON, KIND, WHERE = Words("reason", "原因"), Words("kind", "类型"), Words("where", "门店")


def _account(row: Account) -> Mapping[Words, Any]:
    return {
        TYPE: str(row.point_type), Words("balance", "余额"): row.balance, Words("pending", "待生效"): row.pending,
        Words("held", "冻结"): row.held, Words("debt", "欠分"): row.debt,
    }  # fmt: skip


def _posting(row: Posting) -> Mapping[Words, Any]:
    return {
        WHEN: row.posted_at, KIND: row.get_kind_display(), TYPE: str(row.account.point_type), POINTS: row.points,
        Words("pending points", "待生效积分"): row.pending_points, REASON: row.reason, WHERE: row.org_unit.name,
    }  # fmt: skip


def _lot(row: Lot) -> Mapping[Words, Any]:
    return {
        Words("earned", "获得"): row.earned, Words("remaining", "剩余"): row.remaining, Words("earned at", "获得时间"): row.earned_at,
        Words("expires before", "失效时间（不含）"): row.expires_at, Words("pending", "待生效"): row.is_pending,
    }  # fmt: skip


def _hold(row: Hold) -> Mapping[Words, Any]:
    return {
        POINTS: row.points, Words("state", "状态"): row.get_state_display(), REASON: row.reason, WHEN: row.held_at,
        WHERE: row.org_unit.name,
    }  # fmt: skip


def _row(row: AdjustmentRow) -> Mapping[Words, Any]:
    return {Words("file", "文件"): row.batch.file_name, POINTS: row.points, Words("note", "备注"): row.note}


def _named(erasing: Erasing) -> Q:
    return Q(member=erasing.member) | Q(given=erasing.member.pk) | Q(value_hash__in=erasing.hashes)


def _discard_drafts(erasing: Erasing) -> int:
    """Files of adjustments that were not sent go whole: what they would do is no longer possible."""
    staged = AdjustmentRow.objects.filter(batch__state=AdjustmentBatch.State.DRAFT)
    named = set(staged.filter(_named(erasing)).values_list("batch", flat=True))
    # What could not be read may name them in any cell.
    for batch, cipher in staged.exclude(fault="").values_list("batch", "cipher").iterator():
        if batch not in named and erasing.is_named_in(list(cells_of(cipher).values())):
            named.add(batch)
    drafts = AdjustmentBatch.objects.filter(pk__in=named)
    return int(drafts.delete()[1].get(AdjustmentRow._meta.label, 0))


def _blank_holds(erasing: Erasing) -> int:
    holds = list(Hold.objects.filter(member=erasing.member))
    for hold in holds:
        hold.reason = hold.reason and "—"
        if any(word in hold.key for word in erasing.told):
            hold.key = f"erased:{hold.pk}"
    Hold.objects.bulk_update(holds, ["reason", "key"])
    return len(holds)


@door
def blank(erasing: Erasing) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM points_blank(%s, %s)", [erasing.member.pk, list(erasing.told)])
        return dict(cursor.fetchall())


@hindrance
def waits(member: Member, when: datetime) -> Iterable[str]:
    """Points that a till has set aside, and files of adjustments that wait for a decision."""
    held = Hold.objects.filter(member=member, state=Hold.State.HELD).aggregate(points=Sum("points"))["points"]
    if held:
        yield _("%(points)s points are held for a redemption. It must be taken or given back first.") % {
            "points": f"{held:,}"
        }
    sent = AdjustmentBatch.objects.filter(state=AdjustmentBatch.State.SENT, staged__member=member)
    sent = sent.filter(request__state__in=("open", "returned")).distinct()
    for name in sent.values_list("file_name", flat=True):
        yield _("The file of adjustments “%(file)s” names this member and waits for a decision.") % {"file": name}


seals(Sealed(AdjustmentRow, "cipher", lambda row: PURPOSE))
settles(Remainder(points_left, lambda erasing, actor: forfeit_all(actor, erasing.member.pk, when=erasing.when)))


register(
    Holding(
        AdjustmentRow, Words("Rows of files of adjustments", "批量调整文件中的行"), of_member(AdjustmentRow, "batch"), _row,
        _discard_drafts, stays=FIGURES,
    ),
    Holding(Account, Words("Balances", "积分余额"), of_member(Account, "point_type"), _account, stays=FIGURES),
    Holding(
        Posting, Words("Movements of points", "积分变动"), of_member(Posting, "account__point_type", "org_unit"), _posting,
        stays=Words("Points, day and place stay, so that the books still balance; reasons are gone", "保留积分、日期和地点，使账目保持平衡；原因文字已清除"),
    ),
    Holding(Entry, Words("Entries of the ledger", "账目分录"), of_member(Entry), stays=FIGURES),
    Holding(Lot, Words("Lots of points", "积分批次"), of_member(Lot), _lot, stays=FIGURES),
    Holding(Hold, Words("Points held for redemptions", "为兑换冻结的积分"), of_member(Hold, "org_unit"), _hold, _blank_holds, FIGURES),
    Holding(HoldLot, Words("Which points were held", "冻结积分明细"), through(HoldLot, "hold__member"), stays=FIGURES),
)  # fmt: skip
