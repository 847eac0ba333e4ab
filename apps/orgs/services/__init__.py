"""The verbs of the tree: units and programmes, people and their roles, signing in, API clients.

`actor` is the staff person who asks; None is the studio itself (commands, demo data, tests).
"""

from apps.orgs.services.answers import answer_once
from apps.orgs.services.calendar import SpecialDayDays, change_special_day, create_special_day, days_wanted
from apps.orgs.services.certifying import decide_line, open_certification, open_certifications
from apps.orgs.services.clients import (
    ClientAccess,
    access_of,
    change_api_client,
    client_for_key,
    create_api_client,
    rotate_key,
    set_client_active,
)
from apps.orgs.services.granting import RoleChange, grant_role, letting_in, revoke_role, set_staff_active
from apps.orgs.services.hours import change_working_time, create_working_time
from apps.orgs.services.people import change_staff, create_staff, set_password, sign_out_everywhere, sync_roles
from apps.orgs.services.signing_in import (
    begin_second_step,
    change_own_password,
    confirm_second_step,
    has_second_step,
    pass_second_step,
    reset_second_step,
    staff_for_password,
    turn_off_second_step,
    unconfirmed_device,
)
from apps.orgs.services.tree import ProgramTerms, change_program, change_unit, create_program, create_unit, terms_of
from apps.orgs.services.tries import Visitor
from apps.orgs.services.viewing import begin_view, end_view, person_seen

__all__ = [
    "ClientAccess",
    "ProgramTerms",
    "RoleChange",
    "SpecialDayDays",
    "Visitor",
    "access_of",
    "answer_once",
    "begin_second_step",
    "begin_view",
    "change_api_client",
    "change_own_password",
    "change_program",
    "change_special_day",
    "change_staff",
    "change_unit",
    "change_working_time",
    "client_for_key",
    "confirm_second_step",
    "create_api_client",
    "create_program",
    "create_special_day",
    "create_staff",
    "create_unit",
    "create_working_time",
    "days_wanted",
    "decide_line",
    "end_view",
    "grant_role",
    "has_second_step",
    "letting_in",
    "open_certification",
    "open_certifications",
    "pass_second_step",
    "person_seen",
    "reset_second_step",
    "revoke_role",
    "rotate_key",
    "set_client_active",
    "set_password",
    "set_staff_active",
    "sign_out_everywhere",
    "staff_for_password",
    "sync_roles",
    "terms_of",
    "turn_off_second_step",
    "unconfirmed_device",
]
