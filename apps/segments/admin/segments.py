"""Segments: saved conditions, who is in them, how two differ, and who came and went."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.conditions.tree import ConditionError
from apps.core.addresses import address
from apps.core.admin import actor_of, figure, local
from apps.core.clock import now
from apps.members.querysets import masks_of
from apps.orgs.querysets import programs_reached
from apps.segments.admin.conditions import ConditionPages, own_first
from apps.segments.admin.tags import drift_in_words
from apps.segments.catalogue import said
from apps.segments.forms import SegmentForm
from apps.segments.lists import SIDES, count_seen, in_segment, list_address, members_seen, on_side, side_words
from apps.segments.models import Segment, SegmentMove
from apps.segments.services.tracking import CHANGEABLE, change_segment, create_segment, delete_segment

PREVIEWED = 20
DAYS_SHOWN = 30


@admin.register(Segment)
class SegmentAdmin(ConditionPages):
    form = SegmentForm
    list_display = (
        "__str__",
        "key",
        "description",
        "keeps_track",
        "size_figure",
        "drift_figure",
        "refreshed_on",
        "program",
    )
    list_select_related = ("program__unit",)
    list_filter = ("keeps_track", "program")
    search_fields = ("key", "label", "label_zh")
    ordering = ("program", "key")
    can_delete = True
    empty_template = "segments/segments_empty.html"
    change_form_after_template = "segments/editor.html"
    change_form_outer_before_template = "segments/segment_head.html"
    change_form_outer_after_template = "segments/segment_foot.html"
    history_words: ClassVar = {"condition": lambda value: _("changed") if value else _("none")}

    size_figure = figure(gettext_lazy("members"), lambda segment: segment.size)
    refreshed_on = local(
        gettext_lazy("refreshed at"), lambda segment: segment.refreshed_at, lambda row: row.program.time_zone
    )

    @admin.display(description=gettext_lazy("drift"))
    def drift_figure(self, segment: Any) -> str:
        return drift_in_words(segment)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = ("program", "label", "label_zh", "key", "description")
        may = self.has_change_permission(request, obj) if obj else True
        return (*shown, "condition", "keeps_track") if may else (*shown, "keeps_track")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("program", "key")

    def _choices(self, db_field: Any, request: HttpRequest, queryset: Any) -> Any:
        if db_field.name == "program":
            return programs_reached(actor_of(request), "segments.add_segment")
        return super()._choices(db_field, request, queryset)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor, data = actor_of(request), form.cleaned_data
        values = {name: data[name] for name in CHANGEABLE if name in data}
        if change:
            change_segment(actor, obj.pk, **values)
        else:
            obj.pk = create_segment(actor, data["program"], key=data["key"], **values).pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_segment(actor_of(request), obj.pk)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What hangs on it goes with it; what must not, the service names."""
        return [str(obj) for obj in objs], {}, set(), []

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        if obj is not None:
            context |= self._page(request, Segment.objects.select_related("program__unit").get(pk=obj.pk))
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def _page(self, request: HttpRequest, segment: Segment) -> dict[str, Any]:
        person = actor_of(request)
        others = Segment.objects.visible_to(person).exclude(pk=segment.pk).select_related("program")
        page: dict[str, Any] = {
            "segment": segment,
            "zone": segment.program.time_zone,
            "sentences": [(code, said(segment.program, segment.condition, full)) for code, full in own_first()],
            "others": others.order_by("program", "key"),
            "drift": drift_in_words(segment),
            "days": _days(person, segment),
        }
        if not person.has_perm("members.view_member"):
            return page
        name = urlencode({"in": f"segment:{segment.pk}"})
        export = address("members_member_export")
        count = _count(person, segment)
        return page | {
            "sees_members": True,
            "count": count,
            "people": _first(person, segment) if count is not None else [],
            "previewed": PREVIEWED,
            "members_address": list_address(f"segment:{segment.pk}"),
            "files": [(kind, f"{export}?{name}&format={kind.lower()}") for kind in ("CSV", "XLSX")],
        }

    def get_urls(self) -> list[Any]:
        return [self.route("compare/", self.compare_view, "compare"), *super().get_urls()]

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        """Two segments: who is in the one alone, in both, in the other alone; each opens into the list."""
        person: Any = actor_of(request)
        if not (self.has_view_permission(request) and person.has_perm("members.view_member")):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        seen = list(Segment.objects.visible_to(person).select_related("program__unit").order_by("program", "key"))
        chosen = [_named(seen, request.GET.get(name)) for name in ("one", "other")]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Compare two segments"),
            "segments": seen,
            "one": chosen[0],
            "other": chosen[1],
            "sides": _sides(person, chosen[0], chosen[1]) if chosen[0] and chosen[1] else [],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "segments/compare.html", context)


def _named(segments: list[Segment], pk: str | None) -> Segment | None:
    """The segment with that id among those seen. Raises Http404 where the address names another."""
    if not pk:
        return None
    found = next((each for each in segments if str(each.pk) == pk), None)
    if found is None:
        raise Http404
    return found


def _count(person: Any, segment: Segment) -> int | None:
    try:
        return count_seen(person, in_segment(segment, now()))
    except ConditionError:
        return None


def _sides(person: Any, one: Segment, other: Segment) -> list[tuple[str, int | None, str]]:
    """The words, the number and the list of each side."""
    try:
        first, second = in_segment(one, now()), in_segment(other, now())
    except ConditionError:
        return []
    words = side_words(one, other)
    return [
        (words[side], count_seen(person, on_side(first, second, side)), list_address(f"segments:{one.pk}-{other.pk}-{side}"))
        for side in SIDES
    ]  # fmt: skip


def _first(person: Any, segment: Segment) -> list[Any]:
    """The newest of its members, masked."""
    found = members_seen(person, in_segment(segment, now())).select_related("home_unit")
    rows = list(found.order_by("-pk")[:PREVIEWED])
    masks = masks_of([member.pk for member in rows])
    return [
        (member, reverse("admin:members_member_change", args=[member.pk]), " · ".join(masks[member.pk][:3]))
        for member in rows
    ]


def _days(person: Any, segment: Segment) -> list[Any]:
    """How many entered and left, day by day, the latest first, of the members whom `person` sees."""
    moves = SegmentMove.objects.visible_to(person).filter(segment=segment).order_by()
    counted = moves.values("day").annotate(
        entered=Count("pk", filter=Q(kind=SegmentMove.Kind.ENTERED)),
        left=Count("pk", filter=Q(kind=SegmentMove.Kind.LEFT)),
    )
    return list(counted.order_by("-day")[:DAYS_SHOWN])
