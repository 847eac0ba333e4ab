"""Requests: the list for auditors and exports, and the page of one, on which people decide."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.approvals.admin.inbox import InboxPages, inbox_address, refusal_of
from apps.approvals.dossier import STATE_TONES, askable, dossier_of, zone_of
from apps.approvals.errors import EvidenceRefused, NotToThem
from apps.approvals.evidence import LARGEST
from apps.approvals.models import ApprovalRequest, Decision, Evidence
from apps.approvals.reading import kinds_in_words
from apps.approvals.services import asking
from apps.approvals.services.deciding import decide, withdraw
from apps.approvals.services.sending import send_again
from apps.approvals.showing import titles_of
from apps.core.admin import ScopedAdmin, actor_of, figure
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.orgs.gate import kinds
from apps.orgs.models import Staff

MOST_OFFERED = 20
PANE = "X-Pane"
"""Sent by the inbox: it wants the request alone, not a page."""


class KindFilter(SimpleListFilter):
    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return kinds_in_words(get_language() or "en")

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(kind=self.value()) if self.value() in kinds() else queryset


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(InboxPages, ScopedAdmin):
    """Everything that was ever asked for or done at once under a policy, newest first."""

    read_only = True
    is_large = True
    list_display = (
        "number_shown", "title_shown", "kind_shown", "amount_figure", "requester_shown", "unit", "sent_at", "state_tag",
        "closed_at",
    )  # fmt: skip
    list_display_links = ("number_shown", "title_shown")
    list_select_related = ("requester", "unit")
    list_filter = ("state", KindFilter, "unit")
    list_filter_sheet = True
    fields = ("kind", "unit", "amount", "reason", "requester", "state", "sent_at", "due_at", "closed_at")
    readonly_fields: ClassVar = [*fields]

    amount_figure = figure(gettext_lazy("amount"), lambda row: row.amount, signed=True)

    def prepare_rows(self, rows: list[Any]) -> None:
        titles = titles_of(rows)
        for row in rows:
            row.title_in_words = titles[row.pk]

    @admin.display(description=gettext_lazy("number"))
    def number_shown(self, row: ApprovalRequest) -> str:
        return str(row)

    @admin.display(description=gettext_lazy("request"))
    def title_shown(self, row: ApprovalRequest) -> str:
        return getattr(row, "title_in_words", str(row))

    @admin.display(description=gettext_lazy("kind"))
    def kind_shown(self, row: ApprovalRequest) -> str:
        return dict(kinds_in_words(get_language() or "en")).get(row.kind, row.kind)

    @admin.display(description=gettext_lazy("requester"))
    def requester_shown(self, row: ApprovalRequest) -> str:
        return str(row.requester or _("the studio"))

    @admin.display(description=gettext_lazy("state"))
    def state_tag(self, row: ApprovalRequest) -> str:
        tone = STATE_TONES[ApprovalRequest.State(row.state)]
        return format_html('<span class="studio-tag studio-tag-{}">{}</span>', tone, row.get_state_display())

    # The page of one request.

    def get_urls(self) -> list[Any]:
        return [
            self.route("<path:object_id>/act/", self.act_view, "act"),
            self.route("<path:object_id>/again/", self.again_view, "again"),
            self.route("<path:object_id>/people/", self.people_view, "people"),
            self.route("<path:object_id>/evidence/", self.evidence_view, "evidence"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            refused: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
            return refused
        return self._shown(request, self._row(request, object_id))

    def _row(self, request: HttpRequest, object_id: Any) -> ApprovalRequest:
        row: ApprovalRequest = self.object_or_404(request, object_id)
        return row

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("unit", "requester", "policy_version")

    def _shown(self, request: HttpRequest, row: ApprovalRequest, **more: Any) -> HttpResponse:
        """The request as it is now: alone for the inbox, else as a page."""
        when = now()
        shown = dossier_of(actor_of(request), row, when)
        context = {"shown": shown, "when": when, "largest_mb": LARGEST >> 20, **more}
        with timezone.override(ZoneInfo(shown.zone)):
            if PANE in request.headers:
                return render(request, "approvals/pane.html", context)
            request.current_app = self.admin_site.name
            context |= {
                **self.admin_site.each_context(request), "title": shown.title, "back": inbox_address(),
            }  # fmt: skip
            return render(request, "approvals/request.html", context)

    def act_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One thing done to the request: what the button was called."""
        row = self._row(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        act = ACTS.get(request.POST.get("act", ""))
        if act is None:
            raise Http404
        try:
            said = act(request, row, now())
        except LoyaltyError as refusal:
            typed = {name: request.POST.get(name, "") for name in ("comment", "text", "to")}
            row = self._row(request, object_id)
            return self._shown(request, row, refused=refusal.sentence(), refused_code=refusal.code, typed=typed)
        if PANE in request.headers:
            return self._shown(request, self._row(request, object_id), said=said, act=request.POST["act"])
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:approvals_approvalrequest_change", args=[row.pk]))

    def people_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Who may be named for the open step and has `term` in their name."""
        row = self._row(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        term = request.GET.get("term", "").replace("\0", "").strip()
        if not term:
            raise Http404
        people = _called(askable(actor_of(request), row), term)[:MOST_OFFERED]
        found = [{"name": each.username, "label": str(each)} for each in people]
        return JsonResponse({"people": found})

    def evidence_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A file, to be saved and not to be opened in the page: `?file=7`."""
        row = self._row(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        wanted = request.GET.get("file", "")
        if not wanted.isdecimal() or len(wanted) > 18:
            raise Http404
        kept = Evidence.objects.visible_to(actor_of(request)).filter(request=row, pk=int(wanted)).first()
        if kept is None:
            raise Http404
        return HttpResponse(
            bytes(kept.content),
            content_type=kept.content_type,
            headers={
                "Content-Disposition": content_disposition_header(True, kept.name) or "attachment",
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cache-Control": "no-store",
            },
        )

    def again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What was returned, sent again with another reason; a kind with a form of its own has that instead."""
        row = self._row(request, object_id)
        shown = dossier_of(actor_of(request), row, now())
        if "again" not in shown.may:
            raise Http404
        refused = ""
        try:
            subject = row.read_subject()
            form = subject.form_address()
            if form:
                return HttpResponseRedirect(f"{form}?{urlencode({'request': row.pk})}")
            if request.method == "POST":
                send_again(actor_of(request), row.pk, subject, reason=request.POST.get("reason", ""), when=now())
                self.message_user(request, _("Sent again: those who decide are told."), messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:approvals_approvalrequest_change", args=[row.pk]))
        except LoyaltyError as refusal:
            refused = refusal.sentence()
        typed = request.POST.get("reason", row.reason)
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request), "title": _("Send again"), "shown": shown,
            "refused": refused, "typed": typed,
        }  # fmt: skip
        with timezone.override(ZoneInfo(zone_of(row.unit))):
            return render(request, "approvals/again.html", context)


# What the buttons do: each calls one service and says what was done.

Act = Callable[[HttpRequest, ApprovalRequest, datetime], str]


def _decide(verdict: str) -> Act:
    def act(request: HttpRequest, row: ApprovalRequest, when: datetime) -> str:
        said = request.POST
        done = decide(
            actor_of(request), row.pk, verdict, seen=said.get("seen"), comment=said.get("comment", ""), when=when
        )
        return _decided(done, verdict)

    return act


def _decided(done: ApprovalRequest, verdict: str) -> str:
    refusal = refusal_of(done)
    if refusal and done.state == ApprovalRequest.State.CLOSED:
        return _("It is closed without effect: %(why)s") % {"why": refusal}
    if refusal:
        raise CouldNotBeDone(why=refusal)
    if done.state == ApprovalRequest.State.DONE:
        return _("Approved and carried out.")
    return {
        Decision.Verdict.APPROVED: _("Approved. The next people are asked."),
        Decision.Verdict.REJECTED: _("Rejected. The requester is told."),
        Decision.Verdict.RETURNED: _("Returned. The requester is told what to change."),
    }[Decision.Verdict(verdict)]


class CouldNotBeDone(LoyaltyError):
    """The last yes was undone, for what carrying out was refused."""

    code = "could_not_be_done"

    def sentence(self) -> str:
        return _("It could not be carried out, so your decision does not count: %(why)s") % self.data


def _comment(request: HttpRequest, row: ApprovalRequest, when: datetime) -> str:
    asking.comment(actor_of(request), row.pk, request.POST.get("comment", ""), when=when)
    return _("Your comment is kept, and those concerned are told.")


def _attach(request: HttpRequest, row: ApprovalRequest, when: datetime) -> str:
    file = request.FILES.get("file")
    if file is None or file.size is None or file.size > LARGEST:
        raise EvidenceRefused(why="size")
    kept = asking.attach(actor_of(request), row.pk, file.name or "", file.read(), when=when)
    return _("“%(name)s” is attached.") % {"name": kept.name}


def _transfer(request: HttpRequest, row: ApprovalRequest, when: datetime) -> str:
    to = _named(request, row)
    asking.transfer(actor_of(request), row.pk, to, text=request.POST.get("text", ""), when=when)
    return _("%(person)s is asked now.") % {"person": to}


def _add(request: HttpRequest, row: ApprovalRequest, when: datetime) -> str:
    to = _named(request, row)
    asking.add_approver(actor_of(request), row.pk, to, text=request.POST.get("text", ""), when=when)
    return _("%(person)s is asked as well.") % {"person": to}


def _named(request: HttpRequest, row: ApprovalRequest) -> Staff:
    """The person whose name was typed. Raises NotToThem."""
    name = request.POST.get("to", "").strip()
    found = askable(actor_of(request), row).filter(username=name).first() if name and "\0" not in name else None
    if found is None:
        raise NotToThem(person=name or "–")
    return found


def _called(people: Any, term: str) -> Any:
    return people.filter(
        Q(username__icontains=term) | Q(first_name__icontains=term) | Q(last_name__icontains=term)
    ).order_by("username")  # fmt: skip


def _watch(is_watching: bool) -> Act:
    def act(request: HttpRequest, row: ApprovalRequest, when: datetime) -> str:
        asking.watch(actor_of(request), row.pk, is_watching)
        return _("You are told of what becomes of it.") if is_watching else _("You are no longer told of it.")

    return act


def _withdraw(request: HttpRequest, row: ApprovalRequest, when: datetime) -> str:
    withdraw(actor_of(request), row.pk, comment=request.POST.get("text", ""), when=when)
    return _("Withdrawn. Nobody is asked any more.")


ACTS: dict[str, Act] = {
    "approved": _decide(Decision.Verdict.APPROVED),
    "rejected": _decide(Decision.Verdict.REJECTED),
    "returned": _decide(Decision.Verdict.RETURNED),
    "comment": _comment,
    "attach": _attach,
    "transfer": _transfer,
    "add": _add,
    "watch": _watch(True),
    "unwatch": _watch(False),
    "withdraw": _withdraw,
}
