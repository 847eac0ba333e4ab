"""Who is asked: the people behind a role, a name or “the manager”, and whether somebody may still decide."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from guardian.models import UserObjectPermission

from apps.approvals.definition import ManagerOf, Named, OfRole, Party, Who
from apps.approvals.models import ApprovalTask, Delegation
from apps.orgs.models import OrgUnit, Staff
from apps.orgs.querysets import paths_above

Why = ApprovalTask.Why


@dataclass(frozen=True, slots=True)
class Asked:
    """One person, and as what they are asked."""

    person: Staff
    why: str
    role: str = ""
    unit: OrgUnit | None = None


@dataclass(frozen=True)
class Directory:
    """Everybody who could be asked about something at one unit: two or three queries, however many parties."""

    requester: Staff | None
    levels: tuple[OrgUnit, ...]
    """The unit and those above it, the nearest first."""
    holders: Mapping[tuple[str, int], tuple[Staff, ...]]
    """Active people by role and unit."""
    named: Mapping[str, Staff]
    excluded: frozenset[int] = frozenset()
    """Who may not decide beside the requester."""

    def people(self, party: Party, without: Collection[int] = ()) -> list[Asked]:
        """Whom `party` asks, nobody of `without` and never the requester: of a role, at the nearest unit where it is
        held; where more are needed than are there, also further up."""
        who = party.who
        if not isinstance(who, OfRole):
            return [each for each in self._one(who) if self._may(each, without)]
        asked: dict[int, Asked] = {}
        for level in self.levels:
            for each in self._at(who, level):
                if self._may(each, without):
                    asked.setdefault(each.person.pk, each)  # who holds the role further up as well counts once
            if len(asked) >= party.least:
                break
        return list(asked.values())

    def _may(self, asked: Asked, without: Collection[int]) -> bool:
        return asked.person.pk not in {*without, *self.excluded} and asked.person != self.requester

    def _at(self, who: OfRole, level: OrgUnit) -> list[Asked]:
        return [Asked(person, Why.ROLE, who.role, level) for person in self.holders.get((who.role, level.pk), ())]

    def _one(self, who: Who) -> list[Asked]:
        if isinstance(who, Named):
            person = self.named.get(who.person)
            return [Asked(person, Why.PERSON)] if person is not None else []
        manager = self.requester.manager if self.requester is not None else None
        return [Asked(manager, Why.MANAGER)] if manager is not None and manager.is_active else []


def directory(unit: OrgUnit, requester: Staff | None, whos: Iterable[Who], excluded: Iterable[int] = ()) -> Directory:
    """The people whom `whos` can mean at `unit`."""
    wanted = list(whos)
    roles = {who.role for who in wanted if isinstance(who, OfRole)}
    names = {who.person for who in wanted if isinstance(who, Named)}
    levels = tuple(OrgUnit.objects.filter(path__in=paths_above(unit.path)).order_by("-depth"))
    holders = holders_of(roles, levels) if roles else {}
    named = {}
    if names:
        known = Staff.objects.filter(username__in=names, is_active=True)
        named = {person.username: person for person in known}
    if any(isinstance(who, ManagerOf) for who in wanted) and requester is not None:
        requester = Staff.objects.select_related("manager").get(pk=requester.pk)
    return Directory(requester, levels, holders, named, frozenset(excluded))


def holders_of(roles: Collection[str], units: Iterable[OrgUnit]) -> dict[tuple[str, int], tuple[Staff, ...]]:
    """The active people who hold one of `roles` at one of `units`, by role and unit. Two queries."""
    by_unit: dict[tuple[str, int], list[int]] = defaultdict(list)
    for role, held_on, person in _held(roles, units):
        by_unit[role, held_on].append(person)
    ids = {person for people in by_unit.values() for person in people}
    known = {person.pk: person for person in Staff.objects.filter(pk__in=ids, is_active=True)} if ids else {}
    return {
        where: tuple(sorted((known[pk] for pk in held if pk in known), key=lambda person: person.username))
        for where, held in by_unit.items()
    }


def _held(roles: Collection[str], levels: Iterable[OrgUnit]) -> list[tuple[str, int, int]]:
    held = UserObjectPermission.objects.filter(
        content_type__app_label="orgs", content_type__model="orgunit", object_pk__in=[str(unit.pk) for unit in levels],
        permission__codename__in=[f"role_{role}" for role in roles],
    )  # fmt: skip
    rows = held.values_list("permission__codename", "object_pk", "user_id").order_by("pk")
    return [(codename.removeprefix("role_"), int(unit), user) for codename, unit, user in rows]


def still_asked(tasks: Iterable[ApprovalTask], unit: OrgUnit) -> list[ApprovalTask]:
    """Those of `tasks` whose people are active and still hold the role that they were asked as. Two queries."""
    tasks = [task for task in tasks if not task.is_off]
    active = set(
        Staff.objects.filter(pk__in={task.person_id for task in tasks}, is_active=True).values_list("pk", flat=True)
    )
    roles = {task.role for task in tasks if task.role}
    levels = OrgUnit.objects.filter(path__in=paths_above(unit.path)) if roles else []
    held = {(role, person) for role, _, person in _held(roles, levels)} if roles else set()
    return [
        task
        for task in tasks
        if task.person_id in active and (not task.role or (task.role, task.person_id) in held)
    ]  # fmt: skip


def where_held(tasks: Iterable[ApprovalTask], unit: OrgUnit) -> dict[tuple[str, int], OrgUnit]:
    """Where those of `tasks` who are asked by role hold it now, by role and person: the nearest to `unit`. Two queries."""
    roles = {task.role for task in tasks if task.role}
    if not roles:
        return {}
    levels = {level.pk: level for level in OrgUnit.objects.filter(path__in=paths_above(unit.path))}
    held = sorted(_held(roles, levels.values()), key=lambda row: levels[row[1]].depth)
    return {(role, person): levels[level] for role, level, person in held}


def stood_in_for(person: Staff, kind: str, when: datetime) -> list[int]:
    """The ids of those for whom `person` decides on requests of `kind` at `when`."""
    rows = in_force(when).filter(delegate=person, person__is_active=True)
    return [pk for pk, kinds in rows.values_list("person_id", "kinds") if not kinds or kind in kinds]


def in_force(when: datetime) -> "QuerySet[Delegation]":
    """The delegations of that instant."""
    return Delegation.objects.filter(starts_at__lte=when, ends_at__gt=when, ended_at=None)
