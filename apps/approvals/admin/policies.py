"""Approval policies: the list, and the page on which a draft is written, tried, published and compared."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import uuid4

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.approvals.catalogue import catalogue_of
from apps.approvals.comparing import differences
from apps.approvals.definition import Definition, Faulty
from apps.approvals.dossier import zone_of
from apps.approvals.errors import DefinitionFaulty, NoDraft, PolicyChanged
from apps.approvals.judging import Judge, faults_in_words
from apps.approvals.models import ApprovalRequest, Policy, PolicyVersion
from apps.approvals.policy_forms import NewPolicyForm, decoded, editor_words, role_choices, starts_by_kind
from apps.approvals.services import policies as services
from apps.approvals.services.sending import plan_of, send
from apps.approvals.showing import plan_shown, planned_shown, title_of, titles_of
from apps.approvals.trying import Changed, Past, Way, WrongFacts, read_facts, try_facts, try_past
from apps.approvals.words import FREE, steps_in_words, who_in_words
from apps.conditions.describing import SCRIPTS as CONDITION_SCRIPTS
from apps.conditions.describing import describe
from apps.core.addresses import address
from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.core.formats import number
from apps.orgs.gate import ApprovalNeeded, Subject, SubjectGone, kinds
from apps.orgs.models import OrgUnit, Staff

State = PolicyVersion.State
MOST_LISTED = 50
MOST_FOUND = 20
TONES = {State.DRAFT: "warn", State.PUBLISHED: "good", State.REPLACED: "plain"}


def _language() -> str:
    return get_language() or "en"


@admin.register(Policy)
class PolicyAdmin(ScopedAdmin):
    """One page for a policy's whole life; its draft is written by static/approvals/policy.js and saved as one writes."""

    form = NewPolicyForm
    warn_unsaved_form = False  # the editor warns itself
    list_display = ("title", "unit", "standing_tag", "sentences")
    list_select_related = ("unit",)
    list_filter = ("unit", "is_active")
    search_fields = ("kind", "unit__name", "unit__code")
    ordering = ("kind", "unit__path")
    sortable_by = ()
    choice_permissions: ClassVar = {"unit": "approvals.add_policy"}
    empty_template = "approvals/policies_empty.html"
    list_before_template = "orgs/list_why.html"
    why_missing = "approvals.add_policy"
    change_form_outer_before_template = "approvals/policy_banner.html"
    change_form_after_template = "approvals/policy_starts.html"
    change_form_outer_after_template = "approvals/policy_page.html"

    class Media:
        css: ClassVar = {
            "all": [
                "conditions/conditions.css", "rules/rules.css", "approvals/approvals.css", "approvals/policy.css",
            ]
        }  # fmt: skip
        js = (*CONDITION_SCRIPTS, "conditions/saving.js", "approvals/policy.js", "approvals/policy_page.js")

    # The list.

    def prepare_rows(self, rows: list[Any]) -> None:
        judge, language = Judge(), _language()
        shown = PolicyVersion.objects.filter(policy__in=rows).exclude(state=State.REPLACED).order_by("state")
        versions: dict[int, dict[str, PolicyVersion]] = {}
        for version in shown:
            versions.setdefault(version.policy_id, {})[version.state] = version
        for policy in rows:
            known = versions.get(policy.pk, {})
            policy.in_force, policy.draft = known.get(State.PUBLISHED), known.get(State.DRAFT)
            told = policy.in_force or policy.draft
            policy.said = _said(judge, policy, told, language) if told is not None else []

    @admin.display(description=gettext_lazy("what it is for"))
    def title(self, policy: Any) -> str:
        return str(policy)

    @admin.display(description=gettext_lazy("where it stands"))
    def standing_tag(self, policy: Any) -> str:
        return _tags(policy, policy.in_force, policy.draft)

    @admin.display(description=gettext_lazy("what it says"))
    def sentences(self, policy: Any) -> str:
        said = format_html_join("", "<li>{}</li>", ((sentence,) for _name, sentence in policy.said))
        return format_html('<ul class="policy-said">{}</ul>', said)

    # The page.

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("kind", "unit", "start") if obj is None else ("title", "unit")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("title", "unit")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        if obj is None:
            context["starts"] = starts_by_kind()
        else:
            context |= {"show_save": False, "title": services.policy_words(obj).in_language(_language())}
            context |= self._page(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            return  # its verbs stand beside the form
        values = form.cleaned_data
        version = services.create_policy(
            actor_of(request), values["unit"], values["kind"], definition=values["definition"], when=now()
        )
        obj.pk = version.policy_id

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        self.message_user(request, _("The draft is saved. Try it, then publish it."), messages.SUCCESS)
        return HttpResponseRedirect(_address("change", obj.pk))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponseRedirect(_address("change", obj.pk))

    def _page(self, request: HttpRequest, policy: Policy) -> dict[str, Any]:
        """What the policy's page shows round its draft."""
        person, language, judge = actor_of(request), _language(), Judge()
        rows = policy.versions.select_related("changed_by", "published_by").order_by("-number")
        versions = list(rows.exclude(state=State.DRAFT)) if not self._may_read_drafts(request, policy) else list(rows)
        draft, in_force = (next((each for each in versions if each.state == state), None)
                           for state in (State.DRAFT, State.PUBLISHED))  # fmt: skip
        may_change, may_publish = (self.may(request, verb, policy) for verb in ("change", "approvals.publish_policy"))
        may_draft = may_change and self.may(request, "approvals.change_policyversion")
        one, other = (_version(versions, request.GET.get(name)) for name in ("one", "other"))
        told = in_force or draft
        context: dict[str, Any] = {
            "policy": policy,
            "draft": draft,
            "in_force": in_force,
            "tags": _tags(policy, in_force, draft),
            "said": _said(judge, policy, told, language) if told is not None else [],
            "versions": [
                {"version": each, "tag": _tag(each.state), "said": _said(judge, policy, each, language)}
                for each in versions
            ],
            "one": one or (versions[1] if len(versions) > 1 else None),
            "other": other or (versions[0] if versions else None),
            "compared": _compared(judge, policy, one, other, language),
            "above": None if policy.is_active and in_force else self._above(request, policy),
            "may_draft": may_draft,
            "may_publish": may_publish,
            "may_discard": may_change and self.may(request, "approvals.delete_policyversion"),
            "waiting": _waiting(person, policy),
            "zone": zone_of(policy.unit),
        }
        if may_publish:
            context["switching"] = _planned(person, _switch(policy))
        if draft is not None and may_publish:
            context["publishing"] = _planned(person, _publication(draft))
            context["since"] = _lines(judge, policy, in_force, draft, language) if in_force is not None else None
            context["draft_said"] = _said(judge, policy, draft, language)
        if draft is not None and may_draft and policy.kind in kinds():
            context["policy_editor"] = self._editor(policy, draft, judge, person)
        return context

    def _may_read_drafts(self, request: HttpRequest, policy: Policy) -> bool:
        return self.may(request, "approvals.view_policyversion")

    def _above(self, request: HttpRequest, policy: Policy) -> Policy | None:
        """The policy whose word counts here while this one is not in force."""
        found = Policy.objects.visible_to(actor_of(request)).filter(
            Q(kind=policy.kind, is_active=True, versions__state=State.PUBLISHED), unit__depth__lt=policy.unit.depth
        )
        above = (each for each in found.select_related("unit") if policy.unit.path.startswith(each.unit.path))
        return max(above, key=lambda each: each.unit.depth, default=None)

    def _editor(self, policy: Policy, draft: PolicyVersion, judge: Judge, person: Any) -> dict[str, Any]:
        language = _language()
        within = OrgUnit.objects.within(policy.unit.path).order_by("path")
        known = Staff.objects.visible_to(person).filter(is_active=True).values_list("username", flat=True)
        names = {username: judge.names[username] for username in known}
        shown = [(unit.code, unit.name, unit.depth - policy.unit.depth) for unit in within]
        return {
            "catalogue": describe(catalogue_of(policy.kind), language),
            "definition": draft.definition,
            "revision": draft.revision,
            "units": [
                (unit.code, unit.name, unit.depth - 1) for unit in OrgUnit.objects.visible_to(person).order_by("path")
            ],
            "within": shown,
            "seen": kinds()[policy.kind].suggestions(person),
            "roles": role_choices(),
            "words": editor_words(),
            "names": names if len(names) <= MOST_FOUND else {},
            "people": reverse("admin:approvals_policy_people"),
            "preview": _address("preview", policy.pk),
            "autosave": _address("save", policy.pk),
            "try": _address("try", policy.pk),
            "past": _address("past", policy.pk),
            "saved": _told_of(draft, now()),
            "is_unsaved": False,
        }

    # Pages of its own.

    def get_urls(self) -> list[Any]:
        return [
            self.route("people/", self.people_view, "people"),
            self.route("<path:object_id>/preview/", self.preview_view, "preview"),
            self.route("<path:object_id>/save/", self.save_view, "save"),
            self.route("<path:object_id>/try/", self.try_view, "try"),
            self.route("<path:object_id>/past/", self.past_view, "past"),
            self.route("<path:object_id>/draft/", self.draft_view, "draft"),
            self.route("<path:object_id>/publish/", self.publish_view, "publish"),
            self.route("<path:object_id>/discard/", self.discard_view, "discard"),
            self.route("<path:object_id>/switch/", self.switch_view, "switch"),
            *super().get_urls(),
        ]

    def people_view(self, request: HttpRequest) -> HttpResponse:
        """People whom a policy may name: by a part of their name, as far as the person sees them."""
        if not self.may(request, "approvals.change_policyversion"):
            raise PermissionDenied
        term = request.GET.get("term", "").replace("\0", "").strip()[:80]
        fits = Q(username__icontains=term) | Q(first_name__icontains=term) | Q(last_name__icontains=term)
        people = Staff.objects.visible_to(actor_of(request)).filter(fits, is_active=True).select_related("unit")
        found = people.order_by("username")[:MOST_FOUND] if term else ()
        return JsonResponse(
            {"people": [[each.username, each.get_full_name() or each.username, str(each.unit or "")] for each in found]}
        )

    def preview_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sentences, faults and what is covered, while somebody writes."""
        policy = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return JsonResponse(Judge().judged(policy, decoded(request.POST.get("definition", "")), _language()))

    def save_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The draft, saved while somebody writes; or, where somebody else saved it meanwhile, what theirs says."""
        policy = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        written, language = decoded(request.POST.get("definition", "")), _language()
        try:
            draft = _draft(policy)
            saved = services.save_policy_draft(
                actor_of(request), draft, written, revision=_whole(request.POST.get("revision")) or 0, when=now()
            )
        except DefinitionFaulty as refusal:
            return JsonResponse({"faults": faults_in_words(refusal.data["faults"], language)})
        except PolicyChanged:
            return JsonResponse(self._theirs(policy, written))
        except LoyaltyError as refusal:
            return JsonResponse({"refusal": refusal.sentence()})
        return JsonResponse({"saved": _told_of(saved, now())})

    def _theirs(self, policy: Policy, written: Any) -> dict[str, Any]:
        """What somebody else saved, and what leads from theirs to what was written."""
        theirs, judge = _draft(policy), Judge()
        try:
            mine = judge.checked(policy.kind, written)
        except Faulty:
            lines = []
        else:
            lines = differences(policy.kind, _definition(theirs), mine, _language(), judge.unit_names, judge.names)
        return {"theirs": _told_of(theirs, now()), "definition": theirs.definition, "differences": lines}

    def try_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the definition says of a made-up request, with the people of today."""
        policy = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        language, judge, person = _language(), Judge(), actor_of(request)
        written = decoded(request.POST.get("facts", ""))
        within = OrgUnit.objects.within(policy.unit.path)
        unit = within.filter(code=request.POST.get("unit", "")).first() or policy.unit
        requester = Staff.objects.visible_to(person).filter(username=request.POST.get("requester", "")).first()
        try:
            definition = judge.checked(policy.kind, decoded(request.POST.get("definition", "")))
            facts = read_facts(policy.kind, written if isinstance(written, dict) else {}, judge.units)
        except Faulty:
            return JsonResponse({"refusal": _("Mend what is marked first.")})
        except WrongFacts as wrong:
            told = {name: words.in_language(language) for name, words in wrong.faults.items()}
            return JsonResponse({"faults": told})
        trial = try_facts(policy.kind, definition, facts, unit, requester)
        sentence = next(iter(judge.written(policy.kind, {"bands": [trial.band.model_dump()]}, language)), "") \
            if trial.band is not None else ""  # fmt: skip
        steps = planned_shown(trial.steps)
        context = {"trial": trial, "sentence": sentence, "steps": steps, "unit": unit}
        return JsonResponse({"html": render_to_string("approvals/policy_trial.html", context), "band": trial.number})

    def past_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the definition would have done with the requests of the last 90 days."""
        policy = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        judge = Judge()
        try:
            definition = judge.checked(policy.kind, decoded(request.POST.get("definition", "")))
        except Faulty:
            return JsonResponse({"refusal": _("Mend what is marked first.")})
        past = try_past(policy, definition, now())
        context = _past_shown(actor_of(request), past, judge, _language()) | {"zone": zone_of(policy.unit)}
        return JsonResponse({"html": render_to_string("approvals/policy_past.html", context)})

    def draft_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy = self.object_or_404(request, object_id, "change")
        return self._done(request, policy, lambda: self._start(request, policy))

    def _start(self, request: HttpRequest, policy: Policy) -> str:
        draft = services.start_policy_draft(actor_of(request), policy, when=now())
        return _("Draft version %(number)s is ready to be changed.") % {"number": draft.number}

    def publish_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy = self.object_or_404(request, object_id, "approvals.publish_policy")

        def publish() -> str:
            draft, revision = _draft(policy), _whole(request.POST.get("revision"))
            if revision is not None and revision != draft.revision:
                raise PolicyChanged(who=str(draft.changed_by or ""))
            return _done_or_sent(
                request, _publication(draft),
                lambda: services.publish_policy(actor_of(request), draft, revision=revision, when=now()),
                _("Published. It holds for what is sent from now on."),
            )  # fmt: skip

        return self._done(request, policy, publish)

    def discard_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy = self.object_or_404(request, object_id, "change")

        def discard() -> str:
            services.discard_policy_draft(actor_of(request), _draft(policy))
            return _("The draft is discarded.")

        return self._done(request, policy, discard)

    def switch_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        policy = self.object_or_404(request, object_id, "approvals.publish_policy")

        def switch() -> str:
            wanted = request.POST.get("is_active") == "1"
            said = _("The policy is switched on.") if wanted else _("The policy is switched off.")
            return _done_or_sent(
                request, services.PolicySwitch(policy=policy.pk, is_active=wanted),
                lambda: services.switch_policy(actor_of(request), policy, wanted, when=now()), said,
            )  # fmt: skip

        return self._done(request, policy, switch)

    def _done(self, request: HttpRequest, policy: Policy, verb: Any) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponse:
            self.message_user(request, verb(), messages.SUCCESS)
            return HttpResponseRedirect(_address("change", policy.pk))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer


def _done_or_sent(request: HttpRequest, subject: Subject, verb: Any, said: str) -> str:
    """Does it; where a policy holds it, sends a request instead. What to tell the person."""
    try:
        with transaction.atomic():
            verb()
    except ApprovalNeeded:
        reason = request.POST.get("reason", "")
        key = request.POST.get("key", "").replace("\0", "")[:80] or uuid4().hex
        sent = send(actor_of(request), subject, reason=reason, key=f"policy:{key}", when=now())
        people = plan_of(actor_of(request), subject, now(), with_effect=False).steps
        first = sorted({str(asked.person) for each in people[:1] for party in each.people for asked in party})
        told = _("Sent as request #%(number)s. It waits for %(people)s.")
        return told % {"number": sent.pk, "people": ", ".join(first) or _("somebody whom an administrator names")}
    return said


def _address(page: str, *args: Any) -> str:
    return reverse(f"admin:approvals_policy_{page}", args=args)


def _definition(version: PolicyVersion) -> Definition:
    return Definition.model_validate(version.definition)


def _said(judge: Judge, policy: Policy, version: PolicyVersion, language: str) -> list[tuple[str, str]]:
    try:
        return judge.sentences(policy.kind, _definition(version), language)
    except SubjectGone:
        return []


def _lines(judge: Judge, policy: Policy, older: PolicyVersion, newer: PolicyVersion, language: str) -> list[str]:
    return differences(
        policy.kind, _definition(older), _definition(newer), language, judge.unit_names, judge.names
    )  # fmt: skip


def _compared(
    judge: Judge, policy: Policy, one: PolicyVersion | None, other: PolicyVersion | None, language: str
) -> dict[str, Any] | None:
    if one is None or other is None:
        return None
    older, newer = sorted((one, other), key=lambda version: version.number)
    return {"older": older, "newer": newer, "lines": _lines(judge, policy, older, newer, language)}


def _version(versions: list[PolicyVersion], asked: str | None) -> PolicyVersion | None:
    return next((version for version in versions if str(version.number) == asked), None)


def _draft(policy: Policy) -> PolicyVersion:
    draft = policy.versions.select_related("changed_by", "policy__unit").filter(state=State.DRAFT).first()
    if draft is None:
        raise NoDraft()
    return draft


def _told_of(draft: PolicyVersion, when: datetime) -> dict[str, Any]:
    """Which revision of a draft there is, who saved it and how many seconds ago."""
    seconds = max(0, round((when - draft.changed_at).total_seconds()))
    return {"revision": draft.revision, "who": str(draft.changed_by or ""), "seconds": seconds}


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None


def _tag(state: str) -> str:
    return format_html('<span class="studio-tag studio-tag-{}">{}</span>', TONES[State(state)], State(state).label)


def _tags(policy: Policy, in_force: PolicyVersion | None, draft: PolicyVersion | None) -> str:
    tags = [_tag(each.state) for each in (in_force, draft) if each is not None]
    if not policy.is_active:
        tags.insert(0, format_html('<span class="studio-tag studio-tag-bad">{}</span>', _("Switched off")))
    return format_html_join(" ", "{}", ((tag,) for tag in tags))


def _publication(draft: PolicyVersion) -> Subject:
    return services.PolicyPublication(version=draft.pk, revision=draft.revision)


def _switch(policy: Policy) -> Subject:
    return services.PolicySwitch(policy=policy.pk, is_active=not policy.is_active)


def _planned(person: Staff, subject: Subject) -> Any:
    """The path that the person's act would take; None where nobody else is asked."""
    plan = plan_of(person, subject, now(), with_effect=False)
    return None if plan.is_free else plan_shown(plan)


def _waiting(person: Staff, policy: Policy) -> list[dict[str, Any]]:
    """Requests about this policy that wait, as far as the person reads them."""
    about = ApprovalRequest.objects.visible_to(person).filter(
        kind__in=[services.PolicyPublication.code, services.PolicySwitch.code], about=f"policy:{policy.pk}",
        state=ApprovalRequest.State.OPEN,
    )  # fmt: skip
    return [
        {"title": title_of(each), "address": address("approvals_approvalrequest_change", each.pk), "request": each}
        for each in about.order_by("pk")
    ]


def _past_shown(person: Staff, past: Past, judge: Judge, language: str) -> dict[str, Any]:
    """What was found of past requests, in words; requests are named as far as the person reads them."""

    def way(each: Way) -> str:
        if each.is_refused:
            return _("refused")
        return steps_in_words(each.steps, language, judge.names) or FREE.in_language(language)

    roads: dict[tuple[str, str], int] = {}
    for (before, after), count in past.roads.most_common():
        pair = (way(before), way(after))
        roads[pair] = roads.get(pair, 0) + count
    return {
        "past": past,
        "totals": {name: past.total(name) for name in ("held", "freed", "refused", "accepted")},
        "roads": [
            {"before": before, "after": after, "number": number(count), "changes": before != after}
            for (before, after), count in sorted(roads.items(), key=lambda row: (row[0][0] == row[0][1], -row[1]))
        ],
        "deciders": [
            {
                "who": who_in_words(each.who, language, judge.names), "requests": number(each.requests),
                "people": [(str(one.get_full_name() or one), number(times)) for one, times in each.people[:8]],
                "more": max(0, len(each.people) - 8), "lacking": number(each.lacking) if each.lacking else "",
            }
            for each in past.deciders
        ],
        **_changed_shown(person, past.changed, way),
    }  # fmt: skip


def _changed_shown(person: Staff, changed: list[Changed], way: Any) -> dict[str, Any]:
    readable = ApprovalRequest.objects.visible_to(person).filter(pk__in=[each.request for each in changed])
    rows = {row.pk: row for row in readable.select_related("unit", "requester").order_by("-pk")[:MOST_LISTED]}
    titles = titles_of(rows.values())
    listed = [
        {
            "title": titles[each.request], "request": rows[each.request], "before": way(each.before),
            "after": way(each.after), "address": address("approvals_approvalrequest_change", each.request),
        }
        for each in changed
        if each.request in rows
    ]  # fmt: skip
    return {"listed": listed, "unlisted": number(len(changed) - len(listed)) if len(changed) > len(listed) else ""}
