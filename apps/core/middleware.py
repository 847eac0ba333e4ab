"""What every answer carries, and a page for answers that have none."""

from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse

from apps.core import policy, views

Answer = Callable[[HttpRequest], HttpResponse]


class Headers:
    """The policy of the page, what it may ask of the device, and that nobody on the way keeps a copy.

    A page without Alpine asks for the stricter policy: `response.headers["Content-Security-Policy"] = policy.PLAIN`.
    The other headers of promise S10 are Django's: see SECURE_* and X_FRAME_OPTIONS in the settings.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy.SHELL)
        response.headers.setdefault("Permissions-Policy", policy.PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class Refused:
    """Gives an answer that refuses without a word, such as 405, the page that says what to do next."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code not in views.PAGES or response.streaming or response.content:
            return response
        page = views.refused(request, response.status_code)
        for name, value in response.items():
            if name != "Content-Type":
                page.headers.setdefault(name, value)
        return page

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A NUL, which no text of the database holds, is a fault of who sent it: nothing was changed."""
        if not isinstance(exception, DataError):
            return None
        sent = [
            text for told in (request.GET, request.POST) for values in told.lists() for text in (values[0], *values[1])
        ]
        return views.refused(request, 400) if any("\0" in str(text) for text in sent) else None
