"""Seeing the studio as somebody else would: the session that does, its end, and the list of when it was done."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext_lazy as _

from apps.core import views
from apps.core.admin import ScopedAdmin
from apps.core.clock import now
from apps.orgs import services
from apps.orgs.models import ViewAs

SEEN_AS = "seen_as"
"""The key of the session under which the row stands that began it."""
ENDS = "end_view"
LEAVES = "admin:logout"
READING_MARKS = ("notice",)
"""Pages that mark something as read when they are opened: that is for the person alone to do."""
READ_ONLY = (
    _("You only see the studio as somebody else would"),
    _("Nothing was changed, and no list leaves as a file. Press Stop on top of the page, then do it as yourself."),
)


class SeenAs:
    """Puts the person who is seen in the place of who signed in, for this request: `request.view_as` says so, and
    `request.user.seen_by` who it is in truth. Asked anew at each request, so that a right taken away ends it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        began = request.session.get(SEEN_AS) if hasattr(request, "session") else None
        if began is None or not request.user.is_authenticated:
            return self.get_response(request)
        real, when = request.user, now()
        person = services.person_seen(real, began, when)
        if person is None:
            self._end(request, real, began)
            return self.get_response(request)
        if request.path == reverse(LEAVES) and request.method == "POST":
            services.end_view(real, began, ViewAs.Why.SIGNED_OUT, when=when)
            return self.get_response(request)
        if request.path == reverse(ENDS):
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return self.get_response(request)
        person.seen_by = real  # type: ignore[attr-defined]
        request.user, request.view_as = person, began_of(real, began)
        if request.method not in ("GET", "HEAD") or _name_of(request) in READING_MARKS:
            return views.refused(request, 403, *READ_ONLY)
        response = self.get_response(request)
        if response.has_header("Content-Disposition"):
            return views.refused(request, 403, *READ_ONLY)
        return response

    def _end(self, request: Any, real: Any, began: int) -> None:
        row = began_of(real, began)
        when = now()
        is_over = row is None or row.until is None or row.until <= when
        services.end_view(real, began, ViewAs.Why.TIME if is_over else ViewAs.Why.RIGHTS, when=when)
        del request.session[SEEN_AS]


def _name_of(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).url_name or ""
    except Resolver404:
        return ""


def began_of(real: Any, began: int) -> ViewAs | None:
    return ViewAs.objects.select_related("administrator").filter(pk=began, administrator=real).first()


def end_view(request: Any) -> HttpResponse:
    """Back to oneself, on the page of the person who was seen."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    began = request.session.pop(SEEN_AS, None)
    row = began_of(request.user, began) if began is not None else None
    if row is None:
        return HttpResponseRedirect(reverse("admin:index"))
    services.end_view(request.user, row.pk, ViewAs.Why.BUTTON, when=now())
    return HttpResponseRedirect(reverse("admin:orgs_staff_change", args=[row.person_id]))


@admin.register(ViewAs)
class ViewAsAdmin(ScopedAdmin):
    """Newest first."""

    read_only = True
    list_display = ("at", "kind", "administrator", "person", "unit", "reason", "until", "why")
    list_select_related = ("administrator", "person", "unit")
    list_filter = ("kind", "at", "unit")
    list_filter_sheet = True
    ordering = ("-pk",)
    fields: ClassVar = ("at", "kind", "administrator", "person", "unit", "reason", "until", "why")
