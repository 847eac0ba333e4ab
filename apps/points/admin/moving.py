"""Moving points by hand, from the member's page: adjusting, and reversing what was posted."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.core.formats import signed
from apps.members.models import Member
from apps.members.page import member_or_404
from apps.points import services
from apps.points.forms import AdjustForm, ReverseForm
from apps.points.member_page import accounts_of, balances_of
from apps.points.models import Posting, PostingKind
from apps.points.services.adjusting import PERMISSION


class MovePage(ScopedAdmin):
    """A form that moves points of a member once, however often it is sent."""

    def move_page(
        self, request: HttpRequest, member: Member, form: Any, run: Callable[[], Posting], **shown: Any
    ) -> HttpResponse:
        """The form; after `run` the member's page. What `run` refuses stands in the form."""
        back = address("members_member_change", member.pk)
        if request.method == "POST" and form.is_valid():
            try:
                posting = run()
            except LoyaltyError as refusal:
                shown_fields = {field.name for field in form.visible_fields()}
                form.add_error(refusal.field if refusal.field in shown_fields else None, refusal.sentence())
            else:
                moved = signed(posting.points + posting.pending_points)
                self.message_user(request, _("%(points)s points are posted.") % {"points": moved}, messages.SUCCESS)
                return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "form": form, "member": member, "back": back, "opts": self.opts,
            "balances": balances_of(actor_of(request), accounts_of(actor_of(request), member.pk)), **shown,
        }  # fmt: skip
        return TemplateResponse(request, "points/move.html", context, headers={"Cache-Control": "no-store"})


class AdjustPage(MovePage):
    """Adds `member/<id>/adjust/`."""

    def get_urls(self) -> list[Any]:
        return [self.route("member/<path:object_id>/adjust/", self.adjust_view, "adjust"), *super().get_urls()]

    def adjust_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = actor_of(request)
        member = member_or_404(person, object_id)
        if not person.has_perm(PERMISSION, member):
            raise PermissionDenied
        form = AdjustForm(request.POST or None, actor=person, member=member)

        def run() -> Posting:
            sent = form.cleaned_data
            return services.adjust(
                person, member.pk, sent["point_type"].pk, sent["points"], reason=sent["reason"],
                key=f"adjust:{sent['key']}", when=now(),
            )  # fmt: skip

        title = _("Adjust points of %(member)s") % {"member": member}
        return self.move_page(request, member, form, run, title=title, verb=_("Post"))


class ReversePage(MovePage):
    """Adds `<id>/reverse/`."""

    def get_urls(self) -> list[Any]:
        return [self.route("<path:object_id>/reverse/", self.reverse_view, "reverse"), *super().get_urls()]

    def reverse_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        posting: Posting = self.object_or_404(request, object_id, PERMISSION)
        form = ReverseForm(request.POST or None)

        def run() -> Posting:
            sent = form.cleaned_data
            return services.reverse(
                actor_of(request), posting.pk, reason=sent["reason"], key=f"reverse:{sent['key']}", when=now()
            )

        title = _("Reverse a movement of %(member)s") % {"member": posting.member}
        kind, points = PostingKind(posting.kind).label, signed(posting.points + posting.pending_points)
        told = _("%(kind)s: %(points)s points at %(unit)s.") % {
            "kind": kind, "points": points, "unit": posting.org_unit,
        }  # fmt: skip
        return self.move_page(request, posting.member, form, run, title=title, told=told, verb=_("Reverse"))
