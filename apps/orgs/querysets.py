"""Reads of the tree that have a name."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from guardian.models import UserObjectPermission

from apps.core.scope import STEP, reach_of
from apps.orgs.errors import UnknownUnit
from apps.orgs.models import OrgUnit, Program, Staff, WorkingTime

HOME_ZONE = ZoneInfo("Asia/Shanghai")
"""Where nothing says another."""


def paths_above(path: str) -> list[str]:
    """The paths of the unit at `path` and of everything above it, the root first."""
    return [path[:end] for end in range(STEP, len(path) + 1, STEP)]


def program_of(unit: OrgUnit) -> Program | None:
    """The programme of the nearest unit at or above `unit` that has one. One query."""
    programs = Program.objects.filter(unit__path__in=paths_above(unit.path)).select_related("unit")
    return programs.order_by("-unit__depth").first()


def working_time_of(unit: OrgUnit) -> WorkingTime | None:
    """The working time of the nearest unit at or above `unit` that has one; None where every hour counts. One query."""
    times = WorkingTime.objects.filter(unit__path__in=paths_above(unit.path)).select_related("unit")
    return times.order_by("-unit__depth").first()


def zones_of(people: Iterable[Staff]) -> dict[int, ZoneInfo]:
    """The time zone by which each of `people` tells days, by their id: that of the nearest working time at or above
    their unit, else of the nearest programme. Two queries; the people's units are loaded."""
    homes = {person.pk: person.unit.path if person.unit is not None else "" for person in people}
    above = {path for home in homes.values() for path in paths_above(home)}
    kept = (WorkingTime.objects, Program.objects)
    zones = [dict(rows.filter(unit__path__in=above).values_list("unit__path", "time_zone")) for rows in kept]
    return {pk: _nearest_zone(paths_above(home)[::-1], zones) for pk, home in homes.items()}


def _nearest_zone(paths: list[str], zones: list[dict[str, str]]) -> ZoneInfo:
    named = (known[path] for known in zones for path in paths if path in known)
    return next((ZoneInfo(name) for name in named), HOME_ZONE)


def zone_of(person: Staff) -> ZoneInfo:
    """The time zone by which `person` tells days. Two queries."""
    return zones_of([person])[person.pk]


def colleagues_of(person: Staff) -> "QuerySet[Staff]":
    """Whom `person` may name to somebody: who can sign in and belongs to the same company, or to what stands above it;
    for people of the group, everybody. Other companies' people are not told to anybody else."""
    people: QuerySet[Staff] = Staff.objects.filter(is_active=True).order_by("username")
    if person.unit is None:
        return people if person.is_superuser else people.filter(pk=person.pk)
    company = person.unit.path[: 2 * STEP]
    return people.filter(Q(unit__path__startswith=company) | Q(unit__path__in=paths_above(company)))


def programs_reached(principal: Any, permission: str) -> "QuerySet[Program]":
    """The programmes in which `principal` may do `permission` somewhere: those of units where it is held, and of those
    above such a unit the nearest, which rules there. Two queries."""
    reach = reach_of(principal, permission)
    above = {path for root in reach.paths for path in paths_above(root)}
    placed = dict(Program.objects.filter(unit__path__in=above).values_list("unit__path", "pk"))
    nearest = {max(paths, key=len) for root in reach.paths if (paths := placed.keys() & set(paths_above(root)))}
    held = Program.objects.visible_to(principal, permission).values("pk")
    reached = Q(pk__in=held) | Q(pk__in=[placed[path] for path in nearest])
    return Program.objects.visible_to(principal).filter(reached).select_related("unit").order_by("pk")


def unit_within(principal: Any, permission: str, code: str) -> OrgUnit:
    """The unit called `code`, where `principal` may do `permission`. Raises UnknownUnit."""
    unit: OrgUnit | None = OrgUnit.objects.visible_to(principal, permission).filter(code=code).first()
    if unit is None:
        raise UnknownUnit()
    return unit


def units_worked_on(staff: Staff, role: str | None = None) -> list[OrgUnit]:
    """The units where `staff` holds `role`, or any role; in tree order."""
    held = UserObjectPermission.objects.filter(user=staff, content_type__app_label="orgs")
    held = held.filter(permission__codename=f"role_{role}") if role else held
    return list(OrgUnit.objects.filter(pk__in=[int(pk) for pk in held.values_list("object_pk", flat=True)]))


@dataclass(frozen=True)
class Job:
    """A role that somebody holds on a unit."""

    staff: Staff
    role: str
    unit: OrgUnit


def jobs_of(people: Iterable[Staff]) -> dict[int, list[Job]]:
    """Every job of each of `people`, by their id, in tree order. Two queries."""
    known = {person.pk: person for person in people}
    jobs: dict[int, list[Job]] = defaultdict(list)
    for job in _jobs(UserObjectPermission.objects.filter(user__in=known), known):
        jobs[job.staff.pk].append(job)
    return jobs


def jobs_within(role: str, reader: Staff) -> list[Job]:
    """Who holds `role` where, as far as `reader` may see the people. Three queries."""
    known = {person.pk: person for person in Staff.objects.visible_to(reader)}
    held = UserObjectPermission.objects.filter(permission__codename=f"role_{role}", user__in=known)
    return list(_jobs(held, known))


def jobs_held_at(units: "QuerySet[OrgUnit]") -> list[Job]:
    """Every job of active people on `units` themselves, in tree order. Three queries."""
    wanted = {str(pk) for pk in units.values_list("pk", flat=True)}
    held = UserObjectPermission.objects.filter(object_pk__in=wanted, permission__codename__startswith="role_")
    held = held.filter(content_type__app_label="orgs", user__is_active=True)
    known = Staff.objects.in_bulk(set(held.values_list("user_id", flat=True)))
    return list(_jobs(held, known))


def _jobs(held: QuerySet[UserObjectPermission], known: dict[int, Staff]) -> Iterator[Job]:
    held = held.filter(content_type__app_label="orgs", content_type__model="orgunit")
    rows = list(held.values_list("user_id", "permission__codename", "object_pk"))
    units = OrgUnit.objects.in_bulk([int(unit) for _, _, unit in rows])
    jobs = [Job(known[user], codename.removeprefix("role_"), units[int(unit)]) for user, codename, unit in rows]
    return iter(sorted(jobs, key=lambda job: (job.unit.path, job.role, job.staff.username)))
