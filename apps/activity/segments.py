"""Segments: the members for whom a condition holds, asked of all at once, as of the end of a day."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import F

from apps.activity.fields import HISTORY_FIELDS
from apps.activity.models import MemberDay
from apps.conditions.catalogue import Catalogue
from apps.conditions.sql import Days, condition
from apps.conditions.tree import Tree
from apps.members.fields import MEMBER_FAMILIES, MEMBER_FIELDS
from apps.orgs.models import Program

MEMBER_CATALOGUE = Catalogue(subjects=("member",), fields=(*MEMBER_FIELDS, *HISTORY_FIELDS), families=MEMBER_FAMILIES)
"""What may be asked of a member when there is no event."""


def members_in(
    members: Any, program: Program, tree: Tree, units: Mapping[str, str], day: date
) -> tuple[str, tuple[Any, ...]]:
    """`FROM … WHERE …` and its parameters: of `members`, those for whom `tree` holds at the end of `day`, as `member`.

    `tree` is of MEMBER_CATALOGUE; what they did counts in `program` alone. Raises EmptyResultSet where `members` is
    known to be empty.
    """
    rows = (
        members.order_by().annotate(home_path=F("home_unit__path")).values("id", "home_path", "joined_on", "attributes")
    )
    base, given = rows.query.sql_with_params()
    asked = condition(tree, units, Days(MemberDay._meta.db_table, program.pk, day))
    return f"FROM ({base}) AS member {asked.joins} WHERE {asked.where}", (*given, *asked.parameters)
