"""Tags: the tree with how fresh each is, the page of one, and tags that are ready to be made."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.core.admin import actor_of, figure, local
from apps.core.clock import now
from apps.core.formats import number
from apps.members.models import Member
from apps.members.page import member_or_404
from apps.orgs.admin.asking import AskingAdmin, AskingForms
from apps.orgs.models import Program
from apps.orgs.querysets import programs_reached
from apps.segments.admin.conditions import ConditionPages, own_first
from apps.segments.catalogue import said
from apps.segments.forms import TagForm
from apps.segments.groups import GROUPS
from apps.segments.lists import count_seen, holding_now, list_address
from apps.segments.models import RfmScheme, Tag
from apps.segments.services import life_cycle, scoring
from apps.segments.services.defining import CHANGEABLE, change_asked, change_tag, create_tag, delete_tag
from apps.segments.services.giving import PERMISSION as BY_HAND
from apps.segments.services.giving import give_tag, lines_of, take_tag
from apps.segments.services.refreshing import is_stale, refresh_now
from apps.segments.touched import uses_at_stake
from apps.segments.uses import uses_of

RUNS_SHOWN = 10
GONE = (Member.State.REMOVED, Member.State.MERGED)
"""Of whom nobody is left that could be given a tag."""
WORDS = ("label", "label_zh")
ABOUT = ("definition", "purpose", "owner")


def zone_of_tag(tag: Any) -> str:
    return str(tag.program.time_zone)


@admin.register(Tag)
class TagAdmin(ConditionPages, AskingForms, AskingAdmin):
    """The tree in its order; a member's tags stand on the member's page."""

    form = TagForm
    list_display = (
        "in_tree", "key", "kind", "size_figure", "drift_figure", "freshness", "refreshed_on", "owner", "program",
    )  # fmt: skip
    list_select_related = ("program__unit", "owner", "parent")
    list_filter = ("kind", "refresh", "program")
    search_fields = ("key", "label", "label_zh")
    ordering = ("program", "place")
    sortable_by = ()
    can_delete = True
    empty_template = "segments/tags_empty.html"
    change_form_outer_before_template = "segments/tag_head.html"
    change_form_after_template = "segments/editor.html"
    change_form_outer_after_template = "segments/tag_foot.html"
    history_words: ClassVar = {"condition": lambda value: _("changed") if value else _("none")}

    # The list.

    def prepare_rows(self, rows: list[Any]) -> None:
        above = set(Tag.objects.filter(parent__in=rows).values_list("parent_id", flat=True))
        when = now()
        for tag in rows:
            tag.is_above = tag.pk in above
            tag.state = state_of(tag, when)

    @admin.display(description=gettext_lazy("tag"))
    def in_tree(self, tag: Any) -> str:
        return format_html('<span class="studio-depth-{}">{}</span>', tag.depth, tag)

    size_figure = figure(gettext_lazy("members"), lambda tag: tag.size)

    @admin.display(description=gettext_lazy("drift"))
    def drift_figure(self, tag: Any) -> str:
        return drift_in_words(tag)

    @admin.display(description=gettext_lazy("state"))
    def freshness(self, tag: Any) -> str:
        if tag.is_above:
            return _("holds others together")
        tone, words = tag.state
        return format_html('<span class="studio-tag studio-tag-{}">{}</span>', tone, words) if tone else words

    refreshed_on = local(gettext_lazy("refreshed at"), lambda tag: tag.refreshed_at, zone_of_tag)

    # The page.

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return (
                "program", "parent", *WORDS, "key", "kind", *ABOUT, "given", "condition", "refresh", "kept_days",
                "is_exclusive", "position",
            )  # fmt: skip
        shown = ("program", "parent", *WORDS, "key", "kind", *ABOUT)
        may = self.has_change_permission(request, obj)
        last = ("reason",) if may and uses_at_stake(obj) else ()
        if obj.children.exists():
            return (*shown, "is_exclusive", "position", *last)
        if obj.rfm_group or not may:
            return (*shown, "refresh", "kept_days", "position", *last)
        return (*shown, "given", "condition", "refresh", "kept_days", "is_exclusive", "position", *last)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return ("program", "parent", "key", *(("kind",) if obj.parent_id else ()))

    def _choices(self, db_field: Any, request: HttpRequest, queryset: Any) -> Any:
        if db_field.name == "program":
            return programs_reached(actor_of(request), "segments.add_tag")
        return super()._choices(db_field, request, queryset)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor, data = actor_of(request), form.cleaned_data
        values = {name: data[name] for name in CHANGEABLE if name in data}
        if change:
            if "given" not in form.data:
                values.pop("condition", None)
            self._change(
                request,
                Tag.objects.select_related("program__unit", "parent").get(pk=obj.pk),
                values,
                data.get("reason") or "",
            )
            return
        made = create_tag(actor, data["program"], key=data["key"], parent=data.get("parent"), **values)
        obj.pk, obj.place = made.pk, made.place

    def _change(self, request: HttpRequest, tag: Tag, values: dict[str, Any], reason: str) -> None:
        """Done at once; or what decides who holds it sent as a request, where a policy holds that and a reason is given."""
        actor, when = actor_of(request), now()
        asked = change_asked(tag, values)
        if asked is None:
            change_tag(actor, tag.pk, when=when, **values)
            return
        free = {name: value for name, value in values.items() if name not in asked.values}
        self.changed_or_asked(
            request, asked, reason,
            lambda: change_tag(actor, tag.pk, when=when, **values), lambda: change_tag(actor, tag.pk, when=when, **free),
        )  # fmt: skip

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_tag(actor_of(request), obj.pk, now())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What hangs on it goes with it; what must not, the service names."""
        return [str(obj) for obj in objs], {}, set(), []

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        if obj is not None:
            context |= self._around(request, Tag.objects.select_related("program__unit", "parent").get(pk=obj.pk))
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def _around(self, request: HttpRequest, tag: Tag) -> dict[str, Any]:
        """What stands round the form: figures, what it says, what asks for it, the latest refreshes."""
        when, person = now(), actor_of(request)
        children = list(tag.children.order_by("position", "pk"))
        page: dict[str, Any] = {
            "tag": tag,
            "children": [(each, reverse("admin:segments_tag_change", args=[each.pk])) for each in children],
            "may_refresh": tag.is_automatic and self.has_change_permission(request, tag),
        }
        if children:
            return page
        tone, words = state_of(tag, when)
        sees = person.has_perm("members.view_member")
        return page | {
            "state_tone": tone,
            "state_words": words,
            "is_stale": is_stale(tag, when),
            "drift": drift_in_words(tag),
            "sentences": [(code, said(tag.program, tag.condition, full)) for code, full in own_first()]
            if tag.condition is not None
            else [],
            "rfm_advice": GROUPS[tag.rfm_group].advice.in_language(get_language() or "en") if tag.rfm_group else "",
            "uses": uses_of(tag.program, [tag.key]),
            "runs": tag.refreshes.order_by("-pk")[:RUNS_SHOWN],
            "members_address": list_address(f"tag:{tag.pk}") if sees else "",
            "members_seen": count_seen(person, holding_now(tag, when)) if sees else None,
            "zone": tag.program.time_zone,
        }

    # Pages of one's own.

    def get_urls(self) -> list[Any]:
        return [
            self.route("ready/", self.ready_view, "ready"),
            self.route("member/<path:object_id>/hand/", self.hand_view, "hand"),
            self.route("member/<path:object_id>/", self.of_view, "of"),
            self.route("<path:object_id>/refresh/", self.refresh_view, "refresh"),
            *super().get_urls(),
        ]

    def refresh_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tag = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])

        def run() -> HttpResponse:
            runs = refresh_now(actor_of(request), tag, now())
            done = runs.get(tag.pk)
            if done is not None and not done.error:
                counts = {name: number(getattr(done, name)) for name in ("size", "entered", "left")}
                told = _("Refreshed: %(size)s members, %(entered)s entered, %(left)s left.") % counts
                self.message_user(request, told, messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:segments_tag_change", args=[tag.pk]))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def of_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The tags that a member can be given by hand, and those that somebody gave."""
        member = self._member(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        lines, is_left = lines_of(actor_of(request), member, now()), member.state not in GONE
        context = {
            **self.admin_site.each_context(request), "title": _("Tags by hand of %(member)s") % {"member": member},
            "opts": self.opts, "member": member, "lines": lines, "is_left": is_left,
            "free": [each.tag for each in lines if each.since is None and not each.tag.is_automatic],
        }  # fmt: skip
        return TemplateResponse(request, "segments/by_hand.html", context, headers={"Cache-Control": "no-store"})

    def hand_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Gives the tag, or takes it away."""
        member = self._member(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        sent, gives = request.POST.get("tag", ""), request.POST.get("what") != "take"
        tag = int(sent) if sent.isdecimal() and len(sent) < 19 else 0

        def run() -> HttpResponse:
            verb = give_tag if gives else take_tag
            verb(actor_of(request), member.pk, tag, reason=request.POST.get("reason", ""), when=now())
            told = _("Given. It counts from now on.") if gives else _("Taken away. It counts no longer.")
            self.message_user(request, told, messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:segments_tag_of", args=[member.pk]))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def _member(self, request: HttpRequest, object_id: str) -> Member:
        """The member of a page about tags by hand: unseen 404, seen but not allowed 403."""
        member = member_or_404(request.user, object_id)
        if not actor_of(request).has_perm(BY_HAND, member):
            raise PermissionDenied
        return member

    def ready_view(self, request: HttpRequest) -> HttpResponse:
        """Tags that are made with one button: the stages of a member's life, the groups of scores."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        programs = list(programs_reached(actor_of(request), "segments.add_tag"))
        if request.method == "POST":
            program = next((each for each in programs if str(each.pk) == request.POST.get("program")), None)
            if program is None:
                raise Http404
            answer: HttpResponse = self.refusals_shown(request, lambda: self._make_ready(request, program))
            return answer
        have = {
            "stages": set(
                Tag.objects.filter(program__in=programs, key=life_cycle.PARENT).values_list("program", flat=True)
            ),
            "rfm": dict(RfmScheme.objects.filter(program__in=programs).values_list("program", "window_days")),
        }
        context = {
            **self.admin_site.each_context(request),
            "title": _("Ready-made tags"),
            "programs": [
                {"program": each, "has_stages": each.pk in have["stages"], "window": have["rfm"].get(each.pk)}  # type: ignore[attr-defined]
                for each in programs
            ],
            "stages": [
                (str(Tag(label=label, label_zh=label_zh)), definition.in_language(get_language() or "en"))
                for _key, label, label_zh, definition, _condition in life_cycle.STAGES
            ],
            "groups": _(", ").join(group.words.in_language(get_language() or "en") for group in GROUPS.values()),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "segments/ready.html", context)

    def _make_ready(self, request: HttpRequest, program: Program) -> HttpResponse:
        actor = actor_of(request)
        if request.POST.get("what") == "stages":
            made = life_cycle.set_up_stages(actor, program)
            self.message_user(request, _("The four stages are there; members get them in a moment."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:segments_tag_change", args=[made.pk]))
        days = request.POST.get("window_days", "")
        window = int(days) if days.isdecimal() and len(days) < 6 else 0

        def set_up() -> None:
            scoring.set_up(actor, program, window_days=window, when=now())

        asked, here = scoring.window_asked(program, window), reverse("admin:segments_tag_ready")
        if asked is None:
            set_up()
        elif page := self.asked_first(request, asked, set_up, title=_("Ready-made tags"), back=here):
            return page
        self.message_user(request, _("Members are scored in a moment."), messages.SUCCESS)
        return HttpResponseRedirect(f"{reverse('admin:segments_rfmscheme_map')}?program={program.pk}")


def state_of(tag: Tag, when: Any) -> tuple[str, str]:
    """The tone and the words of how a tag stands; of one that rules or people give, the words alone."""
    if not tag.is_automatic:
        return "", _("given by rules or by hand")
    if tag.last_error:
        return "bad", _("failed")
    if tag.refreshed_at is None:
        return "warn", _("not refreshed yet")
    return ("warn", _("stale")) if is_stale(tag, when) else ("good", _("fresh"))


def drift_in_words(row: Any) -> str:
    """How far the size moved with the last refresh."""
    drift = row.drift_pct
    if drift is None:
        return ""
    return f"{'+' if drift > 0 else ''}{number(drift, 1)}\u00a0%"
