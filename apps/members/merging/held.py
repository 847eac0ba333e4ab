"""What merges hold of a member, and how it goes when the member is erased: with everybody who became part of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.conditions.words import Words
from apps.members.merging.models import DuplicatePair, Merge
from apps.members.models import Member
from apps.members.privacy.holdings import Erasing, Holding, hindrance, register, removed


def _merges(member_id: int) -> QuerySet:
    found: QuerySet = Merge.objects.filter(Q(kept=member_id) | Q(gone=member_id)).order_by("pk")
    return found


def _told(row: Merge) -> Mapping[Words, Any]:
    return {
        Words("when", "时间"): row.at, Words("merged member", "被并入的会员"): row.gone_id,
        Words("kept member", "保留的会员"): row.kept_id, Words("reason", "原因"): row.reason,
        Words("undone at", "撤销时间"): row.undone_at, Words("why it was undone", "撤销原因"): row.undo_reason,
    }  # fmt: skip


def _blank(erasing: Erasing) -> int:
    """What moved stays by its numbers; what the kept member was before, and the words, go."""
    blanked = 0
    for row in _merges(erasing.member.pk):
        row.reason, row.undo_reason = "—", "—" if row.undo_reason else ""
        row.name_cipher, row.birth_on_cipher = None, None
        row.moved["members"] = {**row.moved.get("members", {}), "before": {}, "after": {}}
        row.save(update_fields=["reason", "undo_reason", "name_cipher", "birth_on_cipher", "moved"])
        blanked += 1
    return blanked


def _pairs(member_id: int) -> QuerySet:
    found: QuerySet = DuplicatePair.objects.filter(Q(first=member_id) | Q(second=member_id)).order_by("pk")
    return found


@hindrance
def is_part_of_another(member: Member, when: datetime) -> Iterable[str]:
    """Who was merged goes with the member that answers for them."""
    if member.state == Member.State.MERGED:
        yield _("This member was merged into #%(into)s. Erase that one: this one goes with it.") % {
            "into": member.merged_into_id
        }


register(
    Holding(
        Merge, Words("Merges with other members", "会员合并记录"), _merges, _told, _blank,
        Words("That it happened, when and by whom stays as proof; the words are gone", "何时、由谁所为予以保留作为凭证；文字内容已清除"),
    ),
    Holding(DuplicatePair, Words("Who may be the same person", "疑似重复会员"), _pairs, erase=removed(_pairs)),
)  # fmt: skip
