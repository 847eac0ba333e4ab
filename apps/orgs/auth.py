"""Signing in, and Django's permission questions answered from roles on units."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from apps.core.scope import Scope, is_reading, reach_of
from apps.orgs.models import Staff
from apps.orgs.reach import grants_of


class RoleBackend(ModelBackend):
    """Passwords as Django checks them; permissions only through roles held on units.

    Without an object: whether any role anywhere grants the permission. With one: whether a role held on the
    object's unit, or above it, does.
    """

    def get_user(self, user_id: int) -> Staff | None:
        """The person with the unit they belong to, which every page shows."""
        person = Staff.objects.select_related("unit").filter(pk=user_id).first()
        return person if person is not None and self.user_can_authenticate(person) else None

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active or user_obj.is_anonymous:
            return False
        if user_obj.is_superuser:
            return True
        if perm not in grants_of(user_obj).reaches:
            return False
        scope: Scope | None = getattr(obj, "scope", None)
        if obj is None or obj.pk is None or scope is None:
            return True
        return scope.admits(obj, reach_of(user_obj, perm), user_obj, from_below=is_reading(perm))

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        if user_obj.is_superuser:
            return bool(user_obj.is_active)
        return user_obj.is_active and any(p.startswith(f"{app_label}.") for p in grants_of(user_obj).reaches)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if user_obj.is_superuser:
            return super().get_all_permissions(user_obj, obj)
        return set(grants_of(user_obj).reaches)
