"""Segments: the members for whom a condition holds, asked of all at once, as of the end of a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Q

from apps.activity.fields import HISTORY_FIELDS
from apps.activity.models import MemberDay
from apps.conditions.catalogue import Catalogue
from apps.conditions.sql import Days, condition
from apps.conditions.tree import Tree, fields_in, to_json
from apps.core.timeouts import TookTooLong, given_up_after
from apps.members.fields import MEMBER_FAMILIES, MEMBER_FIELDS
from apps.members.models import Member, MemberTag
from apps.orgs.models import Program

MEMBER_CATALOGUE = Catalogue(subjects=("member",), fields=(*MEMBER_FIELDS, *HISTORY_FIELDS), families=MEMBER_FAMILIES)
"""What may be asked of a member when there is no event."""


TAGS = "member.tags"
TAGGED = f"""SELECT one.*, coalesce(held.tags, '[]') AS tags FROM ({{base}}) AS one LEFT JOIN (
    SELECT member_id, jsonb_agg(DISTINCT tag) AS tags FROM {MemberTag._meta.db_table}
    WHERE from_on <= %s AND (until_on IS NULL OR until_on > %s) GROUP BY member_id
) AS held ON held.member_id = one.id"""  # noqa: S608 -- of our own texts
"""Members with their tags that hold on a day."""


def members_in(
    members: Any,
    program: Program,
    tree: Tree,
    units: Mapping[str, str],
    day: date,
    *,
    at_start: bool = False,
    others: Mapping[str, str] | None = None,
) -> tuple[str, tuple[Any, ...]]:
    """`FROM … WHERE …` and its parameters: of `members`, those for whom `tree` holds at the end of `day`, or as it starts,
    as `member`.

    `tree` is of MEMBER_CATALOGUE, or also of fields whose sources `others` holds; what they did counts in `program` alone. Raises EmptyResultSet where `members` is
    known to be empty.
    """
    rows = (
        members.order_by()
        .annotate(home_path=F("home_unit__path"), was_brought=Q(brought_by__isnull=False))
        .values("id", "home_path", "joined_on", "attributes", "birth_day", "birth_year", "was_brought")
    )
    base, given = rows.query.sql_with_params()
    if TAGS in fields_in(to_json(tree)):
        base, given = TAGGED.format(base=base), (*given, day, day)
    asked = condition(tree, units, Days(MemberDay._meta.db_table, program.pk, day, at_start, others or {}))
    return f"FROM ({base}) AS member {asked.joins} WHERE {asked.where}", (*given, *asked.parameters)


LONGEST_COUNT = 1.0
"""Seconds; whoever is typing waits for it."""


@dataclass(frozen=True)
class Count:
    """How many `of` so many."""

    members: int
    of: int


def count_members(
    principal: Any,
    program: Program,
    tree: Tree,
    units: Mapping[str, str],
    day: date,
    *,
    seconds: float = LONGEST_COUNT,
    others: Mapping[str, str] | None = None,
    among: Any = None,
) -> Count | None:
    """Of the active members whom `principal` may see, how many `tree` holds for; None where that took longer. `among` are
    those who come into question, where not all do."""
    members = Member.objects.all() if among is None else among
    members = members.visible_to(principal).filter(state=Member.State.ACTIVE)
    try:
        text, parameters = members_in(members, program, tree, units, day, others=others)
        everybody, given = members.order_by().values("pk").query.sql_with_params()
        counted = f"SELECT (SELECT count(*) {text}), (SELECT count(*) FROM ({everybody}) AS everybody)"  # noqa: S608 -- of parameters
        with given_up_after(seconds), connection.cursor() as cursor:
            cursor.execute(counted, (*parameters, *given))
            return Count(*cursor.fetchone())
    except EmptyResultSet:
        return Count(0, 0)
    except TookTooLong:
        return None
