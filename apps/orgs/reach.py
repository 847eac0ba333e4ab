"""What a principal reaches: the units where one of their roles grants a permission.

Asked of the database once per principal object, which lives as long as a request: a right taken away is gone at
the next one.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from apps.core.scope import Reach, set_reach_provider
from apps.orgs.models import ApiClient

CLIENT_PERMISSIONS = {
    ApiClient.AccessScope.EVENTS_WRITE: {
        "activity.add_event", "activity.view_event", "orgs.view_orgunit", "orgs.view_program",
    },
    ApiClient.AccessScope.MEMBERS_READ: {"members.view_member", "members.view_identifier", "members.view_consent"},
    ApiClient.AccessScope.MEMBERS_WRITE: {
        "members.add_member", "members.change_member", "members.view_member", "members.add_consent", "members.view_consent",
    },
    ApiClient.AccessScope.MEMBERS_PERSONAL: {"members.reveal_member"},
    ApiClient.AccessScope.POINTS_READ: {"points.view_account", "points.view_entry", "points.view_lot"},
    ApiClient.AccessScope.POINTS_REDEEM: {"points.redeem_points", "points.view_hold"},
}  # fmt: skip

MOST_UNITS = 300
"""A reach of more units is told by its paths alone."""

# The text operators use the index on paths that ignores the database's collation.
_GRANTS = """
SELECT role.code, unit.path,
       ARRAY(SELECT content.app_label || '.' || permission.codename
             FROM auth_group_permissions granted
             JOIN auth_permission permission ON permission.id = granted.permission_id
             JOIN django_content_type content ON content.id = permission.content_type_id
             WHERE granted.group_id = role.group_id),
       ARRAY(SELECT below.id FROM orgs_orgunit below
             WHERE below.path ~>=~ unit.path AND below.path ~<~ (unit.path || '~') LIMIT %s)
FROM guardian_userobjectpermission held
JOIN auth_permission held_permission ON held_permission.id = held.permission_id
JOIN django_content_type held_type ON held_type.id = held.content_type_id
JOIN orgs_role role ON held_permission.codename = 'role_' || role.code
JOIN orgs_orgunit unit ON unit.id = held.object_pk::bigint
WHERE held.user_id = %s AND held_type.app_label = 'orgs' AND held_type.model = 'orgunit'
"""


@dataclass(frozen=True)
class Grants:
    """What a principal holds: jobs, and how far each permission reaches."""

    jobs: frozenset[str]
    reaches: Mapping[str, Reach]


def grants_of(principal: Any) -> Grants:
    """Every job and permission that `principal` holds through roles or scopes."""
    known: Grants | None = getattr(principal, "_grants", None)
    if known is None:
        known = _granted_to_client(principal) if isinstance(principal, ApiClient) else _granted_to_staff(principal)
        principal._grants = known
    return known


def _granted_to_client(client: ApiClient) -> Grants:
    reach = Reach(paths=(client.unit.path,))
    permissions = {name for scope in client.scopes for name in CLIENT_PERMISSIONS.get(scope, ())}
    return Grants(frozenset(), dict.fromkeys(permissions, reach))


def _granted_to_staff(person: Any) -> Grants:
    with connection.cursor() as cursor:
        cursor.execute(_GRANTS, [MOST_UNITS + 1, person.pk])
        held = cursor.fetchall()
    paths: dict[str, set[str]] = defaultdict(set)
    units: dict[str, set[int]] = defaultdict(set)
    for _, path, permissions, below in held:
        for permission in permissions:
            paths[permission].add(path)
            units[permission].update(below)
    reaches = {
        permission: Reach(paths=_roots(paths[permission]), units=_few(units[permission])) for permission in paths
    }
    return Grants(frozenset(job for job, *_ in held), reaches)


def _few(units: set[int]) -> frozenset[int] | None:
    return frozenset(units) if len(units) <= MOST_UNITS else None


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
    return grants_of(principal).reaches.get(permission, Reach())


set_reach_provider(reach_for)
