"""The queue of events held for review: the list, and the page on which one or several are decided on."""

from typing import Any, ClassVar
from uuid import uuid4

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.sending import plan_of, send
from apps.approvals.showing import waited_for
from apps.approvals.words import path_in_words
from apps.core.addresses import address
from apps.core.admin import ScopedAdmin, actor_of, figure, local
from apps.core.clock import now
from apps.orgs.gate import ApprovalNeeded
from apps.rules.errors import AlreadyDecided, AskedAlready
from apps.rules.explain import condition_sentence, reasons
from apps.rules.forms import DecisionForm
from apps.rules.holding import PERMISSION, HeldVerdict, Verdict, decide_held, requests_about
from apps.rules.member_page import kind_in_words
from apps.rules.models import HeldEvent, RuleVersion
from apps.rules.reading import names_of

MOST = 100
"""What is decided on at once."""
TONES = {"open": "warn", Verdict.RELEASED: "good", Verdict.REFUSED: "bad"}


class StateFilter(SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("open", gettext_lazy("Open")), *Verdict.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "open":
            return queryset.filter(decision=None)
        return queryset.filter(decision__verdict=self.value()) if self.value() in Verdict.values else queryset


@admin.register(HeldEvent)
class HeldEventAdmin(ScopedAdmin):
    """Newest first. What each event earned, and why, stands on the page where it is decided on."""

    is_large = True
    list_display = (
        "occurred_local", "state_tag", "member_link", "kind_shown", "amount_figure", "points_figure", "rule", "reason",
        "waited", "org_unit",
    )  # fmt: skip
    list_display_links = ("occurred_local",)
    list_select_related = ("event__org_unit", "event__program", "event__outcome", "member", "rule", "decision")
    list_filter = (StateFilter, "rule")
    list_filter_sheet = True
    empty_template = "rules/held_empty.html"
    list_before_template = "orgs/list_why.html"
    why_missing = PERMISSION
    actions = ("decide_on_selected",)
    fields = (
        "occurred_local", "state_tag", "member_link", "kind_shown", "amount_figure", "points_figure", "org_unit", "rule",
        "reason", "decided_by", "decided_for",
    )  # fmt: skip
    readonly_fields: ClassVar = [*fields[:7], "decided_by", "decided_for"]
    change_form_outer_before_template = "rules/held_to_decide.html"

    occurred_local = local(
        gettext_lazy("occurred at"), lambda row: row.event.occurred_at, lambda row: row.event.program.time_zone
    )  # fmt: skip
    amount_figure = figure(gettext_lazy("amount"), lambda row: row.event.amount)
    points_figure = figure(gettext_lazy("points"), lambda row: row.event.outcome.points)

    def prepare_rows(self, rows: list[Any]) -> None:
        asked = requests_about([row.pk for row in rows])
        for row in rows:
            row.asked = asked.get(row.pk)

    @admin.display(description=gettext_lazy("state"))
    def state_tag(self, row: HeldEvent) -> str:
        decision = getattr(row, "decision", None)
        label = decision.get_verdict_display() if decision else _("Open")
        tone = TONES[decision.verdict if decision else "open"]
        tag = format_html('<span class="studio-tag studio-tag-{}">{}</span>', tone, label)
        asked = row.asked if hasattr(row, "asked") else requests_about([row.pk]).get(row.pk)
        return format_html("{} {}", tag, requested_tag(asked)) if asked and not decision else tag

    @admin.display(description=gettext_lazy("member"))
    def member_link(self, row: HeldEvent) -> str:
        page = address("members_member_change", row.member_id)
        return format_html('<a class="studio-link" href="{}">{}</a>', page, row.member) if page else str(row.member)

    @admin.display(description=gettext_lazy("kind"))
    def kind_shown(self, row: HeldEvent) -> str:
        return kind_in_words(row.event.kind)

    @admin.display(description=gettext_lazy("org unit"))
    def org_unit(self, row: HeldEvent) -> str:
        return str(row.event.org_unit)

    @admin.display(description=gettext_lazy("has waited"))
    def waited(self, row: HeldEvent) -> str:
        decision = getattr(row, "decision", None)
        return str(timesince(row.event.received_at, decision.decided_at if decision else now(), depth=1))

    @admin.display(description=gettext_lazy("decided by"))
    def decided_by(self, row: HeldEvent) -> str:
        return str((getattr(row, "decision", None) and row.decision.decided_by) or "")

    @admin.display(description=gettext_lazy("decided because"))
    def decided_for(self, row: HeldEvent) -> str:
        return str((getattr(row, "decision", None) and row.decision.reason) or "")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return self.may(request, PERMISSION)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        is_open = obj is not None and not hasattr(obj, "decision") and self.may(request, PERMISSION, obj)
        context["decide"] = self._decide_address([obj.pk]) if is_open else ""
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    @admin.action(description=gettext_lazy("Decide on these…"), permissions=["decide"])
    def decide_on_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        chosen = list(queryset.filter(decision=None).order_by("pk").values_list("pk", flat=True)[:MOST])
        if not chosen:
            self.message_user(request, _("All of these are decided already."), messages.WARNING)
            return None
        return HttpResponseRedirect(self._decide_address(chosen))

    # The page on which they are decided on.

    def get_urls(self) -> list[Any]:
        return [self.route("decide/", self.decide_view, "decide"), *super().get_urls()]

    def _decide_address(self, chosen: list[int]) -> str:
        where = reverse(f"{self.admin_site.name}:rules_heldevent_decide")
        return f"{where}?{urlencode({'event': chosen}, doseq=True)}"

    def decide_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_decide_permission(request):
            raise PermissionDenied
        waiting = self._waiting(request)
        form = DecisionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._decided(request, waiting, form.cleaned_data["verdict"], form.cleaned_data["reason"])
        title = ngettext("Decide on %(n)s held event", "Decide on %(n)s held events", len(waiting)) % {
            "n": len(waiting)
        }
        context = {
            **self.admin_site.each_context(request),
            "title": title, "opts": self.opts, "form": form, "back": self.list_address(), "items": _told(waiting),
            "paths": _paths(actor_of(request), waiting[0]) if len(waiting) == 1 else [],
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "rules/held.html", context, headers={"Cache-Control": "no-store"})

    def _waiting(self, request: HttpRequest) -> list[HeldEvent]:
        """The open ones among those that the address names, as far as the person may decide on them. 404 for none."""
        named = [int(pk) for pk in request.GET.getlist("event")[:MOST] if pk.isdecimal() and len(pk) < 19]
        found = HeldEvent.objects.visible_to(actor_of(request), PERMISSION).filter(pk__in=named, decision=None)
        waiting = list(
            found.select_related(
                "event__org_unit", "event__program__unit", "event__outcome", "member", "rule"
            ).order_by("pk")
        )
        if not waiting:
            raise Http404
        return waiting

    def _decided(self, request: HttpRequest, waiting: list[HeldEvent], verdict: str, reason: str) -> HttpResponse:
        points, decided, sent = 0, 0, []
        for held in waiting:
            try:
                points += decide_held(actor_of(request), held, verdict, reason=reason, when=now()).points
                decided += 1
            except ApprovalNeeded:
                try:
                    sent.append(_send(actor_of(request), held, verdict, reason))
                except (AlreadyDecided, AskedAlready) as refusal:
                    self.message_user(request, refusal.sentence(), messages.WARNING)
            except AlreadyDecided as refusal:
                self.message_user(request, refusal.sentence(), messages.WARNING)
        if sent:
            self.message_user(request, _sent_in_words(sent), messages.SUCCESS)
        if decided:
            said = (
                _("%(points)s points are released.")
                if verdict == Verdict.RELEASED
                else _("%(points)s points are refused.")
            )
            self.message_user(request, said % {"points": f"{points:,}"}, messages.SUCCESS)
        return HttpResponseRedirect(f"{self.list_address()}?state=open")


def requested_tag(asked: ApprovalRequest) -> str:
    """“Requested”, with a link to the request where its page is there."""
    page = address("approvals_approvalrequest_change", asked.pk)
    label = _("Requested")
    said = format_html('<a class="studio-link" href="{}">{} #{}</a>', page, label, asked.pk) if page else label
    return format_html('<span class="studio-tag studio-tag-plain">{}</span>', said)


def _send(actor: Any, held: HeldEvent, verdict: str, reason: str) -> ApprovalRequest:
    subject = HeldVerdict(held=held.pk, verdict=Verdict(verdict))
    return send(actor, subject, reason=reason, key=f"held:{held.pk}:{uuid4()}", when=now())


def _sent_in_words(sent: list[ApprovalRequest]) -> str:
    """How many were sent, and who is asked now."""
    people = dict.fromkeys(str(person) for request in sent for person in waited_for(request))
    said = ngettext(
        "This needs another's yes: it was sent as request %(numbers)s to %(people)s.",
        "These need another's yes: they were sent as requests %(numbers)s to %(people)s.",
        len(sent),
    )
    numbers = ", ".join(f"#{request.pk}" for request in sent)
    return said % {"numbers": numbers, "people": ", ".join(people) or _("nobody yet")}


def _paths(actor: Any, held: HeldEvent) -> list[tuple[str, str]]:
    """For each verdict that needs others, who they are: shown before anything is sent."""
    plans = {
        verdict.value: plan_of(actor, HeldVerdict(held=held.pk, verdict=verdict), now(), with_effect=False)
        for verdict in Verdict
    }
    return [(verdict, path_in_words(plan.steps)) for verdict, plan in plans.items() if plan.steps]


def _told(waiting: list[HeldEvent]) -> list[dict[str, Any]]:
    """Each event with what it earned and why, and why it is held. A constant number of queries for each programme."""
    names = names_of(held.event.program for held in waiting)
    versions = RuleVersion.objects.filter(pk__in=[held.rule_version_id for held in waiting])
    definitions = dict(versions.values_list("pk", "definition"))
    return [
        {
            "held": held,
            "event": held.event,
            "kind": kind_in_words(held.event.kind),
            "points": held.event.outcome.points,
            "because": condition_sentence(
                definitions.get(held.rule_version_id), _("It held that %(clause)s."), names[held.event.program_id]
            ),
            "reasons": reasons(
                held.event.outcome.answer, {}, held.event.program.currency, names[held.event.program_id]
            ),
            "member": address("members_member_change", held.member_id),
        }
        for held in waiting
    ]
