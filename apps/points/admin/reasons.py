"""Reason codes: what points are adjusted for by hand."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from apps.core.admin import ScopedAdmin, actor_of
from apps.points.models import ReasonCode
from apps.points.services.reasons import CHANGEABLE, change_reason, create_reason

FIXED = ("program", "code")


@admin.register(ReasonCode)
class ReasonCodeAdmin(ScopedAdmin):
    """A code is never deleted, for postings and requests name it: it is switched off."""

    list_display = ("name", "code", "program", "direction", "needs_evidence", "is_active")
    list_select_related = ("program",)
    list_filter = ("is_active", "direction", "program")
    search_fields = ("name", "code")
    ordering = ("program", "name")
    fields = ("program", "code", "name", "direction", "needs_evidence", "is_active")
    choice_permissions: ClassVar = {"program": "points.add_reasoncode"}
    empty_template = "points/reasons_empty.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return FIXED if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in CHANGEABLE if name in form.cleaned_data}
        if change:
            change_reason(obj, actor=actor_of(request), **values)
        else:
            first = {name: form.cleaned_data[name] for name in FIXED}
            obj.pk = create_reason(first.pop("program"), actor=actor_of(request), **first, **values).pk
