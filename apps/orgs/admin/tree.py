"""Units and programmes."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from apps.core.admin import ScopedAdmin, actor_of
from apps.orgs import forms, services
from apps.orgs.models import OrgUnit, Program


@admin.register(OrgUnit)
class OrgUnitAdmin(ScopedAdmin):
    """The tree, indented; units are placed where they belong when they are made, and stay there."""

    list_display = ("tree_name", "code", "kind", "is_active")
    list_filter = ("kind", "is_active")
    search_fields = ("name", "code")
    sortable_by = ()
    ordering = ("path",)
    add_form = forms.NewUnitForm
    form = forms.UnitForm
    history_exclude = ("path", "depth", "numchild")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (
            ("name", "code", "kind", "opened_on", "is_active")
            if obj
            else ("parent", "kind", "name", "code", "opened_on")
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("code", "kind") if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **(kwargs if obj else {"form": self.add_form, **kwargs}))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        data = form.cleaned_data
        if change:
            services.change_unit(
                obj,
                name=data["name"],
                opened_on=data["opened_on"],
                is_active=data["is_active"],
                actor=actor_of(request),
            )
        else:
            obj.pk = services.create_unit(actor=actor_of(request), **data).pk

    @admin.display(description=gettext_lazy("name"))
    def tree_name(self, unit: OrgUnit) -> str:
        return format_html('<span class="studio-tree studio-depth-{}">{}</span>', unit.depth, unit.name)


@admin.register(Program)
class ProgramAdmin(ScopedAdmin):
    list_display = ("name", "code", "unit", "currency", "time_zone", "allows_debt")
    list_select_related = ("unit",)
    list_filter = ("unit",)
    search_fields = ("name", "code")
    ordering = ("name",)
    fields = ("name", "code", "unit", "currency", "time_zone", "allows_debt", "grace_days", "reviews_rules")
    choice_permissions: ClassVar = {"unit": "orgs.add_program"}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("code", "unit", "currency", "time_zone") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = form.cleaned_data
        if change:
            services.change_program(obj, actor=actor_of(request), **values)
        else:
            obj.pk = services.create_program(values.pop("unit"), actor=actor_of(request), **values).pk
