"""Asking to move points by hand, from the member's page: adjusting, and reversing what was posted.

Where no policy holds it, what is asked for is done at once; else it goes to the people whom the form names beforehand.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.sending import plan_of
from apps.approvals.showing import PlanShown, plan_shown, waited_for
from apps.core.addresses import address
from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.core.formats import number, signed
from apps.members.models import Member
from apps.members.page import member_or_404
from apps.orgs.gate import Subject
from apps.points.forms import AdjustForm, ReverseForm
from apps.points.member_page import accounts_of, balances_of
from apps.points.models import Posting, PostingKind, ReasonCode
from apps.points.services.adjusting import PERMISSION, Adjustment, ask_adjustment
from apps.points.services.reversing import Reversal, ask_reversal

ASKED_FOR = ("point_type", "points", "reason_code")
"""What the preview depends on."""
NO_STORE = {"Cache-Control": "no-store"}


def shown_plan(person: Any, subject: Subject, again: ApprovalRequest | None = None) -> PlanShown | None:
    """What sending `subject` now would do; None where it is about nothing."""
    try:
        return plan_shown(plan_of(person, subject, now(), again=again.pk if again else None))
    except LoyaltyError:
        return None


def returned_or_404(request: HttpRequest, kind: type[Subject]) -> ApprovalRequest | None:
    """The returned request of `?request=ID` that the person sent; None where none is named."""
    asked = request.GET.get("request")
    if asked is None:
        return None
    own = ApprovalRequest.objects.filter(
        requester=actor_of(request).pk, kind=kind.code, state=ApprovalRequest.State.RETURNED
    )
    found = own.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 19 else None
    if found is None:
        raise Http404
    return found


def sent_sentence(sent: ApprovalRequest) -> str | SafeString:
    """What became of a request that was just sent, with the way to it."""
    if sent.state == ApprovalRequest.State.DONE:
        return _("%(points)s points are posted.") % {"points": signed(sent.told.get("points", 0))}
    names = [str(person) for person in waited_for(sent)[:3]]
    said = _("Sent to %(people)s.") % {"people": _(", ").join(names)} if names else _("Sent.")
    page = address("approvals_approvalrequest_change", sent.pk)
    if not page:
        return f"{said} #{number(sent.pk)}"
    return format_html('{} <a class="studio-link" href="{}">{}</a>', said, page, _("Request #%(id)s") % {"id": sent.pk})


class MovePage(ScopedAdmin):
    """A form that asks to move points of a member once, however often it is sent."""

    def move_page(
        self,
        request: HttpRequest,
        member: Member,
        form: Any,
        run: Callable[[], ApprovalRequest],
        plan: PlanShown | None,
        again: ApprovalRequest | None,
        **shown: Any,
    ) -> HttpResponse:
        """The form; after `run` the member's page. What `run` refuses stands in the form."""
        back = address("members_member_change", member.pk)
        if request.method == "POST" and form.is_valid():
            try:
                sent = run()
            except LoyaltyError as refusal:
                shown_fields = {field.name for field in form.visible_fields()}
                form.add_error(refusal.field if refusal.field in shown_fields else None, refusal.sentence())
            else:
                self.message_user(request, sent_sentence(sent), messages.SUCCESS)
                return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "form": form, "member": member, "back": back, "opts": self.opts, "plan": plan, "again": again,
            "balances": balances_of(actor_of(request), accounts_of(actor_of(request), member.pk)), **shown,
        }  # fmt: skip
        return TemplateResponse(request, "points/move.html", context, headers=NO_STORE)


class AdjustPage(MovePage):
    """Adds `member/<id>/adjust/` and its preview."""

    def get_urls(self) -> list[Any]:
        return [
            self.route("member/<path:object_id>/adjust/preview/", self.preview_view, "adjust_preview"),
            self.route("member/<path:object_id>/adjust/", self.adjust_view, "adjust"),
            *super().get_urls(),
        ]

    def adjust_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person, member, again = self._asked(request, object_id)
        initial = self._as_it_was(again) if again is not None else None
        form = AdjustForm(
            request.POST or None, request.FILES or None, actor=person, member=member, initial=initial or {}
        )
        subject = _subject_of(form, member) if form.is_bound else again.read_subject() if again is not None else None

        def run() -> ApprovalRequest:
            sent = form.cleaned_data
            adjustment = _subject_of(form, member)
            assert adjustment is not None
            return ask_adjustment(
                person, adjustment, reason=sent["reason"], key=f"adjust:{sent['key']}", files=sent["evidence"],
                again=again.pk if again is not None else None, when=now(),
            )  # fmt: skip

        return self.move_page(
            request, member, form, run, shown_plan(person, subject, again) if subject else None, again,
            title=_("Adjust points of %(member)s") % {"member": member}, verb=_("Send"),
            preview=address("points_account_adjust_preview", member.pk), preview_fields=" ".join(ASKED_FOR),
        )  # fmt: skip

    def preview_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What sending would do, while somebody types: a part of a page, and nothing is written."""
        person, member, again = self._asked(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        subject = _subject_of(AdjustForm(request.GET, actor=person, member=member), member)
        context = {"plan": shown_plan(person, subject, again) if subject is not None else None}
        return TemplateResponse(request, "points/preview.html", context, headers=NO_STORE)

    def _asked(self, request: HttpRequest, object_id: str) -> tuple[Any, Member, ApprovalRequest | None]:
        person = actor_of(request)
        member = member_or_404(person, object_id)
        if not person.has_perm(PERMISSION, member):
            raise PermissionDenied
        again = returned_or_404(request, Adjustment)
        if again is not None and again.about != f"member:{member.pk}":
            raise Http404
        return person, member, again

    def _as_it_was(self, again: ApprovalRequest) -> dict[str, Any]:
        asked = again.read_subject()
        assert isinstance(asked, Adjustment)
        code = ReasonCode.objects.filter(program__point_types=asked.point_type, code=asked.reason_code).first()
        return {"point_type": asked.point_type, "points": asked.points, "reason_code": code, "reason": again.reason}


def _subject_of(form: AdjustForm, member: Member) -> Adjustment | None:
    """What the form asks for, as far as it is filled in; None where that is not enough."""
    form.is_valid()
    kind, points = form.cleaned_data.get("point_type"), form.cleaned_data.get("points")
    if kind is None or not points:
        return None
    code = form.cleaned_data.get("reason_code") or ""
    return Adjustment(member=member.pk, point_type=kind.pk, points=points, reason_code=code)


class ReversePage(MovePage):
    """Adds `<id>/reverse/`."""

    def get_urls(self) -> list[Any]:
        return [self.route("<path:object_id>/reverse/", self.reverse_view, "reverse"), *super().get_urls()]

    def reverse_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        posting: Posting = self.object_or_404(request, object_id, PERMISSION)
        person, again = actor_of(request), returned_or_404(request, Reversal)
        subject = Reversal(posting=posting.pk, points=posting.points + posting.pending_points)
        if again is not None and again.subject != subject.to_json():
            raise Http404
        initial = {"reason": again.reason} if again is not None else {}
        form = ReverseForm(request.POST or None, request.FILES or None, initial=initial)

        def run() -> ApprovalRequest:
            sent = form.cleaned_data
            return ask_reversal(
                person, subject, reason=sent["reason"], key=f"reverse:{sent['key']}", files=sent["evidence"],
                again=again.pk if again is not None else None, when=now(),
            )  # fmt: skip

        kind, points = PostingKind(posting.kind).label, signed(posting.points + posting.pending_points)
        told = _("%(kind)s: %(points)s points at %(unit)s.") % {
            "kind": kind, "points": points, "unit": posting.org_unit,
        }  # fmt: skip
        return self.move_page(
            request, posting.member, form, run, shown_plan(person, subject, again), again, told=told,
            title=_("Reverse a movement of %(member)s") % {"member": posting.member}, verb=_("Reverse"),
        )  # fmt: skip
