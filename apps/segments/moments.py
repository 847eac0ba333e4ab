"""That a member entered a segment of which track is kept, or left it: moments of the member's timeline."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.members.choices import either
from apps.members.page import Asked
from apps.members.timeline import Moment, Row, Source, register
from apps.segments.models import SegmentMove


def moves_of(asked: Asked) -> "QuerySet[Any]":
    return SegmentMove.objects.visible_to(asked.person).filter(member=asked.member)


def tell_moves(asked: Asked, rows: list[Row]) -> Iterable[Moment]:
    for row in rows:
        segment = either(row.facts["label"], row.facts["label_zh"]).in_language(get_language() or "en")
        is_in = row.facts["kind"] == SegmentMove.Kind.ENTERED
        words = _("Entered the segment “%(segment)s”") if is_in else _("Left the segment “%(segment)s”")
        yield Moment(
            row, words % {"segment": segment}, icon="login" if is_in else "logout",
            address=address("segments_segment_change", row.facts["segment"]),
        )  # fmt: skip


register(
    Source(
        "segment", gettext_lazy("Segments"), "group_work", "segments.view_segmentmove", moves_of, "at",
        {"kind": "kind", "segment": "segment_id", "label": "segment__label", "label_zh": "segment__label_zh"},
        tell_moves, 55,
    )
)  # fmt: skip
