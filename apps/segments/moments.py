"""Tags and segments of a member over time: moments of the member's timeline."""

from collections.abc import Iterable
from typing import Any

from django.db.models import DateTimeField, Expression, F, Func, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Substr
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.members.changes import TAG
from apps.members.choices import either
from apps.members.models import MemberChange, MemberTag
from apps.members.moments import AUTHOR
from apps.members.page import Asked
from apps.members.timeline import Moment, Row, Source, register, zone_on
from apps.orgs.querysets import paths_above
from apps.segments.models import BY_HAND, SegmentMove, Tag


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
        tags.exclude(BY_HAND | Q(until_on=F("from_on")))
        .annotate(began_at=_midnight(asked, "from_on"))
        .filter(began_at__lte=asked.when)
    )


def tags_over(asked: Asked) -> "QuerySet[Any]":
    tags = MemberTag.objects.visible_to(asked.person).filter(member=asked.member, until_on__isnull=False)
    return (
        tags.exclude(BY_HAND | Q(until_on=F("from_on")))
        .annotate(ended_at=_midnight(asked, "until_on"))
        .filter(ended_at__lte=asked.when)
    )


def tags_by_hand(asked: Asked) -> "QuerySet[Any]":
    """What people gave and took away, each with what the tag is called, where it is still defined."""
    changes = MemberChange.objects.visible_to(asked.person).filter(member=asked.member)
    near = Tag.objects.filter(program__unit__path__in=paths_above(asked.member.home_unit.path), key=OuterRef("key"))
    return changes.filter(changes__0__field__startswith=TAG).annotate(
        key=Substr(KeyTextTransform("field", KeyTransform(0, "changes")), len(TAG) + 1),
        label=Subquery(near.values("label")[:1]), label_zh=Subquery(near.values("label_zh")[:1]),
    )  # fmt: skip


def tell_tags_by_hand(asked: Asked, rows: list[Row]) -> Iterable[Moment]:
    for row in rows:
        is_given = row.facts["given"] is not None
        words = _("Tag given by hand: %(tag)s") if is_given else _("Tag taken away by hand: %(tag)s")
        yield Moment(
            row, words % {"tag": _called(row.facts)}, detail=row.facts["reason"], who=row.facts["who"] or _("The studio"),
            icon="new_label" if is_given else "label_off", address=address("members_member_history", asked.member.pk),
        )  # fmt: skip


def _called(facts: dict[str, Any]) -> str:
    words = either(facts["label"] or "", facts["label_zh"] or "")
    return words.in_language(get_language() or "en") or str(facts["tag"])


def _midnight(asked: Asked, day: str) -> Expression:
    """The instant at which a local day of the member's company begins."""
    zone = Value(str(asked.once(zone_on)), output_field=TextField())
    bare = Func(F(day), template="%(expressions)s::timestamp", output_field=DateTimeField())
    return Func(zone, bare, function="timezone", output_field=DateTimeField())


def tell_tags(asked: Asked, rows: list[Row]) -> Iterable[Moment]:
    for row in rows:
        words = _("Tag given: %(tag)s") if row.code == "tag" else _("Tag over: %(tag)s")
        yield Moment(row, words % {"tag": _called(row.facts)}, icon="label" if row.code == "tag" else "label_off")


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

register(
    Source(
        "taghand", gettext_lazy("Tags"), "label", "members.view_memberchange", tags_by_hand, "at",
        {"tag": "key", "given": "changes__0__new", "label": "label", "label_zh": "label_zh", "reason": "reason", "who": AUTHOR},
        tell_tags_by_hand, 50, "tag",
    )
)  # fmt: skip
