"""Adjusting many: a file is brought, what is wrong with it is read, and it is sent as one request."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count
from django.db.models.functions import Abs
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.approvals.models import ApprovalRequest
from apps.core.addresses import address
from apps.core.admin import ScopedAdmin, actor_of, figure, local
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.core.exports import csv_lines
from apps.members.identifiers import mask
from apps.points.admin.moving import NO_STORE, returned_or_404, sent_sentence, shown_plan
from apps.points.forms import AskForm, BatchForm
from apps.points.models import AdjustmentBatch
from apps.points.services import batches
from apps.points.services.adjusting import PERMISSION
from apps.points.words import fault_sentence

State = AdjustmentBatch.State
TONES = {State.DRAFT: "warn", State.SENT: "warn", State.POSTED: "good"}
FAULTS_SHOWN, UNITS_SHOWN, ROWS_SHOWN = 50, 20, 20
DETAILS = ("file_name", "program", "unit", "created_by", "created_local")


@dataclass(frozen=True, slots=True)
class FaultyRow:
    """A refused row on the page: the member masked as everywhere."""

    line: int
    member: str
    points: str
    sentence: str


@admin.register(AdjustmentBatch)
class AdjustmentBatchAdmin(ScopedAdmin):
    """Once brought, a file is only sent or discarded."""

    form = BatchForm
    list_display = (
        "file_name", "state_tag", "program", "unit", "rows_figure", "refused_figure", "added_figure", "taken_figure",
        "created_by", "created_local",
    )  # fmt: skip
    list_select_related = ("program", "unit", "created_by")
    list_filter = ("state", "program")
    search_fields = ("file_name",)
    ordering = ("-pk",)
    sortable_by = ("file_name",)  # type: ignore[assignment]
    fields = ("file", "program")
    empty_template = "points/batches_empty.html"
    change_form_outer_before_template = "points/batch_page.html"

    class Media:
        css: ClassVar = {"all": ["points/moving.css"]}

    rows_figure = figure(gettext_lazy("rows"), lambda batch: batch.rows)
    refused_figure = figure(gettext_lazy("rows refused"), lambda batch: batch.rows_refused)
    added_figure = figure(gettext_lazy("points added"), lambda batch: batch.added)
    taken_figure = figure(gettext_lazy("points taken"), lambda batch: -batch.taken)
    created_local = local(gettext_lazy("created at"), lambda batch: batch.created_at, lambda b: b.program.time_zone)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return DETAILS if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return DETAILS if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        sent = form.cleaned_data
        obj.pk = batches.stage_batch(
            actor_of(request), sent["file"].file, sent["file"].name, sent["program"], when=now()
        ).pk

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        again = request.GET.get("request", "")
        return HttpResponseRedirect(self._page(obj.pk) + (f"?request={again}" if again.isdecimal() else ""))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        if obj is not None:
            batch = AdjustmentBatch.objects.select_related("program", "unit", "request").get(pk=obj.pk)
            context |= self._card(request, batch)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def _card(self, request: HttpRequest, batch: AdjustmentBatch) -> dict[str, Any]:
        again = request.GET.get("request", "")
        good = batch.staged.filter(fault="").select_related("member", "point_type")
        units = batches.per_unit(batch)
        counts = batch.staged.exclude(fault="").values_list("fault").annotate(number=Count("pk"))
        return {
            "batch": batch, "tone": TONES[State(batch.state)], "zone": batch.program.time_zone,
            "currency": batch.program.currency, "units": units[:UNITS_SHOWN], "units_more": len(units) > UNITS_SHOWN,
            "reasons": [(fault_sentence(code), number) for code, number in counts.order_by("-number", "fault")],
            "faulty": self._faulty(batch),
            "largest_rows": good.order_by(Abs("points").desc(), "line")[:ROWS_SHOWN],
            "is_draft": batch.state == State.DRAFT,
            "may_send": self.may(request, PERMISSION, batch),
            "may_discard": self.may(request, batches.ADD, batch),
            "request_page": address("approvals_approvalrequest_change", batch.request_id) if batch.request_id else "",
            "again": f"?request={again}" if again.isdecimal() else "",
        }  # fmt: skip

    def _faulty(self, batch: AdjustmentBatch) -> list[FaultyRow]:
        found = []
        rows = batch.staged.exclude(fault="").order_by("line").values_list("line", "fault", "cipher")
        for line, fault, cipher in rows[:FAULTS_SHOWN]:
            cells = batches.cells_of(cipher)
            value = cells.get("member", "")
            named = cells.get("member_id", "") or (mask(cells.get("member_kind") or "card", value) if value else "")
            found.append(FaultyRow(line, named, cells.get("points", ""), fault_sentence(fault)))
        return found

    def get_urls(self) -> list[Any]:
        return [
            self.route("<path:object_id>/send/", self.send_view, "send"),
            self.route("<path:object_id>/refused/", self.refused_view, "refused"),
            self.route("<path:object_id>/discard/", self.discard_view, "discard"),
            *super().get_urls(),
        ]

    def send_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Reason and evidence for the whole file, what it would do now, and who must say yes."""
        batch: AdjustmentBatch = self.object_or_404(request, object_id, PERMISSION)
        person, again = actor_of(request), self._again(request)
        form = AskForm(
            request.POST or None, request.FILES or None, initial={"reason": again.reason} if again is not None else {}
        )
        if request.method == "POST" and form.is_valid():
            sent = form.cleaned_data
            try:
                asked = batches.ask_batch(
                    person, batch, reason=sent["reason"], key=f"bulk:{sent['key']}", files=sent["evidence"],
                    again=again.pk if again is not None else None, when=now(),
                )  # fmt: skip
            except LoyaltyError as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence())
            else:
                self.message_user(request, sent_sentence(asked), messages.SUCCESS)
                return HttpResponseRedirect(self._page(batch.pk))
        context = {
            **self.admin_site.each_context(request),
            "form": form, "back": self._page(batch.pk), "back_words": _("Back to the file"), "opts": self.opts,
            "title": _("Send %(file)s") % {"file": batch.file_name}, "verb": _("Send"), "again": again,
            "plan": shown_plan(person, batches.subject_of(batch), again),
            "new_file": f"{reverse('admin:points_adjustmentbatch_add')}?request={again.pk}" if again else "",
        }  # fmt: skip
        return TemplateResponse(request, "points/move.html", context, headers=NO_STORE)

    def _again(self, request: HttpRequest) -> ApprovalRequest | None:
        return returned_or_404(request, batches.BulkAdjustment)

    def refused_view(self, request: HttpRequest, object_id: str) -> Any:
        """The refused rows as a file that can be corrected and brought again."""
        batch = self.object_or_404(request, object_id, batches.ADD)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        header, rows = batches.refused_rows(actor_of(request), batch)
        headers = {"Content-Disposition": f'attachment; filename="refused-{batch.pk}.csv"', **NO_STORE}
        return StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8", headers=headers)

    def discard_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.object_or_404(request, object_id, batches.ADD)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponse:
            batches.discard_batch(actor_of(request), batch.pk)
            self.message_user(request, _("The file is discarded."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:points_adjustmentbatch_changelist"))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def page_of(self, request: HttpRequest) -> str:
        """A refusal is read on the file's own page."""
        match = request.resolver_match
        object_id = match.kwargs.get("object_id") if match else None
        return self._page(object_id) if object_id else super().page_of(request)

    def _page(self, pk: Any) -> str:
        return reverse("admin:points_adjustmentbatch_change", args=[pk])

    @admin.display(description=gettext_lazy("state"))
    def state_tag(self, batch: AdjustmentBatch) -> str:
        tone, label = TONES[State(batch.state)], State(batch.state).label
        return format_html('<span class="studio-tag studio-tag-{}">{}</span>', tone, label)
