"""Tags and segments of a member over time: moments of the member's timeline."""

from collections.abc import Iterable
from typing import Any

from django.db.models import DateTimeField, Expression, F, Func, OuterRef, QuerySet, Subquery, TextField, Value
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.members.choices import either
from apps.members.models import MemberTag
from apps.members.page import Asked
from apps.members.timeline import Moment, Row, Source, register, zone_on
from apps.segments.models import SegmentMove, Tag


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


# Tags: they begin and end with a local day.


def tags_of(asked: Asked) -> "QuerySet[Any]":
    tags = MemberTag.objects.visible_to(asked.person).filter(member=asked.member)
    return (
        tags.exclude(until_on=F("from_on"))
        .annotate(began_at=_midnight(asked, "from_on"))
        .filter(began_at__lte=asked.when)
    )


def tags_over(asked: Asked) -> "QuerySet[Any]":
    tags = MemberTag.objects.visible_to(asked.person).filter(member=asked.member, until_on__isnull=False)
    return (
        tags.exclude(until_on=F("from_on"))
        .annotate(ended_at=_midnight(asked, "until_on"))
        .filter(ended_at__lte=asked.when)
    )


def _midnight(asked: Asked, day: str) -> Expression:
    """The instant at which a local day of the member's company begins."""
    zone = Value(str(asked.once(zone_on)), output_field=TextField())
    bare = Func(F(day), template="%(expressions)s::timestamp", output_field=DateTimeField())
    return Func(zone, bare, function="timezone", output_field=DateTimeField())


def tell_tags(asked: Asked, rows: list[Row]) -> Iterable[Moment]:
    for row in rows:
        words = _("Tag given: %(tag)s") if row.code == "tag" else _("Tag over: %(tag)s")
        label = either(row.facts["label"] or row.facts["tag"], row.facts["label_zh"] or "")
        told = {"tag": label.in_language(get_language() or "en")}
        yield Moment(row, words % told, icon="label" if row.code == "tag" else "label_off")


DEFINED = Tag.objects.filter(pk=OuterRef("definition_id"))
TAG_FACTS = {
    "tag": "tag", "label": Subquery(DEFINED.values("label")), "label_zh": Subquery(DEFINED.values("label_zh")),
}  # fmt: skip
"""What a tag is called; one that a rule gave, by its key."""

for _code, _rows, _at in (("tag", tags_of, "began_at"), ("tagover", tags_over, "ended_at")):
    register(
        Source(
            _code,
            gettext_lazy("Tags"),
            "label",
            "members.view_membertag",
            _rows,
            _at,
            TAG_FACTS,
            tell_tags,
            50,
            "tag",
        )
    )
