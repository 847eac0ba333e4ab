"""What a new rule begins with: a template of the gallery, or a rule that it is to be like. Reads only."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.clock import local_day
from apps.orgs.models import OrgUnit, Program, Staff
from apps.orgs.querysets import programs_reached
from apps.rules.gallery import TEMPLATES, Template
from apps.rules.models import Rule
from apps.rules.reading import standing, versions_by_rule


@dataclass(frozen=True)
class Start:
    """The name, code, place and content of a rule that is not there yet."""

    name: str
    code: str
    program: Program
    unit: OrgUnit
    definition: Any


def from_template(person: Staff, code: str, when: datetime) -> Start | None:
    """The template in the person's first programme; None where there is no such template or programme."""
    template = TEMPLATES.get(code)
    program = first_program(person)
    if template is None or program is None:
        return None
    place = OrgUnit.objects.visible_to(person, "rules.add_rule").within(program.unit.path).first() or program.unit
    name = template.name.in_language(get_language() or "en")
    return Start(name, free_code([program], code), program, place, filling(program, when)(template))


def like(person: Staff, pk: str, when: datetime) -> Start | None:
    """What a rule says now, for another one; None where the person sees no such rule or may not add one there."""
    seen = Rule.objects.visible_to(person).select_related("unit", "program__unit")
    rule = seen.visible_to(person, "rules.add_rule").filter(pk=int(pk)).first() if _is_id(pk) else None
    shown = standing(versions_by_rule([rule])[rule.pk], when).shown if rule else None
    if rule is None or shown is None:
        return None
    name = (_("%(name)s (copy)") % {"name": rule.name})[:120]
    return Start(name, free_code([rule.program], rule.code), rule.program, rule.unit, shown.definition)


def first_program(person: Staff) -> Program | None:
    """The programme that a new rule of the person stands in, until they choose another."""
    return programs_reached(person, "rules.add_rule").first()


def filling(program: Program, when: datetime) -> Callable[[Template], Any]:
    """How a template's definition reads in `program`. Three queries, for as many templates as one likes."""
    kinds = list(program.point_types.order_by("pk").values_list("code", flat=True)[:1])
    units = list(OrgUnit.objects.within(program.unit.path).order_by("path").values_list("code", "kind"))
    days = list(program.special_days.order_by("pk").values_list("code", flat=True)[:1])
    today = local_day(when, ZoneInfo(program.time_zone))
    return lambda template: template.filled((kinds or [""])[0], units, today, days)


def free_code(programs: Iterable[Program], wanted: str) -> str:
    """`wanted`, or the first of `wanted-2`, `wanted-3` … that no rule of the programmes has."""
    wanted = wanted[:54]
    taken = set(Rule.objects.filter(program__in=programs, code__startswith=wanted).values_list("code", flat=True))
    return next(code for code in (wanted, *(f"{wanted}-{n}" for n in range(2, len(taken) + 3))) if code not in taken)


def _is_id(text: str) -> bool:
    return text.isdecimal() and len(text) <= 18
