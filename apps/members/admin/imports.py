"""Files of members: brought, mapped, checked, decided on, taken in and taken back; and how files of a source are read."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.admin import ScopedAdmin, actor_of, figure, local
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.core.exports import csv_lines
from apps.core.progress import Progress, progress_of
from apps.core.reading import FileRefused
from apps.members.import_forms import DELIMITER_WORDS, ENCODING_WORDS, BringForm, LayoutForm, MappingForm
from apps.members.importing import services, shown
from apps.members.importing.mapping import ColumnMapping, MappingRefused
from apps.members.importing.models import ImportMapping, MemberImport
from apps.members.importing.remembered import MOST_NAMED, files_reading, forget_mapping
from apps.members.importing.samples import rows_expected, sample_of, shown_cell
from apps.members.importing.taking import TakingBack, TakingIn, require_takeable, rows_in, would_stay
from apps.members.importing.targets import target_words
from apps.members.importing.workbook import XLSX
from apps.members.quality.standing import prospect_of
from apps.orgs.admin.asking import SENDS, AskingAdmin
from apps.orgs.desk import waiting_about

State = MemberImport.State
TONES = {State.CHECKED: "warn", State.DONE: "good", State.REFUSED: "bad", State.CANCELLED: "warn"}
BUSY = (State.CHECKING, State.RUNNING, State.UNDOING)
MAPPED_IN = (State.NEW, State.CHECKED)
DETAILS = ("file_name", "program", "source", "mode", "created_by", "created_local", "ended_local")
NO_STORE = {"Cache-Control": "no-store"}
COMING_IN = ("new", "changed", "same")


@admin.register(MemberImport)
class MemberImportAdmin(AskingAdmin):
    """A file is brought by its form; what follows has pages of its own."""

    form = BringForm
    list_display = (
        "file_name", "state_tag", "program", "source", "rows_figure", "new_figure", "changed_figure", "left_figure",
        "created_by", "created_local",
    )  # fmt: skip
    list_select_related = ("program", "created_by")
    list_filter = ("state", "program", "source")
    search_fields = ("file_name", "source")
    ordering = ("-pk",)
    sortable_by = ("file_name", "source")  # type: ignore[assignment]
    fields = ("file", "program", "source")
    choice_permissions: ClassVar = {"program": services.PERMISSION}
    empty_template = "members/imports_empty.html"
    change_form_outer_before_template = "members/import_page.html"

    rows_figure = figure(gettext_lazy("rows"), lambda job: job.rows_read)
    new_figure = figure(gettext_lazy("new"), lambda job: job.counts.get("new", 0))
    changed_figure = figure(gettext_lazy("changed"), lambda job: job.counts.get("changed", 0))
    left_figure = figure(
        gettext_lazy("refused or open"), lambda job: job.counts.get("refused", 0) + job.counts.get("question", 0)
    )
    created_local = local(gettext_lazy("brought at"), lambda job: job.created_at, lambda job: job.program.time_zone)
    ended_local = local(gettext_lazy("ended at"), lambda job: job.ended_at, lambda job: job.program.time_zone)

    class Media:
        css: ClassVar = {"all": ["core/job.css", "members/importing.css"]}
        js = ("core/job.js", "members/importing.js")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return DETAILS if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return DETAILS if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        sent = form.cleaned_data
        obj.pk = services.bring(
            actor_of(request), sent["file"].file, sent["file"].name, sent["program"], source=sent["source"], when=now()
        ).pk

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponseRedirect(self._address(obj.pk, "columns"))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        if obj is not None:
            context |= self._card(request, obj) | self._checked(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_urls(self) -> list[Any]:
        return [
            self.route(f"<path:object_id>/{name}/", view, name)
            for name, view in (
                ("columns", self.columns_view), ("layout", self.layout_view), ("progress", self.progress_view),
                ("decide", self.decide_view), ("undecide", self.undecide_view), ("refused", self.refused_view), ("start", self.start_view),
                ("cancel", self.cancel_view), ("take_back", self.take_back_view),
            )
        ] + super().get_urls()  # fmt: skip

    # The columns.

    def columns_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the columns mean: shown as they were recognised, or as they were sent with what is wrong with them."""
        job = self.object_or_404(request, object_id, services.PERMISSION)
        if job.state not in MAPPED_IN:
            return HttpResponseRedirect(self._address(job.pk))
        try:
            sample = sample_of(job)
        except FileRefused as refusal:
            self.message_user(request, refusal.sentence(), messages.ERROR)
            return HttpResponseRedirect(self._address(job.pk))
        form = MappingForm(request.POST or None, job=job, reader=actor_of(request), sample=sample)
        if request.method == "POST" and form.is_valid() and self._mapped(request, job, form):
            return HttpResponseRedirect(self._address(job.pk))
        rows = form.rows()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Columns of %(file)s") % {"file": job.file_name}, "opts": self.opts, "job": job, "form": form,
            "rows": rows, "options": form.options(), "meanings": form.meanings(), "back": self._address(job.pk),
            "cells": [[shown_cell(row.target, cell) for row, cell in zip(rows, cells, strict=False)] for cells in sample.rows],
            "layout": LayoutForm(initial=job.layout), "written": _written(job),
            "is_workbook": job.layout["encoding"] == XLSX,
        }  # fmt: skip
        return TemplateResponse(request, "members/import_columns.html", context, headers=NO_STORE)

    def _mapped(self, request: HttpRequest, job: MemberImport, form: MappingForm) -> bool:
        """Whether it was taken; what refuses it stands in the form."""
        sent = form.cleaned_data
        try:
            services.map_columns(
                actor_of(request), job.pk, form.chosen(), source=sent["source"], stated=form.stated(), mode=sent["mode"],
                when=now(),
            )  # fmt: skip
        except LoyaltyError as refusal:
            if isinstance(refusal, MappingRefused) and refusal.data.get("target") in form.targets:
                refusal.data["target"] = form.targets[refusal.data["target"]].words
            form.add_error(None, refusal.sentence())
            return False
        services.hand_to_workers(job.pk)
        return True

    def layout_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        job = self.object_or_404(request, object_id, services.PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = LayoutForm(request.POST)

        def run() -> HttpResponse:
            if form.is_valid():
                services.lay_out(actor_of(request), job.pk, **form.cleaned_data)
            else:
                self.message_user(request, _("Say how the file is written: a row from 1 to 50."), messages.ERROR)
            return HttpResponseRedirect(self._address(job.pk, "columns"))

        return self._shown_on(request, run, self._address(job.pk, "columns"))

    # The file's page.

    def _card(self, request: HttpRequest, job: MemberImport) -> dict[str, Any]:
        """How far it is."""
        state = State(job.state)
        coming = sum(job.counts.get(each, 0) for each in COMING_IN)
        return {
            "job": job, "tone": TONES.get(state, ""), "is_running": state in BUSY, "progress": _progress(job, coming, now()),
            "coming": coming, "may_import": self.may(request, services.PERMISSION, job),
            "refusal": FileRefused(**job.refusal).sentence() if job.refusal.get("reason") else "",
        }  # fmt: skip

    def _checked(self, request: HttpRequest, job: MemberImport) -> dict[str, Any]:
        """What its rows become, once they are checked."""
        if not job.counts:
            return {"zone": job.program.time_zone}
        tiles = shown.tiles_of(job, request.GET.get("state", ""))
        chosen = next((tile for tile in tiles if tile.is_chosen), None) or next(
            (t for t in tiles if t.number), tiles[0]
        )
        refusals = shown.refusals_of(job)
        finding = next((code for code, _words, _rows in refusals if code == request.GET.get("finding")), "")
        rows, total = shown.first_rows(job, request.user, chosen.state, finding)
        is_checked = job.state == State.CHECKED
        person = actor_of(request)
        return {
            "zone": job.program.time_zone, "tiles": tiles, "chosen": chosen, "rows": rows, "rows_total": total,
            "refusals": refusals, "finding": finding, "questions": shown.questions_of(job) if is_checked else [],
            "decisions": shown.decisions_of(job), "totals": shown.totals_of(job), "brought": shown.brought_by(job),
            "back": shown.back_of(job), "is_checked": is_checked, "obstacle": _obstacle(job) if is_checked else "",
            "prospect": prospect_of(job) if is_checked else None,
            "left_out": job.counts.get("refused", 0) + job.counts.get("question", 0),
            "may_take_back": _may_go_back(job) and bool(job.rows_done), "is_forgotten": job.forgotten_at is not None,
            "waiting": [
                each
                for kind in (TakingIn, TakingBack)
                for each in waiting_about(person, kind.code, f"memberimport:{job.pk}")
            ],
        }  # fmt: skip

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The file's card alone, which its page asks for again and again."""
        job = self.object_or_404(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return TemplateResponse(request, "members/import_card.html", self._card(request, job), headers=NO_STORE)

    def decide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        job = self.object_or_404(request, object_id, services.PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        code, value, choice = (request.POST.get(name, "") for name in ("code", "value", "choice"))

        def run() -> HttpResponse:
            services.decide(actor_of(request), job.pk, code, value, choice, when=now())
            return HttpResponseRedirect(self._address(job.pk) + "#questions")

        return self._shown_on(request, run, self._address(job.pk))

    def undecide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Takes one decision back: the file is checked again with the others."""
        job = self.object_or_404(request, object_id, services.PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        code, value = (request.POST.get(name, "") for name in ("code", "value"))

        def run() -> HttpResponse:
            services.take_decision_back(actor_of(request), job.pk, code, value, when=now())
            services.hand_to_workers(job.pk)
            return HttpResponseRedirect(self._address(job.pk))

        return self._shown_on(request, run, self._address(job.pk))

    def refused_view(self, request: HttpRequest, object_id: str) -> Any:
        """The rows that do not come in, as a file that can be corrected and sent alone."""
        job = self.object_or_404(request, object_id, services.PERMISSION)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        header, rows = services.refused_rows(actor_of(request), job)
        headers = {"Content-Disposition": f'attachment; filename="refused-{job.pk}.csv"', **NO_STORE}
        return StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8", headers=headers)

    def start_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Takes the file in; where a policy wants others to say yes first, says whose and sends a request."""
        job = self.object_or_404(request, object_id, services.PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        reason = request.POST.get("reason", "").strip()[:500]

        def verb() -> None:
            services.start(actor_of(request), job.pk, when=now(), reason=reason)
            services.hand_to_workers(job.pk)

        title, back = _("Take %(file)s in") % {"file": job.file_name}, self._address(job.pk)
        answer = self.asked_first(request, services.taking_in(job), verb, title=title, back=back)
        return answer or HttpResponseRedirect(back)

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        job = self.object_or_404(request, object_id, services.PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponse:
            services.cancel(actor_of(request), job.pk, when=now())
            return HttpResponseRedirect(self._address(job.pk))

        return self._shown_on(request, run, self._address(job.pk))

    def take_back_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What would go and what would stay, and why it is done; where a policy wants it, sent as a request."""
        job = self.object_or_404(request, object_id, services.PERMISSION)
        back = self._address(job.pk)
        if not _may_go_back(job):
            return HttpResponseRedirect(back)
        reason = request.POST.get("reason", "").strip()[:500]
        if request.method == "POST" and (reason or SENDS in request.POST):

            def verb() -> None:
                services.start_back(actor_of(request), job.pk, reason=reason, when=now())
                services.hand_to_workers(job.pk)

            title = _("Take %(file)s back") % {"file": job.file_name}
            answer = self.asked_first(request, services.taking_back(job), verb, title=title, back=back)
            return answer or HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Take %(file)s back") % {"file": job.file_name}, "opts": self.opts, "job": job, "back": back,
            "staying": would_stay(job), "going": rows_in(job),
            "brought": shown.brought_by(job) if job.state == State.DONE else [], "lacks_reason": request.method == "POST",
        }  # fmt: skip
        return TemplateResponse(request, "members/import_back.html", context, headers=NO_STORE)

    def _shown_on(self, request: HttpRequest, run: Any, page: str) -> HttpResponse:
        """What `run` answers; its refusal is read on `page`."""
        request.refused_on = page  # type: ignore[attr-defined]
        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def page_of(self, request: HttpRequest) -> str:
        return getattr(request, "refused_on", "") or super().page_of(request)

    def _address(self, pk: Any, name: str = "change") -> str:
        return reverse(f"admin:members_memberimport_{name}", args=[pk])

    @admin.display(description=gettext_lazy("state"))
    def state_tag(self, job: MemberImport) -> str:
        state = State(job.state)
        return format_html('<span class="studio-tag studio-tag-{}">{}</span>', TONES.get(state, ""), state.label)


def _may_go_back(job: MemberImport) -> bool:
    return job.state in (State.DONE, State.CANCELLED) and job.forgotten_at is None


def _written(job: MemberImport) -> str:
    """How the file is written, in one sentence."""
    told = {"row": job.layout["header_row"], "columns": len(job.layout["columns"])}
    if job.layout["encoding"] == XLSX:
        return _("An Excel workbook; row %(row)s of its first sheet names %(columns)s columns.") % told
    told |= {
        "encoding": ENCODING_WORDS.get(job.layout["encoding"], job.layout["encoding"]),
        "delimiter": DELIMITER_WORDS.get(job.layout["delimiter"], job.layout["delimiter"]),
    }
    return _("%(encoding)s text, columns divided by %(delimiter)s; row %(row)s names %(columns)s columns.") % told


def _obstacle(job: MemberImport) -> str:
    """Why it cannot be taken in as it stands; empty where it can."""
    try:
        require_takeable(job)
    except LoyaltyError as refusal:
        what = dict(shown.stateable(job))
        if "what" in refusal.data:
            refusal.data["what"] = what.get(refusal.data["what"], refusal.data["what"])
        return refusal.sentence()
    return ""


def _progress(job: MemberImport, coming: int, when: datetime) -> Progress | None:
    """How far the work is; None where nothing can be said yet."""
    match job.state:
        case State.CHECKING:
            expected = rows_expected(job)
            if job.rows_read and job.rows_read >= expected:
                return None
            told = progress_of(job.rows_read, max(expected, job.rows_read), job.started_at, when)
            return Progress(
                min(told.percent, 99) if expected else 0, told.rate, told.seconds_left if expected else None
            )
        case State.RUNNING:
            return progress_of(job.rows_done, coming, job.started_at, when)
        case State.UNDOING:
            return progress_of(job.rows_done, coming, None, when)
    return None


@admin.register(ImportMapping)
class ImportMappingAdmin(ScopedAdmin):
    """To read and to forget: what the columns of a source mean is said when a file of it is mapped."""

    read_only = True
    can_delete = True
    list_display = ("name", "program", "columns_figure")
    list_select_related = ("program",)
    list_filter = ("program",)
    search_fields = ("name",)
    ordering = ("name", "pk")
    sortable_by = ("name",)  # type: ignore[assignment]
    fields = ("name", "program", "meanings_shown", "use_shown")
    readonly_fields = ("meanings_shown", "use_shown")
    empty_template = "members/mappings_empty.html"

    columns_figure = figure(
        gettext_lazy("columns read"),
        lambda row: sum(1 for column in row.document.get("columns", ()) if column.get("target")),
    )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """With its `reader`, who is shown the files that they see."""
        mapping = super().get_object(request, object_id, from_field)
        if mapping is not None:
            mapping.reader = request.user
        return mapping

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        forget_mapping(actor_of(request), obj.pk)

    @admin.display(description=gettext_lazy("in use by"))
    def use_shown(self, row: ImportMapping) -> str:
        """The files on their way that are read by it: while there are any, it stays."""
        files = files_reading(row).visible_to(row.reader).values_list("pk", "file_name")[:MOST_NAMED]  # type: ignore[attr-defined]
        links = [(reverse("admin:members_memberimport_change", args=[pk]), name) for pk, name in files]
        if not links:
            return _("No file that is on its way.")
        return format_html_join(" · ", '<a class="studio-link" href="{}">{}</a>', links)

    @admin.display(description=gettext_lazy("columns"))
    def meanings_shown(self, row: ImportMapping) -> str:
        known = ColumnMapping.model_validate(row.document)
        words = target_words(row.program, known)
        return format_html('<dl class="studio-changes">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", (
            (column.name, words.get(column.target, column.target)) for column in known.columns if column.target
        )))  # fmt: skip
