"""Units, programmes, people and API clients on the screen."""

from apps.orgs.admin.calendar import SpecialDayAdmin
from apps.orgs.admin.certifying import CertificationAdmin
from apps.orgs.admin.clients import ApiClientAdmin
from apps.orgs.admin.hours import WorkingTimeAdmin
from apps.orgs.admin.people import RoleAdmin, StaffAdmin
from apps.orgs.admin.tree import OrgUnitAdmin, ProgramAdmin
from apps.orgs.admin.viewing import ViewAsAdmin

__all__ = [
    "ApiClientAdmin",
    "CertificationAdmin",
    "OrgUnitAdmin",
    "ProgramAdmin",
    "RoleAdmin",
    "SpecialDayAdmin",
    "StaffAdmin",
    "ViewAsAdmin",
    "WorkingTimeAdmin",
]
