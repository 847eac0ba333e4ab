"""Units, programmes, people and API clients on the screen."""

from apps.orgs.admin.calendar import SpecialDayAdmin
from apps.orgs.admin.clients import ApiClientAdmin
from apps.orgs.admin.hours import WorkingTimeAdmin
from apps.orgs.admin.people import RoleAdmin, StaffAdmin
from apps.orgs.admin.tree import OrgUnitAdmin, ProgramAdmin

__all__ = [
    "ApiClientAdmin",
    "OrgUnitAdmin",
    "ProgramAdmin",
    "RoleAdmin",
    "SpecialDayAdmin",
    "StaffAdmin",
    "WorkingTimeAdmin",
]
