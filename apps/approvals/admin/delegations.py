"""Absences: everybody's own on one page, and those of others for administrators and auditors."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Q
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.approvals.absence_forms import AbsenceForm, OwnAbsenceForm, last_day_of, named
from apps.approvals.models import Delegation
from apps.approvals.services.absences import arrange_absence, change_absence
from apps.approvals.services.asking import end_delegation
from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import local_day, now
from apps.core.errors import LoyaltyError
from apps.core.formats import day
from apps.orgs.gate import kinds
from apps.orgs.models import Staff
from apps.orgs.querysets import colleagues_of, zone_of, zones_of

SHOWN = 30
OFFERED = 12
MINE = "admin:approvals_delegation_mine"


@admin.register(Delegation)
class DelegationAdmin(ScopedAdmin):
    """Days are those of the person who is away. What was arranged is changed in its last day, or ended."""

    form = AbsenceForm
    list_display = ("person", "delegate", "first_day", "last_day", "kinds_shown", "reason", "standing")
    list_select_related = ("person__unit", "delegate")
    search_fields = ("person__username", "person__last_name", "delegate__username", "delegate__last_name")
    ordering = ("-starts_at", "-pk")
    sortable_by = ()
    autocomplete_fields = ("person", "delegate")
    choice_permissions: ClassVar = {"person": "orgs.change_staff", "delegate": "orgs.view_staff"}
    change_form_outer_after_template = "approvals/delegation_panel.html"
    history_exclude = ("kinds",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("person", "delegate", "first_on", "last_on", "kinds", "reason")
        may = self._may_change(request, obj)
        return (
            "person", "delegate", "first_day", "last_on" if may else "last_day", "kinds_shown", "reason", "standing"
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        fixed = ("person", "delegate", "first_day", "last_day", "kinds_shown", "standing")
        return fixed if self._may_change(request, obj) else (*fixed, "reason")

    def _may_change(self, request: HttpRequest, obj: Delegation) -> bool:
        return obj.ended_at is None and self.has_change_permission(request, obj)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        absence = super().get_object(request, object_id, from_field)
        if absence is not None:
            self.prepare_rows([absence])
        return absence

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        today = local_day(now(), zone_of(actor_of(request)))
        return {"first_on": today, "last_on": today, **super().get_changeform_initial_data(request)}

    def prepare_rows(self, rows: list[Any]) -> None:
        zones = zones_of([absence.person for absence in rows])
        for absence in rows:
            absence.zone, absence.shown_at = zones[absence.person_id], now()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values, actor = form.cleaned_data, actor_of(request)
        if not change:
            obj.pk = arrange_absence(
                actor, values["person"], values["delegate"], values["first_on"], values["last_on"],
                kinds=tuple(values["kinds"]), reason=values["reason"], when=now(),
            ).pk  # fmt: skip
        elif "last_on" in values:
            change_absence(actor, obj, last_on=values["last_on"], reason=values["reason"], when=now())

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        context["may_end"] = obj is not None and self._may_change(request, obj) and obj.ends_at > now()
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_urls(self) -> list[Any]:
        return [
            self.route("mine/", self.mine_view, "mine"),
            self.route("mine/people/", self.people_view, "people"),
            self.route("<path:object_id>/end/", self.end_view, "end"),
            *super().get_urls(),
        ]

    def end_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        absence = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponse:
            end_delegation(actor_of(request), absence, when=now())
            self.message_user(request, _("Ended: nobody stands in any more."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:approvals_delegation_change", args=[absence.pk]))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    # Everybody's own: no right is needed, and nothing of others is shown.

    def mine_view(self, request: HttpRequest) -> HttpResponse:
        """When the person is away and who stands in, and for whom they stand in."""
        person = actor_of(request)
        if request.method == "POST" and "end" in request.POST:
            return self._end_own(request, person)
        today = local_day(now(), zone_of(person))
        form = OwnAbsenceForm(
            request.POST if request.method == "POST" else None, person=person,
            initial={"first_on": today.isoformat(), "last_on": today.isoformat()},
        )  # fmt: skip
        if request.method == "POST" and form.is_valid():
            try:
                absence = arrange_absence(
                    person, person, form.cleaned_data.pop("delegate"), form.cleaned_data.pop("first_on"),
                    form.cleaned_data.pop("last_on"), when=now(), **form.cleaned_data,
                )  # fmt: skip
            except LoyaltyError as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence())
            else:
                said = _("%(person)s stands in for you and was told.") % {"person": absence.delegate}
                self.message_user(request, said, messages.SUCCESS)
                return HttpResponseRedirect(reverse(MINE))
        return TemplateResponse(request, "approvals/absences.html", self._own_context(request, person, form))

    def _own_context(self, request: HttpRequest, person: Staff, form: OwnAbsenceForm) -> dict[str, Any]:
        rows = Delegation.objects.select_related("person__unit", "delegate").order_by("-ends_at", "-pk")
        found = list(rows.filter(Q(person=person) | Q(delegate=person))[:SHOWN])
        self.prepare_rows(found)
        shown = [_shown(absence, is_own=absence.person_id == person.pk) for absence in found]
        return {
            **self.admin_site.each_context(request), "title": _("My absences"), "form": form,
            "days": [form["first_on"], form["last_on"]],
            "no_own": _("Nobody. While you are away, requests that wait for you wait for you alone."),
            "no_others": _("Nobody has asked you to."),
            "own": [each for each in shown if each["is_own"]],
            "others": [each for each in shown if not each["is_own"]],
            "zone": zone_of(person).key,
        }  # fmt: skip

    def _end_own(self, request: HttpRequest, person: Staff) -> HttpResponse:
        pk = request.POST["end"]
        own = Delegation.objects.filter(person=person)
        absence = own.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 19 else None
        if absence is None:
            raise Http404
        end_delegation(person, absence, when=now())
        self.message_user(request, _("Ended: nobody stands in any more."), messages.SUCCESS)
        return HttpResponseRedirect(reverse(MINE))

    def people_view(self, request: HttpRequest) -> HttpResponse:
        """Colleagues whose name holds what was typed."""
        person, term = actor_of(request), request.GET.get("q", "").replace("\0", "").strip()[:80]
        people = colleagues_of(person).exclude(pk=person.pk)
        for part in term.split()[:4]:
            people = people.filter(
                Q(username__icontains=part) | Q(first_name__icontains=part) | Q(last_name__icontains=part)
            )
        found = people.select_related("unit")[:OFFERED] if term else []
        return JsonResponse({"people": [{"name": named(each), "unit": str(each.unit or "")} for each in found]})

    # Columns.

    @admin.display(description=gettext_lazy("first day away"))
    def first_day(self, absence: Any) -> str:
        return day(absence.starts_at, absence.zone)

    @admin.display(description=gettext_lazy("last day away"))
    def last_day(self, absence: Any) -> str:
        return day(last_day_of(absence, absence.zone))

    @admin.display(description=gettext_lazy("only for"))
    def kinds_shown(self, absence: Delegation) -> str:
        return _kinds_in_words(absence)

    @admin.display(description=gettext_lazy("state"))
    def standing(self, absence: Any) -> str:
        return _standing(absence, absence.shown_at)[0]


def _kinds_in_words(absence: Delegation) -> str:
    language = get_language() or "en"
    known = kinds()
    labels = [known[code].label.in_language(language) if code in known else code for code in absence.kinds]
    return ("、" if language.startswith("zh") else ", ").join(labels) or _("every kind of request")


def _standing(absence: Delegation, when: datetime) -> tuple[str, str]:
    """Where it stands in words, and the tone of that."""
    if absence.ended_at is not None:
        return _("Ended early"), ""
    if absence.ends_at <= when:
        return _("Over"), ""
    return (_("In force now"), "good") if absence.starts_at <= when else (_("Planned"), "warn")


def _shown(absence: Any, *, is_own: bool) -> dict[str, Any]:
    words, tone = _standing(absence, absence.shown_at)
    return {
        "pk": absence.pk, "is_own": is_own, "who": absence.delegate if is_own else absence.person,
        "first": day(absence.starts_at, absence.zone), "last": day(last_day_of(absence, absence.zone)),
        "kinds": _kinds_in_words(absence), "reason": absence.reason, "state": words, "tone": tone,
        "may_end": is_own and absence.ended_at is None and absence.ends_at > absence.shown_at,
    }  # fmt: skip
