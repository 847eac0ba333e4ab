"""The verbs of the tree: units and programmes, people and their roles, API clients.

`actor` is the staff person who asks; None is the studio itself (commands, demo data, tests).
"""

from apps.orgs.services.clients import (
    change_api_client,
    client_for_key,
    create_api_client,
    rotate_key,
    set_client_active,
)
from apps.orgs.services.people import (
    change_staff,
    create_staff,
    grant_role,
    revoke_role,
    set_password,
    set_staff_active,
    sync_roles,
)
from apps.orgs.services.tree import change_program, change_unit, create_program, create_unit

__all__ = [
    "change_api_client",
    "change_program",
    "change_staff",
    "change_unit",
    "client_for_key",
    "create_api_client",
    "create_program",
    "create_staff",
    "create_unit",
    "grant_role",
    "revoke_role",
    "rotate_key",
    "set_client_active",
    "set_password",
    "set_staff_active",
    "sync_roles",
]
