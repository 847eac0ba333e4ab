"""People, their jobs, and what the jobs are."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminPasswordChangeForm

from apps.core.admin import ScopedAdmin, actor_of
from apps.core.admin.exporting import table_file
from apps.core.clock import now
from apps.orgs import access, forms, services
from apps.orgs.admin.asking import AskingAdmin
from apps.orgs.admin.viewing import SEEN_AS
from apps.orgs.desk import waiting_about
from apps.orgs.gate import Subject
from apps.orgs.leaving import hangs_on
from apps.orgs.models import OrgUnit, Persona, Role, Staff
from apps.orgs.querysets import Job, jobs_of, jobs_within, zone_of
from apps.orgs.words import job_sentence, reason_in_words


@admin.register(Staff)
class StaffAdmin(AskingAdmin):
    """People and their jobs. Roles, passwords and being let in are changed below the form, each by its service."""

    list_display = ("username", "full_name", "unit", "works_as", "is_active")
    list_select_related = ("unit",)
    list_filter = ("is_active", "unit")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    fields = ("username", "first_name", "last_name", "email", "unit", "manager", "language")
    form = forms.StaffForm
    choice_permissions: ClassVar = {"unit": "orgs.add_staff"}
    change_form_outer_after_template = "orgs/staff_panel.html"
    history_exclude = ("is_superuser", "is_staff", "date_joined")

    class Media:
        css: ClassVar = {"all": ["orgs/orgs.css"]}

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
            about = services.RoleChange(person=obj.pk, unit=0).about()
            context["waiting"] = waiting_about(actor_of(request), services.RoleChange.code, about)
            context["jobs"] = [_shown(job) for job in jobs_of([obj]).get(obj.pk, [])]
            context["may_change_roles"] = self.has_change_permission(request, obj) and obj.pk != request.user.pk
            context["may_set_password"] = self.has_change_permission(request, obj)
            context["has_second_step"] = services.has_second_step(obj)
            context["grant_form"] = forms.GrantForm(actor=actor_of(request))
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_urls(self) -> list[Any]:
        return [
            self.route("<path:object_id>/grant/", self.grant_view, "grant"),
            self.route("<path:object_id>/revoke/", self.revoke_view, "revoke"),
            self.route("<path:object_id>/active/", self.active_view, "active"),
            self.route("<path:object_id>/leave/", self.leave_view, "leave"),
            self.route("<path:object_id>/view-as/", self.view_as_view, "view_as"),
            self.route("<path:object_id>/access/", self.access_view, "access"),
            self.route("<path:object_id>/password/", self.password_view, "password"),
            self.route("<path:object_id>/sign-out/", self.sign_out_view, "sign_out"),
            self.route("<path:object_id>/second-step/", self.second_step_view, "second_step"),
            *super().get_urls(),
        ]

    def grant_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Gives the job, or where a policy wants others to say yes first, asks for the reason and sends a request."""

        def grant(staff: Staff, role: str, unit: OrgUnit) -> HttpResponse:
            subject = services.RoleChange(person=staff.pk, role=role, unit=unit.pk)
            actor, when = actor_of(request), now()
            verb = lambda: services.grant_role(actor, staff, role, unit, when=when)  # noqa: E731
            return self._given(request, staff, subject, verb)

        return self._with_job(request, object_id, grant)

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def revoke(staff: Staff, role: str, unit: OrgUnit) -> HttpResponse:
            return self._done(request, staff, lambda: services.revoke_role(actor_of(request), staff, role, unit))

        return self._with_job(request, object_id, revoke)

    def _with_job(self, request: HttpRequest, object_id: str, act: Callable[..., HttpResponse]) -> HttpResponse:
        staff = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = forms.GrantForm(request.POST, actor=actor_of(request))
        if not form.is_valid():
            raise Http404
        return act(staff, form.cleaned_data["role"], form.cleaned_data["unit"])

    def active_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        staff = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        actor, when, wanted = actor_of(request), now(), request.POST.get("is_active") == "1"
        reason = request.POST.get("reason", "").strip()
        verb = lambda: services.set_staff_active(staff, wanted, actor=actor, when=when, reason=reason)  # noqa: E731
        if not wanted or staff.is_active or staff.unit_id is None:
            return self._done(request, staff, verb)
        return self._given(request, staff, services.letting_in(staff), verb)

    def _given(self, request: HttpRequest, staff: Staff, subject: Subject, verb: Any) -> HttpResponse:
        """Runs `verb`; where it is held, the page that asks for the reason, and then sends the request."""
        answer = self.asked_first(
            request,
            subject,
            verb,
            title=_("Ask for this job"),
            back=reverse("admin:orgs_staff_change", args=[staff.pk]),
        )
        return answer if answer is not None else self._saved(request, staff)

    def leave_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What hangs on the person, before they are shut out."""
        staff = self.object_or_404(request, object_id, "change")
        if request.method == "POST":
            return HttpResponseNotAllowed(["GET"])
        context = {
            **self.admin_site.each_context(request),
            "title": _("Shut out %(name)s") % {"name": staff},
            "hanging": hangs_on(staff, actor_of(request), now()), "opts": self.opts, "original": staff,
        }  # fmt: skip
        return TemplateResponse(request, "orgs/leave.html", context)

    def view_as_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Begins to show the studio as the person would see it."""
        staff = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponse:
            row = services.begin_view(actor_of(request), staff, reason=request.POST.get("reason", ""), when=now())
            request.session[SEEN_AS] = row.pk
            return HttpResponseRedirect(reverse("admin:index"))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def access_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """What the person may do, where, since when and who said so."""
        staff = self.object_or_404(request, object_id, "view")
        if request.method == "POST":
            return HttpResponseNotAllowed(["GET"])
        held = access.access_of(staff)
        if "format" in request.GET:
            return table_file(request, f"access-{staff.pk}", access.header(), access.rows(held))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Access of %(name)s") % {"name": staff},
            "held": held, "zone": zone_of(actor_of(request)).key, "hanging": hangs_on(staff, actor_of(request), now()), "opts": self.opts, "original": staff,
        }  # fmt: skip
        return TemplateResponse(request, "orgs/access.html", context)

    def sign_out_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        staff = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return self._done(request, staff, lambda: services.sign_out_everywhere(staff, actor=actor_of(request)))

    def second_step_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        staff = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return self._done(request, staff, lambda: services.reset_second_step(staff, actor=actor_of(request)))

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
            return self._saved(request, staff)

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def _saved(self, request: HttpRequest, staff: Staff) -> HttpResponse:
        self.message_user(request, _("Saved. It is in force from the next page on."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:orgs_staff_change", args=[staff.pk]))


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


def _shown(job: Job) -> dict[str, Any]:
    return {"sentence": job_sentence(job.role, job.unit), "role": job.role, "unit": job.unit.pk}
