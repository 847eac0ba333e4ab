"""Trying a definition on an event that nobody recorded: what it would give, and why or why not.

The same pure `evaluate` as on the main road; nothing is written. The member is imagined too: one of the store, who joined
that day and had done nothing before, with the attributes, tags and the date of birth that were told; but one whom the event takes
to the goal, where the rule has one, and with nothing carried over. A multiplier is tried on what the other rules
in force at that moment give, and a rule of a group beside its rivals.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from apps.activity.facts import EventFacts, LineFacts
from apps.activity.models import Event
from apps.conditions.catalogue import Catalogue
from apps.conditions.compiling import as_date
from apps.conditions.explaining import explain
from apps.conditions.possible import ALWAYS
from apps.conditions.tree import ConditionError, Leaf, LinesLeaf, Tree, leaves, parse, short_windows_in, windows_in
from apps.conditions.types import Type
from apps.members.attributes import value_of
from apps.members.errors import AttributeRefused
from apps.members.facts import NO_BIRTHDAY, Birthday, History, MemberFacts
from apps.members.fields import ATTRIBUTES, attribute_fields
from apps.members.models import AttributeDefinition
from apps.members.querysets import definitions_for
from apps.orgs.calendar import Calendar
from apps.orgs.models import OrgUnit, Program, SpecialDay
from apps.points.fields import SOURCE
from apps.points.models import PointType
from apps.rules import snapshot
from apps.rules.answers import joined
from apps.rules.catalogue import CATALOGUE, LINE_CATALOGUE, knowing
from apps.rules.effects import Multiplier
from apps.rules.evaluate import OUTDONE, evaluate
from apps.rules.explain import bases, cut, worth
from apps.rules.families import nearest
from apps.rules.goals_tried import besides, cards_before, goal_said
from apps.rules.models import Rule, RuleVersion
from apps.rules.sentences import Names
from apps.rules.services import checked
from apps.rules.snapshot import Version, asks_kind, build_rule_set, live_rule

COMMAS = re.compile("[,，、;；]")
YES = ("yes", "true", "是")
BORN = "member.birth_on"


@dataclass(frozen=True)
class Trial:
    """An imagined event: one line at most. `told` are texts by the name of the field, as `free_fields` asks for them."""

    kind: str
    at: datetime
    store: OrgUnit
    amount: Decimal | None = None
    category: str = ""
    told: Mapping[str, str] = field(default_factory=dict)


def try_definition(
    program: Program, place: OrgUnit, definition: Any, trial: Trial, language: str, rule_id: int | None = None
) -> dict[str, Any]:
    """`points` in all, and sentences: for each effect what it gives, for each part of the condition whether it holds.
    `rule_id` is the rule whose draft it is: its own versions in force are left out.

    Raises DefinitionFaulty.
    """
    content = checked(program, definition).to_json()
    units = dict(OrgUnit.objects.within(program.unit.path).values_list("code", "path"))
    names = dict(OrgUnit.objects.within(program.unit.path).values_list("code", "name"))
    kinds = list(PointType.objects.filter(program=program))
    codes = {kind.code: kind.pk for kind in kinds}
    costs = {kind.pk: kind.unit_cost_micros for kind in kinds}
    row = RuleVersion(rule=Rule(pk=rule_id, program=program, unit=place), number=0)
    live = live_rule(row, content, codes, units, costs)
    days = list(SpecialDay.objects.filter(program=program).order_by("pk"))
    defined = definitions_for(program.unit)
    known = knowing({day.code: day.name for day in days}, attribute_fields(defined))
    tree = parse(content["condition"], known, units)
    calendar = Calendar.of((day.code, day.days) for day in days)
    event, member = _facts(trial, program, calendar, _told_leaves(content), defined)
    multiplies = any(isinstance(effect, Multiplier) for effect in live.effects)
    draft = Version(live, content["condition"], place.path, trial.at, None)
    others, instead = _others(program, trial, draft, rule_id)
    if not (multiplies or live.stacking):
        others = []
    versions = sorted([*others, draft], key=lambda version: version.live.rule_id or 0)
    outcome = evaluate(event, member, build_rule_set(versions, units), {}, cards_before(live, event))
    awards = [award for award in outcome.awards if award.rule is live]
    asked = explain(tree, CATALOGUE, units, language, names, event=event, member=member)
    elsewhere = _elsewhere(trial, place, content, instead)
    is_there = not elsewhere
    failed = {leaf for version, leaf in outcome.skipped if version == live.version_id}
    notes = [goal_said(live, content, event, program.currency)] if is_there and not failed else []
    if OUTDONE in failed:
        notes.append(_("Another rule of its group gives points for this event instead."))
    elif is_there and any(rule is live for rule, _effect in outcome.holding):
        notes.append(_("All points of this event, of whatever rule, would wait for a review."))
    elif is_there and multiplies and not failed and not awards:
        notes.append(
            _("No other rule in force at that moment gives points for this event: there is nothing to multiply.")
        )
    return {
        "points": sum(award.points for award in awards) if is_there else 0,
        "awards": [
            *(_award(award.why(), program) for award in awards),
            *besides(live, outcome, event, program.currency),
        ]
        if is_there
        else [],
        "holds": is_there and failed <= {OUTDONE},
        "place": elsewhere,
        "note": joined(tuple(filter(None, notes))),
        "history": _("The member is imagined: someone who has done nothing before.")
        if windows_in(content, CATALOGUE)
        or windows_in(content, CATALOGUE, SOURCE)
        or short_windows_in(content, CATALOGUE)
        else "",
        "asked": [{"held": each.held, "sentence": each.sentence, "actual": each.actual} for each in asked],
    }


def _elsewhere(trial: Trial, place: OrgUnit, content: dict[str, Any], instead: Version | None) -> str:
    """Why the rule would not even hear of the event; empty where it would."""
    if not trial.store.path.startswith(place.path):
        return _("%(store)s is not in %(place)s, where this rule applies.") % {
            "store": trial.store.name, "place": place.name,
        }  # fmt: skip
    if instead is not None:
        said = _("At %(store)s “%(rule)s” stands in the place of this rule.")
        return said % {"store": trial.store.name, "rule": instead.live.name}
    if trial.kind == Event.Kind.DAY and not asks_kind(content, Event.Kind.DAY):
        return _("Only a rule whose condition asks for a new day hears of one.")
    return ""


def free_fields(definition: Any, language: str, names: Names | None = None) -> list[tuple[str, str]]:
    """What the rule asks that a trial must be told in so many words, by name: attributes, channel, device, the article
    and its brand; for all that its condition asks about a birthday, the date of birth."""
    told = _told_leaves(definition, names.catalogue if names else CATALOGUE)
    labels = {leaf.field.name: leaf.field.label.in_language(language) for leaf in told}
    asked = [(name, label[:1].upper() + label[1:]) for name, label in labels.items()]
    return [*asked, (BORN, _("Date of birth, such as 1990-05-04"))] if _asks_birthday(definition) else asked


def _asks_birthday(definition: Any) -> bool:
    tree = _readable(definition.get("condition"), CATALOGUE) if isinstance(definition, dict) else ALWAYS
    return any(isinstance(leaf, Leaf) and leaf.field.read.startswith("member.birthday.") for leaf in leaves(tree))


def _told_leaves(definition: Any, catalogue: Catalogue = CATALOGUE) -> list[Leaf]:
    """Of the condition and of the lines that count; none of a tree that cannot be read. The category has its own box."""
    if not isinstance(definition, dict):
        return []
    effects = definition.get("effects")
    cards = [effect for effect in effects if isinstance(effect, dict)] if isinstance(effects, list) else []
    trees = [_readable(definition.get("condition"), catalogue)]
    trees += [_readable(effect["lines"], LINE_CATALOGUE) for effect in cards if effect.get("lines")]
    goal = definition.get("accumulator")
    trees += _told_of_goal(goal) if isinstance(goal, dict) else []
    asked = [part for tree in trees for leaf in leaves(tree) for part in _with_where(leaf)]
    return [
        leaf
        for leaf in asked
        if (leaf.field.key or leaf.field.type in (Type.TEXT, Type.TAGS)) and leaf.field.name != "line.category"
    ]


def _told_of_goal(goal: Mapping[str, Any]) -> list[Tree]:
    """What a goal gathers, and which lines it counts, as questions."""
    gathered = {"channels": "event.channel", "articles": "line.sku"}.get(str(goal.get("of")))
    name = f"event.attributes.{goal.get('attribute')}" if goal.get("attribute") else gathered
    asked = {"field": name, "op": "is_set"}
    trees = [_readable(asked, LINE_CATALOGUE if gathered == "line.sku" else CATALOGUE)] if name else []
    return [*trees, _readable(goal["lines"], LINE_CATALOGUE)] if goal.get("lines") else trees


def _readable(data: Any, catalogue: Catalogue) -> Tree:
    try:
        return parse(data, catalogue)
    except ConditionError:
        return ALWAYS


def _with_where(leaf: Leaf | LinesLeaf) -> list[Leaf]:
    """The question itself, or what it asks of lines."""
    if isinstance(leaf, Leaf):
        return [leaf]
    return [each for each in leaves(leaf.where) if isinstance(each, Leaf)] if leaf.where else []


def _others(
    program: Program, trial: Trial, draft: Version, rule_id: int | None
) -> tuple[list[Version], Version | None]:
    """The versions of other rules in force where and when the trial is, without those in whose place the draft stands;
    and the one that stands in its place."""
    there = snapshot.confirmed().programs[program.pk]
    others = [
        version
        for version in there.versions
        if version.live.rule_id != rule_id
        and trial.store.path.startswith(version.unit_path)
        and version.is_in_force(trial.at)
        and (trial.kind != Event.Kind.DAY or version.asks_day)
    ]
    tried = replace(draft, family=there.families.get(rule_id or 0, 0))
    standing = nearest([*others, tried])
    instead = next((each for each in standing if tried.family and each.family == tried.family), tried)
    return [each for each in standing if each is not tried], None if instead is tried else instead


def _award(why: Mapping[str, Any], program: Program) -> str:
    said = (worth(why, program.currency), *bases(why), cut(why, program.currency))
    return joined(tuple(filter(None, said)))


def _zone(program: Program) -> ZoneInfo:
    return ZoneInfo(program.time_zone)


def _facts(
    trial: Trial, program: Program, calendar: Calendar, asked: Sequence[Leaf], defined: Sequence[AttributeDefinition]
) -> tuple[EventFacts, MemberFacts]:
    local = trial.at.astimezone(_zone(program))
    told = {
        leaf.field.name: _read(trial.told[leaf.field.name], leaf.reads)
        for leaf in asked
        if trial.told.get(leaf.field.name, "").strip()
    }
    own = {leaf.field.key: told[leaf.field.name] for leaf in asked if leaf.field.name in told and leaf.field.key}
    lines: tuple[LineFacts, ...] = ()
    amount = None if trial.kind == Event.Kind.DAY else trial.amount
    if amount is not None:
        sku, brand, category = told.get("line.sku"), told.get("line.brand"), trial.category or None
        lines = (LineFacts(sku, category, Decimal(1), amount, brand),)
    event = EventFacts(
        kind=trial.kind, amount=amount, channel=told.get("event.channel"), unit_path=trial.store.path,
        device=told.get("event.device"), attributes=_under("event.attributes.", told) | own,
        lines=lines, hour=local.hour, weekday=local.isoweekday(), date=local.date(),
        code_batch=told.get("event.code_batch"), prize=told.get("event.prize"), special_days=calendar.on(local.date()),
    )  # fmt: skip
    born = as_date(trial.told.get(BORN))
    birthday = Birthday.of(born, local.date()) if born else NO_BIRTHDAY
    attributes = _meant(_under(f"{ATTRIBUTES}.", told), defined)
    return event, MemberFacts(
        0, trial.store.path, local.date(), attributes, History(is_order=trial.kind == Event.Kind.PURCHASE), birthday,
        asked_on=local.date(), tags=tuple(told.get("member.tags", ())),
        was_brought=told.get("member.was_brought", False),
    )  # fmt: skip


def _under(prefix: str, told: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in told.items() if name.startswith(prefix)}


def _meant(told: Mapping[str, Any], defined: Sequence[AttributeDefinition]) -> dict[str, Any]:
    """Attributes as members would hold them: a choice by its value, whatever it is called."""
    known = {each.key: each for each in defined}

    def kept(name: str, value: Any) -> Any:
        try:
            return value_of(known[name], value) if name in known else value
        except AttributeRefused:
            return value

    return {name: kept(name, value) for name, value in told.items()}


def _read(text: str, kind: Type) -> Any:
    """What was told as the condition reads it: several tags stand with commas between them."""
    if kind is Type.TAGS:
        return [part.strip() for part in COMMAS.split(text) if part.strip()]
    if kind is Type.BOOLEAN:
        return text.strip().lower() in YES
    if kind is Type.INTEGER and text.strip().isdecimal():
        return int(text)
    return text.strip()
