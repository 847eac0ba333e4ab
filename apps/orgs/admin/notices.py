"""What a person is told: the bell in the header, the page of all notices, and their own settings of it. Nobody needs a
right for these, and nobody reads what others were told."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Q
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.addresses import address
from apps.core.admin import actor_of
from apps.core.clock import now
from apps.core.lists import AFTER, key_in
from apps.orgs import services
from apps.orgs.desk import count_waiting
from apps.orgs.forms import NoticeSettingsForm
from apps.orgs.models import Notice, Staff
from apps.orgs.notices import MOST_COUNTED, Told, own_notices, read_all, read_notice, told, unread_count

IN_BELL = 10
ON_PAGE = 30
MOST_DIGITS = 18


@dataclass(frozen=True)
class Shown:
    """A notice as a page shows it."""

    notice: Notice
    told: Told


def unread(request: HttpRequest) -> HttpResponse:
    """How many wait in the bell, and in the inbox: asked for by every page, after it is shown."""
    person = actor_of(request)
    count, waiting = unread_count(person), count_waiting(person, now())
    label = ngettext("Notices, %(count)d unread", "Notices, %(count)d unread", count) % {"count": count}
    if count >= MOST_COUNTED:
        label = _("Notices, more than 99 unread")
    wait = ngettext("%(count)s waits for your decision", "%(count)s wait for your decision", waiting)
    inbox = {
        "address": address("approvals_approvalrequest_inbox"),
        "count": waiting,
        "shown": _shown_count(waiting),
        "label": wait % {"count": _shown_count(waiting)},
    }
    return JsonResponse({"unread": count, "shown": _shown_count(count), "label": label, "inbox": inbox})


def _shown_count(count: int) -> str:
    return str(count) if count < MOST_COUNTED else f"{MOST_COUNTED - 1}+"


def latest(request: HttpRequest) -> HttpResponse:
    """The inside of the bell."""
    person = actor_of(request)
    shown = _shown(person, list(own_notices(person)[:IN_BELL]))
    return TemplateResponse(request, "orgs/bell_latest.html", _context(shown))


def notices(request: HttpRequest) -> HttpResponse:
    """All of them, the latest first, a page at a time."""
    person, after = actor_of(request), key_in(request, AFTER)
    older = Q() if after is None else Q(pk__lt=after)
    rows = list(own_notices(person).filter(older)[: ON_PAGE + 1])
    shown = _shown(person, rows[:ON_PAGE])
    more = f"?{AFTER}={rows[ON_PAGE - 1].pk}" if len(rows) > ON_PAGE else ""
    context = {**admin.site.each_context(request), "title": _("Notices"), **_context(shown), "older": more}
    return TemplateResponse(request, "orgs/notices.html", {**context, "is_first": after is None})


def open_notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Reads a notice: leads to what it is about, from the bell and from e-mails."""
    person = actor_of(request)
    notice = read_notice(person, notice_id, now()) if len(str(notice_id)) <= MOST_DIGITS else None
    if notice is None:
        raise Http404
    (said,) = told(person, [notice])
    return HttpResponseRedirect(said.address or reverse("notices"))


def all_read(request: HttpRequest) -> HttpResponse:
    """Marks as read what was shown, not what came since."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    upto = request.POST.get("upto", "")
    if upto.isdecimal() and len(upto) <= MOST_DIGITS:
        read_all(actor_of(request), int(upto), now())
    return HttpResponseRedirect(reverse("notices"))


def settings_page(request: HttpRequest) -> HttpResponse:
    """When the person is told by e-mail, and in which language."""
    person: Staff = actor_of(request)
    form = NoticeSettingsForm(
        request.POST if request.method == "POST" else None,
        initial={"mails": person.mails, "language": person.language},
    )
    if request.method == "POST" and form.is_valid():
        services.change_staff(person, actor=person, **form.cleaned_data)
        return _saved(form.cleaned_data["language"], request)
    context: dict[str, Any] = {"title": _("My notices"), "form": form, "person": person}
    return TemplateResponse(request, "orgs/notice_settings.html", {**admin.site.each_context(request), **context})


def _saved(language: str, request: HttpRequest) -> HttpResponse:
    messages.success(request, _("Saved."))
    response = HttpResponseRedirect(reverse("notice_settings"))
    if language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=settings.LANGUAGE_COOKIE_AGE,
            samesite="Lax", secure=settings.LANGUAGE_COOKIE_SECURE,
        )  # fmt: skip
    return response


def _shown(person: Staff, rows: list[Notice]) -> list[Shown]:
    return [Shown(notice, said) for notice, said in zip(rows, told(person, rows), strict=True)]


def _context(shown: list[Shown]) -> dict[str, Any]:
    has_unread = any(each.notice.read_at is None for each in shown)
    return {"shown": shown, "newest": shown[0].notice.pk if shown else 0, "has_unread": has_unread}
