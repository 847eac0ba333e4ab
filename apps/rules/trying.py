"""Trying a definition on an event that nobody recorded: what it would give, and why or why not.

The same pure `evaluate` as on the main road; nothing is written. The member is imagined too: one of the store, who joined
that day and had done nothing before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from apps.activity.facts import EventFacts, LineFacts
from apps.conditions.compiling import compile_many
from apps.conditions.explaining import explain
from apps.conditions.tree import parse, windows_in
from apps.core.clock import local_day
from apps.members.facts import MemberFacts
from apps.orgs.models import OrgUnit, Program
from apps.points.models import PointType
from apps.rules.catalogue import CATALOGUE
from apps.rules.evaluate import RuleSet, evaluate
from apps.rules.explain import cut, worth
from apps.rules.models import Rule, RuleVersion
from apps.rules.services import checked
from apps.rules.snapshot import live_rule


@dataclass(frozen=True)
class Trial:
    """An imagined event: one line at most."""

    kind: str
    at: datetime
    store: OrgUnit
    amount: Decimal | None = None
    category: str = ""


def try_definition(program: Program, place: OrgUnit, definition: Any, trial: Trial, language: str) -> dict[str, Any]:
    """`points` in all, and sentences: for each effect what it gives, for each part of the condition whether it holds.

    Raises DefinitionFaulty.
    """
    content = checked(program, definition).to_json()
    units = dict(OrgUnit.objects.within(program.unit.path).values_list("code", "path"))
    names = dict(OrgUnit.objects.within(program.unit.path).values_list("code", "name"))
    codes = dict(PointType.objects.filter(program=program).values_list("code", "pk"))
    version = RuleVersion(rule=Rule(program=program, unit=place), number=0)
    live = live_rule(version, content, codes, units)
    tree = parse(content["condition"], CATALOGUE, units)
    event, member = _facts(trial, program), MemberFacts(0, trial.store.path, local_day(trial.at, _zone(program)), {})
    outcome = evaluate(event, member, RuleSet((live,), compile_many([tree], CATALOGUE, units)), {})
    asked = explain(tree, CATALOGUE, units, language, names, event=event, member=member)
    is_there = trial.store.path.startswith(place.path)
    return {
        "points": sum(award.points for award in outcome.awards) if is_there else 0,
        "awards": [_award(award.why(), program) for award in outcome.awards] if is_there else [],
        "holds": is_there and not outcome.skipped,
        "place": ""
        if is_there
        else _("%(store)s is not in %(place)s, where this rule applies.")
        % {"store": trial.store.name, "place": place.name},
        "history": _("The member is imagined: someone who has done nothing before.")
        if windows_in(content, CATALOGUE)
        else "",
        "asked": [{"held": each.held, "sentence": each.sentence, "actual": each.actual} for each in asked],
    }


def _award(why: Mapping[str, Any], program: Program) -> str:
    return " ".join(filter(None, (worth(why, program.currency), cut(why))))


def _zone(program: Program) -> ZoneInfo:
    return ZoneInfo(program.time_zone)


def _facts(trial: Trial, program: Program) -> EventFacts:
    local = trial.at.astimezone(_zone(program))
    lines = () if trial.amount is None else (LineFacts(None, trial.category or None, Decimal(1), trial.amount),)
    return EventFacts(
        kind=trial.kind, amount=trial.amount, channel=None, unit_path=trial.store.path, device=None, attributes={},
        lines=lines, hour=local.hour, weekday=local.isoweekday(), date=local.date(),
    )  # fmt: skip
