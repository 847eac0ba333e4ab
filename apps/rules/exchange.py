"""A programme as one document: written, and compared with what is there; `bringing_in` brings it in as drafts.

An import makes nothing live: it drafts rules, and adds kinds of points and special days that no rule in force can name. What a file says
otherwise of the programme, or leaves out, stays as it is and is told. Everything wrong in a file is found before
anything is written.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.conditions.tree import Fault
from apps.conditions.words import Words
from apps.core.scope import reach_of, require
from apps.orgs.calendar import parse_days
from apps.orgs.calendar_words import days_in_words
from apps.orgs.models import OrgUnit, Program, SpecialDay, Staff
from apps.points.expiry import parse_policy
from apps.points.models import PointType
from apps.rules.comparing import differences
from apps.rules.definition import Faulty, check_definition
from apps.rules.document import (
    FORMAT,
    MOST_PUBLISHED,
    PointTypePart,
    ProgramDocument,
    RulePart,
    SpecialDayPart,
    Unreadable,
    in_order,
    instant,
    read_document,
)
from apps.rules.errors import DocumentFaulty
from apps.rules.models import Rule, RuleVersion
from apps.rules.reading import Standing, names_of, open_requests, standing, standing_of, versions_by_rule
from apps.rules.sentences import Names, rule_sentence

VIEW, ADD, ADD_KIND = "rules.view_rule", "rules.add_rule", "points.add_pointtype"
ADD_DAY = "orgs.add_specialday"
NO_SUCH_UNIT = Words("This programme has no such org unit.", "本忠诚度计划没有这个组织单元。")
OTHER_PROGRAM = Words("Events there belong to another programme.", "该单元的事件属于其他忠诚度计划。")
MAY_NOT_ADD_KIND = Words(
    "This kind of points is new here, and somebody who may add kinds of points has to do it.",
    "此积分类型在这里尚不存在，需由有权新增积分类型的人员添加。",
)
MAY_NOT_ADD_DAY = Words(
    "This special day is new here, and somebody who may add special days has to do it.",
    "此特殊日期在这里尚不存在，需由有权新增特殊日期的人员添加。",
)
STAYS = Words(
    "{what}: {here} here, {there} in the file. It stays as it is.",
    "{what}：当前为“{here}”，文件中为“{there}”。保持当前设置不变。",
)
OF = Words("{name} — {line}", "{name}：{line}")
NOT_THERE = Words("“{name}” is not in the file. It stays as it is.", "文件中没有“{name}”。保持不变。")
SAME = Words("Rules that say the same: {n}.", "内容相同的规则：{n} 条。")
NO_SUCH_RULE = Words("Neither the file nor this programme has such a rule.", "文件和本忠诚度计划中都没有这条规则。")
NOT_ABOVE = Words("That rule does not stand above this one.", "该规则不在本规则的上级单元。")
NOT_OVERRIDABLE = Words("That rule does not allow another one in its place.", "该规则不允许被其他规则替代。")
IN_REVIEW = Words(
    "Its draft here is in review: withdraw the review first.", "该规则的草稿正在审核中：请先撤回审核。"
)  # fmt: skip
OVER_HERE = Words("It is over here and is drafted anew.", "该规则在此已结束，将重新起草。")
SETTINGS = {
    "code": Words("Code", "代码"),
    "name": Words("Name", "名称"),
    "unit": Words("Org unit", "组织单元"),
    "allows_override": Words("May be overridden", "允许下级单元替代"),
    "overrides": Words("In place of", "替代的规则"),
    "kind": Words("Kind", "类别"),
    "currency": Words("Currency", "币种"),
    "time_zone": Words("Time zone", "时区"),
    "allows_debt": Words("Allows debt", "允许负积分"),
    "grace_days": Words("Grace days", "宽限天数"),
    "reviews_rules": Words("Rules are reviewed", "规则需审核"),
    "expiry": Words("Expiry", "有效期"),
    "pending_days": Words("Pending days", "待生效天数"),
    "unit_cost_micros": Words("Cost of a point, in millionths", "单个积分成本（百万分之一）"),
    "funder": Words("Funded by", "费用承担单位"),
    "days": Words("Days", "日期"),
}


def program_document(program: Program, when: datetime) -> dict[str, Any]:
    """The whole configuration of `program`, in an order that does not change while nothing changes."""
    rules = list(Rule.objects.filter(program=program).select_related("unit", "overrides").order_by("code"))
    kinds, days = program.point_types.select_related("funder"), program.special_days.all()
    return _document(program, kinds, days, rules, versions_by_rule(rules), when)


def _document(
    program: Program,
    kinds: Iterable[PointType],
    days: Iterable[SpecialDay],
    rules: Iterable[Rule],
    versions: Mapping[int, Iterable[RuleVersion]],
    when: datetime,
) -> dict[str, Any]:
    written = [_rule(rule, versions[rule.pk], when) for rule in rules]
    return {
        "format": FORMAT,
        "program": _program(program),
        "point_types": [_point_type(kind) for kind in sorted(kinds, key=lambda kind: kind.code)],
        "special_days": [_special_day(day) for day in sorted(days, key=lambda day: day.code)],
        "rules": [rule for rule in written if rule["published"] or rule["draft"]],
    }


def _program(program: Program) -> dict[str, Any]:
    names = ("currency", "time_zone", "allows_debt", "grace_days", "reviews_rules")
    named = {"code": program.code, "name": program.name, "unit": program.unit.code}
    return named | {name: getattr(program, name) for name in names}


def _point_type(kind: PointType) -> dict[str, Any]:
    return {
        "code": kind.code, "name": kind.name, "kind": kind.kind, "expiry": parse_policy(kind.expiry).model_dump(),
        "pending_days": kind.pending_days, "unit_cost_micros": kind.unit_cost_micros,
        "funder": kind.funder.code if kind.funder else None,
    }  # fmt: skip


def _relation(rule: Rule) -> dict[str, Any]:
    """Whether it may be overridden, and what it overrides; nothing of most rules."""
    allows = {"allows_override": True} if rule.allows_override else {}
    return allows | ({"overrides": rule.overrides.code} if rule.overrides else {})


def _special_day(day: SpecialDay) -> dict[str, Any]:
    return {"code": day.code, "name": day.name, "days": parse_days(day.days).model_dump(mode="json")}


def _rule(rule: Rule, versions: Iterable[RuleVersion], when: datetime) -> dict[str, Any]:
    stands = {version: standing_of(version, when) for version in versions}
    published = sorted((each for each, name in stands.items() if name in ("live", "scheduled")), key=lambda v: v.number)
    draft = next((each for each, name in stands.items() if name == "draft"), None)
    return {
        "code": rule.code, "name": rule.name, "unit": rule.unit.code, **_relation(rule),
        "published": [
            {"starts_at": instant(each.starts_at), "ends_at": instant(each.ends_at),
             "definition": in_order(each.definition)}
            for each in published[-MOST_PUBLISHED:]
        ],
        "draft": in_order(draft.definition) if draft else None,
    }  # fmt: skip


def exported(actor: Staff | None, program: Program, when: datetime) -> dict[str, Any]:
    """`program_document`, for somebody who may see every rule of the programme. Raises NotAllowed."""
    require(actor, VIEW, program.unit.path)
    return program_document(program, when)


@dataclass(frozen=True)
class Step:
    """What a file means for one rule, kind of points or special day.

    `verb`: added or changed is what an import does; differs, missing and same is what it leaves alone.
    """

    verb: str
    code: str
    name: str
    lines: tuple[str, ...] = ()
    replaces_draft: bool = False


@dataclass
class Plan:
    """What a file would do to a programme. `digest` is of the programme as it was compared."""

    digest: str
    language: str
    program: list[str] = field(default_factory=list)
    point_types: list[Step] = field(default_factory=list)
    special_days: list[Step] = field(default_factory=list)
    rules: list[Step] = field(default_factory=list)

    @property
    def changes(self) -> int:
        return sum(step.verb in ("added", "changed") for step in self._steps)

    @property
    def _steps(self) -> list[Step]:
        return [*self.point_types, *self.special_days, *self.rules]

    @property
    def stays(self) -> list[str]:
        """What an import leaves alone, one line each."""

        def say(words: Words, **slots: Any) -> str:
            return words.in_language(self.language).format(**slots)

        steps = self._steps
        told = [say(OF, name=step.name, line=line) for step in steps if step.verb == "differs" for line in step.lines]
        left = [say(NOT_THERE, name=step.name) for step in steps if step.verb == "missing"]
        same = sum(step.verb == "same" for step in self.rules)
        return [*self.program, *told, *left, *([say(SAME, n=f"{same:,}")] if same else [])]


def read(written: bytes) -> ProgramDocument:
    """The document in a file. Raises DocumentFaulty."""
    try:
        return read_document(written)
    except Unreadable as error:
        raise DocumentFaulty(error.faults) from None


class Beside:
    """One document beside one programme."""

    def __init__(self, program: Program, document: ProgramDocument, when: datetime, language: str) -> None:
        self.program, self.document, self.language = program, document, language
        self.units = {unit.code: unit for unit in OrgUnit.objects.within(program.unit.path)}
        self.kinds = {kind.code: kind for kind in program.point_types.select_related("funder")}
        self.days = {day.code: day for day in program.special_days.all()}
        rules = list(Rule.objects.filter(program=program).select_related("unit", "overrides").order_by("code"))
        versions, reviews = versions_by_rule(rules), open_requests(rules)
        self.rules = {rule.code: rule for rule in rules}
        self.stands: dict[str, Standing] = {
            rule.code: standing(versions[rule.pk], when, reviews.get(rule.pk)) for rule in rules
        }
        self.live = _document(program, self.kinds.values(), self.days.values(), rules, versions, when)
        here = names_of([program])[program.pk]
        kinds = dict(here.point_types) | {
            part.code: part.name for part in document.point_types if part.code not in self.kinds
        }
        days = {part.code: part.name for part in document.special_days} | dict(here.special_days)
        self.names = Names(here.currency, kinds, here.units, special_days=days, attributes=here.attributes)
        self.wanted: dict[str, dict[str, Any]] = {}
        """What each rule of the document is to say, checked, by its code."""

    def faults(self, actor: Staff | None) -> list[Fault]:
        """Everything for which the document cannot be brought in; fills `wanted`."""
        found: list[Fault] = []
        may_add = actor is None or reach_of(actor, ADD_KIND).covers(self.program.unit.path)
        for number, part in enumerate(self.document.point_types):
            if part.code not in self.kinds and not may_add:
                found.append(Fault(("point_types", number), "may_not_add", MAY_NOT_ADD_KIND))
            if part.code not in self.kinds and part.funder and part.funder not in self.units:
                found.append(Fault(("point_types", number, "funder"), "unknown_unit", NO_SUCH_UNIT))
        may_add = actor is None or reach_of(actor, ADD_DAY).covers(self.program.unit.path)
        for number, day in enumerate(self.document.special_days):
            if day.code not in self.days and not may_add:
                found.append(Fault(("special_days", number), "may_not_add", MAY_NOT_ADD_DAY))
        paths = {code: unit.path for code, unit in self.units.items()}
        below = [each.unit.path for each in Program.objects.select_related("unit").exclude(pk=self.program.pk)]
        nested = [path for path in below if path.startswith(self.program.unit.path)]
        types = {*self.kinds, *(part.code for part in self.document.point_types)}
        for number, rule in enumerate(self.document.rules):
            place = ("rules", number)
            if rule.unit not in self.units:
                found.append(Fault((*place, "unit"), "unknown_unit", NO_SUCH_UNIT))
            elif any(paths[rule.unit].startswith(path) for path in nested):
                found.append(Fault((*place, "unit"), "other_program", OTHER_PROGRAM))
            found += self._overriding(rule, place)
            found += self._check(rule, place, dict.fromkeys(types), paths)
            stands, wanted = self.stands.get(rule.code), self.wanted.get(rule.code)
            if stands and stands.review and stands.draft and wanted not in (None, stands.draft.definition):
                found.append(Fault(place, "draft_in_review", IN_REVIEW))
        return found

    def _overriding(self, rule: RulePart, place: tuple[str | int, ...]) -> list[Fault]:
        """Whether a rule that is new here may stand in the place of the one that it names."""
        if rule.overrides is None or rule.code in self.rules or rule.unit not in self.units:
            return []
        place, own = (*place, "overrides"), self.units[rule.unit].path
        here = self.rules.get(rule.overrides)
        new = next((part for part in self.document.rules if part.code == rule.overrides), None)
        unit = here.unit if here is not None else self.units.get(new.unit) if new is not None else None
        if here is None and new is None:
            return [Fault(place, "unknown_rule", NO_SUCH_RULE)]
        if unit is not None and (unit.path == own or not own.startswith(unit.path)):
            return [Fault(place, "not_above", NOT_ABOVE)]
        allows = here.allows_override if here is not None else new is not None and new.allows_override
        return [] if allows else [Fault(place, "not_overridable", NOT_OVERRIDABLE)]

    def _check(
        self, rule: RulePart, place: tuple[str | int, ...], types: dict[str, Any], paths: dict[str, str]
    ) -> list[Fault]:
        written = [
            ((*place, "published", number, "definition"), part.definition) for number, part in enumerate(rule.published)
        ]
        written += [((*place, "draft"), rule.draft)] if rule.draft else []
        found: list[Fault] = []
        for start, definition in written:
            try:
                checked = check_definition(
                    definition, point_types=types, units=paths, special_days=self.names.special_days,
                    attributes=self.names.attributes,
                )  # fmt: skip
            except Faulty as error:
                found += [Fault((*start, *fault.path), fault.code, fault.message) for fault in error.faults]
                continue
            if definition is rule.wanted:
                self.wanted[rule.code] = checked.to_json()
        return found

    def plan(self) -> Plan:
        live = self.live
        told = Plan(hashlib.sha256(json.dumps(live, sort_keys=True).encode()).hexdigest(), self.language)
        told.program = self._settings(live["program"], self.document.program.model_dump())
        here = {each["code"]: each for each in live["point_types"]}
        told.point_types = [self._kind(part, here.get(part.code)) for part in self.document.point_types]
        named = {part.code for part in self.document.point_types}
        told.point_types += [
            Step("missing", code, str(each["name"])) for code, each in here.items() if code not in named
        ]
        told.rules = [self._rule(part) for part in self.document.rules]
        here = {each["code"]: each for each in live["special_days"]}
        told.special_days = [self._day(part, here.get(part.code)) for part in self.document.special_days]
        named = {part.code for part in self.document.special_days}
        told.special_days += [Step("missing", code, each["name"]) for code, each in here.items() if code not in named]
        named = {part.code for part in self.document.rules}
        told.rules += [
            Step("missing", each["code"], each["name"]) for each in live["rules"] if each["code"] not in named
        ]
        return told

    def _settings(self, here: dict[str, Any], there: dict[str, Any]) -> list[str]:
        return [
            STAYS.in_language(self.language).format(
                what=SETTINGS[name].in_language(self.language), here=_plain(here[name]), there=_plain(there[name])
            )
            for name in here
            if here[name] != there[name]
        ]

    def _kind(self, part: PointTypePart, here: dict[str, Any] | None) -> Step:
        if here is None:
            return Step("added", part.code, part.name)
        lines = self._settings(here, part.model_dump())
        return Step("differs" if lines else "same", part.code, str(here["name"]), tuple(lines))

    def _day(self, part: SpecialDayPart, here: dict[str, Any] | None) -> Step:
        there = part.model_dump(mode="json")
        if here is None:
            return Step("added", part.code, part.name, (days_in_words(there["days"], self.language),))
        said = [each | {"days": days_in_words(each["days"], self.language)} for each in (here, there)]
        lines = self._settings(*said)
        return Step("differs" if lines else "same", part.code, here["name"], tuple(lines))

    def _rule(self, part: RulePart) -> Step:
        wanted = self.wanted[part.code]
        rule, stands = self.rules.get(part.code), self.stands.get(part.code)
        base = (stands.draft or stands.shown) if stands else None
        if rule is None or stands is None or base is None:
            return Step("added", part.code, part.name, (rule_sentence(wanted, self.names, self.language),))
        none = {"allows_override": False, "overrides": None}
        others = self._settings(
            {"name": rule.name, "unit": rule.unit.code} | none | _relation(rule), part.model_dump(include={*none, "name", "unit"})
        )  # fmt: skip
        if stands.name == "over":
            lines = [OVER_HERE.in_language(self.language), rule_sentence(wanted, self.names, self.language)]
            return Step("changed", part.code, rule.name, (*lines, *others))
        if base.definition == wanted:
            return Step("differs" if others else "same", part.code, rule.name, tuple(others))
        lines = differences(base.definition, wanted, self.names, self.language)
        lines = lines or [rule_sentence(wanted, self.names, self.language)]
        return Step("changed", part.code, rule.name, (*lines, *others), stands.draft is not None)


def compared(
    actor: Staff | None, program: Program, document: ProgramDocument, *, language: str, when: datetime
) -> Plan:
    """What bringing `document` into `program` would do. Raises DocumentFaulty, NotAllowed."""
    require(actor, VIEW, program.unit.path)
    return checked_beside(actor, program, document, when, language).plan()


def checked_beside(
    actor: Staff | None, program: Program, document: ProgramDocument, when: datetime, language: str
) -> Beside:
    beside = Beside(program, document, when, language)
    faults = beside.faults(actor)
    if faults:
        raise DocumentFaulty(tuple(faults))
    return beside


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
