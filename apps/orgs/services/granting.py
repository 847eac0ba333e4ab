"""Rights of people: the roles they hold on units, and being let in at all.

Giving a right passes the gate. Taking one away never waits for anybody.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Q
from guardian.models import UserObjectPermission
from guardian.shortcuts import assign_perm, remove_perm

from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.errors import NotAllowed
from apps.orgs.duties import changes_money, conflicts, opens_personal_data
from apps.orgs.errors import LastAdministrator, OwnRoles, UnknownRole
from apps.orgs.gate import Approval, Done, Effect, Line, Subject, SubjectGone, pass_gate, register
from apps.orgs.leaving import hand_on
from apps.orgs.models import OrgUnit, Persona, Staff
from apps.orgs.querysets import Job, jobs_of, paths_above, units_worked_on
from apps.orgs.services.actors import require, signed
from apps.orgs.services.people import end_sessions, locked_staff
from apps.orgs.words import ROLES

CHANGE = "orgs.change_staff"
TITLE = Words("{role} at {unit} for {person}", "{person}：{unit} {role}")
TITLE_BACK = Words("Letting {person} in again", "恢复 {person} 的登录")


class RoleChange(Subject):
    """A role on a unit for a person; without a role, letting in again who was shut out, with the roles they hold."""

    code: ClassVar[str] = "orgs.role"
    label: ClassVar[Words] = Words("Role of a person", "人员角色")
    icon: ClassVar[str] = "badge"
    permission: ClassVar[str] = CHANGE
    view: ClassVar[str] = "orgs.view_staff"
    fields: ClassVar = (
        Field(
            "request.role", Type.CHOICE, Words("the role", "角色"), "request.role",
            choices=tuple(ROLES.items()), is_closed=True,
        ),
        Field(
            "request.lets_in", Type.BOOLEAN, Words("lets in again who was shut out", "恢复被停用人员的登录"),
            "request.lets_in",
        ),
        Field(
            "request.changes_money", Type.BOOLEAN, Words("may give or take points, or say what earns them", "可增减积分或决定如何得分"),
            "request.changes_money",
        ),
        Field(
            "request.opens_personal", Type.BOOLEAN, Words("may look at personal data", "可查看个人信息"),
            "request.opens_personal",
        ),
        Field(
            "request.other_roles", Type.TAGS, Words("the person's other roles", "此人的其他角色"), "request.other_roles",
            choices=tuple(ROLES.items()), is_closed=True,
        ),
        Field(
            "request.conflict", Type.BOOLEAN, Words("meets a role that should be apart from it", "与应分离的角色冲突"),
            "request.conflict",
        ),
    )  # fmt: skip
    labels: ClassVar[Mapping[str, Words]] = {
        **{f"role_{code}": words for code, words in ROLES.items()},
        "active": Words("May sign in", "可登录"),
        "apart": Words("Should not meet with it", "不应与之兼任"),
    }

    person: int
    role: str = ""
    unit: int

    def _person(self) -> Staff:
        person: Staff | None = Staff.objects.select_related("unit").filter(pk=self.person).first()
        if person is None:
            raise SubjectGone()
        return person

    def place(self) -> OrgUnit:
        unit: OrgUnit | None = OrgUnit.objects.filter(pk=self.unit).first()
        if unit is None:
            raise SubjectGone()
        return unit

    def about(self) -> str:
        return f"staff:{self.person}"

    def excluded(self) -> frozenset[int]:
        return frozenset({self.person})

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        """Raises what the verb would refuse with: UnknownRole, OwnRoles, NotAllowed, BeyondReach."""
        if self.role:
            _check_role_change(requester, self._person(), self.role, self.place())
        else:
            locked_staff(self._person(), requester, own_allowed=False)

    def _apart(self, jobs: list[Job], unit: OrgUnit) -> list[str]:
        held = [(job.role, job.unit.path) for job in jobs]
        given = [(self.role, unit.path)] if self.role else held
        return sorted({other for role, path in given for other in conflicts(role, path, held)})

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        jobs = jobs_of([self._person()]).get(self.person, [])
        given = {self.role} if self.role else {job.role for job in jobs}
        return {
            "role": self.role or None,
            "lets_in": not self.role,
            "changes_money": any(changes_money(role) for role in given),
            "opens_personal": any(opens_personal_data(role) for role in given),
            "other_roles": tuple(sorted({job.role for job in jobs} - {self.role})),
            "conflict": bool(self._apart(jobs, self.place())),
        }

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        person, unit = self._person(), self.place()
        jobs = jobs_of([person]).get(person.pk, [])
        places: dict[str, list[str]] = defaultdict(list)
        for job in jobs:
            places[job.role].append(job.unit.name)
        lines = []
        for role in dict.fromkeys([*([self.role] if self.role else []), *places]):
            now = places.get(role, [])
            then = [*now, unit.name] if role == self.role and unit.name not in now else now
            lines.append(Line(f"role_{role}", ", ".join(now) or None, ", ".join(then)))
        lines += [Line("apart", f"role_{role}", f"role_{role}", "words") for role in self._apart(jobs, unit)[:1]]
        lines.append(Line("active", person.is_active, person.is_active or not self.role))
        is_own = requester is not None and requester.pk == self.person
        return Effect(tuple(lines), OwnRoles().sentence() if is_own else "")

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        person, unit = self._person(), self.place()
        if self.role:
            grant_role(
                approval.requester, person, self.role, unit, when=when, reason=approval.reason, approval=approval
            )
        else:
            set_staff_active(
                person, True, actor=approval.requester, reason=approval.reason, when=when, approval=approval
            )
        return Done({"role": self.role, "unit": unit.name})

    def title(self) -> Words:
        person, unit = str(self._person()), self.place().name
        if not self.role:
            return TITLE_BACK.format(person=person)
        return TITLE.format(role=ROLES.get(self.role, self.role), unit=unit, person=person)

    def address(self) -> str:
        return address("orgs_staff_change", self.person)


register(RoleChange)


@transaction.atomic
def grant_role(
    actor: Staff | None,
    staff: Staff,
    role: str,
    unit: OrgUnit,
    *,
    when: datetime | None = None,
    reason: str = "",
    approval: Approval | None = None,
) -> None:
    """`staff` works as `role` on `unit` and below it. Granting again changes nothing.

    The studio itself (no `actor`) is not held: whoever runs its commands holds the database. `when` is needed for
    everybody else. Raises UnknownRole, OwnRoles, NotAllowed, ApprovalNeeded.
    """
    _check_role_change(actor, staff, role, unit)
    if any(held.pk == unit.pk for held in units_worked_on(staff, role)):
        return
    if actor is not None:
        _pass(RoleChange(person=staff.pk, role=role, unit=unit.pk), actor, approval, when, reason)
    assign_perm(f"role_{role}", staff, unit)
    signed(staff, actor, _told(f"role granted: {role} @ {unit.code}", reason)).save()


@transaction.atomic
def revoke_role(actor: Staff | None, staff: Staff, role: str, unit: OrgUnit, *, reason: str = "") -> None:
    """`staff` no longer works as `role` on `unit`; from their next request on. With the last role their sessions end.

    Raises UnknownRole, OwnRoles, NotAllowed, LastAdministrator.
    """
    _check_role_change(actor, staff, role, unit)
    if not any(held.pk == unit.pk for held in units_worked_on(staff, role)):
        return
    if role == Persona.ADMINISTRATOR:
        _refuse_last_administrator(staff, unit)
    remove_perm(f"role_{role}", staff, unit)
    if not units_worked_on(staff):
        staff = Staff.objects.select_for_update(no_key=True, of=("self",)).get(pk=staff.pk)
        end_sessions(staff)
    signed(staff, actor, _told(f"role revoked: {role} @ {unit.code}", reason)).save()


@transaction.atomic
def set_staff_active(
    staff: Staff,
    is_active: bool,
    *,
    actor: Staff | None = None,
    reason: str = "",
    when: datetime | None = None,
    approval: Approval | None = None,
) -> Staff:
    """Lets `staff` in or shuts them out; from their next request on. Letting in passes the gate; shutting out hands on
    what waits for them, where `when` is given.

    Raises NotAllowed, BeyondReach, OwnRoles, LastAdministrator, ApprovalNeeded.
    """
    if is_active and actor is not None and not staff.is_active:
        _pass(letting_in(staff), actor, approval, when, reason)
    staff = locked_staff(staff, actor, own_allowed=False)
    if not is_active:
        for unit in units_worked_on(staff, Persona.ADMINISTRATOR):
            _refuse_last_administrator(staff, unit)
    staff.is_active = is_active
    if not is_active:
        end_sessions(staff)
    signed(staff, actor, reason[:100]).save()
    if not is_active and when is not None:
        hand_on(staff, when)
    return staff


def letting_in(staff: Staff) -> RoleChange:
    """What is asked for when `staff` may sign in again; who is of no unit belongs to the whole group."""
    return RoleChange(person=staff.pk, unit=staff.unit_id or OrgUnit.objects.get(depth=1).pk)


def _pass(
    subject: RoleChange, actor: Staff, approval: Approval | None, when: datetime | None, reason: str
) -> None:  # fmt: skip
    if when is None:
        raise ValueError("a person's giving of a right needs its instant")
    pass_gate(subject, actor, approval, when, reason=reason)


def _told(done: str, reason: str) -> str:
    """A reason as the history keeps it: what was done, and why where that was said."""
    return f"{done}: {reason.strip()}"[:100] if reason.strip() else done


def _check_role_change(actor: Staff | None, staff: Staff, role: str, unit: OrgUnit) -> None:
    if role not in Persona.values:
        raise UnknownRole(value=role)
    if actor is None:
        return
    if actor.pk == staff.pk:
        raise OwnRoles()
    require(actor, CHANGE, unit)
    if staff.is_superuser and not actor.is_superuser:
        raise NotAllowed(permission=CHANGE)
    require(actor, CHANGE, staff.unit)


def _refuse_last_administrator(staff: Staff, unit: OrgUnit) -> None:
    """Refuses when `staff` is the only active administrator on `unit` and above it. Locks the tree's root."""
    OrgUnit.objects.select_for_update(no_key=True).get(path=paths_above(unit.path)[0])
    above = OrgUnit.objects.filter(path__in=paths_above(unit.path)).values_list("pk", flat=True)
    others = UserObjectPermission.objects.filter(
        permission__codename=f"role_{Persona.ADMINISTRATOR}", object_pk__in=[str(pk) for pk in above]
    ).exclude(user=staff)
    active = Staff.objects.filter(is_active=True).exclude(pk=staff.pk)
    if not active.filter(Q(is_superuser=True) | Q(pk__in=others.values("user"))).exists():
        raise LastAdministrator(unit=unit.name)
