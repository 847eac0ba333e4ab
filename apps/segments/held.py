"""What this room holds of a member."""

from collections.abc import Mapping
from typing import Any

from apps.conditions.words import Words
from apps.members.privacy.holdings import FIGURES, Holding, of_member, register, removed
from apps.segments.models import RfmScore, SegmentMember, SegmentMove

SEGMENT = Words("segment", "分群")


def _member(row: SegmentMember) -> Mapping[Words, Any]:
    return {SEGMENT: str(row.segment), Words("since", "自"): row.since_on}


def _move(row: SegmentMove) -> Mapping[Words, Any]:
    return {SEGMENT: str(row.segment), Words("move", "变动"): row.get_kind_display(), Words("day", "日期"): row.day}


def _score(row: RfmScore) -> Mapping[Words, Any]:
    return {
        Words("recency", "最近消费"): row.recency, Words("frequency", "消费频次"): row.frequency, Words("money", "消费金额"): row.money,
        Words("group", "分组"): row.group,
    }  # fmt: skip


register(
    Holding(
        SegmentMember, Words("Segments they are in", "所在分群"), of_member(SegmentMember, "segment"), _member,
        removed(of_member(SegmentMember)),
    ),
    Holding(
        SegmentMove, Words("Segments they entered and left", "进出分群记录"), of_member(SegmentMove, "segment"), _move, stays=FIGURES
    ),
    Holding(RfmScore, Words("RFM scores", "RFM 评分"), of_member(RfmScore), _score, removed(of_member(RfmScore))),
)  # fmt: skip
