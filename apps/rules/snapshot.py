"""The configuration as the main road needs it: one process's copy, thrown away when the epoch has moved on.

Units, programmes, point types and the published rule versions, compiled. `rules_open` compares the copy's epoch
with the database's in the statement that uses it, so nothing is ever awarded under an old copy.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from apps.activity.models import Event
from apps.activity.parsing import OWN_KINDS
from apps.conditions.compiling import compile_lines, compile_many
from apps.conditions.tree import Leaf, fields_in, leaves, parse, short_windows_in, windows_in
from apps.conditions.windows import Window
from apps.core.models import Epoch
from apps.orgs.calendar import Calendar
from apps.orgs.models import OrgUnit, Program, SpecialDay
from apps.points.expiry import expires_at, lapses_at, parse_policy
from apps.points.fields import SOURCE
from apps.points.models import PointType
from apps.rules.catalogue import CATALOGUE, LINE_CATALOGUE
from apps.rules.effects import CARRY, Effect
from apps.rules.evaluate import LiveLimit, LiveRule, LiveStacking, RuleSet, carry_name, millionths
from apps.rules.families import nearest, read_families
from apps.rules.kinds import KINDS
from apps.rules.models import RuleVersion
from apps.rules.progress import Accumulator, Gatherer
from apps.rules.validity import Dates, live_validity, released_at
from apps.segments.reading import programs_followed

TAGS = "member.tags"


@dataclass(frozen=True, slots=True)
class UnitInfo:
    id: int
    code: str
    path: str
    program_id: int | None


@dataclass(slots=True)
class PointTypeInfo:
    """A point type and the dates it gives, each computed once a day."""

    id: int
    code: str
    kind: str
    unit_cost_micros: int
    funder_id: int | None
    pending_days: int
    policy: Any
    zone: ZoneInfo
    _dates: dict[date, tuple[datetime | None, datetime | None, datetime | None]] = field(default_factory=dict)

    def dates(self, day: date) -> tuple[datetime | None, datetime | None, datetime | None]:
        """For points earned on local `day`: when they expire, are released, and when the account would lapse."""
        found = self._dates.get(day)
        if found is None:
            released = released_at(day, self.pending_days, self.zone)
            found = (expires_at(self.policy, day, self.zone), released, lapses_at(self.policy, day, self.zone))
            self._dates[day] = found
        return found

    def dates_of(self, day: date, rule: LiveRule) -> Dates:
        """For points that `rule` gives on local `day`."""
        expires, released, _lapses = self.dates(day)
        dates = Dates(expires, released, released is not None)
        return dates if rule.validity is None else rule.validity.dates(day, self.zone, dates)


@dataclass(frozen=True, slots=True)
class Version:
    """A published version with where and when it is in force: from `starts_at`, until before `ends_at`."""

    live: LiveRule
    condition: dict[str, Any]
    unit_path: str
    starts_at: datetime
    ends_at: datetime | None
    windows: frozenset[Window] = frozenset()
    """The windows of the member's history that it asks about."""
    short_windows: frozenset[tuple[str, Window]] = frozenset()
    """What it asks about the minutes before."""
    asks_tags: bool = False
    asks_day: bool = False
    """Whether it asks for events of kind `day`: no other rule hears of them."""
    family: int = 0
    """Of rules that stand in each other's place; 0 for one that is alone."""
    asks_friends: bool = False
    """Whether it asks for what friends do: no other rule hears of it either."""
    point_windows: frozenset[Window] = frozenset()
    """The windows over which it asks about points that the member earned or spent."""

    def is_in_force(self, at: datetime) -> bool:
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass(slots=True)
class ProgramInfo:
    id: int
    code: str
    unit_id: int
    currency: str
    zone: ZoneInfo
    allows_debt: bool
    point_types: dict[int, PointTypeInfo]
    main_type: PointTypeInfo | None = None
    """The reward points whose balance an answer names: the first made."""
    versions: tuple[Version, ...] = ()
    awaited: dict[int, str] = field(default_factory=dict)
    """The kind of event that points of a version wait for, by the version's id."""
    boundaries: tuple[datetime, ...] = ()
    families: dict[int, int] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=lambda: Calendar({}))
    special_days: Mapping[str, str] = field(default_factory=dict)
    """What the days of the calendar are called, by code."""
    tells_friends: bool = False
    """Whether a rule waits for what friends do."""

    gathers: bool = False
    """Whether any of its rules ever gathered something of events."""
    published: dict[int, LiveRule] = field(default_factory=dict)
    """Every published version, by its id."""
    has_following_tags: bool = False
    """Whether tags of its members follow their events."""


class Stale(Exception):
    """The configuration has changed since the copy was made."""


@dataclass(slots=True)
class Snapshot:
    """One epoch's configuration."""

    epoch: int
    units: dict[str, UnitInfo]
    units_by_id: dict[int, UnitInfo]
    programs: dict[int, ProgramInfo]
    paths: dict[str, str]
    _rule_sets: dict[tuple[int, int, int, str], RuleSet] = field(default_factory=dict)

    def unit(self, pk: int) -> UnitInfo:
        """The unit with that id. Raises Stale when it is newer than the copy."""
        if pk not in self.units_by_id:
            raise Stale
        return self.units_by_id[pk]

    def confirm(self) -> None:
        """Raises Stale unless the copy is the database's configuration at this moment."""
        if Epoch.objects.values_list("value", flat=True).get() != self.epoch:
            raise Stale

    def rules_for(self, unit: UnitInfo, at: datetime, kind: str = "") -> RuleSet:
        """The rules in force for events of that kind at `unit` that happened at `at`."""
        kind = kind if kind in OWN_KINDS else ""
        program = self.programs[unit.program_id]  # type: ignore[index]
        key = (unit.id, program.id, bisect_right(program.boundaries, at), kind)
        found = self._rule_sets.get(key)
        if found is None:
            versions = [v for v in program.versions if unit.path.startswith(v.unit_path) and v.is_in_force(at)]
            versions = nearest(versions)
            if kind:
                versions = [v for v in versions if (v.asks_day if kind == Event.Kind.DAY else v.asks_friends)]
            main = [program.main_type.id] if program.main_type is not None else []
            found = self._rule_sets[key] = build_rule_set(versions, self.paths, main)
        return found


def build_rule_set(versions: list[Version], paths: dict[str, str], kinds: Iterable[int] = ()) -> RuleSet:
    """Compiles versions, already narrowed to a unit and time, into one function. `kinds` are point types that events
    tell of even where no rule gives any."""
    trees = [parse(version.condition, CATALOGUE, paths) for version in versions]
    effects = [effect for version in versions for effect in version.live.effects]
    given = {effect.point_type_id for effect in effects if effect.point_type_id is not None}
    return RuleSet(
        tuple(version.live for version in versions),
        compile_many(trees, CATALOGUE, paths),
        tuple(sorted({*given, *kinds})),
        frozenset[Window]().union(*(version.windows for version in versions)),
        frozenset[tuple[str, Window]]().union(*(version.short_windows for version in versions)),
        any(version.asks_tags for version in versions),
        frozenset[Window]().union(*(version.point_windows for version in versions)),
    )


_copies: dict[str, Snapshot] = {}


def current() -> Snapshot:
    """This process's copy, read when there is none."""
    name = str(connection.settings_dict["NAME"])
    if name not in _copies:
        _copies[name] = read_snapshot()
    return _copies[name]


def confirmed() -> Snapshot:
    """The copy as the database's configuration is at this moment, read anew where that has moved on."""
    try:
        current().confirm()
    except Stale:
        forget()
    return current()


def forget() -> None:
    """Drops this process's copy: the epoch has moved on."""
    _copies.pop(str(connection.settings_dict["NAME"]), None)


def read_snapshot() -> Snapshot:
    """Reads everything; the epoch first, so that a change meanwhile makes the copy old, never wrong."""
    epoch = Epoch.objects.values_list("value", flat=True).get()
    programs = {
        row.pk: ProgramInfo(row.pk, row.code, row.unit_id, row.currency, ZoneInfo(row.time_zone), row.allows_debt, {})
        for row in Program.objects.all()
    }
    for row in PointType.objects.order_by("pk"):
        program = programs[row.program_id]
        kind = PointTypeInfo(
            row.pk,
            row.code,
            row.kind,
            row.unit_cost_micros,
            row.funder_id,
            row.pending_days,
            parse_policy(row.expiry),
            program.zone,
        )
        program.point_types[row.pk] = kind
        if program.main_type is None and row.kind == PointType.Kind.REWARD:
            program.main_type = kind
    days: dict[int, list[SpecialDay]] = {}
    for day in SpecialDay.objects.order_by("pk"):
        days.setdefault(day.program_id, []).append(day)
    for pk, known in days.items():
        programs[pk].calendar = Calendar.of((day.code, day.days) for day in known)
        programs[pk].special_days = {day.code: day.name for day in known}
    by_path = dict(Program.objects.values_list("unit__path", "pk"))
    units = {}
    for pk, code, path in OrgUnit.objects.values_list("pk", "code", "path"):
        nearest = next(
            (by_path[path[:end]] for end in range(len(path), 0, -OrgUnit.steplen) if path[:end] in by_path), None
        )
        units[code] = UnitInfo(pk, code, path, nearest)
    paths = {code: unit.path for code, unit in units.items()}
    for pk in programs_followed():
        programs[pk].has_following_tags = True
    _read_versions(programs, paths)
    return Snapshot(epoch, units, {unit.id: unit for unit in units.values()}, programs, paths)


def _read_versions(programs: dict[int, ProgramInfo], paths: dict[str, str]) -> None:
    found: dict[int, list[Version]] = {pk: [] for pk in programs}
    families = read_families()
    rows = (
        RuleVersion.objects.exclude(state=RuleVersion.State.DRAFT)
        .select_related("rule__unit")
        .order_by("rule_id", "number")
    )
    for row in rows:
        assert row.starts_at is not None  # a constraint: what is no draft has a start
        if row.ends_at is not None and row.ends_at <= row.starts_at:
            continue
        codes = {kind.code: kind.id for kind in programs[row.rule.program_id].point_types.values()}
        costs = {kind.id: kind.unit_cost_micros for kind in programs[row.rule.program_id].point_types.values()}
        live = live_rule(row, row.definition, codes, paths, costs)
        found[row.rule.program_id].append(
            Version(
                live,
                row.definition["condition"],
                row.rule.unit.path,
                row.starts_at,
                row.ends_at,
                windows_in(row.definition, CATALOGUE),
                short_windows_in(row.definition, CATALOGUE),
                TAGS in fields_in(row.definition),
                asks_kind(row.definition, Event.Kind.DAY),
                families.get(row.rule_id, 0),
                asks_kind(row.definition, Event.Kind.FRIEND),
                windows_in(row.definition, CATALOGUE, SOURCE),
            )
        )
    for pk, versions in found.items():
        programs[pk].versions = tuple(versions)
        programs[pk].families = families
        programs[pk].tells_friends = any(version.asks_friends for version in versions)
        programs[pk].gathers = any(version.live.gathers for version in versions)
        programs[pk].published = {version.live.version_id: version.live for version in versions}
        waiting = {v.live.version_id: v.live.validity for v in versions}
        programs[pk].awaited = {version: each.until for version, each in waiting.items() if each and each.until}
        edges = {v.starts_at for v in versions} | {v.ends_at for v in versions if v.ends_at is not None}
        programs[pk].boundaries = tuple(sorted(edges))


def kinds_named(definition: dict[str, Any]) -> set[str]:
    """The kinds of events that the condition asks for by name."""
    asked = [
        leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        for leaf in leaves(parse(definition["condition"], CATALOGUE))
        if isinstance(leaf, Leaf) and leaf.field.name == "event.kind" and leaf.operator.code in ("eq", "in")
    ]
    return {kind for named in asked for kind in named}


def asks_kind(definition: dict[str, Any], kind: str) -> bool:
    """Whether it asks for that kind of event by name."""
    return kind in kinds_named(definition)


def live_rule(
    row: RuleVersion, definition: dict[str, Any], codes: dict[str, int], paths: dict[str, str], costs: dict[int, int]
) -> LiveRule:
    """A version's definition as evaluation takes it; `codes` maps point types' codes to ids, `costs` these to what a
    point costs, in millionths."""
    effects = tuple(live_effect(effect, codes, paths) for effect in definition["effects"])
    return LiveRule(
        row.rule_id,
        row.pk,
        row.number,
        row.rule.code,
        row.rule.name,
        effects,
        tuple(live_limit(limit) for limit in definition["limits"]),
        LiveStacking(**definition["stacking"]) if definition.get("stacking") else None,
        live_validity(definition.get("validity")),
        tuple(costs.get(effect.point_type_id or 0, 0) for effect in effects),
        live_accumulator(definition["accumulator"], paths) if definition.get("accumulator") else None,
    )


def live_limit(limit: dict[str, Any]) -> LiveLimit:
    """One limit of a definition that has been checked."""
    most = int(limit["most"]) if limit["of"] in ("points", "times") else millionths(limit["most"])
    return LiveLimit(limit["per"], limit["period"], limit["of"], most)


def live_accumulator(written: dict[str, Any], paths: dict[str, str]) -> Accumulator:
    """What a definition that has been checked gathers, compiled."""
    return Accumulator(
        written["of"],
        Decimal(written["at"]),
        written["fires"] == "step",
        written["period"],
        live_lines(written["lines"], paths),
        written["attribute"],
    )


def gatherers_of(definition: Mapping[str, Any]) -> Iterator[tuple[str, Gatherer]]:
    """What gathers by a definition that has been checked, by the name it has; but not which lines count."""
    if accumulator := definition.get("accumulator"):
        yield accumulator["of"], live_accumulator(accumulator | {"lines": None}, {})
    for number, effect in enumerate(definition["effects"]):
        if effect.get("rounding") == CARRY:
            rate = live_effect(effect | {"lines": None}, {effect["point_type"]: 0}, {})
            yield carry_name(number), rate  # type: ignore[misc]


def live_lines(written: Any, paths: Mapping[str, str]) -> Callable[[Any], bool] | None:
    """The lines that count; None where all do."""
    return compile_lines(parse(written, LINE_CATALOGUE, paths), LINE_CATALOGUE, paths) if written else None


def live_effect(effect: dict[str, Any], codes: dict[str, int], paths: dict[str, str]) -> Effect:
    """One effect of a definition that has been checked, compiled."""
    return KINDS[effect["effect"]].live(effect, codes[effect["point_type"]] if "point_type" in effect else 0, paths)
