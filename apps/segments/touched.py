"""Which tags others hold when one is changed, and what in force asks for those."""

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any

from django.db.models import Q

from apps.activity.segments import TAGS
from apps.conditions.tree import texts_asked
from apps.orgs.models import Program
from apps.orgs.querysets import paths_above
from apps.segments.models import Tag
from apps.segments.uses import uses_of

DECIDING = ("condition", "is_exclusive", "position", "kept_days", "refresh")
"""What decides who holds a tag, those behind it in an exclusive group, and those below it."""


def live_uses(tag: Tag) -> list[str]:
    """The names of what is in force and asks for the tag, or for one that members get or lose when others meet its condition;
    each once, in order."""
    return live_names(tag.program, met=[tag])


def uses_at_stake(tag: Tag) -> list[str]:
    """The same for whatever is changed of the tag."""
    return live_names(tag.program, met=[tag], held=[*_below(tag), *_together(tag)])


def uses_of_change(tag: Tag, values: Mapping[str, Any]) -> list[str]:
    """The same where the tag gets other `values` of those that decide."""
    after = copy(tag)
    for name, value in values.items():
        setattr(after, name, value)
    conditions = [each for each in (tag, after) if each.condition is not None]
    met = conditions if after.condition != tag.condition else []
    held: list[Tag] = []
    if conditions and not met and after.position != tag.position and (passed := _passed(tag, after)):
        held += [tag, *passed]
    if after.is_exclusive != tag.is_exclusive and len(below := _below(tag)) > 1:
        held += below
    if after.kept_days != tag.kept_days and (conditions or tag.rfm_group):
        held.append(tag)
    if after.refresh != tag.refresh and conditions:
        held += [tag, *_together(tag)]
    return live_names(tag.program, met=met, held=held)


def live_names(program: Program, *, met: Iterable[Tag] = (), held: Iterable[Tag] = ()) -> list[str]:
    """The names of what is in force and asks for one of the tags that `keys_reached` finds; each once, in order."""
    keys = keys_reached(program, met, held)
    return list(dict.fromkeys(use.name for use in uses_of(program, keys) if use.is_live)) if keys else []


def keys_reached(program: Program, met: Iterable[Tag], held: Iterable[Tag]) -> list[str]:
    """The keys of the tags that others hold where others meet the conditions of `met`, or hold `held`: of these, of those
    that stand behind one of `met` in its exclusive group, of those whose conditions ask for any of them; and so on from
    there. One query."""
    waiting = [*((tag, True) for tag in met), *((tag, False) for tag in held)]
    if not waiting:
        return []
    path = program.unit.path
    near = Q(program__unit__path__in=paths_above(path)) | Q(program__unit__path__startswith=path)
    others = list(Tag.objects.filter(near, condition__isnull=False).select_related("parent"))
    found: dict[str, None] = {}
    done: set[tuple[int | None, int, bool]] = set()
    while waiting:
        tag, is_met = waiting.pop(0)
        if (tag.pk, tag.position, is_met) in done:
            continue
        done.add((tag.pk, tag.position, is_met))
        found[tag.key] = None
        waiting += [(other, True) for other in others if tag.key in texts_asked(other.condition, TAGS)]
        waiting += [(other, False) for other in others if is_met and _stands_behind(other, tag)]
    return list(found)


def _stands_behind(other: Tag, tag: Tag) -> bool:
    """Whether who meets the condition of `tag` does not get `other`."""
    if other.parent is None or other.parent_id != tag.parent_id or not other.parent.is_exclusive:
        return False
    return other.position > tag.position or (
        other.position == tag.position and tag.pk is not None and other.pk > tag.pk
    )


def _below(tag: Tag) -> list[Tag]:
    return [each for each in tag.children.all() if each.is_automatic]


def _together(tag: Tag) -> list[Tag]:
    """Those that are refreshed together with it."""
    return _below(tag.parent) if tag.parent is not None and tag.parent.is_exclusive else []


def _passed(tag: Tag, after: Tag) -> list[Tag]:
    """Those of its exclusive group that stand on its other side afterwards."""
    beside = Tag.objects.filter(parent=tag.parent_id, condition__isnull=False).exclude(pk=tag.pk)
    return [
        other for other in beside.select_related("parent") if _stands_behind(other, tag) != _stands_behind(other, after)
    ]
