"""Reads of the tree that have a name."""

from guardian.models import UserObjectPermission

from apps.core.scope import STEP
from apps.orgs.models import OrgUnit, Program, Staff


def paths_above(path: str) -> list[str]:
    """The paths of the unit at `path` and of everything above it, the root first."""
    return [path[:end] for end in range(STEP, len(path) + 1, STEP)]


def program_of(unit: OrgUnit) -> Program | None:
    """The programme of the nearest unit at or above `unit` that has one. One query."""
    programs = Program.objects.filter(unit__path__in=paths_above(unit.path)).select_related("unit")
    return programs.order_by("-unit__depth").first()


def units_worked_on(staff: Staff, role: str | None = None) -> list[OrgUnit]:
    """The units where `staff` holds `role`, or any role; in tree order."""
    held = UserObjectPermission.objects.filter(user=staff, content_type__app_label="orgs")
    held = held.filter(permission__codename=f"role_{role}") if role else held
    return list(OrgUnit.objects.filter(pk__in=[int(pk) for pk in held.values_list("object_pk", flat=True)]))
