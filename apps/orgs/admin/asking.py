"""Doors of this room that a policy may hold: the page that says who decides, asks for the reason and sends."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.orgs.desk import plan_of, send_request
from apps.orgs.gate import ApprovalNeeded, Subject, in_one_line

SENDS = "send_request"
"""The field of a form that was shown who decides, and is sent to them."""


def sent_words() -> str:
    """What is said when a request is on its way."""
    return _("Sent as a request. It is in force once everybody has said yes.")


class AskingForms(ScopedAdmin):
    """An admin class with a `ReasonForm`: what a policy holds is sent as a request where a reason is given."""

    def changed_or_asked(
        self, request: HttpRequest, subject: Subject, reason: str, verb: Callable[[], Any], free: Callable[[], Any]
    ) -> None:
        """Runs `verb`. Where it is held and there is a reason, `free` does what nothing holds, and the rest is sent.

        Raises what `verb` and sending refuse with."""
        try:
            with transaction.atomic():
                verb()
        except ApprovalNeeded:
            if not reason.strip():
                raise
            free()
            request.sent_request = send_request(  # type: ignore[attr-defined]
                actor_of(request), subject, reason=reason, key=f"door:{uuid4().hex}", when=now()
            )

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        sent = getattr(request, "sent_request", None)
        if sent is None:
            answer: HttpResponse = super().response_change(request, obj)
            return answer
        self.message_user(request, sent_words(), messages.SUCCESS)
        return HttpResponseRedirect(address("approvals_approvalrequest_change", sent) or request.path)


class AskingAdmin(ScopedAdmin):
    """An admin class with pages whose verbs pass the gate."""

    def asked_first(
        self, request: HttpRequest, subject: Subject, verb: Callable[[], Any], *, title: str, back: str
    ) -> HttpResponse | None:
        """None once `verb` has run. Where it is held: the page that says by whom, with what was sent kept in it; and
        when that is sent, back to `back` with the request on its way. A refusal is shown there as well."""
        try:
            if SENDS in request.POST:
                return self._send(request, subject, back)
            with transaction.atomic():
                verb()
        except ApprovalNeeded:
            return self._page(request, subject, title, back)
        except LoyaltyError as refusal:
            self.message_user(request, refusal.sentence(), messages.ERROR)
            return HttpResponseRedirect(back)
        return None

    def _send(self, request: HttpRequest, subject: Subject, back: str) -> HttpResponse:
        key = request.POST.get("key", "")[:80] or uuid4().hex
        pk = send_request(
            actor_of(request), subject, reason=request.POST.get("reason", ""), key=f"door:{key}", when=now()
        )
        self.message_user(request, sent_words(), messages.SUCCESS)
        return HttpResponseRedirect(address("approvals_approvalrequest_change", pk) or back)

    def _page(self, request: HttpRequest, subject: Subject, title: str, back: str) -> HttpResponse:
        kept = [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name not in ("csrfmiddlewaretoken", "reason")
        ]
        template, plan = plan_of(actor_of(request), subject, now())
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "what": in_one_line({0: (subject.title(), subject.about())}, get_language() or "en")[0],
            "plan_template": template,
            "plan": plan,
            "kept": kept,
            "reason": request.POST.get("reason", ""),
            "key": uuid4().hex,
            "sends": SENDS,
            "back": back,
            "opts": self.opts,
        }
        return TemplateResponse(request, "orgs/ask.html", context)
