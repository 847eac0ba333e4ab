"""Members who may be one person: the board, two side by side, and merges with their way back."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Case, IntegerField, When
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.addresses import address
from apps.core.admin import actor_of, figure, local
from apps.core.clock import now
from apps.core.progress import progress_of
from apps.members.errors import Unreadable
from apps.members.merging import finding, judging, services
from apps.members.merging.asked import PERMISSION
from apps.members.merging.services import MembersMerged, MergeUndone, obstacles
from apps.members.merging.shown import moved_in_words, reasons_in_words, rows_of
from apps.members.models import DuplicatePair, DuplicateSearch, Member, Merge
from apps.members.querysets import zone_at
from apps.orgs.admin.asking import AskingAdmin
from apps.orgs.desk import waiting_about

State = DuplicatePair.State
TONES = {State.OPEN: "warn", State.MERGED: "good"}
TAKE = "take:"
"""What fields of the form begin with that say whose particular is taken."""


def _zone(row: Any) -> str:
    """By which the pair's or the merge's company tells days. One query, once a row."""
    if "zone" not in row.__dict__:
        row.zone = zone_at(row.unit if isinstance(row, DuplicatePair) else row.kept.home_unit)
    return str(row.zone)


@admin.register(DuplicatePair)
class DuplicatePairAdmin(AskingAdmin):
    """What is to be looked at stands first, the most alike on top."""

    read_only = True
    list_display = ("pair", "score_figure", "reasons_shown", "unit", "state_tag", "found_at")
    list_select_related = ("first", "second", "unit")
    list_filter = ("state", "unit", "found_at")
    ordering = (
        Case(When(state="open", then=0), default=1, output_field=IntegerField()), "-score", "-pk",
    )  # fmt: skip
    sortable_by = ()
    fields = ("unit", "first_found", "last_found")
    readonly_fields = ("first_found", "last_found")
    first_found = local(gettext_lazy("found at"), lambda pair: pair.found_at, _zone)
    last_found = local(gettext_lazy("last found at"), lambda pair: pair.seen_at, _zone)
    empty_template = "members/duplicates_empty.html"
    list_before_template = "members/duplicates_search.html"
    change_form_outer_before_template = "members/duplicate_page.html"

    class Media:
        css: ClassVar = {"all": ["orgs/orgs.css", "members/members.css", "members/merging.css"]}

    score_figure = figure(gettext_lazy("how alike, of 100"), lambda pair: pair.score)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("first", "second", "unit", "proposed_by", "decided_by")

    @admin.display(description=gettext_lazy("members"))
    def pair(self, pair: DuplicatePair) -> str:
        return format_html(
            "{} #{} · {} #{}", pair.first.masked_name, pair.first_id, pair.second.masked_name, pair.second_id
        )

    @admin.display(description=gettext_lazy("why"))
    def reasons_shown(self, pair: DuplicatePair) -> str:
        return format_html_join(" · ", "{}", ((reason,) for reason in reasons_in_words(pair)))

    @admin.display(description=gettext_lazy("state"))
    def state_tag(self, pair: DuplicatePair) -> str:
        state = State(pair.state)
        return format_html('<span class="studio-tag studio-tag-{}">{}</span>', TONES.get(state, ""), state.label)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        latest = DuplicateSearch.objects.order_by("-pk").first()
        context = {
            "latest": latest,
            "is_searching": latest is not None and latest.stage != DuplicateSearch.Stage.DONE,
            "progress": latest and progress_of(latest.done, latest.total, latest.asked_at, now()),
            "may_search": request.user.has_perm(finding.SEARCH),
        }
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def get_urls(self) -> list[Any]:
        return [
            self.route("search/", self.search_view, "search"),
            self.route("<path:object_id>/merge/", self.merge_view, "merge"),
            self.route("<path:object_id>/different/", self.different_view, "different"),
            *super().get_urls(),
        ]

    def search_view(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponse:
            finding.ask_search(actor_of(request), when=now())
            self.message_user(
                request, _("All members are being compared. This goes on in the background."), messages.SUCCESS
            )
            return HttpResponseRedirect(address("members_duplicatepair_changelist"))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        if obj is not None:
            context |= self._beside(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def _beside(self, request: HttpRequest, pair: DuplicatePair) -> dict[str, Any]:
        """The two side by side; who is to be kept, of the address, stands on the left."""
        seen = (
            Member.objects.visible_to(request.user).select_related("home_unit").in_bulk([pair.first_id, pair.second_id])
        )
        context: dict[str, Any] = {
            "pair": pair,
            "zone": _zone(pair),
            "is_open": pair.state == State.OPEN,
            "merge_permission": PERMISSION,
            "reasons": reasons_in_words(pair),
            "tone": TONES.get(State(pair.state), ""),
        }
        if len(seen) < 2:
            return {**context, "is_beyond": True}
        keeps = pair.second_id if request.GET.get("keep") == str(pair.second_id) else pair.first_id
        kept, gone = seen[keeps], seen[pair.second_id if keeps == pair.first_id else pair.first_id]
        try:
            rows = rows_of(request.user, kept, gone)
        except Unreadable as fault:
            return {**context, "fault": fault.sentence()}
        is_open = pair.state == State.OPEN
        may_merge = is_open and self.may(request, PERMISSION, pair)
        return {
            **context, "rows": rows, "kept": kept, "gone": gone, "take": TAKE, "may_merge": may_merge,
            "obstacles": [each.sentence() for each in obstacles(kept, gone, now())] if is_open else [],
            "may_judge": is_open and self.may(request, judging.JUDGE, pair),
            "waiting": waiting_about(actor_of(request), MembersMerged.code, f"member:{kept.pk}") if is_open else (),
        }  # fmt: skip

    def merge_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Merges the two as was chosen; where a policy wants others to say yes first, sends a request."""
        pair = self.object_or_404(request, object_id, PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        keeps = pair.second_id if request.POST.get("keep") == str(pair.second_id) else pair.first_id
        goes = pair.second_id if keeps == pair.first_id else pair.first_id
        whose = {str(keeps): "kept", str(goes): "gone"}
        choices = {
            name.removeprefix(TAKE): whose[str(value)]
            for name, value in request.POST.items()
            if name.startswith(TAKE) and str(value) in whose
        }
        made: list[Merge] = []

        def verb() -> None:
            reason = request.POST.get("reason", "")
            made.append(services.merge(actor_of(request), keeps, goes, choices=choices, reason=reason, when=now()))

        subject, back = MembersMerged(kept=keeps, gone=goes, choices=choices), self._address(pair)
        answer = self.asked_first(request, subject, verb, title=_("Merge two members"), back=back)
        if answer is not None:
            return answer
        self.message_user(request, _("The two are one member now."), messages.SUCCESS)
        return HttpResponseRedirect(address("members_merge_change", made[0].pk))

    def different_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pair = self.object_or_404(request, object_id, judging.JUDGE)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponse:
            judging.are_different(actor_of(request), pair.pk, why=request.POST.get("reason", ""), when=now())
            self.message_user(request, _("The two stay apart, and are not proposed again."), messages.SUCCESS)
            return HttpResponseRedirect(address("members_duplicatepair_changelist"))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def _address(self, pair: DuplicatePair) -> str:
        return address("members_duplicatepair_change", pair.pk)


@admin.register(Merge)
class MergeAdmin(AskingAdmin):
    """To read, and to undo one."""

    read_only = True
    list_display = ("__str__", "at", "by", "reason", "state_tag")
    list_select_related = ("author",)
    list_filter = ("at",)
    ordering = ("-pk",)
    sortable_by = ()
    extra_lookups = ("kept", "gone")
    fields = ("reason", "merged_at", "by")
    readonly_fields = ("merged_at", "by")
    empty_template = "members/merges_empty.html"
    change_form_outer_before_template = "members/merge_page.html"

    class Media:
        css: ClassVar = {"all": ["orgs/orgs.css", "members/members.css", "members/merging.css"]}

    @admin.display(description=gettext_lazy("state"))
    def state_tag(self, made: Merge) -> str:
        if made.undone_at is None:
            return format_html('<span class="studio-tag studio-tag-good">{}</span>', _("Merged"))
        return format_html('<span class="studio-tag">{}</span>', _("Undone"))

    merged_at = local(gettext_lazy("when"), lambda made: made.at, _zone)

    @admin.display(description=gettext_lazy("by"))
    def by(self, made: Merge) -> str:
        return made.author.get_full_name() or made.author.get_username() if made.author is not None else _("The studio")

    def get_urls(self) -> list[Any]:
        return [self.route("<path:object_id>/undo/", self.undo_view, "undo"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        if obj is not None:
            seen = Member.objects.visible_to(request.user).in_bulk([obj.kept_id, obj.gone_id])
            context |= {
                "zone": _zone(obj), "undo_permission": PERMISSION,
                "made": obj, "kept": seen.get(obj.kept_id), "gone": seen.get(obj.gone_id), "lines": moved_in_words(obj),
                "may_undo": obj.undone_at is None and self.may(request, PERMISSION, obj),
                "waiting": waiting_about(actor_of(request), MergeUndone.code, f"member:{obj.kept_id}"),
            }  # fmt: skip
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def undo_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        made = self.object_or_404(request, object_id, PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        back = address("members_merge_change", made.pk)

        def verb() -> None:
            services.unmerge(actor_of(request), made.pk, reason=request.POST.get("reason", ""), when=now())

        answer = self.asked_first(request, MergeUndone(merge=made.pk), verb, title=_("Undo a merge"), back=back)
        if answer is not None:
            return answer
        self.message_user(request, _("The two are apart again."), messages.SUCCESS)
        return HttpResponseRedirect(back)
