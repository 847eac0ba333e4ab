"""Scores: the heat map of a programme, each cell and each group of which opens into its members."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.admin import ScopedAdmin, actor_of, figure, local
from apps.segments.groups import SCORES
from apps.segments.heat import heat_map
from apps.segments.models import RfmScheme


@admin.register(RfmScheme)
class RfmSchemeAdmin(ScopedAdmin):
    read_only = True
    list_display = ("program_name", "window_days", "size_figure", "scored_at")
    list_display_links = None
    list_select_related = ("program",)
    fields = ("program", "window_days", "size", "refreshed_at", "took_ms", "last_error")
    readonly_fields = ("size", "refreshed_at", "took_ms", "last_error")
    size_figure = figure(gettext_lazy("members"), lambda scheme: scheme.size)
    scored_at = local(gettext_lazy("scored at"), lambda scheme: scheme.refreshed_at, lambda row: row.program.time_zone)

    @admin.display(description=gettext_lazy("programme"))
    def program_name(self, scheme: RfmScheme) -> str:
        return str(scheme.program)

    def get_urls(self) -> list[Any]:
        return [self.route("map/", self.map_view, "map"), *super().get_urls()]

    def map_view(self, request: HttpRequest) -> HttpResponse:
        """The heat map of the programme that the address names, or of the first."""
        person: Any = actor_of(request)
        if not (self.has_view_permission(request) and person.has_perm("segments.view_rfmscore")):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        schemes = list(RfmScheme.objects.visible_to(person).select_related("program").order_by("program_id"))
        asked = request.GET.get("program", "")
        scheme = next((each for each in schemes if str(each.program_id) == asked), None) if asked else None
        if asked and scheme is None:
            raise Http404
        scheme = scheme or (schemes[0] if schemes else None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("RFM: recency, frequency, money"),
            "schemes": schemes,
            "scheme": scheme,
            "map": heat_map(person, scheme) if scheme is not None and scheme.refreshed_at is not None else None,
            "scores": SCORES,
            "may_open": person.has_perm("members.view_member"),
            "may_set_up": person.has_perm("segments.add_tag"),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "segments/heat.html", context)
