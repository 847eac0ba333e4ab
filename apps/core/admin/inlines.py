"""Rows below an object."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import StackedInline, TabularInline

from apps.core.admin.scoped import Scoped


class _ScopedInline(Scoped):
    """Rows below an object: to read, unless `editable = True`; then whoever may change the object may change them
    with the model permission. Large collections do not belong into an inline."""

    editable = False
    extra = 0
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "view")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open and self.may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open and self.may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open and self.can_delete and self.may(request, "delete")

    @property
    def _is_open(self) -> bool:
        return self.editable and not self.is_append_only


class ScopedTabularInline(_ScopedInline, TabularInline):
    """A table of rows below an object."""


class ScopedStackedInline(_ScopedInline, StackedInline):
    """Forms of rows below an object."""
