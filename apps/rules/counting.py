"""How many members a rule could ever reach, told while somebody writes it."""

from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.activity.segments import MEMBER_CATALOGUE, Count, count_members
from apps.conditions.possible import of_members
from apps.conditions.tree import ConditionError, parse
from apps.core.formats import number
from apps.orgs.models import OrgUnit, Program
from apps.rules.catalogue import CATALOGUE


def count_reached(principal: Any, program: Program, definition: Any, day: date) -> dict[str, Any]:
    """`{"count": 1204, "of": 5000, "text": "1,204 of 5,000 members"}`: of the active members whom `principal` may see,
    those who could meet the rule's condition as they are at the end of `day`.

    What the condition asks of the event is taken to be so: whoever buys the right thing in the right store could meet
    it. Both numbers are None where they could not be counted in a second, and the text is empty, too, where the
    condition cannot be read.
    """
    units = dict(OrgUnit.objects.within(program.unit.path).values_list("code", "path"))
    condition = definition.get("condition") if isinstance(definition, dict) else None
    try:
        tree = of_members(parse(condition, CATALOGUE, units), MEMBER_CATALOGUE)
    except ConditionError:
        return {"count": None, "of": None, "text": ""}
    found = count_members(principal, program, tree, units, day)
    if found is None:
        return {"count": None, "of": None, "text": _("More members than can be counted in a second")}
    return {"count": found.members, "of": found.of, "text": _in_words(found)}


def _in_words(count: Count) -> str:
    words = ngettext("%(some)s of %(all)s member", "%(some)s of %(all)s members", count.of)
    return words % {"some": number(count.members), "all": number(count.of)}
