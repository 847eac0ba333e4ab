"""Files of events: bringing one in, watching it, and what was refused of it.

The rows live in `activity`; what is done with them is the main road's, so their pages are here.
"""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.activity.forms import ImportForm
from apps.activity.models import ImportJob
from apps.activity.words import PRESETS, fault_sentence, refusal_sentence
from apps.core.admin import ScopedAdmin, actor_of, figure, local
from apps.core.clock import now
from apps.core.exports import csv_lines
from apps.core.progress import progress_of
from apps.rules import importing

FAULTS_SHOWN = 100
DETAILS = ("file_name", "program", "preset_shown", "enrols", "created_by", "created_local", "ended_local")
TONES = {"done": "good", "refused": "bad", "cancelled": "warn"}


@admin.register(ImportJob)
class ImportJobAdmin(ScopedAdmin):
    """A job is started by its form, and after that only watched or cancelled."""

    form = ImportForm
    list_display = (
        "file_name", "program", "state_shown", "rows_figure", "events_new_figure", "events_repeated_figure",
        "rows_refused_figure", "points_figure", "created_local",
    )  # fmt: skip
    list_select_related = ("program", "created_by")
    list_filter = ("state", "program")
    search_fields = ("file_name",)
    ordering = ("-pk",)
    fields = ("file", "program", "preset", "enrols")
    choice_permissions: ClassVar = {"program": importing.PERMISSION}
    empty_template = "rules/imports_empty.html"
    change_form_outer_before_template = "rules/importjob_page.html"

    rows_figure = figure(gettext_lazy("rows"), lambda job: job.rows)
    events_new_figure = figure(gettext_lazy("new events"), lambda job: job.events_new)
    events_repeated_figure = figure(gettext_lazy("known before"), lambda job: job.events_repeated)
    rows_refused_figure = figure(gettext_lazy("rows refused"), lambda job: job.rows_refused)
    points_figure = figure(gettext_lazy("points"), lambda job: job.points)
    created_local = local(gettext_lazy("started at"), lambda job: job.created_at, lambda job: job.program.time_zone)
    ended_local = local(gettext_lazy("ended at"), lambda job: job.ended_at, lambda job: job.program.time_zone)

    class Media:
        css: ClassVar = {"all": ["core/job.css"]}
        js = ("core/job.js",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return DETAILS if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return DETAILS if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = form.cleaned_data
        obj.pk = importing.start_upload(
            actor_of(request), values["file"].file, values["file"].name, values["program"],
            preset=values["preset"], enrols=values["enrols"], when=now(),
        ).pk  # fmt: skip

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        self.message_user(request, _("The file is being brought in. You may leave this page."), messages.SUCCESS)
        return HttpResponseRedirect(self._page(obj))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        if obj is not None:
            context |= self._card(request, obj) | self._faults(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_urls(self) -> list[Any]:
        return [
            self.route("<path:object_id>/progress/", self.progress_view, "progress"),
            self.route("<path:object_id>/cancel/", self.cancel_view, "cancel"),
            self.route("<path:object_id>/refused/", self.refused_view, "refused"),
            *super().get_urls(),
        ]

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The job's card alone, which its page asks for again and again."""
        job = self.object_or_404(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        context = {"original": job, **self._card(request, job)}
        return TemplateResponse(request, "rules/importjob_card.html", context, headers={"Cache-Control": "no-store"})

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        job = self.object_or_404(request, object_id, importing.PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponse:
            importing.cancel(actor_of(request), job.pk, when=now())
            return HttpResponseRedirect(self._page(job))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def refused_view(self, request: HttpRequest, object_id: str) -> Any:
        """The refused rows as a file that can be corrected and sent again."""
        job = self.object_or_404(request, object_id, importing.PERMISSION)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        header, rows = importing.refused_rows(actor_of(request), job)
        headers = {"Content-Disposition": f'attachment; filename="refused-{job.pk}.csv"', "Cache-Control": "no-store"}
        return StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8", headers=headers)

    def _page(self, job: ImportJob) -> str:
        return reverse("admin:activity_importjob_change", args=[job.pk])

    def _card(self, request: HttpRequest, job: ImportJob) -> dict[str, Any]:
        return {
            "progress": progress_of(job.rows_done, job.rows, job.started_at, now()),
            "is_running": job.state in (ImportJob.State.STAGING, ImportJob.State.RUNNING),
            "tone": "warn" if job.state == ImportJob.State.DONE and job.rows_refused else TONES.get(job.state, ""),
            "refusal": refusal_sentence(job),
            "seconds": round((job.ended_at - job.started_at).total_seconds())
            if job.ended_at and job.started_at
            else None,
            "may_import": self.may(request, importing.PERMISSION, job),
        }

    def _faults(self, request: HttpRequest, job: ImportJob) -> dict[str, Any]:
        """The first refused rows, all or those of one reason, and how many there are of each."""
        counts = job.faults.values_list("code").annotate(number=Count("pk")).order_by("-number", "code")
        reasons = [(code, fault_sentence(code), number) for code, number in counts]
        chosen = next((code for code, _words, _number in reasons if code == request.GET.get("reason")), "")
        faults = job.faults.filter(code=chosen) if chosen else job.faults.all()
        shown = [
            (fault.line, fault.column, fault_sentence(fault.code), fault.value)
            for fault in faults.order_by("line", "pk")[:FAULTS_SHOWN]
        ]
        total = sum(number for code, _words, number in reasons if chosen in ("", code))
        return {"reasons": reasons, "chosen_reason": chosen, "faults": shown, "faults_total": total}

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, job: ImportJob) -> str:
        state = str(ImportJob.State(job.state).label)
        if job.state != ImportJob.State.RUNNING:
            return state
        return f"{state}, {progress_of(job.rows_done, job.rows, None, job.created_at).percent} %"

    @admin.display(description=gettext_lazy("kind of file"))
    def preset_shown(self, job: ImportJob) -> str:
        return str(PRESETS.get(job.preset, job.preset))
