"""What the condition of a tag or a segment may ask about: a member, and what they did in a programme before."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from apps.activity.segments import MEMBER_CATALOGUE, TAGS
from apps.conditions.catalogue import Catalogue
from apps.conditions.sentences import sentence
from apps.conditions.tree import ConditionError, Tree, parse
from apps.conditions.words import Words
from apps.members.fields import attribute_fields
from apps.members.querysets import definitions_for
from apps.orgs.models import OrgUnit, Program
from apps.orgs.querysets import paths_above
from apps.points.fields import POINTS_FIELDS, ROWS, SOURCE
from apps.segments.models import Tag

MEMBERS = MEMBER_CATALOGUE.extend(fields=POINTS_FIELDS)
"""What may be asked of a member when there is no event; OTHERS are its sources beside the members' days."""
OTHERS = {SOURCE: ROWS}


def catalogue_of(program: Program) -> Catalogue:
    """The catalogue of a programme: it knows the attributes of its members and what their tags are called."""
    defined = [each for each in definitions_for(program.unit) if each.is_active]
    return calling(MEMBERS.extend(fields=attribute_fields(defined)), words_of_tags([program]))


def calling(catalogue: Catalogue, names: Mapping[str, Words]) -> Catalogue:
    """The catalogue with the tags of members called so, by key; any other tag may be asked for as before."""
    fields = (replace(f, choices=tuple(names.items())) if f.name == TAGS else f for f in catalogue.fields)
    return replace(catalogue, fields=tuple(fields))


def words_of_tags(programs: Iterable[Program]) -> dict[str, Words]:
    """What the tags that members of these programmes may hold are called, by key, in the order of their trees. One query."""
    paths = {path for program in programs for path in paths_above(program.unit.path)}
    rows = Tag.objects.filter(program__unit__path__in=paths, children__isnull=True).order_by("program_id", "place")
    return {tag.key: tag.words for tag in rows}


def paths_within(program: Program) -> dict[str, str]:
    """The units that a condition of the programme may name: their paths by code."""
    return dict(OrgUnit.objects.within(program.unit.path).values_list("code", "path"))


def read(program: Program, condition: Any) -> Tree:
    """The tree that `condition` (decoded JSON) describes. Raises ConditionError."""
    return parse(condition, catalogue_of(program), paths_within(program))


def said(program: Program, condition: Any, language: str) -> str:
    """The condition as a clause; empty where it cannot be read."""
    catalogue = catalogue_of(program)
    names = dict(OrgUnit.objects.within(program.unit.path).values_list("code", "name"))
    try:
        return sentence(parse(condition, catalogue), catalogue, language, names)
    except ConditionError:
        return ""
