"""The queue of events held for review: the list, and the page on which one or several are decided on."""

from typing import Any, ClassVar

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

from apps.core.addresses import address
from apps.core.admin import ScopedAdmin, actor_of, figure, local
from apps.core.clock import now
from apps.rules.errors import AlreadyDecided
from apps.rules.explain import condition_sentence, reasons
from apps.rules.forms import DecisionForm
from apps.rules.holding import PERMISSION, Verdict, decide_held
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

    @admin.display(description=gettext_lazy("state"))
    def state_tag(self, row: HeldEvent) -> str:
        decision = getattr(row, "decision", None)
        label = decision.get_verdict_display() if decision else _("Open")
        tone = TONES[decision.verdict if decision else "open"]
        return format_html('<span class="studio-tag studio-tag-{}">{}</span>', tone, label)

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
        points, decided = 0, 0
        for held in waiting:
            try:
                points += decide_held(actor_of(request), held, verdict, reason=reason, when=now()).points
                decided += 1
            except AlreadyDecided as refusal:
                self.message_user(request, refusal.sentence(), messages.WARNING)
        if decided:
            said = (
                _("%(points)s points are released.")
                if verdict == Verdict.RELEASED
                else _("%(points)s points are refused.")
            )
            self.message_user(request, said % {"points": f"{points:,}"}, messages.SUCCESS)
        return HttpResponseRedirect(f"{self.list_address()}?state=open")


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
