"""What a principal reaches: the units where one of their roles grants a permission.

Asked of the database once per principal object, which lives as long as a request: a right taken away is gone at
the next one.
"""

from collections import defaultdict
from typing import Any

from django.db import connection

from apps.core.scope import Reach, set_reach_provider
from apps.orgs.models import ApiClient

CLIENT_PERMISSIONS = {
    ApiClient.AccessScope.EVENTS_WRITE: {
        "activity.add_event", "activity.view_event", "orgs.view_orgunit", "orgs.view_program",
    },
    ApiClient.AccessScope.MEMBERS_READ: {"members.view_member", "members.view_identifier"},
    ApiClient.AccessScope.MEMBERS_WRITE: {"members.add_member", "members.change_member", "members.view_member"},
    ApiClient.AccessScope.MEMBERS_PERSONAL: {"members.reveal_member"},
    ApiClient.AccessScope.POINTS_READ: {"points.view_account", "points.view_entry", "points.view_lot"},
    ApiClient.AccessScope.POINTS_REDEEM: {"points.redeem_points", "points.view_hold"},
}  # fmt: skip

_GRANTS = """
SELECT DISTINCT content.app_label || '.' || permission.codename, unit.path
FROM guardian_userobjectpermission held
JOIN auth_permission held_permission ON held_permission.id = held.permission_id
JOIN orgs_orgunit unit ON unit.id = held.object_pk::bigint
JOIN orgs_role role ON held_permission.codename = 'role_' || role.code
JOIN auth_group_permissions granted ON granted.group_id = role.group_id
JOIN auth_permission permission ON permission.id = granted.permission_id
JOIN django_content_type content ON content.id = permission.content_type_id
JOIN django_content_type held_type ON held_type.id = held.content_type_id
WHERE held.user_id = %s AND held_type.app_label = 'orgs' AND held_type.model = 'orgunit'
"""


def permissions_of(principal: Any) -> dict[str, tuple[str, ...]]:
    """Every permission `principal` holds through roles or scopes, with the paths of the units where."""
    cached: dict[str, tuple[str, ...]] | None = getattr(principal, "_permissions_by_unit", None)
    if cached is not None:
        return cached
    found: dict[str, set[str]] = defaultdict(set)
    if isinstance(principal, ApiClient):
        for scope in principal.scopes:
            for permission in CLIENT_PERMISSIONS.get(scope, ()):
                found[permission].add(principal.unit.path)
    else:
        with connection.cursor() as cursor:
            cursor.execute(_GRANTS, [principal.pk])
            for permission, path in cursor.fetchall():
                found[permission].add(path)
    held = {permission: _roots(paths) for permission, paths in found.items()}
    principal._permissions_by_unit = held
    return held


def _roots(paths: set[str]) -> tuple[str, ...]:
    """The highest of `paths`: what lies below another one adds nothing."""
    kept: list[str] = []
    for path in sorted(paths):
        if not kept or not path.startswith(kept[-1]):
            kept.append(path)
    return tuple(kept)


def reach_for(principal: Any, permission: str) -> Reach:
    """The subtrees where `principal` holds `permission`."""
    if not getattr(principal, "is_authenticated", False) or not principal.is_active:
        return Reach()
    if principal.is_superuser:
        return Reach(everything=True)
    return Reach(paths=permissions_of(principal).get(permission, ()))


set_reach_provider(reach_for)
