"""Signing in, and Django's permission questions answered from roles on units."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from apps.core.scope import Scope
from apps.orgs.reach import permissions_of


class RoleBackend(ModelBackend):
    """Passwords as Django checks them; permissions only through roles held on units.

    Without an object: whether any role anywhere grants the permission. With one: whether a role held on the
    object's unit, or above it, does.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active or user_obj.is_anonymous:
            return False
        if user_obj.is_superuser:
            return True
        if perm not in permissions_of(user_obj):
            return False
        scope: Scope | None = getattr(obj, "scope", None)
        if obj is None or obj.pk is None or scope is None:
            return True
        return bool(type(obj)._default_manager.visible_to(user_obj, perm).filter(pk=obj.pk).exists())

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        if user_obj.is_superuser:
            return bool(user_obj.is_active)
        return user_obj.is_active and any(p.startswith(f"{app_label}.") for p in permissions_of(user_obj))

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if user_obj.is_superuser:
            return super().get_all_permissions(user_obj, obj)
        return set(permissions_of(user_obj))
