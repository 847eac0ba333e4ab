"""Members: the list, the page of one, and what customer service does there."""

from dataclasses import replace
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.core.admin import actor_of
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.core.exports import csv_lines
from apps.core.lists import key_in
from apps.members import services
from apps.members.admin.columns import MOST_SHOWN, columns_of
from apps.members.attribute_forms import field_name, with_attributes
from apps.members.chosen import chosen
from apps.members.errors import NoSuchIdentifier, NoSuchMember
from apps.members.forms import MemberForm, NewMemberForm
from apps.members.history import versions_of
from apps.members.merging import judging
from apps.members.models import AttributeDefinition, Identifier, Member
from apps.members.page import Asked, actions_for, blocks_for, missing_for
from apps.members.profile import profile_of
from apps.members.quality.board import source_in_words
from apps.members.quality.checks import sentence_of
from apps.members.quality.measuring import definitions_near, members_at_fault
from apps.members.quality.models import QualityRule
from apps.members.querysets import definitions_of, masks_of, with_zone
from apps.members.services.looking import PURPOSES, PersonalLook
from apps.members.timeline import file_header, file_row, filters_of, narrowed_of, page_of, pages_of
from apps.orgs.admin.asking import AskingAdmin
from apps.orgs.desk import waiting_about
from apps.orgs.models import OrgUnit

SHOWN_IDENTIFIERS = 3
LENGTHS = (10, 30, 60, 240, 480, 1_440)
"""For how many minutes personal data may be asked for."""


class AtFaultFilter(SimpleListFilter):
    """Those at fault by a rule of data quality, of the unit and the source that are named: `RULE.UNIT.SOURCE`, where the last
    two may be empty. It is there only when it is asked for, as the board does."""

    title = gettext_lazy("at fault")
    parameter_name = "at_fault"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name, "")
        rule, place, source = (*asked.split(".", 2), "", "")[:3]
        self.source = source[:60].replace("\0", "")
        self.place = _seen(OrgUnit.objects.visible_to(request.user), place)
        self.rule = _seen(QualityRule.objects.visible_to(request.user).select_related("unit"), rule)
        if self.rule is None or (place and self.place is None):
            self.rule = None
            return []
        words = sentence_of(self.rule.field, self.rule.check_code, definitions_near(self.rule))
        told = [words.in_language(get_language() or "en"), self.place and self.place.name, source_in_words(self.source)]
        return [(asked, " · ".join(filter(None, told)))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.rule is None:
            return queryset
        at_fault = members_at_fault(self.rule, now(), self.place, self.source)
        return queryset.filter(pk__in=at_fault.values("pk"))


def _seen(rows: Any, text: str) -> Any:
    return rows.filter(pk=key_of(text)).first() if text else None


class ChosenFilter(SimpleListFilter):
    """A list that a room above names; offered only where the address asks for it."""

    title = gettext_lazy("list")
    parameter_name = "in"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        name = request.GET.get(self.parameter_name, "")
        self.found = chosen(actor_of(request), name, now()) if name else None
        if name and self.found is None:
            raise Http404
        return [(name, self.found.title)] if self.found is not None else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset if self.found is None else queryset.filter(self.found.members)


@admin.register(Member)
class MemberAdmin(AskingAdmin):
    """The list is searched as the box under Ctrl+K is, and each search is on record; so is each file and each look."""

    list_display = ("number", "masked_name", "identifiers_shown", "home_unit", "state", "joined_on")
    empty_template = "members/list_empty.html"
    merges_units = True
    list_filter = (AtFaultFilter, "state", "joined_on", "home_unit", ChosenFilter)
    list_filter_sheet = True
    search_fields = ("identifiers",)
    search_help_text = gettext_lazy(
        "The whole card, phone, e-mail or external number, its last four characters, a part of the name, or #number. "
        "Searches are recorded."
    )
    form = MemberForm
    add_form = NewMemberForm
    change_form_template = "members/member.html"
    choice_permissions: ClassVar = {"home_unit": "members.change_member"}

    class Media:
        css: ClassVar = {"all": ["core/job.css", "members/members.css", "members/timeline.css"]}
        js = ("members/members.js", "members/timeline.js")

    def get_queryset(self, request: HttpRequest) -> Any:
        """A page of one member tells instants."""
        members = super().get_queryset(request).select_related("home_unit")
        is_of_one = request.resolver_match is not None and "object_id" in request.resolver_match.kwargs
        return with_zone(members) if is_of_one else members

    # The list.

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = [each for each in self._known(request) if each.is_active and each.in_list]
        return (*self.list_display, *columns_of(shown)[:MOST_SHOWN])

    def export_columns(self, request: HttpRequest, shown: list[Any]) -> list[Any]:
        """Every attribute in use has its column in a file."""
        return [*self.list_display, *columns_of(each for each in self._known(request) if each.is_active)]

    @admin.display(description=gettext_lazy("identifiers"))
    def identifiers_shown(self, member: Any) -> str:
        return " · ".join(member.masks[:SHOWN_IDENTIFIERS])

    @admin.display(description=gettext_lazy("number"))
    def number(self, member: Member) -> str:
        return f"#{member.pk}"

    def prepare_rows(self, rows: list[Any]) -> None:
        masks = masks_of([member.pk for member in rows])
        for member in rows:
            member.masks = masks[member.pk]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if request.GET.get("state__exact") != Member.State.MERGED:
            # Who was merged answers as the kept member.
            queryset = queryset.exclude(state=Member.State.MERGED)
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=[member.pk for member in _found(request, search_term)]), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        """A search that finds exactly one member leads to the member's page."""
        if request.method == "GET" and set(request.GET) == {"q"} and self.has_view_permission(request):
            found = _found(request, request.GET["q"])
            if len(found) == 1:
                return HttpResponseRedirect(self.page_address(found[0]))
        answer: HttpResponseBase = super().changelist_view(request, extra_context)
        return answer

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        if request.method == "GET" and self.has_view_permission(request):
            told = ("at_fault", "state", "joined_on", "home_unit", ChosenFilter.parameter_name, "format")
            filters = [(name, str(value)) for name, value in request.GET.items() if name.startswith(told)]
            name = request.GET.get(ChosenFilter.parameter_name, "")
            found = chosen(actor_of(request), name, now()) if name else None
            titled = [("list", str(found.title))] if found is not None else []
            services.record_export(actor_of(request), urlencode(filters + titled))
        return super().export_view(request)

    # The page of one.

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        defined = [field_name(each) for each in self._defined(request, obj) if each.is_active]
        if obj is None:
            return ("home_unit", *Identifier.Kind.values, "name", "birth_on", "referrer", *defined, "attributes")
        if not self.has_change_permission(request, obj):
            return ("home_unit",)
        name = ("name", "forgets_name") if obj.name_cipher else ("name",)
        birthday = ("birth_on", "forgets_birthday") if obj.birth_on_cipher else ("birth_on",)
        return ("home_unit", *name, *birthday, "referrer", *defined, "attributes")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        base = self.form if obj else self.add_form
        form = with_attributes(base, self._defined(request, obj), obj.attributes if obj else {})
        return super().get_form(request, obj, change, **{"form": form, **kwargs})

    def _defined(self, request: HttpRequest, member: Any) -> list[AttributeDefinition]:
        """The attributes of the member; without one, all that the person knows of."""
        return definitions_of(member) if member is not None else self._known(request)

    def _known(self, request: HttpRequest) -> list[AttributeDefinition]:
        """The attributes that members whom the person sees may have. Asked once a request."""
        known: dict[str, list[AttributeDefinition]] = request.__dict__.setdefault("_attributes", {})
        if "known" not in known:
            rows = AttributeDefinition.objects.visible_to(request.user).select_related("unit")
            known["known"] = list(rows.order_by("position", "pk"))
        return known["known"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = actor_of(request)
        if change:
            particulars = form.particulars()
            if "referrer" in particulars:
                particulars["referrer"] = None, particulars["referrer"]
            services.change_member(actor, obj.pk, when=now(), **particulars)
            return
        particulars = form.particulars()
        made = services.create_member(
            actor, particulars.pop("home_unit"), identifiers=form.identifiers(), when=now(),
            **{name: particulars[name] for name in ("name", "birth_on", "attributes", "referrer") if name in particulars},
        )  # fmt: skip
        obj.pk, obj.masked_name = made.pk, made.masked_name

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        answer = super().change_view(request, object_id, form_url, extra_context)
        patch_cache_control(answer, no_store=True)
        return answer

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        if obj is not None:
            asked = Asked(actor_of(request), obj, now(), request.GET.dict())
            # Of who was erased nothing is left; who was merged is another member now.
            is_left = obj.state not in (Member.State.REMOVED, Member.State.MERGED)
            may_change = is_left and self.has_change_permission(request, obj)
            may_reveal = obj.state != Member.State.REMOVED and self.may(request, "members.reveal_member", obj)
            context |= {
                "profile": profile_of(asked, may_reveal),
                "page_actions": actions_for(asked) if obj.state != Member.State.MERGED else (),
                "may_propose": is_left and self.may(request, judging.PROPOSE, obj),
                "missing": [*missing_for(asked), *(() if may_reveal or not is_left else ("members.reveal_member",))],
                "blocks": blocks_for(asked),
                **_timeline(asked),
                "may_change": may_change,
                "is_changing": "change" in request.GET or request.method == "POST",
                "may_reveal": may_reveal,
                "purposes": [(code, words.in_language(get_language() or "en")) for code, words in PURPOSES.items()],
                "minutes": LENGTHS,
                "waiting": waiting_about(asked.person, PersonalLook.code, f"member:{obj.pk}") if may_reveal else (),
                "kinds": Identifier.Kind.choices if may_change else (),
            }
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        member = self.object_or_404(request, object_id)
        versions, has_older = versions_of(member, request.user, key_in(request, "before"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("History of %(name)s") % {"name": member}, "opts": self.opts, "original": member,
            "versions": versions, "older_than": versions[-1].pk if has_older else None,
        }  # fmt: skip
        return TemplateResponse(request, "core/history.html", context)

    def timeline_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A page of the timeline as a part to be added to the member's page."""
        asked = self._asked(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        context = {"timeline": page_of(asked, narrowed_of(asked)), "original": asked.member}
        return TemplateResponse(request, "members/timeline_page.html", context)

    def timeline_file_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The timeline as it is narrowed, masked, as CSV; that it was taken is on record first."""
        asked = self._asked(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        narrowed = replace(narrowed_of(asked), before=None)
        services.record_export(asked.person, urlencode({"timeline": "", **narrowed.query}), asked.member)
        name = f'attachment; filename="timeline-{asked.member.pk}.csv"'
        lines = csv_lines(file_header(), (file_row(each, narrowed.zone) for each in pages_of(asked, narrowed)))
        return StreamingHttpResponse(
            lines,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": name, "Cache-Control": "no-store"},
        )

    def _asked(self, request: HttpRequest, object_id: str) -> Asked:
        return Asked(actor_of(request), self.object_or_404(request, object_id), now(), request.GET.dict())

    # What customer service does there.

    def get_urls(self) -> list[Any]:
        return [
            self.route("<path:object_id>/timeline/", self.timeline_view, "timeline"),
            self.route("<path:object_id>/timeline/file/", self.timeline_file_view, "timeline_file"),
            self.route("<path:object_id>/reveal/", self.reveal_view, "reveal"),
            self.route("<path:object_id>/identify/", self.identify_view, "identify"),
            self.route("<path:object_id>/forget/", self.forget_view, "forget"),
            self.route("<path:object_id>/verify/", self.verify_view, "verify"),
            self.route("<path:object_id>/propose/", self.propose_view, "propose"),
            self.route("<path:object_id>/state/", self.state_view, "state"),
            *super().get_urls(),
        ]

    def reveal_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows it; where a policy wants others to say yes first, says whose and sends a request."""
        member = self.object_or_404(request, object_id, "members.reveal_member")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        minutes, purpose = key_of(request.POST.get("minutes", "10")), request.POST.get("purpose", "")
        asked: Any = {"minutes": minutes, "purpose": purpose if purpose in PURPOSES else ""}

        def verb() -> None:
            services.reveal(
                actor_of(request), member.pk, reason=request.POST.get("reason", ""), when=now(), **asked
            )  # fmt: skip

        subject, back = PersonalLook(member=member.pk, **asked), self.page_address(member)
        answer = self.asked_first(request, subject, verb, title=_("Ask to see personal data"), back=back)
        if answer is not None:
            return answer
        told = _("Shown to you for %(minutes)s minutes. That you looked, and why, is on record.") % asked
        self.message_user(request, told, messages.SUCCESS)
        return HttpResponseRedirect(back)

    def identify_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        kind, value = request.POST.get("kind", ""), request.POST.get("value", "")

        def run(member: Member) -> str:
            added = services.add_identifier(actor_of(request), member.pk, kind, value, when=now())
            return _("%(identifier)s now names this member.") % {"identifier": added}

        return self._done(request, object_id, "change", run)

    def forget_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def run(member: Member) -> str:
            identifier = key_of(request.POST.get("identifier", ""))
            services.remove_identifier(actor_of(request), member.pk, identifier, when=now())
            return _("It names this member no longer.")

        return self._done(request, object_id, "change", run)

    def verify_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Somebody showed the card, or read out a code: the identifier is theirs; or it is not."""
        undoes = "undo" in request.POST

        def run(member: Member) -> str:
            identifier = key_of(request.POST.get("identifier", ""))
            if not member.identifiers.filter(pk=identifier).exists():
                raise NoSuchIdentifier()
            how = _("On the member's page")
            if undoes:
                services.unverify(actor_of(request), identifier, how, when=now())
                return _("It is no longer verified.")
            services.verify(actor_of(request), identifier, how, when=now())
            return _("It is verified.")

        return self._done(request, object_id, "change", run)

    def propose_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Puts the member and another, named by its number or what names it, on the board of duplicates."""
        member = self.object_or_404(request, object_id, judging.PROPOSE)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponse:
            actor = actor_of(request)
            found = [each.member.pk for each in services.search(actor, request.POST.get("other", ""))]
            if len(found) != 1:
                raise NoSuchMember()
            pair = judging.propose(actor, member.pk, found[0], note=request.POST.get("note", ""), when=now())
            self.message_user(request, _("Proposed. Whoever may merge them decides."), messages.SUCCESS)
            return HttpResponseRedirect(address("members_duplicatepair_change", pair.pk))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def state_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        closes, reason = request.POST.get("state") == Member.State.CLOSED, request.POST.get("reason", "")

        def run(member: Member) -> str:
            verb = services.close_member if closes else services.reopen_member
            verb(actor_of(request), member.pk, reason=reason, when=now())
            return _("The member is closed.") if closes else _("The member is active again.")

        return self._done(request, object_id, "change", run)

    def _done(self, request: HttpRequest, object_id: str, permission: str, verb: Any) -> HttpResponse:
        """Runs `verb` on the member and shows what it says, or its refusal, on the member's page."""
        member = self.object_or_404(request, object_id, permission)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponse:
            self.message_user(request, verb(member), messages.SUCCESS)
            return HttpResponseRedirect(self.page_address(member))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def page_address(self, member: Member) -> str:
        return reverse(f"{self.admin_site.name}:members_member_change", args=[member.pk])


def _timeline(asked: Asked) -> dict[str, Any]:
    narrowed = narrowed_of(asked)
    everything = urlencode(replace(narrowed, source="").query)
    return {
        "timeline": page_of(asked, narrowed), "timeline_filters": filters_of(asked, narrowed),
        "timeline_everything": everything,
    }  # fmt: skip


def key_of(text: str) -> int:
    """A primary key that a form sent; 0, which names nothing, for anything else."""
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _found(request: HttpRequest, term: str) -> list[Member]:
    """What a search finds; searched, and put on record, once a request."""
    searched: dict[str, list[Member]] = request.__dict__.setdefault("_members_found", {})
    if term not in searched:
        searched[term] = []
        try:
            searched[term] = [each.member for each in services.search(actor_of(request), term)]
        except LoyaltyError as refusal:
            messages.error(request, refusal.sentence())
    return searched[term]
