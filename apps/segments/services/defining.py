"""Defining tags: who may, and what a tag must be to mean one thing."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from json import dumps, loads
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db.models import Q, Value
from django.db.models.functions import Greatest
from pydantic import model_validator

from apps.activity.segments import TAGS
from apps.conditions.catalogue import Field
from apps.conditions.tree import ConditionError, texts_asked
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.clock import local_day
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.core.work import unless_promised
from apps.members.models import MemberTag
from apps.orgs.gate import (
    ABOUT,
    Approval,
    Done,
    Effect,
    Line,
    Subject,
    SubjectGone,
    pass_gate,
    register,
    register_names,
)
from apps.orgs.models import OrgUnit, Program, Staff
from apps.orgs.querysets import paths_above
from apps.orgs.services.actors import signed
from apps.orgs.services.tree import PROGRAM_FIELD
from apps.segments.catalogue import read
from apps.segments.catalogue import said as clause_of
from apps.segments.errors import (
    AskedAlready,
    AsksItself,
    ConditionFaulty,
    Fixed,
    FolderHasNoCondition,
    HasChildren,
    InUse,
    KeptBelow,
    KeptInExclusive,
    KeyMalformed,
    KeyTaken,
    OthersInUse,
    ParentElsewhere,
    ParentIsHeld,
    TooDeep,
    Unlabelled,
)
from apps.segments.models import BY_HAND, DEEPEST, KEPT_AT_MOST, LONGEST_KEY, Segment, Tag
from apps.segments.touched import DECIDING, live_names, live_uses, uses_of_change
from apps.segments.uses import uses_of

ADD, CHANGE, DELETE = (f"segments.{verb}_tag" for verb in ("add", "change", "delete"))
CHANGEABLE = frozenset(
    {
        "label", "label_zh", "kind", "definition", "purpose", "owner", "refresh", "kept_days", "condition", "is_exclusive",
        "position",
    }
)  # fmt: skip
ASKED = (
    PROGRAM_FIELD,
    Field("request.tag", Type.TEXT, Words("the key of the tag", "标签的键"), "request.tag"),
    Field("request.rules", Type.INTEGER, Words("the number of published rules that it touches", "受影响的已发布规则数"), "request.rules"),
)  # fmt: skip
TITLE = Words("Who holds the tag {name}", "标签{name}由谁持有")
BEFORE, AFTER = Words("Before: {sentence}", "之前：{sentence}"), Words("After: {sentence}", "之后：{sentence}")
NO_CONDITION = Words("no condition", "没有条件")
_KEY = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_KEY}}}")


class TagChange(Subject):
    """Other values of what decides who holds a tag, where a published rule asks for it or for one that members get or lose
    with it: they change what that rule gives. A condition of None: it has none any more."""

    code: ClassVar[str] = "segments.tag"
    label: ClassVar[Words] = Words("Who holds a tag that rules ask for", "规则引用的标签由谁持有")
    icon: ClassVar[str] = "sell"
    permission: ClassVar[str] = CHANGE
    view: ClassVar[str] = "segments.view_tag"
    fields: ClassVar = ASKED
    labels: ClassVar[Mapping[str, Words]] = {
        "condition": Words("Condition", "条件"),
        "is_exclusive": Words("One at most of those below", "下级标签最多持有一个"),
        "position": Words("Position", "排序"),
        "kept_days": Words("Days kept", "保留天数"),
        "refresh": Words("Refreshed", "刷新频率"),
        "at_once": Words("at once after the member’s events, and each day", "会员发生事件后立即刷新，并每天刷新"),
        "hourly": Words("each hour", "每小时"),
        "daily": Words("each day", "每天"),
        "weekly": Words("each week", "每周"),
        "by_hand": Words("by hand", "手动"),
        "rules": Words("Published rules that this touches", "受影响的已发布规则"),
    }

    tag: int
    values: dict[str, Any]

    @model_validator(mode="before")
    @classmethod
    def _as_first_written(cls, data: Any) -> Any:
        """Requests of the first months hold a condition alone."""
        if isinstance(data, dict) and "condition" in data:
            return {"tag": data["tag"], "values": {"condition": data["condition"]}}
        return data

    def _tag(self) -> Tag:
        tag: Tag | None = Tag.objects.select_related("program__unit", "parent").filter(pk=self.tag).first()
        if tag is None:
            raise SubjectGone()
        return tag

    def place(self) -> OrgUnit:
        return self._tag().program.unit

    def about(self) -> str:
        return f"tag:{self.tag}"

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        tag = self._tag()
        return {"program": tag.program.code, "tag": tag.key, "rules": len(uses_of_change(tag, self.values))}

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        tag = self._tag()
        rules = ", ".join(uses_of_change(tag, self.values))
        lines = [_line(tag, name, self.values[name]) for name in DECIDING if name in self.values]
        return Effect((*lines, Line("rules", rules, rules)))

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        _put(self._tag(), self.values)

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        tag = change_tag(approval.requester, self.tag, approval=approval, when=when, **self.values)
        return Done({"tag": tag.key})

    def title(self) -> Words:
        return TITLE.format(name=ABOUT)

    @classmethod
    def say(cls, line: Line, language: str) -> list[str]:
        said = []
        for words, value in ((BEFORE, line.before), (AFTER, line.after)):
            program_id, condition = loads(str(value))
            program = Program.objects.select_related("unit").filter(pk=program_id).first()
            clause = clause_of(program, condition, language) if program is not None and condition is not None else ""
            said.append(words.format(sentence=clause or NO_CONDITION.in_language(language)).in_language(language))
        return said

    def address(self) -> str:
        return address("segments_tag_change", self.tag)

    def form_address(self) -> str:
        return self.address()


register(TagChange)


def names_shown(pks: Collection[int]) -> dict[int, str]:
    """What tags are called. One query."""
    return {tag.pk: str(tag) for tag in Tag.objects.filter(pk__in=pks)}


register_names("tag", names_shown)


def _line(tag: Tag, name: str, value: Any) -> Line:
    before = getattr(tag, name)
    if name == "condition":
        was, becomes = (dumps([tag.program_id, each], sort_keys=True) for each in (before, value))
        return Line(name, was, becomes, "own")
    return Line(name, before, value, {"refresh": "words", "is_exclusive": "text"}.get(name, "number"))


@in_transaction
def create_tag(
    actor: Any, program: Program, *, key: str, parent: Tag | None = None, rfm_group: str = "", **values: Any
) -> Tag:
    """A new tag of the programme's members, below `parent` where that is given; a condition begins to give it at once.

    Raises KeyMalformed, KeyTaken, AskedAlready, TooDeep, ParentElsewhere, ParentIsHeld, what `change_tag` raises, NotAllowed.
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
    if tag.is_automatic and actor is not None and (names := live_uses(tag)):
        raise AskedAlready(names=names)
    signed(tag, actor).save()
    _place(tag)
    _begin(tag)
    return tag


@in_transaction
def change_tag(actor: Any, tag_id: int, *, when: datetime, approval: Approval | None = None, **values: Any) -> Tag:
    """The tag with other values. Another condition is asked at once; without one members lose the tag today. `approval` is
    for these values alone.

    Raises Fixed, Unlabelled, ConditionFaulty, FolderHasNoCondition, AsksItself, KeptInExclusive, KeptBelow, NotAllowed,
    ApprovalNeeded.
    """
    found = Tag.objects.select_related("program__unit", "parent").get(pk=tag_id)
    approved = TagChange(tag=tag_id, values=values) if approval else None
    if asked := approved or change_asked(found, values):
        pass_gate(asked, actor, approval, when)
    tag = _locked(actor, tag_id, CHANGE)
    before = tag.condition, tag.is_exclusive, tag.position
    _put(tag, values)
    signed(tag, actor).save()
    if tag.position != before[2]:
        _place(tag)
    if tag.condition is None and before[0] is not None:
        _end(tag, when, Q(definition_id=tag.pk))
    elif (tag.condition, tag.is_exclusive, tag.position) != before:
        _begin(tag)
    return tag


def change_asked(tag: Tag, values: Mapping[str, Any]) -> TagChange | None:
    """What a policy may hold of a change: what decides who holds the tag, where it becomes another and a published rule asks
    for a tag that others hold then."""
    others = {name: values[name] for name in DECIDING if name in values and values[name] != getattr(tag, name)}
    return TagChange(tag=tag.pk, values=others) if uses_of_change(tag, others) else None


@in_transaction
def delete_tag(actor: Any, tag_id: int, when: datetime) -> None:
    """The tag is gone, and its members lose it today. Raises HasChildren, InUse, OthersInUse, NotAllowed."""
    tag = _locked(actor, tag_id, DELETE)
    if tag.children.exists():
        raise HasChildren()
    if names := [use.name for use in uses_of(tag.program, [tag.key])]:
        raise InUse(names=names)
    if names := live_names(tag.program, met=[tag] if tag.condition is not None else [], held=[tag]):
        raise OthersInUse(names=names)
    _end(tag, when, Q(definition_id=tag.pk) | _by_hand(tag))
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


def _by_hand(tag: Tag) -> Q:
    return BY_HAND & Q(tag=tag.key, member__home_unit__path__startswith=tag.program.unit.path)


def _end(tag: Tag, when: datetime, given: Q) -> None:
    """What of it was given so ends today."""
    today = local_day(when, ZoneInfo(tag.program.time_zone))
    held = MemberTag.objects.filter(given).filter(Q(until_on=None) | Q(until_on__gt=today))
    held.update(until_on=Greatest("from_on", Value(today)))


def _locked(actor: Any, tag_id: int, permission: str) -> Tag:
    rows = Tag.objects.select_for_update(no_key=True, of=("self",)).select_related("program__unit", "parent")
    tag: Tag = rows.get(pk=tag_id)
    require(actor, permission, tag.program.unit.path)
    return tag


def _put(tag: Tag, values: dict[str, Any]) -> None:
    if set(values) - CHANGEABLE:
        raise Fixed()
    before, was_exclusive = tag.condition, tag.is_exclusive
    for name, value in values.items():
        setattr(tag, name, value.strip() if isinstance(value, str) else value)
    if not (tag.label or tag.label_zh):
        raise Unlabelled()
    if tag.parent is not None:
        tag.kind = tag.parent.kind
    tag.kept_days = min(tag.kept_days or 0, KEPT_AT_MOST)
    if tag.kept_days and tag.parent is not None and tag.parent.is_exclusive:
        raise KeptInExclusive()
    if tag.pk and tag.is_exclusive and not was_exclusive and (kept := tag.children.filter(kept_days__gt=0)):
        raise KeptBelow(names=[str(each) for each in kept])
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
