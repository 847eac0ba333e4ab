"""Defining tags: who may, and what a tag must be to mean one thing."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, Value
from django.db.models.functions import Greatest

from apps.activity.segments import TAGS
from apps.conditions.tree import ConditionError, texts_asked
from apps.core.clock import local_day
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.core.work import unless_promised
from apps.members.models import MemberTag
from apps.orgs.models import OrgUnit, Program
from apps.orgs.querysets import paths_above
from apps.orgs.services.actors import signed
from apps.segments.catalogue import read
from apps.segments.errors import (
    AsksItself,
    ConditionFaulty,
    Fixed,
    FolderHasNoCondition,
    HasChildren,
    InUse,
    KeptInExclusive,
    KeyMalformed,
    KeyTaken,
    ParentElsewhere,
    ParentIsHeld,
    TooDeep,
    Unlabelled,
)
from apps.segments.models import DEEPEST, KEPT_AT_MOST, LONGEST_KEY, Segment, Tag
from apps.segments.uses import uses_of

ADD, CHANGE, DELETE = (f"segments.{verb}_tag" for verb in ("add", "change", "delete"))
CHANGEABLE = frozenset(
    {
        "label", "label_zh", "kind", "definition", "purpose", "owner", "refresh", "kept_days", "condition", "is_exclusive",
        "position",
    }
)  # fmt: skip
_KEY = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_KEY}}}")


@in_transaction
def create_tag(
    actor: Any, program: Program, *, key: str, parent: Tag | None = None, rfm_group: str = "", **values: Any
) -> Tag:
    """A new tag of the programme's members, below `parent` where that is given; a condition begins to give it at once.

    Raises KeyMalformed, KeyTaken, TooDeep, ParentElsewhere, ParentIsHeld, what `change_tag` raises, NotAllowed.
    """
    require(actor, ADD, program.unit.path)
    require_free_key(Tag, program, key)
    tag = Tag(program=program, key=key, parent=parent, rfm_group=rfm_group, place="")
    if parent is not None:
        if parent.program_id != program.pk:
            raise ParentElsewhere()
        if parent.is_automatic:
            raise ParentIsHeld()
        if parent.depth >= DEEPEST:
            raise TooDeep()
        tag.depth, tag.kind = parent.depth + 1, parent.kind
    _put(tag, values)
    signed(tag, actor).save()
    _place(tag)
    _begin(tag)
    return tag


@in_transaction
def change_tag(actor: Any, tag_id: int, *, when: datetime, **values: Any) -> Tag:
    """The tag with other values. Another condition is asked at once; without one members lose the tag today.

    Raises Fixed, Unlabelled, ConditionFaulty, FolderHasNoCondition, AsksItself, KeptInExclusive, NotAllowed.
    """
    tag = _locked(actor, tag_id, CHANGE)
    before = tag.condition, tag.is_exclusive, tag.position
    _put(tag, values)
    signed(tag, actor).save()
    _place(tag)
    if tag.condition is None and before[0] is not None:
        _end(tag, when)
    elif (tag.condition, tag.is_exclusive, tag.position) != before:
        _begin(tag)
    return tag


@in_transaction
def delete_tag(actor: Any, tag_id: int, when: datetime) -> None:
    """The tag is gone, and its members lose it today. Raises HasChildren, InUse, NotAllowed."""
    tag = _locked(actor, tag_id, DELETE)
    if tag.children.exists():
        raise HasChildren()
    if names := [use.name for use in uses_of(tag.program, [tag.key])]:
        raise InUse(names=names)
    _end(tag, when)
    signed(tag, actor).delete()


def require_free_key(model: type[Tag | Segment], program: Program, key: str) -> None:
    """Refuses a key that is none, or that means something to the same members already; whoever takes one at the same time
    waits. Raises KeyMalformed, KeyTaken."""
    if not _KEY.fullmatch(key):
        raise KeyMalformed()
    above = paths_above(program.unit.path)
    # No constraint sees across programmes.
    OrgUnit.objects.select_for_update(no_key=True).get(path=above[0])
    near = Q(program__unit__path__in=above) | Q(program__unit__path__startswith=program.unit.path)
    if model.objects.filter(near, key=key).exists():
        raise KeyTaken(key=key)


def checked(program: Program, condition: Any) -> None:
    """Raises ConditionFaulty."""
    try:
        read(program, condition)
    except ConditionError as error:
        raise ConditionFaulty(error.faults) from None


def _begin(tag: Tag) -> None:
    """Has the tag, or those below it, refreshed as soon as this is committed."""
    for each in [tag, *(tag.children.all() if tag.is_exclusive else ())]:
        if each.is_automatic:
            unless_promised("apps.segments.tasks.refresh_tag", each.pk)


def _end(tag: Tag, when: datetime) -> None:
    today = local_day(when, ZoneInfo(tag.program.time_zone))
    held = MemberTag.objects.filter(definition_id=tag.pk).filter(Q(until_on=None) | Q(until_on__gt=today))
    held.update(until_on=Greatest("from_on", Value(today)))


def _locked(actor: Any, tag_id: int, permission: str) -> Tag:
    rows = Tag.objects.select_for_update(no_key=True, of=("self",)).select_related("program__unit", "parent")
    tag: Tag = rows.get(pk=tag_id)
    require(actor, permission, tag.program.unit.path)
    return tag


def _put(tag: Tag, values: dict[str, Any]) -> None:
    if set(values) - CHANGEABLE:
        raise Fixed()
    before = tag.condition
    for name, value in values.items():
        setattr(tag, name, value.strip() if isinstance(value, str) else value)
    if not (tag.label or tag.label_zh):
        raise Unlabelled()
    if tag.parent is not None:
        tag.kind = tag.parent.kind
    tag.kept_days = min(tag.kept_days or 0, KEPT_AT_MOST)
    if tag.kept_days and tag.parent is not None and tag.parent.is_exclusive:
        raise KeptInExclusive()
    if tag.rfm_group and tag.condition is not None:
        raise Fixed()
    if tag.condition is not None and tag.condition != before:
        if tag.pk and tag.children.exists():
            raise FolderHasNoCondition()
        checked(tag.program, tag.condition)
        if tag.key in texts_asked(tag.condition, TAGS):
            raise AsksItself()


def _place(tag: Tag) -> None:
    """Where it stands in the tree, and everything below it."""
    above = tag.parent.place if tag.parent is not None else ""
    place = f"{above}{tag.position:05d}{tag.pk:010d}."
    if place != tag.place:
        tag.place = place
        Tag.objects.filter(pk=tag.pk).update(place=place)
        for child in tag.children.all():
            child.parent = tag
            _place(child)
