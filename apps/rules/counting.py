"""How many members a rule could ever reach, and for how many purchases it holds: told while somebody writes it."""

from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.activity.fields import EVENT_FIELDS
from apps.activity.purchases import purchases_between
from apps.activity.segments import Count, count_members
from apps.conditions.compiling import HOLDS, compile_tree
from apps.conditions.possible import of_asked, of_members
from apps.conditions.tree import ConditionError, Leaf, LinesLeaf, leaves, parse
from apps.core.formats import number
from apps.members.fields import MEMBER_FIELDS
from apps.orgs.models import OrgUnit, Program
from apps.rules import snapshot
from apps.rules.catalogue import CATALOGUE, MEMBERS, OTHERS
from apps.rules.pipeline.preparing import event_facts

KNOWN = frozenset(field.name for field in (*EVENT_FIELDS, *MEMBER_FIELDS) if not field.windowed)
"""What can be told of an event long past, beside attributes. What was before it, nobody reads back for thousands."""


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
        tree = of_members(parse(condition, CATALOGUE, units), MEMBERS)
    except ConditionError:
        return {"count": None, "of": None, "text": ""}
    found = count_members(principal, program, tree, units, day, others=OTHERS)
    if found is None:
        return {"count": None, "of": None, "text": _("More members than can be counted in a second")}
    return {"count": found.members, "of": found.of, "text": _in_words(found)}


def _in_words(count: Count) -> str:
    words = ngettext("%(some)s of %(all)s member", "%(some)s of %(all)s members", count.of)
    return words % {"some": number(count.members), "all": number(count.of)}


def count_purchases(principal: Any, program: Program, place: OrgUnit, definition: Any, day: date) -> dict[str, Any]:
    """`{"share": 18, "text": "18 % of last month's purchases"}`: of the purchases at `place` and below it in the last
    whole month before `day`, as far as `principal` may see them, those for which the rule's condition holds.

    Members are taken as they are now, and only those whom `principal` may see where the condition asks about them. What
    it asks about the time before a purchase is taken to be so. Of many purchases a sample is judged, the same each
    time. The share is None where there were none, or where they could not be read in time; then, and where the
    condition cannot be read, the text is empty.
    """
    units = dict(OrgUnit.objects.within(program.unit.path).values_list("code", "path"))
    condition = definition.get("condition") if isinstance(definition, dict) else None
    try:
        tree = of_asked(parse(condition, CATALOGUE, units), _is_known)
    except ConditionError:
        return {"share": None, "text": ""}
    copy = snapshot.confirmed()
    info = copy.programs[program.pk]
    within = {pk: unit for pk, unit in copy.units_by_id.items() if unit.path.startswith(place.path)}
    last = day.replace(day=1) - timedelta(days=1)
    asked = list(leaves(tree))
    found = purchases_between(
        principal, program, list(within), last.replace(day=1), last,
        members=any(isinstance(leaf, Leaf) and leaf.field.name.startswith("member.") for leaf in asked),
        lines=any(isinstance(leaf, LinesLeaf) for leaf in asked),
    )  # fmt: skip
    if not found:
        return {"share": None, "text": ""}
    test = compile_tree(tree, CATALOGUE, units).test
    held = sum(test(event_facts(each.event, within[each.unit_id], info), each.member) == HOLDS for each in found)
    share = 100 * held // len(found)
    if held and not share:
        return {"share": share, "text": _("Less than 1 % of last month’s purchases")}
    return {"share": share, "text": _("%(share)s %% of last month’s purchases") % {"share": share}}


def _is_known(leaf: Leaf | LinesLeaf) -> bool:
    return isinstance(leaf, LinesLeaf) or bool(leaf.field.key) or leaf.field.name in KNOWN
