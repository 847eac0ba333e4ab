"""What this room holds of a member."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.activity.models import ROW, Event, EventLine, ImportFault, ImportJob, ImportRow, MemberDay
from apps.conditions.words import Words
from apps.members.models import Member
from apps.members.privacy.holdings import (
    FIGURES,
    Erasing,
    Holding,
    door,
    hindrance,
    of_member,
    register,
    through,
)
from apps.members.services.rotating import Sealed, seals


def _event(event: Event) -> Mapping[Words, Any]:
    return {
        Words("number", "编号"): event.pk, Words("kind", "类型"): str(dict(Event.Kind.choices).get(event.kind, event.kind)), Words("when", "时间"): event.occurred_at,
        Words("where", "门店"): event.org_unit.name, Words("channel", "渠道"): event.channel,
        Words("order number", "订单号"): event.order_no, Words("amount", "金额"): event.amount,
        Words("device", "设备"): event.device, Words("attributes", "属性"): event.attributes,
    }  # fmt: skip


def _line(line: EventLine) -> Mapping[Words, Any]:
    return {
        Words("event", "事件"): line.event_id, Words("article", "商品"): line.sku, Words("category", "品类"): line.category,
        Words("quantity", "数量"): line.quantity, Words("amount", "金额"): line.amount,
    }  # fmt: skip


def rows_of(hashes: Iterable[Any]) -> QuerySet:
    """The rows of files of events, waiting or refused, that name somebody."""
    found: QuerySet = ImportRow.objects.filter(owner__in=list(hashes))
    return found


def _staged(member_id: int) -> QuerySet:
    member = Member.objects.get(pk=member_id)
    return rows_of(member.identifiers.values_list("value_hash", flat=True)).select_related("job").order_by("pk")


def _staged_told(row: ImportRow) -> Mapping[Words, Any]:
    return {Words("file", "文件"): row.job.file_name, Words("line", "行"): row.line}


def _remove_rows(erasing: Erasing) -> int:
    """With them goes what was found wrong in them."""
    rows = rows_of(erasing.hashes)
    for job, line in rows.values_list("job", "line"):
        ImportFault.objects.filter(job=job, line=line).delete()
    return int(rows.delete()[0])


@door
def blank(erasing: Erasing) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM activity_blank(%s, %s)", [erasing.member.pk, list(erasing.told)])
        return dict(cursor.fetchall())


@hindrance
def is_read(member: Member, when: datetime) -> Iterable[str]:
    if ImportJob.objects.filter(state=ImportJob.State.STAGING).exists():
        yield _("A file of events is just being read, and nobody knows yet whom it names. Try again in some minutes.")


seals(Sealed(ImportRow, "cipher", lambda row: ROW))
register(
    Holding(
        ImportRow, Words("Rows of files of events", "事件文件中的行"), _staged, _staged_told, _remove_rows,
    ),
    Holding(
        Event, Words("Events", "事件"), of_member(Event, "org_unit"), _event,
        stays=Words(
            "Kind, place, day and amount stay, for the books and reports; order number, device and attributes are gone",
            "保留类型、地点、日期和金额，供账目和报表使用；订单号、设备和属性已清除",
        ),
    ),
    Holding(EventLine, Words("Lines of orders", "订单明细"), through(EventLine, "event__member"), _line, stays=FIGURES),
    Holding(MemberDay, Words("Sums by day", "每日汇总"), of_member(MemberDay), stays=FIGURES),
)  # fmt: skip
