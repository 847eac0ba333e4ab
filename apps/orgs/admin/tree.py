"""Units and programmes."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.admin import ScopedAdmin, actor_of
from apps.core.admin.exporting import table_file
from apps.core.clock import now
from apps.orgs import access, forms, services
from apps.orgs.admin.asking import AskingForms
from apps.orgs.calendar_words import days_in_words
from apps.orgs.models import OrgUnit, Program
from apps.orgs.program_page import parts_for
from apps.orgs.querysets import zone_of


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

    change_form_outer_after_template = "orgs/orgunit_panel.html"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        context["may_review"] = obj is not None and request.user.has_perm("orgs.change_staff", obj)
        context["may_see_access"] = obj is not None and request.user.has_perm("orgs.view_staff", obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_urls(self) -> list[Any]:
        return [
            self.route("<path:object_id>/access/", self.access_view, "access"),
            self.route("<path:object_id>/review-roles/", self.review_view, "review_roles"),
            *super().get_urls(),
        ]

    def review_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Begins a review of the roles that are held here, beside the quarterly ones."""
        unit = self.object_or_404(request, object_id, "orgs.change_staff")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponseBase:
            review = services.open_certification(actor_of(request), unit, when=now())
            return HttpResponseRedirect(reverse("admin:orgs_certification_change", args=[review.pk]))

        answer: HttpResponseBase = self.refusals_shown(request, run)
        return answer

    def access_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Who may do what at the unit, through which role held where."""
        unit = self.object_or_404(request, object_id, "orgs.view_staff")
        if request.method == "POST":
            return HttpResponseNotAllowed(["GET"])
        held = access.access_at(unit)
        if "format" in request.GET:
            return table_file(request, f"access-{unit.code}", access.header(), access.rows(held))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Who may do what at %(name)s") % {"name": unit},
            "held": held, "of_unit": True, "zone": zone_of(actor_of(request)).key, "opts": self.opts, "original": unit,
        }  # fmt: skip
        return TemplateResponse(request, "orgs/access.html", context)

    @admin.display(description=gettext_lazy("name"))
    def tree_name(self, unit: OrgUnit) -> str:
        return format_html('<span class="studio-tree studio-depth-{}">{}</span>', unit.depth, unit.name)


@admin.register(Program)
class ProgramAdmin(AskingForms):
    form = forms.ProgramForm
    list_display = ("name", "code", "unit", "currency", "time_zone", "allows_debt")
    list_select_related = ("unit",)
    list_filter = ("unit",)
    search_fields = ("name", "code")
    ordering = ("name",)
    fields = ("name", "code", "unit", "currency", "time_zone", "allows_debt", "grace_days", "reviews_rules")
    choice_permissions: ClassVar = {"unit": "orgs.add_program"}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        if obj is not None and self.has_change_permission(request, obj):
            fields = (*fields, "reason")
        return (*fields, "calendar") if obj and request.user.has_perm("orgs.view_specialday") else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("code", "unit", "currency", "time_zone", "calendar") if obj else ()

    change_form_after_template = "orgs/program_parts.html"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        if obj is not None:
            context["program_parts"] = parts_for(actor_of(request), obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    @admin.display(description=gettext_lazy("special days"))
    def calendar(self, program: Program) -> str:
        days = program.special_days.order_by("name")
        rows = format_html_join("", "<li>{}: {}</li>", ((day.name, days_in_words(day.days)) for day in days))
        link = f"{reverse('admin:orgs_specialday_changelist')}?{urlencode({'program__id__exact': program.pk})}"
        return format_html('<ul>{}</ul><a class="studio-link" href="{}">{}</a>', rows, link, _("Special days"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values, actor = form.cleaned_data, actor_of(request)
        reason = values.pop("reason", "")
        if change:
            program, when = Program.objects.get(pk=obj.pk), now()
            self.changed_or_asked(
                request, services.terms_of(program, **values), reason,
                lambda: services.change_program(program, actor=actor, reason=reason[:100], when=when, **values),
                lambda: services.change_program(program, actor=actor, name=values.get("name", program.name)),
            )  # fmt: skip
        else:
            obj.pk = services.create_program(values.pop("unit"), actor=actor_of(request), **values).pk
