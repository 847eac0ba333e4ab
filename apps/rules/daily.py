"""Rules that time itself sets going: the studio tells an event of kind `day` of each member for whom a rule waits for one.

A day is told once for each programme, after its local midnight, as of which it happened: the rules then in force are
asked, and what members did until then counts. Who could meet one of them is found in one statement and put down; only
they get an event, and the road that all events take decides. What is put down goes in the transaction of its event, and
every event has a key: a day may be told twice, by two at once, or be killed half way and told again, nothing changes.

The members of a programme are those whose home lies in it and whoever has an account there. The event is one of their
home, or of the programme's unit where that lies elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Exists, F, Max, OuterRef, Q

from apps.activity.errors import InTheFuture
from apps.activity.incoming import IncomingEvent
from apps.activity.models import Event
from apps.activity.segments import members_in
from apps.activity.services import source_for
from apps.conditions.compiling import HOLDS, compile_tree
from apps.conditions.possible import NEVER, Known, of_members
from apps.conditions.tree import Tree, parse
from apps.core.clock import local_day, start_of_day
from apps.core.transactions import in_transaction
from apps.members.facts import MemberFacts
from apps.members.models import Member
from apps.orgs.models import Program
from apps.points.models import Account
from apps.rules import snapshot
from apps.rules.catalogue import CATALOGUE, MEMBERS, OTHERS
from apps.rules.evaluate import LiveLimit, LiveRule
from apps.rules.models import Counter, DayTold, DayWaiting, UnitCounter
from apps.rules.periods import period_start
from apps.rules.pipeline import process
from apps.rules.pipeline.preparing import event_facts
from apps.rules.snapshot import ProgramInfo, Snapshot, Version

MOST_DAYS = 7
"""How far back a day is told that was missed while the studio stood still."""
CHUNK = 1_000
STORE = "event.store"
"""What an event of a day answers for each member otherwise."""


def days_due(program: Program, when: datetime) -> list[date]:
    """The local days of `program` that are to be told, oldest first; of one that never told any, today."""
    today = local_day(when, ZoneInfo(program.time_zone))
    last = DayTold.objects.filter(program=program, ended_at__isnull=False).aggregate(last=Max("day"))["last"]
    first = today if last is None else max(last + timedelta(days=1), today - timedelta(days=MOST_DAYS - 1))
    return [first + timedelta(days=days) for days in range((today - first).days + 1)]


def tell_days(program: Program, when: datetime, *, chunk: int = CHUNK) -> list[DayTold]:
    """Tells what is due."""
    return [tell_day(program, day, when=when, chunk=chunk) for day in days_due(program, when)]


def tell_day(program: Program, day: date, *, when: datetime, chunk: int = CHUNK) -> DayTold:
    """Tells `day`, or what is left of it; several workers share it. A day that was told whole stays as it is.

    Raises InTheFuture for a day that has not begun at `when`."""
    if start_of_day(day, ZoneInfo(program.time_zone)) > when:
        raise InTheFuture()
    told, _made = DayTold.objects.get_or_create(program=program, day=day, defaults={"started_at": when})
    if told.ended_at is None:
        _find(told, program, when)
        while _tell(told, program, when, chunk):
            pass
        waiting = DayWaiting.objects.filter(told=OuterRef("pk"))
        DayTold.objects.filter(~Exists(waiting), pk=told.pk, ended_at=None).update(ended_at=when)
        told.refresh_from_db()
    return told


@in_transaction
def _find(told: DayTold, program: Program, when: datetime) -> None:
    """Puts down for whom the day is an event: once, in one statement."""
    row = DayTold.objects.select_for_update(no_key=True).get(pk=told.pk)
    if row.found_at is not None:
        return
    found = _waiting(snapshot.confirmed(), program, told.day)
    if found is not None:
        text, parameters = found
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO rules_daywaiting (told_id, member_id) SELECT %s, found.id FROM ({text}) AS found",  # noqa: S608 -- of parameters
                [told.pk, *parameters],
            )
    DayTold.objects.filter(pk=told.pk).update(found_at=when)


@in_transaction
def _tell(told: DayTold, program: Program, when: datetime, chunk: int) -> bool:
    """Tells it to the next members that nobody else is at, in one transaction with their waiting; False when there
    are none."""
    waiting = DayWaiting.objects.select_for_update(skip_locked=True, of=("self",)).filter(told=told)
    rows = list(waiting.order_by("member_id").values_list("pk", "member_id", "member__home_unit_id")[:chunk])
    if not rows:
        return False
    copy = snapshot.confirmed()
    events = [_event(copy, program, told.day, member_id, home_id) for _pk, member_id, home_id in rows]
    results = process(None, source_for(f"days:{program.pk}", program.unit), events, when=when)
    DayWaiting.objects.filter(pk__in=[pk for pk, *_ in rows]).delete()
    fresh = [result for result in results if result.status == "processed"]
    DayTold.objects.filter(pk=told.pk).update(
        events=F("events") + len(fresh), points=F("points") + sum(result.points for result in fresh)
    )
    return True


def _event(copy: Snapshot, program: Program, day: date, member_id: int, home_id: int) -> IncomingEvent:
    home = copy.units_by_id.get(home_id)
    return IncomingEvent(
        f"day:{program.pk}:{day}:{member_id}",
        Event.Kind.DAY,
        "",
        str(member_id),
        start_of_day(day, ZoneInfo(program.time_zone)),
        store=home.code if home is not None and home.program_id == program.pk else None,
        member_id=member_id,
    )


def _waiting(copy: Snapshot, program: Program, day: date) -> tuple[str, Sequence[Any]] | None:
    """A statement for the ids of the members who could meet a rule as that day begins; None where no rule waits for
    it."""
    info = copy.programs[program.pk]
    at = start_of_day(day, info.zone)
    parts: list[str] = []
    parameters: list[Any] = []
    for version in info.versions:
        if not (version.asks_day and version.is_in_force(at)):
            continue
        tree = of_members(parse(version.condition, CATALOGUE, copy.paths), MEMBERS, _answers(copy, info, at))
        if tree == NEVER:
            continue
        try:
            text, given = members_in(
                _members(copy, info, version, day), program, tree, copy.paths, day, at_start=True, others=OTHERS
            )
        except EmptyResultSet:
            continue
        parts.append(f"SELECT member.id {text}")
        parameters += given
    return (" UNION ".join(parts), parameters) if parts else None


def _members(copy: Snapshot, info: ProgramInfo, version: Version, day: date) -> Any:
    """The members of the programme to whose events the rule applies, without those who have had all it ever gives."""
    homes = [
        unit.id
        for unit in copy.units.values()
        if unit.program_id == info.id and unit.path.startswith(version.unit_path)
    ]
    belongs = Q(home_unit__in=homes)
    if copy.units_by_id[info.unit_id].path.startswith(version.unit_path):
        own = [unit.id for unit in copy.units.values() if unit.program_id == info.id]
        guests = Exists(Account.objects.filter(member=OuterRef("pk"), point_type__program=info.id))
        belongs |= ~Q(home_unit__in=own) & Q(guests)
    members = Member.objects.filter(belongs, state=Member.State.ACTIVE)
    for limit in _ends(version.live):
        start = period_start(limit.period, day)
        counted = {"rule": version.live.rule_id, "period": limit.period, "start": start, f"{limit.of}__gte": limit.most}
        if limit.per == "member":
            members = members.exclude(Exists(Counter.objects.filter(member=OuterRef("pk"), **counted)))
        elif UnitCounter.objects.filter(unit=info.unit_id, device="", **counted).exists():
            return members.none()
    return members


def _ends(rule: LiveRule) -> list[LiveLimit]:
    """The limits that, once used up, leave nothing for an event of a day to do. What gathers goes on without points, and
    so do tags."""
    if rule.gives_tags or rule.accumulator is not None or any(effect.carries for effect in rule.effects):
        return []
    return [limit for limit in rule.limits if limit.per in ("member", "programme") and limit.of in ("points", "times")]


def _answers(copy: Snapshot, info: ProgramInfo, at: datetime) -> Known:
    """What the event of a day answers to questions on events: all is known but where it is."""
    unit = copy.units_by_id[info.unit_id]
    event = event_facts(IncomingEvent("", Event.Kind.DAY, "", "", at), unit, info)
    nobody = MemberFacts(0, "", date.min, {})

    def known(leaf: Tree) -> bool | None:
        name = getattr(getattr(leaf, "field", None), "name", "event.lines")
        if name == STORE or not name.startswith("event."):
            return None
        return compile_tree(leaf, CATALOGUE, copy.paths).test(event, nobody) == HOLDS

    return known


# -- whether it happened ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """The last day that a programme told, if any, and how many are due."""

    program: Program
    last: DayTold | None
    due: int

    def is_late(self, when: datetime) -> bool:
        """Whether a day that has been going on for hours is not told."""
        zone = ZoneInfo(self.program.time_zone)
        began = start_of_day(local_day(when, zone), zone)
        return self.due > 1 or (self.due == 1 and self.last is not None and when - began > timedelta(hours=3))


def standings(versions: Any, when: datetime) -> list[Standing]:
    """Of the programmes of which one of `versions`, a queryset of those that are live, waits for a day."""
    waiting = versions.filter(definition__condition__icontains=f'"{Event.Kind.DAY}"').select_related(
        "rule__program__unit"
    )
    programs = {
        row.rule.program_id: row.rule.program for row in waiting if snapshot.asks_kind(row.definition, Event.Kind.DAY)
    }
    ended = DayTold.objects.filter(program__in=programs, ended_at__isnull=False).order_by("program_id", "-day")
    last = {row.program_id: row for row in ended.distinct("program_id")}
    return [Standing(program, last.get(pk), len(days_due(program, when))) for pk, program in sorted(programs.items())]


def programs_due(when: datetime) -> list[int]:
    """The programmes that have a day to tell."""
    return [row.pk for row in Program.objects.order_by("pk") if days_due(row, when)]
