"""Who is to hold what: the members of a programme for whom a condition holds, as SQL. Pure but for what it reads."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import EmptyResultSet

from apps.activity.segments import members_in
from apps.conditions.tree import Group, Not, Tree
from apps.members.models import Member
from apps.orgs.models import Program
from apps.segments.catalogue import OTHERS, paths_within, read
from apps.segments.models import RfmScore, Tag


@dataclass(frozen=True)
class Holding:
    """`FROM … AS member WHERE …` with its parameters: the rows' `id` are the members."""

    text: str
    parameters: tuple[Any, ...]


NOBODY = Holding("FROM (SELECT NULL::bigint AS id) AS member WHERE FALSE", ())


def at_home(program: Program, members: Collection[int] | None = None) -> Any:
    """The active members at home in the programme's unit; of `members` alone where they are given."""
    found = Member.objects.filter(state=Member.State.ACTIVE)
    if program.unit.depth > 1:
        found = found.filter(home_unit__path__startswith=program.unit.path)
    return found if members is None else found.filter(pk__in=members)


def holding(program: Program, tree: Tree, day: date, members: Collection[int] | None = None) -> Holding:
    """Those for whom `tree` holds at the end of `day`."""
    try:
        text, parameters = members_in(
            at_home(program, members), program, tree, paths_within(program), day, others=OTHERS
        )
    except EmptyResultSet:
        return NOBODY
    return Holding(text, tuple(parameters))


def holding_tag(tag: Tag, before: Sequence[Tag], day: date, members: Collection[int] | None = None) -> Holding:
    """Those who are to hold the tag. `before` are the tags of its exclusive group that stand before it: who meets the
    condition of one of them does not. Raises ConditionError."""
    if tag.rfm_group:
        return _scored(tag, members)
    tree = read(tag.program, tag.condition)
    earlier = tuple(read(tag.program, each.condition) for each in before if each.condition is not None)
    if earlier:
        tree = Group("all", (tree, Not(Group("any", earlier))))
    return holding(tag.program, tree, day, members)


def _scored(tag: Tag, members: Collection[int] | None) -> Holding:
    scored = RfmScore.objects.filter(scheme__program=tag.program_id, group=tag.rfm_group)
    if members is not None:
        scored = scored.filter(member__in=members)
    try:
        text, parameters = scored.order_by().values("member_id").query.sql_with_params()
    except EmptyResultSet:
        return NOBODY
    return Holding(f"FROM (SELECT found.member_id AS id FROM ({text}) AS found) AS member WHERE TRUE", parameters)  # noqa: S608 -- of parameters
