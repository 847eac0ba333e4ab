"""The clocks by which a person reads the studio: moments in lists, filters, histories and forms are told in the time zone of their
own unit, as it was when they signed in."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.orgs.querysets import zone_of

ZONE = "time_zone"
"""The key of the session under which it stands, so that no page asks for it."""


class OwnClocks:
    """Pages that belong to one company or programme name its time zone themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = request.session.get(ZONE) if settings.SESSION_COOKIE_NAME in request.COOKIES else None
        with timezone.override(ZoneInfo(zone) if zone else None):
            return self.get_response(request)


def remember(request: HttpRequest, user: Any, **signal: Any) -> None:
    """Called when somebody signs in."""
    request.session[ZONE] = zone_of(user).key
