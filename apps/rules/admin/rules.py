"""Rules: the list, and the page on which a draft is written, tried, published, compared and retired."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.activity.models import Event
from apps.conditions.describing import SCRIPTS as CONDITION_SCRIPTS
from apps.conditions.types import Type, WrongValue, read_value
from apps.core.admin import actor_of, local
from apps.core.clock import local_day, now, start_of_day
from apps.core.errors import LoyaltyError
from apps.core.formats import moment
from apps.orgs.models import OrgUnit, Program
from apps.orgs.querysets import programs_reached
from apps.rules import overriding, reviewing, services
from apps.rules.admin.gallery import GalleryPages
from apps.rules.admin.programs import ProgramPages
from apps.rules.budgets import budgets_of
from apps.rules.comparing import differences
from apps.rules.counting import count_purchases, count_reached
from apps.rules.errors import DefinitionFaulty, DraftChanged
from apps.rules.families import open_units
from apps.rules.forms import RuleForm, decoded, faults_in_words, told_of
from apps.rules.models import Rule, RuleReview, RuleVersion
from apps.rules.overriding import drift_of
from apps.rules.reading import (
    TONES,
    Standing,
    names_of,
    open_reviews,
    place_of,
    reaching_beyond,
    standing,
    standing_in_words,
    standing_of,
    versions_by_rule,
)
from apps.rules.sentences import Names, rule_sentence
from apps.rules.snapshot import kinds_named
from apps.rules.trying import Trial, free_fields, try_definition

LANGUAGES = (("en", "en"), ("zh", "zh-hans"))
TOLD = ("event.", "line.", "member.")
LANG = {"en": "en", "zh": "zh-Hans"}
State = RuleVersion.State


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
                open_ones = RuleReview.objects.filter(rule=OuterRef("pk"), state=RuleReview.State.OPEN)
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
        versions, reviews = versions_by_rule(rows), open_reviews(rows)
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
            or bool(open_reviews([obj]))
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
        reviews = list(rule.reviews.select_related("submitted_by", "decided_by"))
        review = next((each for each in reviews if each.state == RuleReview.State.OPEN), None)
        stands = standing(versions, when, review)
        told = stands.shown
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
        since_live = None
        base = stands.live or stands.scheduled or stands.last
        if stands.draft is not None and base is not None:
            since_live = differences(base.definition, stands.draft.definition, names, language)
        return {
            "rule": rule,
            "standing": stands,
            "standing_name": stands.name,
            "standing_tag": _tag(stands.name),
            "draft_tag": _tag(stands.draft_name),
            "review": review,
            "reviews": [each for each in reviews if each is not review],
            "returned": _returned(reviews, stands.draft),
            "wish_is_ahead": review is not None and review.wished_start is not None and review.wished_start > when,
            "overridden": above,
            "drift": drift_of(rule, all_versions, all_versions[above.pk], names, language, when) if above else None,
            "overrides": [(each, _tag(each.stands.name)) for each in drifts],
            "override_units": open_units(rule, _units_of(person, rule), when) if stands.live else [],
            "needs_review": rule.program.reviews_rules,
            "may_decide": review is not None and reviewing.may_decide(person, review),
            "since_live": since_live,
            "rule_sentences": [(code, rule_sentence(told.definition, names, full)) for code, full in _own_first()]
            if told
            else [],
            "draft_sentences": [
                (code, rule_sentence(stands.draft.definition, names, full)) for code, full in _own_first()
            ]
            if stands.draft and told is not stands.draft
            else [],
            "budgets": budgets_of([stands.live], when) if stands.live else [],
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
        return HttpResponseRedirect(f"{page}?opens={dialog}" if dialog in ("publish", "submit") else page)

    # Pages of its own.

    def get_urls(self) -> list[Any]:
        return [
            self.route("preview/", self.preview_view, "preview"),
            self.route("count/", self.count_view, "count"),
            self.route("try/", self.try_view, "try"),
            self.route("<path:object_id>/autosave/", self.autosave_view, "autosave"),
            self.route("<path:object_id>/publish/", self.publish_view, "publish"),
            self.route("<path:object_id>/submit/", self.submit_view, "submit"),
            self.route("<path:object_id>/withdraw/", self.withdraw_view, "withdraw"),
            self.route("<path:object_id>/approve/", self.approve_view, "approve"),
            self.route("<path:object_id>/return/", self.return_view, "return"),
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
        asked = free_fields(definition, get_language() or "en")
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
        rule = self.object_or_404(request, object_id, "rules.publish_rule")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        zone = ZoneInfo(rule.program.time_zone)

        def publish() -> HttpResponse:
            live = services.publish_version(
                actor_of(request),
                _draft(rule),
                starts_at=_wanted(request, zone),
                revision=_revision(request),
                when=now(),
            )
            return self._published(request, rule, live)

        answer: HttpResponse = self.refusals_shown(request, publish)
        return answer

    def _published(self, request: HttpRequest, rule: Rule, live: RuleVersion) -> HttpResponse:
        assert live.starts_at is not None
        zone = rule.program.time_zone
        said = _("Published. In force from %(moment)s (%(zone)s).")
        told = said % {"moment": moment(live.starts_at, ZoneInfo(zone)), "zone": zone}
        self.message_user(request, told, messages.SUCCESS)
        return self._back(rule)

    def submit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def submit() -> HttpResponse:
            reviewing.submit_version(
                actor_of(request),
                _draft(rule),
                wished_start=_wanted(request, ZoneInfo(rule.program.time_zone)),
                note=_words(request, "note"),
                revision=_revision(request),
                when=now(),
            )
            said = _("Sent to review. Somebody else who may publish rules here decides.")
            self.message_user(request, said, messages.SUCCESS)
            return self._back(rule)

        answer: HttpResponse = self.refusals_shown(request, submit)
        return answer

    def withdraw_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def withdraw() -> HttpResponse:
            reviewing.withdraw_review(actor_of(request), _review(rule, request), when=now())
            self.message_user(request, _("The review is withdrawn; the draft can be changed again."), messages.SUCCESS)
            return self._back(rule)

        answer: HttpResponse = self.refusals_shown(request, withdraw)
        return answer

    def approve_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.object_or_404(request, object_id, "rules.publish_rule")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def approve() -> HttpResponse:
            live = reviewing.approve_review(
                actor_of(request),
                _review(rule, request),
                starts_now=request.POST.get("start") == "now",
                answer=_words(request, "answer"),
                when=now(),
            )
            return self._published(request, rule, live)

        answer: HttpResponse = self.refusals_shown(request, approve)
        return answer

    def return_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule = self.object_or_404(request, object_id, "rules.publish_rule")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def send_back() -> HttpResponse:
            reviewing.return_review(
                actor_of(request), _review(rule, request), answer=_words(request, "answer"), when=now()
            )
            self.message_user(request, _("Returned to its author with your words."), messages.SUCCESS)
            return self._back(rule)

        answer: HttpResponse = self.refusals_shown(request, send_back)
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
            services.retire_rule(actor_of(request), rule, at=_wanted(request, zone), when=now())
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


def _review(rule: Rule, request: HttpRequest) -> RuleReview:
    """The review that the page of the person named; 404 where the rule has none such."""
    found: RuleReview = _row(RuleReview.objects.filter(rule=rule), request.POST.get("review"))
    return found


def _returned(reviews: list[RuleReview], draft: RuleVersion | None) -> RuleReview | None:
    """The review that returned `draft`, if it was the last one."""
    newest = reviews[0] if reviews else None
    if newest is None or newest.state != RuleReview.State.RETURNED or draft is None:
        return None
    return newest if newest.number == draft.number and newest.submitted_at >= draft.created_at else None


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
