"""Batches of codes: the list, the form of a draft, the page on which codes are made, watched, downloaded and stopped."""

from typing import Any, ClassVar
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.approvals.routing import policy_in_force
from apps.approvals.services.sending import plan_of, send
from apps.approvals.showing import waited_for
from apps.approvals.words import path_in_words
from apps.core.addresses import address
from apps.core.admin import actor_of, figure, local
from apps.core.clock import local_day, now
from apps.core.errors import LoyaltyError
from apps.core.exports import csv_lines
from apps.core.formats import moment, signed
from apps.core.progress import progress_of
from apps.members.page import member_or_404
from apps.orgs.admin.asking import AskingForms
from apps.rules.codes import services
from apps.rules.codes.drawing import read_prizes
from apps.rules.codes.errors import CodeUsed
from apps.rules.codes.forms import BatchForm, RedeemForm, faults_in_rows, rows_of
from apps.rules.codes.models import LARGEST_BATCH, MOST_USES, CodeBatch, CodeUse
from apps.rules.codes.reading import forecast, prize_in_words, prizes_in_words, redeemed_of, standing_of, use_of

State = CodeBatch.State
TONES = {State.DRAFT: "warn", State.MAKING: "warn", State.READY: "good", State.STOPPED: "bad"}
FORM = ("name", "code", "program", "unit", "size", "uses", "starts_on", "ends_on", "prizes")
FIXED = ("code", "program", "unit", "size", "uses")
DOWNLOADS = 20


def zone_of(batch: Any) -> str:
    return str(batch.program.time_zone)


@admin.register(CodeBatch)
class CodeBatchAdmin(AskingForms):
    form = BatchForm
    list_display = (
        "name", "state_tag", "program", "unit", "made_figure", "redeemed_figure", "starts_on", "ends_on", "created_local",
    )  # fmt: skip
    list_select_related = ("program__unit", "unit")
    list_filter = ("state", "program")
    search_fields = ("name", "code")
    ordering = ("-pk",)
    sortable_by = ("name",)  # type: ignore[assignment]
    can_delete = True
    choice_permissions: ClassVar = {"program": services.ADD, "unit": services.ADD}
    history_words: ClassVar = {"prizes": prizes_in_words}
    empty_template = "rules/codes_empty.html"
    change_form_outer_before_template = "rules/codebatch_page.html"

    made_figure = figure(gettext_lazy("codes"), lambda batch: batch.made or batch.size)
    redeemed_figure = figure(gettext_lazy("redeemed"), lambda batch: batch.redeemed)
    created_local = local(gettext_lazy("drafted at"), lambda batch: batch.created_at, zone_of)

    class Media:
        css: ClassVar = {"all": ["conditions/conditions.css", "core/job.css", "rules/codes.css"]}
        js = ("core/job.js", "rules/codes.js")

    # The list.

    def prepare_rows(self, rows: list[Any]) -> None:
        redeemed = redeemed_of(rows)
        for batch in rows:
            batch.redeemed = redeemed.get(batch.pk, 0)

    @admin.display(description=gettext_lazy("state"))
    def state_tag(self, batch: CodeBatch) -> str:
        tone, label = TONES[State(batch.state)], State(batch.state).label
        return format_html('<span class="studio-tag studio-tag-{}">{}</span>', tone, label)

    # The form.

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or obj.state == State.DRAFT:
            return FORM
        return (*FORM[:-1], "reason") if self.has_change_permission(request, obj) else FORM[:-1]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None or obj.state == State.DRAFT else FIXED

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_draft = not isinstance(obj, CodeBatch) or obj.state == State.DRAFT
        return is_draft and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: value for name, value in form.cleaned_data.items() if name in FORM}
        if change:
            batch, actor, when = CodeBatch.objects.get(pk=obj.pk), actor_of(request), now()
            self.changed_or_asked(
                request, services.days_of(batch, values), form.cleaned_data.get("reason", ""),
                lambda: services.change_batch(actor, batch, when=when, **values),
                lambda: services.change_batch(actor, batch, name=values.get("name", batch.name)),
            )  # fmt: skip
        else:
            program, unit = values.pop("program"), values.pop("unit")
            obj.pk = services.create_batch(actor_of(request), program, unit, when=now(), **values).pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.discard_batch(actor_of(request), obj)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        self.message_user(
            request, _("The batch is drafted. Read its odds once more, then make the codes."), messages.SUCCESS
        )
        return HttpResponseRedirect(self._page(obj.pk))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if hasattr(request, "sent_request"):
            return super().response_change(request, obj)
        self.message_user(request, _("Saved."), messages.SUCCESS)
        return HttpResponseRedirect(self._page(obj.pk))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        if obj is not None:
            # What stands on the page is the row as it is, whatever a refused form would have made of it.
            batch = CodeBatch.objects.select_related("program", "unit").get(pk=obj.pk)
            context |= self._card(request, batch) | {
                "standing": standing_of(batch),
                "downloads": batch.downloads.select_related("downloaded_by").order_by("-pk")[:DOWNLOADS],
            }
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def _card(self, request: HttpRequest, batch: CodeBatch) -> dict[str, Any]:
        return {
            "batch": batch, "zone": zone_of(batch), "tone": TONES[State(batch.state)],
            "is_running": batch.state == State.MAKING,
            "has_ended": batch.ends_on is not None and batch.ends_on < local_day(now(), ZoneInfo(zone_of(batch))),
            "progress": progress_of(batch.made, batch.size, batch.making_since, now()),
            "may_change": self.may(request, services.CHANGE, batch),
            "may_download": self.may(request, services.DOWNLOAD, batch),
            "make_path": self._make_path(request, batch),
        }  # fmt: skip

    def _make_path(self, request: HttpRequest, batch: CodeBatch) -> str:
        """Who would have to say yes before the codes are made, in words; empty where nobody is asked."""
        if batch.state != State.DRAFT or policy_in_force(services.CodeMaking.code, batch.unit) is None:
            return ""
        plan = plan_of(actor_of(request), services.making_of(batch), now(), with_effect=False)
        return path_in_words(plan.steps) if plan.steps else ""

    # Pages of its own.

    def get_urls(self) -> list[Any]:
        return [
            self.route("odds/", self.odds_view, "odds"),
            self.route("member/<path:object_id>/redeem/", self.redeem_view, "redeem"),
            self.route("<path:object_id>/progress/", self.progress_view, "progress"),
            self.route("<path:object_id>/make/", self.make_view, "make"),
            self.route("<path:object_id>/download/", self.download_view, "download"),
            self.route("<path:object_id>/stop/", self.stop_view, "stop"),
            *super().get_urls(),
        ]

    def odds_view(self, request: HttpRequest) -> HttpResponse:
        """What the prizes would bring, or what is wrong with them, while somebody types."""
        if not self.may(request, services.ADD):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        rows = rows_of(request.POST)
        faults = [{"row": row, "field": name, "message": message} for row, name, message in faults_in_rows(rows)]
        if faults:
            return JsonResponse({"faults": faults, "lines": []})
        size = _count(request.POST.get("size", ""), LARGEST_BATCH)
        uses = size * _count(request.POST.get("uses", ""), MOST_USES)
        lines = forecast(read_prizes([prize for _place, prize in rows]), uses) if rows and uses else []
        return JsonResponse({"faults": [], "lines": lines})

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The batch's card alone, which its page asks for again and again."""
        batch = self.object_or_404(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        context = self._card(request, batch)
        return TemplateResponse(request, "rules/codebatch_card.html", context, headers={"Cache-Control": "no-store"})

    def make_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        batch = self.object_or_404(request, object_id, services.CHANGE)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def make() -> HttpResponse:
            person, when = actor_of(request), now()
            subject = services.making_of(batch)
            if plan_of(person, subject, when, with_effect=False).is_free:
                services.start_making(person, batch, when=when)
                said = _("The codes are being made.")
            else:
                reason = request.POST.get("reason", "").replace("\0", "")[:500]
                sent = send(person, subject, reason=reason, key=f"codes:{batch.pk}:{uuid4()}", when=when)
                people = ", ".join(str(each) for each in waited_for(sent)) or _("nobody yet")
                said = _("Sent as request #%(number)s. %(people)s can decide now.")
                said %= {"number": sent.pk, "people": people}
            self.message_user(request, said, messages.SUCCESS)
            return HttpResponseRedirect(self._page(batch.pk))

        answer: HttpResponse = self.refusals_shown(request, make)
        return answer

    def stop_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        said = _("The batch is stopped: none of its codes is redeemed any more.")
        return self._verb(request, object_id, services.stop_batch, said)

    def _verb(self, request: HttpRequest, object_id: str, verb: Any, said: str) -> HttpResponse:
        batch = self.object_or_404(request, object_id, services.CHANGE)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponse:
            verb(actor_of(request), batch, when=now())
            self.message_user(request, said, messages.SUCCESS)
            return HttpResponseRedirect(self._page(batch.pk))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def download_view(self, request: HttpRequest, object_id: str) -> Any:
        """The codes as a file for the printer. That it was asked for is on record, so a link cannot fetch it by itself."""
        batch = self.object_or_404(request, object_id, services.DOWNLOAD)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> Any:
            rows = services.download(actor_of(request), batch, when=now())
            name = f'attachment; filename="codes-{batch.code}.csv"'
            headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
            lines = csv_lines([_("number"), _("code")], rows)
            return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

        return self.refusals_shown(request, run)

    def redeem_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A code that a member reads out to customer service."""
        person = actor_of(request)
        member = member_or_404(person, object_id)
        if not person.has_perm(services.REDEEM, member):
            raise PermissionDenied
        form = RedeemForm(request.POST or None, actor=person, member=member, permission=services.REDEEM)
        back = address("members_member_change", member.pk)
        if request.method == "POST" and form.is_valid():
            sent = form.cleaned_data
            try:
                done = services.redeem(
                    person, member, sent["unit"], code=sent["code"], key=f"redeem:{sent['key']}", when=now()
                )
            except LoyaltyError as refusal:
                field = {"attributes.code": "code", "store": "unit"}.get(refusal.field or "")
                used = use_of(person, sent["code"]) if isinstance(refusal, CodeUsed) else None
                form.add_error(field, refusal.sentence())
                if used is not None:
                    at = moment(used.event.occurred_at, ZoneInfo(used.event.program.time_zone))
                    said = _("It was redeemed on %(at)s by %(member)s.") % {"at": at, "member": used.member}
                    form.add_error(field, said)
            else:
                answer = done.answer or {}
                prize = CodeUse.objects.values_list("prize", flat=True).get(event=answer["event"])
                points = signed(sum(award["points"] for award in answer["awards"]))
                said = _("The code is redeemed. It drew: %(prize)s. Points: %(points)s.")
                drawn = {"prize": prize_in_words(prize), "points": points}
                self.message_user(request, said % drawn, messages.SUCCESS)
                return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "form": form, "member": member, "back": back, "opts": self.opts,
            "title": _("Redeem a code for %(member)s") % {"member": member}, "verb": _("Redeem the code"),
        }  # fmt: skip
        return TemplateResponse(request, "points/move.html", context, headers={"Cache-Control": "no-store"})

    def page_of(self, request: HttpRequest) -> str:
        """A refusal is read on the batch's own page."""
        match = request.resolver_match
        object_id = match.kwargs.get("object_id") if match else None
        return self._page(object_id) if object_id else super().page_of(request)

    def _page(self, pk: Any) -> str:
        return reverse("admin:rules_codebatch_change", args=[pk])


def _count(text: str, most: int) -> int:
    """A whole number up to `most`; 0 where it is none."""
    plain = text.strip().replace(",", "")
    return min(int(plain), most) if plain.isascii() and plain.isdecimal() and len(plain) < 12 else 0
