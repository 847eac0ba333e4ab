"""Rules: the list, and the page on which a draft is written, tried, published, compared and retired."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.activity.models import Event
from apps.approvals.definition import OfRole
from apps.approvals.models import ApprovalRequest
from apps.approvals.people import directory
from apps.approvals.routing import policy_in_force
from apps.approvals.services import deciding
from apps.approvals.services.sending import plan_of, send
from apps.approvals.showing import path_shown, plan_shown, waited_for
from apps.approvals.words import path_in_words
from apps.conditions.describing import SCRIPTS as CONDITION_SCRIPTS
from apps.conditions.types import Type, WrongValue, read_value
from apps.core.addresses import address
from apps.core.admin import actor_of, local
from apps.core.clock import local_day, now, start_of_day
from apps.core.errors import LoyaltyError
from apps.core.formats import moment
from apps.orgs.gate import SubjectGone
from apps.orgs.models import OrgUnit, Program, Staff
from apps.orgs.querysets import programs_reached
from apps.orgs.roles import PERMISSIONS
from apps.rules import overriding, services
from apps.rules.admin.gallery import GalleryPages
from apps.rules.admin.programs import ProgramPages
from apps.rules.budgets import budgets_of
from apps.rules.comparing import differences
from apps.rules.counting import count_purchases, count_reached
from apps.rules.doubts import doubts_of
from apps.rules.errors import DefinitionFaulty, DraftChanged
from apps.rules.families import open_units
from apps.rules.forms import RuleForm, decoded, faults_in_words, told_of
from apps.rules.models import Rule, RuleVersion
from apps.rules.overriding import drift_of
from apps.rules.publishing import PUBLISH, publication_of, returned_to, send_publication
from apps.rules.reading import (
    PUBLICATION,
    TONES,
    Standing,
    about_rule,
    names_of,
    open_requests,
    place_of,
    reaching_beyond,
    standing,
    standing_in_words,
    standing_of,
    versions_by_rule,
)
from apps.rules.retiring import Retirement
from apps.rules.sentences import Names, rule_sentence
from apps.rules.snapshot import kinds_named
from apps.rules.trying import Trial, free_fields, try_definition

LANGUAGES = (("en", "en"), ("zh", "zh-hans"))
TOLD = ("event.", "line.", "member.")
LANG = {"en": "en", "zh": "zh-Hans"}
State = RuleVersion.State
Asked = ApprovalRequest.State
REQUESTS_SHOWN = 10
REQUEST_TONES = {
    Asked.OPEN: "warn", Asked.RETURNED: "warn", Asked.DONE: "good", Asked.REJECTED: "bad", Asked.CLOSED: "bad",
}  # fmt: skip


class StandingFilter(SimpleListFilter):
    title = gettext_lazy("where it stands")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [
            ("live", gettext_lazy("Live")),
            ("scheduled", gettext_lazy("Scheduled")),
            ("draft", gettext_lazy("With a draft")),
            ("review", gettext_lazy("In review")),
            ("over", gettext_lazy("Over")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        when = now()
        versions = RuleVersion.objects.filter(rule=OuterRef("pk"))
        going_on = reaching_beyond(versions, when)
        match self.value():
            case "live":
                return queryset.filter(Exists(going_on.filter(starts_at__lte=when)))
            case "scheduled":
                return queryset.filter(Exists(going_on.filter(starts_at__gt=when)))
            case "draft":
                return queryset.filter(Exists(versions.filter(state=State.DRAFT)))
            case "review":
                named = Concat(Value("rule:"), Cast(OuterRef("pk"), CharField()))
                open_ones = ApprovalRequest.objects.filter(kind=PUBLICATION, about=named, state=Asked.OPEN)
                return queryset.filter(Exists(open_ones))
            case "over":
                return queryset.filter(~Exists(going_on), Exists(versions.exclude(state=State.DRAFT)))
        return queryset


def shown_zone(rule: Any) -> str:
    return str(rule.program.time_zone)


@admin.register(Rule)
class RuleAdmin(GalleryPages, ProgramPages):
    """One page for a rule's whole life. Its draft is JSON in a hidden field; static/rules/editor.js edits it."""

    form = RuleForm
    warn_unsaved_form = False  # the editor warns itself, and only of what it could not save as one typed
    list_display = ("name", "standing_tag", "sentence", "starts", "ends", "program")
    list_select_related = ("program__unit", "unit")
    list_filter = (StandingFilter, "program")
    search_fields = ("name", "code")
    ordering = ("program", "name")
    sortable_by = ("name",)  # type: ignore[assignment]
    choice_permissions: ClassVar = {"unit": "rules.add_rule"}
    empty_template = "rules/list_empty.html"
    change_form_outer_before_template = "rules/banner.html"
    change_form_after_template = "rules/editor.html"
    change_form_outer_after_template = "rules/versions.html"

    class Media:
        css: ClassVar = {"all": ["conditions/conditions.css", "rules/rules.css"]}
        js = (
            *CONDITION_SCRIPTS, "rules/effects.js", "rules/table.js", "rules/goal.js", "rules/limits.js", "rules/stacking.js",
            "rules/validity.js", "conditions/saving.js", "rules/editor.js", "rules/page.js",
        )  # fmt: skip

    # The list.

    def prepare_rows(self, rows: list[Any]) -> None:
        when, language = now(), get_language() or "en"
        versions, reviews = versions_by_rule(rows), open_requests(rows)
        names = names_of({rule.program for rule in rows})
        for rule in rows:
            rule.standing = standing(versions[rule.pk], when, reviews.get(rule.pk))
            shown = rule.standing.shown
            named = _named(rule, names[rule.program_id])
            rule.words = rule_sentence(shown.definition, named, language) if shown else ""

    @admin.display(description=gettext_lazy("where it stands"))
    def standing_tag(self, rule: Any) -> str:
        stands = rule.standing
        tags = [_tag(stands.name)]
        if stands.scheduled is not None:
            start = moment(stands.scheduled.starts_at, ZoneInfo(rule.program.time_zone))
            scheduled = _tag("scheduled") if stands.name != "scheduled" else ""
            tags.append(format_html("{} <small>{}</small>", scheduled, _("from %(moment)s") % {"moment": start}))
        if stands.draft is not None and stands.name != stands.draft_name:
            tags.append(_tag(stands.draft_name))
        return format_html_join(" ", "{}", ((tag,) for tag in tags))

    @admin.display(description=gettext_lazy("the rule"))
    def sentence(self, rule: Any) -> str:
        return format_html('<span class="studio-rule-words">{}</span>', rule.words)

    starts = local(
        gettext_lazy("in force from"), lambda rule: rule.standing.shown and rule.standing.shown.starts_at, shown_zone
    )
    ends = local(
        gettext_lazy("in force until"), lambda rule: rule.standing.shown and rule.standing.shown.ends_at, shown_zone
    )

    # The page.

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "code", "program", "unit", "allows_override")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        is_fixed = (
            obj.overrides_id is not None
            or obj.versions.exclude(state=State.DRAFT).exists()
            or bool(open_requests([obj]))
        )
        return ("code", "program", "unit") if is_fixed else ("code", "program")

    def _choices(self, db_field: Any, request: HttpRequest, queryset: Any) -> Any:
        """A unit's own rules stand in the programme of the company above it."""
        if db_field.name == "program":
            return programs_reached(actor_of(request), "rules.add_rule")
        return super()._choices(db_field, request, queryset)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        refusal = getattr(request, "refusal", None)
        if isinstance(refusal, DraftChanged):
            # Shown again, the form counts as having read what is there now: saving once more keeps what was typed.
            sent = request.POST.copy()
            sent["revision"] = str(refusal.data["revision"])
            request.POST = sent  # type: ignore[assignment]
        return super().get_form(request, obj, change, **kwargs)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        form = context["adminform"].form
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if may and "definition" in form.fields:
            context["rule_editor"] = form.config() | {
                "preview": self._address("preview"),
                "count": self._address("count"),
                "try": self._address("try"),
                "rule": str(obj.pk) if obj else "",
                "autosave": self._address("autosave", obj.pk) if obj else None,
                "saved": told_of(form.draft, now()) if form.draft else None,
            }
        context |= {
            "show_save_and_add_another": False, "show_save_and_continue": False,
            "sentence_order": [(code, LANG[code]) for code, _full in _own_first()],
        }  # fmt: skip
        context |= self._page(request, obj) if obj is not None else self.begun_from(request)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def _address(self, page: str, *args: Any) -> str:
        return reverse(f"admin:rules_rule_{page}", args=args)

    def _page(self, request: HttpRequest, rule: Rule) -> dict[str, Any]:
        """What the rule's page shows round the form."""
        when = now()
        person = actor_of(request)
        below = Rule.objects.visible_to(person).filter(overrides=rule).select_related("unit").order_by("unit__path")
        above = Rule.objects.select_related("unit").filter(pk=rule.overrides_id).first() if rule.overrides_id else None
        overrides = list(below)
        all_versions = versions_by_rule([rule, *overrides, *([above] if above else [])])
        versions = all_versions[rule.pk]
        names = _named(rule, names_of([rule.program])[rule.program_id])
        zone = ZoneInfo(rule.program.time_zone)
        requests = _requests_about(person, rule)
        review = open_requests([rule]).get(rule.pk)
        stands = standing(versions, when, review)
        told = stands.shown
        asked = stands.draft or told
        one, other = (_version(versions, request.GET.get(name)) for name in ("one", "other"))
        language = get_language() or "en"
        compared = None
        if one is not None and other is not None:
            older, newer = sorted((one, other), key=lambda version: version.number)
            compared = {
                "older": older,
                "newer": newer,
                "lines": differences(older.definition, newer.definition, names, language),
            }
        drifts = [drift_of(each, all_versions, versions, names, language, when) for each in overrides]
        return {
            "rule": rule,
            "standing": stands,
            "standing_name": stands.name,
            "standing_tag": _tag(stands.name),
            "draft_tag": _tag(stands.draft_name),
            "review": review,
            "review_page": _request_page(review),
            "review_path": path_shown(review, when) if review is not None else (),
            "awaited": waited_for(review) if review is not None else [],
            "is_own_review": review is not None and review.requester_id == person.pk,
            "requests": [_request_told(each) for each in requests],
            **self._publishing(request, rule, stands, review),
            **self._retiring(request, rule, stands, when),
            "overridden": above,
            "drift": drift_of(rule, all_versions, all_versions[above.pk], names, language, when) if above else None,
            "overrides": [(each, _tag(each.stands.name)) for each in drifts],
            "override_units": open_units(rule, _units_of(person, rule), when) if stands.live else [],
            "rule_sentences": [(code, rule_sentence(told.definition, names, full)) for code, full in _own_first()]
            if told
            else [],
            "draft_sentences": [
                (code, rule_sentence(stands.draft.definition, names, full)) for code, full in _own_first()
            ]
            if stands.draft and told is not stands.draft
            else [],
            "budgets": budgets_of([stands.live], when) if stands.live else [],
            "doubts": doubts_of(rule.program, asked.definition, when) if asked else [],
            "zone": rule.program.time_zone,
            "local_now": _local(when, zone),
            "next_midnight": _local(start_of_day(local_day(when, zone) + timedelta(days=1), zone), zone),
            "versions": [_told(version, names, language, when, stands) for version in versions],
            "compared": compared,
            "one": one or (versions[1] if len(versions) > 1 else None),
            "other": other or (versions[0] if versions else None),
            "may_add": self.may(request, "rules.add_rule", rule),
            "may_publish": self.may(request, "rules.publish_rule", rule),
            "may_draft": self.has_change_permission(request, rule) and self.may(request, "rules.add_ruleversion"),
            "may_discard": self.may(request, "rules.delete_ruleversion") and self.has_change_permission(request, rule),
            "trial_kinds": _trial_kinds(stands.draft),
            "trial_units": OrgUnit.objects.within(rule.unit.path),
        }

    def _publishing(
        self, request: HttpRequest, rule: Rule, stands: Standing, review: ApprovalRequest | None
    ) -> dict[str, Any]:
        """What “Review & publish” shows before anything is sent: what changes, who has to say yes, whom one may name."""
        person, draft = actor_of(request), stands.draft
        if draft is None or review is not None or not self.has_change_permission(request, rule):
            return {}
        subject = publication_of(draft)
        plan = plan_of(person, subject, now())
        returned = returned_to(person, rule.pk)
        return {
            "plan": plan_shown(plan),
            "is_sent": not plan.is_free or not self.may(request, PUBLISH, rule) or rule.program.reviews_rules,
            "must_name": plan.is_free and (rule.program.reviews_rules or not self.may(request, PUBLISH, rule)),
            "colleagues": _colleagues(person, rule, subject.excluded()),
            "returned": returned.decisions.select_related("person").order_by("-pk").first() if returned else None,
        }

    def _retiring(self, request: HttpRequest, rule: Rule, stands: Standing, when: datetime) -> dict[str, Any]:
        """Who would have to say yes to the rule's end, in words: later, and at once."""
        if not self.may(request, PUBLISH, rule) or not (stands.live or stands.scheduled):
            return {}
        if policy_in_force(Retirement.code, rule.unit) is None:
            return {}
        ends = {"stop_path": None, "retire_path": when + timedelta(days=1)}
        plans = {
            name: plan_of(actor_of(request), Retirement(rule=rule.pk, at=at), when, with_effect=False)
            for name, at in ends.items()
        }
        return {name: path_in_words(plan.steps) for name, plan in plans.items()}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor, values, when = actor_of(request), form.cleaned_data, now()
        if not change:
            version = services.create_rule(
                actor,
                values["program"],
                values["unit"],
                code=values["code"],
                name=values["name"],
                definition=values["definition"],
                allows_override=values["allows_override"],
                when=when,
            )
            obj.pk = version.rule_id
            return
        allows = values.get("allows_override")
        services.change_rule(actor, obj, name=values["name"], unit=values.get("unit"), allows_override=allows)
        if form.draft is not None and "definition" in values:
            services.save_draft(actor, form.draft, values["definition"], revision=values["revision"], when=when)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        self.message_user(request, _("The draft is saved. Try it, then publish it."), messages.SUCCESS)
        return HttpResponseRedirect(self._address("change", obj.pk))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        self.message_user(request, _("Saved."), messages.SUCCESS)
        page = self._address("change", obj.pk)
        dialog = request.POST.get("_opens", "")
        return HttpResponseRedirect(f"{page}?opens={dialog}" if dialog == "publish" else page)

    # Pages of its own.

    def get_urls(self) -> list[Any]:
        return [
            self.route("preview/", self.preview_view, "preview"),
            self.route("count/", self.count_view, "count"),
            self.route("try/", self.try_view, "try"),
            self.route("<path:object_id>/autosave/", self.autosave_view, "autosave"),
            self.route("<path:object_id>/publish/", self.publish_view, "publish"),
            self.route("<path:object_id>/withdraw/", self.withdraw_view, "withdraw"),
            self.route("<path:object_id>/override/", self.override_view, "override"),
            self.route("<path:object_id>/take-over/", self.take_over_view, "take_over"),
            self.route("<path:object_id>/draft/", self.draft_view, "draft"),
            self.route("<path:object_id>/discard/", self.discard_view, "discard"),
            self.route("<path:object_id>/retire/", self.retire_view, "retire"),
            *super().get_urls(),
        ]

    def _asked(self, request: HttpRequest) -> tuple[Program, OrgUnit, Any]:
        """The programme, place and definition that the editor asks about, within the person's reach."""
        person = actor_of(request)
        program = _row(programs_reached(person, "rules.change_ruleversion"), request.POST.get("program"))
        units = OrgUnit.objects.visible_to(person, "rules.change_ruleversion").within(program.unit.path)
        unit = _row(units, request.POST.get("unit")) if request.POST.get("unit") else units.first() or program.unit
        return program, unit, decoded(request.POST.get("definition", ""))

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The rule as sentences, its faults, and what a trial of it must be told, while somebody types."""
        if not self.may(request, "rules.change_ruleversion"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        program, unit, definition = self._asked(request)
        names = _named(Rule(program=program, unit=unit), names_of([program])[program.pk])
        faults: list[Any] = []
        try:
            services.checked(program, definition)
        except DefinitionFaulty as refusal:
            faults = faults_in_words(refusal)
        said = {code: rule_sentence(definition, names, full) for code, full in LANGUAGES}
        asked = free_fields(definition, get_language() or "en", names)
        return JsonResponse({"sentences": said, "faults": faults, "asked": asked})

    def count_view(self, request: HttpRequest) -> HttpResponse:
        """How many members could meet the condition, or for how many purchases it holds, while somebody types."""
        if not self.may(request, "rules.change_ruleversion"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        program, unit, definition = self._asked(request)
        person, day = actor_of(request), local_day(now(), ZoneInfo(program.time_zone))
        if request.POST.get("of") == "purchases":
            return JsonResponse(count_purchases(person, program, unit, definition, day))
        return JsonResponse(count_reached(person, program, definition, day))

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """What the definition would give for an event, and why or why not."""
        if not self.may(request, "rules.change_ruleversion"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        program, unit, definition = self._asked(request)
        zone = ZoneInfo(program.time_zone)
        sent = request.POST
        try:
            trial = Trial(
                kind=sent.get("kind", ""),
                at=_instant(sent.get("at", ""), zone) or now(),
                store=_row(OrgUnit.objects.within(program.unit.path), sent.get("store")),
                amount=read_value(Type.NUMBER, sent["amount"]) if sent.get("amount") else None,
                category=sent.get("category", "")[:80],
                told={name: str(text)[:500] for name, text in sent.items() if name.startswith(TOLD)},
            )
            seen = Rule.objects.visible_to(actor_of(request)).filter(program=program)
            rule = _row(seen, sent["rule"]) if sent.get("rule") else None
        except WrongValue as wrong:
            return JsonResponse({"refusal": wrong.words.in_language(get_language() or "en")})
        try:
            said = try_definition(program, unit, definition, trial, get_language() or "en", rule and rule.pk)
            return JsonResponse(said)
        except DefinitionFaulty as refusal:
            return JsonResponse({"refusal": _("Mend the draft first: %(what)s") % {"what": refusal.sentence()}})

    def autosave_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The draft, saved while somebody writes; or, where somebody else saved it meanwhile, what theirs says."""
        rule = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        draft, written = _draft(rule), decoded(request.POST.get("definition", ""))
        try:
            saved = services.save_draft(actor_of(request), draft, written, revision=_revision(request) or 0, when=now())
        except DefinitionFaulty as refusal:
            return JsonResponse({"faults": faults_in_words(refusal)})
        except DraftChanged:
            theirs = _draft(rule)
            names, language = _named(rule, names_of([rule.program])[rule.program_id]), get_language() or "en"
            mine = services.checked(rule.program, written).to_json()
            lines = differences(theirs.definition, mine, names, language)
            return JsonResponse(
                {"theirs": told_of(theirs, now()), "definition": theirs.definition, "differences": lines}
            )
        except LoyaltyError as refusal:
            return JsonResponse({"refusal": refusal.sentence()})
        return JsonResponse({"saved": told_of(saved, now())})

    def publish_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The draft, published at once, or sent to those who have to say yes first."""
        rule = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        person, when = actor_of(request), now()
        start, revision = _wanted(request, ZoneInfo(rule.program.time_zone)), _revision(request)

        def publish() -> HttpResponse:
            draft, also = _draft(rule), _named_besides(person, rule, request.POST.get("also", ""))
            if not also and self._is_free(person, draft):
                live = services.publish_version(person, draft, starts_at=start, revision=revision, when=when)
                return self._published(request, rule, live)
            sent = send_publication(
                person, draft, starts_at=start, revision=revision, reason=_words(request, "reason"),
                key=f"rule:{rule.pk}:{uuid4()}", also=also, when=when,
            )  # fmt: skip
            return self._sent(request, rule, sent)

        answer: HttpResponse = self.refusals_shown(request, publish)
        return answer

    def _is_free(self, person: Staff, draft: RuleVersion) -> bool:
        """Whether no policy asks anybody; a version that is no draft any more is refused by the service."""
        try:
            return plan_of(person, publication_of(draft), now(), with_effect=False).is_free
        except SubjectGone:
            return True

    def _sent(self, request: HttpRequest, rule: Rule, sent: ApprovalRequest) -> HttpResponse:
        people = ", ".join(str(person) for person in waited_for(sent)) or _("nobody yet")
        said = _("Sent as request #%(number)s. %(people)s can decide now.") % {"number": sent.pk, "people": people}
        self.message_user(request, said, messages.SUCCESS)
        return self._back(rule)

    def _published(self, request: HttpRequest, rule: Rule, live: RuleVersion) -> HttpResponse:
        assert live.starts_at is not None
        zone = rule.program.time_zone
        said = _("Published. In force from %(moment)s (%(zone)s).")
        told = said % {"moment": moment(live.starts_at, ZoneInfo(zone)), "zone": zone}
        self.message_user(request, told, messages.SUCCESS)
        return self._back(rule)

    def withdraw_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def withdraw() -> HttpResponse:
            review = open_requests([rule]).get(rule.pk)
            if review is None:
                raise Http404
            deciding.withdraw(actor_of(request), review.pk, when=now())
            self.message_user(request, _("The request is withdrawn; the draft can be changed again."), messages.SUCCESS)
            return self._back(rule)

        answer: HttpResponse = self.refusals_shown(request, withdraw)
        return answer

    def override_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A rule of a unit below in the place of this one: who may add rules there, may; this one they need only see."""
        rule = self.object_or_404(request, object_id)
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def override() -> HttpResponse:
            unit = _row(_units_of(actor_of(request), rule), request.POST.get("unit"))
            version = overriding.override_rule(actor_of(request), rule, unit, when=now())
            said = _(
                "A draft for %(unit)s is ready to be changed. Once it is in force, it applies there instead of “%(rule)s”."
            )
            self.message_user(request, said % {"unit": unit.name, "rule": rule.name}, messages.SUCCESS)
            return self._back(version.rule)

        answer: HttpResponse = self.refusals_shown(request, override)
        return answer

    def take_over_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def take_over() -> HttpResponse:
            overriding.take_over(actor_of(request), rule, revision=_revision(request), when=now())
            said = _("The draft says what the rule above says now.")
            self.message_user(request, said, messages.SUCCESS)
            return self._back(rule)

        answer: HttpResponse = self.refusals_shown(request, take_over)
        return answer

    def draft_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def start() -> HttpResponse:
            source = _row(RuleVersion.objects.filter(rule=rule), request.POST.get("version"))
            services.restore_version(actor_of(request), source, revision=_revision(request), when=now())
            said = _("A draft like version %(number)s is ready to be changed.") % {"number": source.number}
            self.message_user(request, said, messages.SUCCESS)
            return self._back(rule)

        answer: HttpResponse = self.refusals_shown(request, start)
        return answer

    def discard_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def discard() -> HttpResponse:
            services.discard_draft(actor_of(request), _draft(rule))
            self.message_user(request, _("The draft is discarded."), messages.SUCCESS)
            gone = not Rule.objects.filter(pk=rule.pk).exists()
            return HttpResponseRedirect(self.list_address()) if gone else self._back(rule)

        answer: HttpResponse = self.refusals_shown(request, discard)
        return answer

    def retire_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.object_or_404(request, object_id, "rules.publish_rule")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        zone = ZoneInfo(rule.program.time_zone)

        def retire() -> HttpResponse:
            person, at = actor_of(request), _wanted(request, zone)
            subject = Retirement(rule=rule.pk, at=at.astimezone(UTC) if at is not None else None)
            if not plan_of(person, subject, now(), with_effect=False).is_free:
                sent = send(
                    person, subject, reason=_words(request, "reason"), key=f"retire:{rule.pk}:{uuid4()}", when=now()
                )
                return self._sent(request, rule, sent)
            services.retire_rule(person, rule, at=at, when=now())
            self.message_user(request, _("The rule is retired. What it gave stays with the members."), messages.SUCCESS)
            return self._back(rule)

        answer: HttpResponse = self.refusals_shown(request, retire)
        return answer

    def _back(self, rule: Rule) -> HttpResponse:
        return HttpResponseRedirect(self._address("change", rule.pk))

    def page_of(self, request: HttpRequest) -> str:
        """A refusal is read on the rule's own page."""
        match = request.resolver_match
        object_id = match.kwargs.get("object_id") if match else None
        return self._address("change", object_id) if object_id else super().page_of(request)


def _own_first() -> list[tuple[str, str]]:
    """Both languages, the reader's own first."""
    return sorted(LANGUAGES, key=lambda pair: not (get_language() or "en").startswith(pair[0]))


def _named(rule: Rule, names: Names) -> Names:
    return replace(names, place=place_of(rule))


def _trial_kinds(draft: RuleVersion | None) -> list[tuple[str, Any]]:
    """The kinds of events on which a draft may be tried: those the studio knows, and others that it asks for."""
    known = [(str(kind), label) for kind, label in Event.Kind.choices]
    others = kinds_named(draft.definition) - set(Event.Kind.values) if draft is not None else set()
    return [*known, *((kind, kind) for kind in sorted(others))]


def _tag(name: str) -> str:
    return format_html(
        '<span class="studio-tag studio-tag-{}">{}</span>', TONES[name] or "plain", standing_in_words(name)
    )


def _told(version: RuleVersion, names: Names, language: str, when: datetime, stands: Standing) -> dict[str, Any]:
    name = standing_of(version, when)
    return {
        "version": version,
        "standing": name,
        "tag": _tag(stands.draft_name if name == "draft" else name),
        "sentence": rule_sentence(version.definition, names, language),
    }


def _row(rows: Any, pk: Any) -> Any:
    """The row with that id among `rows`; 404 where there is none."""
    if not str(pk).isdecimal() or len(str(pk)) > 18:
        raise Http404
    found = rows.filter(pk=int(pk)).first()
    if found is None:
        raise Http404
    return found


def _version(versions: list[RuleVersion], number: str | None) -> RuleVersion | None:
    return next((version for version in versions if str(version.number) == number), None)


def _draft(rule: Rule) -> RuleVersion:
    """The rule's draft; one that is no longer there is refused by the service."""
    drafts = RuleVersion.objects.filter(rule=rule)
    return drafts.filter(state=State.DRAFT).first() or drafts.order_by("-number")[0]


def _units_of(person: Any, rule: Rule) -> Any:
    """The units below `rule`, of its programme, where `person` may add rules; in tree order."""
    below = OrgUnit.objects.visible_to(person, "rules.add_rule").within(rule.unit.path).exclude(pk=rule.unit_id)
    others = Program.objects.exclude(pk=rule.program_id).filter(unit__path__startswith=rule.unit.path)
    for path in others.values_list("unit__path", flat=True):
        below = below.exclude(path__startswith=path)
    return below.order_by("path")


def _requests_about(person: Staff, rule: Rule) -> list[ApprovalRequest]:
    """What was asked for about the rule, as far as `person` may read it, the newest first. Two queries."""
    found = ApprovalRequest.objects.visible_to(person).filter(
        kind__in=(PUBLICATION, Retirement.code), about=about_rule(rule.pk)
    )
    found = found.select_related("requester").prefetch_related("decisions__person").order_by("-pk")
    return list(found[:REQUESTS_SHOWN])


def _request_page(request: ApprovalRequest | None) -> str:
    return address("approvals_approvalrequest_change", request.pk) if request is not None else ""


def _request_told(request: ApprovalRequest) -> dict[str, Any]:
    return {
        "request": request, "page": _request_page(request),
        "what": _("Retirement") if request.kind == Retirement.code else _("Publication"),
        "tone": REQUEST_TONES.get(Asked(request.state), "plain"),
        "decisions": sorted(request.decisions.all(), key=lambda decision: decision.pk),
    }  # fmt: skip


def _colleagues(person: Staff, rule: Rule, without: Collection[int]) -> list[Staff]:
    """Who may publish rules at the unit of `rule`, but `person` and those of `without`. Two queries or three."""
    roles = [OfRole(role=role) for role, permissions in PERMISSIONS.items() if PUBLISH in permissions]
    known = directory(rule.unit, person, roles)
    people = {each.pk: each for held in known.holders.values() for each in held}
    return [each for each in people.values() if each.pk not in {person.pk, *without}]


def _named_besides(person: Staff, rule: Rule, username: str) -> list[Staff]:
    """The colleague whom the sender named; whether they may be asked, the service says."""
    if not username:
        return []
    found = next((each for each in _colleagues(person, rule, ()) if each.username == username), None)
    if found is None:
        raise Http404
    return [found]


def _wanted(request: HttpRequest, zone: ZoneInfo) -> datetime | None:
    """The moment that was chosen; None is as soon as may be."""
    return _instant(request.POST.get("at", ""), zone) if request.POST.get("start") == "at" else None


def _words(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "")[:500]


def _revision(request: HttpRequest) -> int | None:
    """The revision of the draft that the person read, as its page sent it along."""
    sent = request.POST.get("revision", "")
    return int(sent) if sent.isdecimal() and len(sent) < 10 else None


def _local(instant: datetime, zone: ZoneInfo) -> str:
    """As a field for date and time takes it."""
    return instant.astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    """`2026-05-04T00:00` as the clocks of `zone` show it; None for anything else."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    if found is None:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)
