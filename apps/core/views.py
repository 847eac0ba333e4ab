"""Pages for what goes wrong: what happened, and what to do next. Never a class name, never a trace.

Signed-in people get them inside the studio, everybody else on a plain page; programs, which ask under `/api/`, get
problem details (RFC 9457). The page for a fault of ours asks neither the database nor the session.
"""

from typing import Any

from django.contrib import admin
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from apps.core import clock, policy

PAGES = {
    400: (
        "bad_request",
        _("This request could not be read"),
        _("Nothing was changed. Go back and try it again from the page it belongs to."),
    ),
    403: (
        "forbidden",
        _("This is not part of your job"),
        _("None of your roles covers it here. If you need it, ask your administrator to give you the job for it."),
    ),
    404: (
        "not_found",
        _("There is nothing here"),
        _("The address may be mistyped, or what stood here is gone or lies outside your part of the group."),
    ),
    405: (
        "method_not_allowed",
        _("This address cannot be opened by itself"),
        _("It only answers to a button of the page it belongs to. Open that page and use the button there."),
    ),
    413: (
        "too_large",
        _("That was too much at once"),
        _("Nothing was changed. Send a smaller file, or choose fewer rows and do the rest afterwards."),
    ),
    429: (
        "too_many_requests",
        _("Too many tries in a short time"),
        _("Wait ten minutes, then try again."),
    ),
    500: (
        "server_error",
        _("Something went wrong on our side"),
        _("What you did last may not have been saved. Wait a minute, look, and try again. If it happens again, tell "
          "your administrator what you did and the time below."),
    ),
}  # fmt: skip
"""By status: the code that programs read, what happened, what to do next."""

STALE_FORM = (
    _("This form was open for too long"),
    _("Nothing was changed. Open the page again and repeat what you did. If it keeps happening, allow cookies for "
      "this site in your browser."),
)  # fmt: skip


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    is_large = isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent)
    return refused(request, 413 if is_large else 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(request, 403)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token does not fit, for Django's CSRF_FAILURE_VIEW."""
    return refused(request, 403, *STALE_FORM)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return refused(request, 500)


def _why(request: HttpRequest) -> str:
    """The page that says which roles would have let the person in, where what was missing is known."""
    denied = getattr(request, "denied", None)
    if denied is None:
        return ""
    permission, label, pk = denied
    asked = {"permission": permission} | ({"row": f"{label.lower()}:{pk}"} if pk is not None else {})
    try:
        return f"{reverse('why')}?{urlencode(asked)}"
    except NoReverseMatch:
        return ""


def refused(request: HttpRequest, status: int, happened: Any = "", advice: Any = "") -> HttpResponse:
    """The page, or for programs the problem details, of `status`."""
    code, *words = PAGES[status]
    happened, advice = happened or words[0], advice or words[1]
    if request.path.startswith("/api/"):
        problem = {"type": "about:blank", "title": str(happened), "status": status, "code": code, "detail": str(advice)}
        return JsonResponse(problem, status=status, content_type="application/problem+json")
    is_inside = status != 500 and getattr(request, "user", None) is not None and request.user.is_authenticated
    context = {
        "title": happened, "advice": advice, "status": status, "is_inside": is_inside,
        "happened_at": clock.now() if status == 500 else None,
        "layout": "admin/base_site.html" if is_inside else "core/bare.html",
    }  # fmt: skip
    if status == 403 and is_inside:
        context["why"] = _why(request)
    if is_inside:
        context = admin.site.each_context(request) | context
    response = HttpResponse(render_to_string("core/refused.html", context, request=request), status=status)
    if not is_inside:
        response.headers["Content-Security-Policy"] = policy.PLAIN
    return response
