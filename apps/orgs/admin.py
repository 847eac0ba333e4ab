"""Units, programmes, people and API clients on the screen."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminPasswordChangeForm

from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import now
from apps.orgs import forms, services
from apps.orgs.models import ApiClient, OrgUnit, Persona, Program, Role, Staff
from apps.orgs.querysets import Job, jobs_of, jobs_within
from apps.orgs.words import job_sentence, reason_in_words


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
    fields = ("name", "code", "unit", "currency", "time_zone", "allows_debt", "grace_days")
    choice_permissions: ClassVar = {"unit": "orgs.add_program"}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("code", "unit", "currency", "time_zone") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = form.cleaned_data
        if change:
            services.change_program(obj, actor=actor_of(request), **values)
        else:
            obj.pk = services.create_program(values.pop("unit"), actor=actor_of(request), **values).pk


@admin.register(Staff)
class StaffAdmin(ScopedAdmin):
    """People and their jobs. Roles, passwords and being let in are changed below the form, each by its service."""

    list_display = ("username", "full_name", "unit", "works_as", "is_active")
    list_select_related = ("unit",)
    list_filter = ("is_active", "unit")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    fields = ("username", "first_name", "last_name", "email", "unit", "language")
    form = forms.StaffForm
    choice_permissions: ClassVar = {"unit": "orgs.add_staff"}
    change_form_outer_after_template = "orgs/staff_panel.html"
    history_exclude = ("is_superuser", "is_staff", "date_joined")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("username",) if obj else ()

    def prepare_rows(self, rows: list[Any]) -> None:
        jobs = jobs_of(rows)
        for person in rows:
            person.jobs = jobs.get(person.pk, [])

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = form.cleaned_data
        unit = values.pop("unit")
        if change:
            services.change_staff(obj, unit=unit, actor=actor_of(request), **values)
        else:
            obj.pk = services.create_staff(values.pop("username"), unit=unit, actor=actor_of(request), **values).pk

    def history_reason(self, reason: str) -> str:
        return reason_in_words(reason)

    @admin.display(description=gettext_lazy("full name"))
    def full_name(self, person: Staff) -> str:
        return person.get_full_name()

    @admin.display(description=gettext_lazy("works as"))
    def works_as(self, person: Any) -> str:
        return "; ".join(job_sentence(job.role, job.unit) for job in person.jobs)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        if obj is not None:
            context["jobs"] = [_shown(job) for job in jobs_of([obj]).get(obj.pk, [])]
            context["may_change_roles"] = self.has_change_permission(request, obj) and obj.pk != request.user.pk
            context["may_set_password"] = self.has_change_permission(request, obj)
            context["grant_form"] = forms.GrantForm(actor=actor_of(request))
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_urls(self) -> list[Any]:
        return [
            _route(self, "<path:object_id>/grant/", self.grant_view, "grant"),
            _route(self, "<path:object_id>/revoke/", self.revoke_view, "revoke"),
            _route(self, "<path:object_id>/active/", self.active_view, "active"),
            _route(self, "<path:object_id>/password/", self.password_view, "password"),
            *super().get_urls(),
        ]

    def grant_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._with_job(request, object_id, services.grant_role)

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._with_job(request, object_id, services.revoke_role)

    def _with_job(self, request: HttpRequest, object_id: str, verb: Any) -> HttpResponse:
        staff = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = forms.GrantForm(request.POST, actor=actor_of(request))
        if not form.is_valid():
            raise Http404
        return self._done(
            request, staff, lambda: verb(actor_of(request), staff, form.cleaned_data["role"], form.cleaned_data["unit"])
        )

    def active_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        staff = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        wanted = request.POST.get("is_active") == "1"
        return self._done(request, staff, lambda: services.set_staff_active(staff, wanted, actor=actor_of(request)))

    def password_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        staff = self.object_or_404(request, object_id, "change")
        form = AdminPasswordChangeForm(staff, request.POST or None)
        form.fields.pop("usable_password", None)
        if request.method == "POST" and form.is_valid():
            password = form.cleaned_data["password1"]

            def change() -> None:
                services.set_password(staff, password, actor=actor_of(request))
                if staff.pk == request.user.pk:
                    update_session_auth_hash(request, Staff.objects.get(pk=staff.pk))

            return self._done(request, staff, change)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Set the password of %(name)s") % {"name": staff},
            "form": form, "opts": self.opts, "original": staff,
        }  # fmt: skip
        return TemplateResponse(request, "orgs/password.html", context)

    def _done(self, request: HttpRequest, staff: Staff, verb: Any) -> HttpResponse:
        def run() -> HttpResponse:
            verb()
            self.message_user(request, _("Saved. It is in force from the next page on."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:orgs_staff_change", args=[staff.pk]))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer


@admin.register(Role)
class RoleAdmin(ScopedAdmin):
    """Jobs: what each may do, and who holds it where."""

    read_only = True
    list_display = ("job", "does")
    list_display_links = ("job",)
    sortable_by = ()
    ordering = ("pk",)
    fields = ("job", "does")
    readonly_fields = ("job", "does")
    change_form_outer_after_template = "orgs/role_panel.html"

    @admin.display(description=gettext_lazy("job"))
    def job(self, role: Role) -> str:
        return str(Persona(role.code).label)

    @admin.display(description=gettext_lazy("does"))
    def does(self, role: Role) -> str:
        return str(forms.DOES[Persona(role.code)])

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        context["holders"] = jobs_within(obj.code, actor_of(request)) if self.may(request, "orgs.view_staff") else None
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)


@admin.register(ApiClient)
class ApiClientAdmin(ScopedAdmin):
    """Systems that call the API. A key is shown once, in the answer that makes it."""

    list_display = ("name", "code", "unit", "scopes_in_words", "key_hint", "is_active")
    list_select_related = ("unit",)
    list_filter = ("is_active", "unit")
    search_fields = ("name", "code")
    ordering = ("name",)
    fields = ("name", "code", "unit", "scopes")
    form = forms.ApiClientForm
    choice_permissions: ClassVar = {"unit": "orgs.add_apiclient"}
    change_form_outer_after_template = "orgs/apiclient_panel.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("code", "unit", "key_hint", "created_at") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.fields, "key_hint", "created_at") if obj else self.fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = form.cleaned_data
        if change:
            services.change_api_client(obj, name=values["name"], scopes=values["scopes"], actor=actor_of(request))
        else:
            client, form.key = services.create_api_client(
                values.pop("unit"), when=now(), actor=actor_of(request), **values
            )
            obj.pk, request.new_key = client.pk, form.key  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._key_page(request, obj, request.new_key)  # type: ignore[attr-defined]

    def history_reason(self, reason: str) -> str:
        return reason_in_words(reason)

    @admin.display(description=gettext_lazy("may"))
    def scopes_in_words(self, client: ApiClient) -> str:
        return "; ".join(str(ApiClient.AccessScope(scope).label) for scope in client.scopes)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        context["may_change"] = obj is not None and self.has_change_permission(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_urls(self) -> list[Any]:
        return [
            _route(self, "<path:object_id>/rotate/", self.rotate_view, "rotate"),
            _route(self, "<path:object_id>/active/", self.active_view, "active"),
            *super().get_urls(),
        ]

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        answer: HttpResponse = self.refusals_shown(
            request, lambda: self._key_page(request, client, services.rotate_key(client, actor=actor_of(request)))
        )
        return answer

    def active_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        wanted = request.POST.get("is_active") == "1"

        def run() -> HttpResponse:
            services.set_client_active(client, wanted, actor=actor_of(request))
            self.message_user(request, _("Saved. It is in force from the next call on."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:orgs_apiclient_change", args=[client.pk]))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def _key_page(self, request: HttpRequest, client: ApiClient, key: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("The key of %(name)s") % {"name": client},
            "key": key, "opts": self.opts, "original": client,
        }  # fmt: skip
        return TemplateResponse(request, "orgs/key.html", context, headers={"Cache-Control": "no-store"})


def _route(model_admin: ScopedAdmin, route: str, view: Any, name: str) -> Any:
    wrapped = model_admin.admin_site.admin_view(view)
    return path(route, wrapped, name=f"{model_admin.opts.app_label}_{model_admin.opts.model_name}_{name}")


def _shown(job: Job) -> dict[str, Any]:
    return {"sentence": job_sentence(job.role, job.unit), "role": job.role, "unit": job.unit.pk}
