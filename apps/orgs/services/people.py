"""People who sign in. Their rights are another matter: `granting`."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.db import connections, transaction
from django.db.models import Value
from django.db.models.functions import Concat, Now

from apps.core.scope import reach_of
from apps.orgs.errors import BeyondReach, CodeTaken, ManagerOfSelf, OwnManager, OwnRoles
from apps.orgs.models import OrgUnit, Role, Staff
from apps.orgs.querysets import units_worked_on
from apps.orgs.roles import PERMISSIONS
from apps.orgs.services.actors import require, signed

PARTICULARS = ("first_name", "last_name", "email", "language", "mails")


@transaction.atomic
def create_staff(
    username: str,
    *,
    unit: OrgUnit,
    password: str | None = None,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    language: str = "",
    manager: Staff | None = None,
    actor: Staff | None = None,
) -> Staff:
    """A person of `unit` who may sign in and holds no role yet; without a password, only once one is set.

    Raises CodeTaken, NotAllowed.
    """
    require(actor, "orgs.add_staff", unit)
    if Staff.objects.filter(username=username).exists():
        raise CodeTaken(value=username)
    staff = Staff(
        username=username, unit=unit, first_name=first_name, last_name=last_name, email=email, language=language,
        manager=manager, is_staff=True, password=make_password(password),
    )  # fmt: skip
    signed(staff, actor).save()
    return staff


@transaction.atomic
def change_staff(
    staff: Staff, *, unit: OrgUnit | None = None, actor: Staff | None = None, reason: str = "", **values: Any
) -> Staff:
    """`staff` with new particulars (`PARTICULARS`), another `manager` or none, or at another home unit.

    Raises NotAllowed, BeyondReach, OwnRoles (one's own home unit), ManagerOfSelf, OwnManager.
    """
    staff = locked_staff(staff, actor, own_allowed=True)
    if unit is not None and unit.pk != staff.unit_id:
        if actor is not None and actor.pk == staff.pk:
            raise OwnRoles()
        require(actor, "orgs.change_staff", unit)
        staff.unit = unit
    if "manager" in values and values["manager"] != staff.manager:
        if values["manager"] == staff:
            raise ManagerOfSelf()
        if actor == staff:
            raise OwnManager()
        staff.manager = values["manager"]
    for name in PARTICULARS:
        if name in values:
            setattr(staff, name, values[name])
    signed(staff, actor, reason).save()
    return staff


@transaction.atomic
def set_password(staff: Staff, password: str, *, actor: Staff | None = None) -> None:
    """Replaces the password, which ends the person's sessions. Raises NotAllowed, BeyondReach."""
    staff = locked_staff(staff, actor, own_allowed=True)
    staff.set_password(password)
    signed(staff, actor, "password set").save()


@transaction.atomic
def sign_out_everywhere(staff: Staff, *, actor: Staff | None = None) -> None:
    """Ends every session of the person, and what personal data is open to them, at their next request: on a lost phone, a
    forgotten computer. Raises NotAllowed, BeyondReach."""
    staff = locked_staff(staff, actor, own_allowed=True)
    end_sessions(staff)
    signed(staff, actor, "signed out everywhere").save()


def end_sessions(staff: Staff) -> None:
    """Of a person under a lock. Saved with a statement of its own: when it was is the database's to say."""
    Staff.objects.filter(pk=staff.pk).update(signed_out_at=Now())
    staff.refresh_from_db(fields=["signed_out_at"])


def sync_roles(using: str = "default") -> None:
    """Makes each persona's role and group hold exactly the permissions of `apps.orgs.roles`."""
    if Role._meta.db_table not in connections[using].introspection.table_names():
        return
    held = Group.permissions.through.objects.using(using)
    for persona, names in PERMISSIONS.items():
        group, _ = Group.objects.using(using).get_or_create(name=persona.value)
        Role.objects.using(using).get_or_create(code=persona.value, defaults={"group": group})
        wanted = _permission_ids(names, using)
        held.filter(group_id=group.pk).exclude(permission_id__in=wanted).delete()
        rows = [held.model(group_id=group.pk, permission_id=permission) for permission in wanted]
        held.bulk_create(rows, ignore_conflicts=True)


def _permission_ids(names: Iterable[str], using: str) -> list[int]:
    named = Concat("content_type__app_label", Value("."), "codename")
    permissions = Permission.objects.using(using).annotate(full_name=named).filter(full_name__in=names)
    return list(permissions.values_list("pk", flat=True))


def locked_staff(staff: Staff, actor: Staff | None, *, own_allowed: bool) -> Staff:
    """`staff` read again under a lock, when `actor` may change them.

    Whoever can set a person's password can act as them, so the actor must reach every unit the person works on.
    """
    staff = Staff.objects.select_for_update(no_key=True, of=("self",)).select_related("unit").get(pk=staff.pk)
    if actor is None:
        return staff
    if actor.pk == staff.pk:
        if not own_allowed:
            raise OwnRoles()
        return staff
    require(actor, "orgs.change_staff", staff.unit)
    reach = reach_of(actor, "orgs.change_staff")
    if staff.is_superuser and not actor.is_superuser:
        raise BeyondReach()
    if not all(reach.covers(unit.path) for unit in units_worked_on(staff)):
        raise BeyondReach()
    return staff
