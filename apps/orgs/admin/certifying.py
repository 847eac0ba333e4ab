"""Reviews of roles: every role in one part of the group, kept or taken away line by line."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, Q
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.admin import ScopedAdmin, actor_of
from apps.core.admin.exporting import table_file
from apps.core.clock import now
from apps.orgs import services
from apps.orgs.access import holdings
from apps.orgs.models import Certification, CertificationLine
from apps.orgs.querysets import Job, zone_of

Verdict = CertificationLine.Verdict


@admin.register(Certification)
class CertificationAdmin(ScopedAdmin):
    """What is left to look at stands first."""

    read_only = True
    list_display = ("unit", "opened_at", "opened_by", "progress", "closed_at")
    list_select_related = ("unit", "opened_by")
    list_filter = ("unit", "opened_at")
    ordering = ("-opened_at", "-pk")
    fields = ("unit", "opened_at", "opened_by", "closed_at")
    empty_template = "orgs/certifications_empty.html"
    change_form_outer_after_template = "orgs/certification.html"

    class Media:
        css: ClassVar = {"all": ["orgs/orgs.css"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        counted = super().get_queryset(request)
        return counted.annotate(all_lines=Count("lines"), done=Count("lines", filter=~Q(lines__verdict="")))

    @admin.display(description=gettext_lazy("decided"))
    def progress(self, review: Any) -> str:
        return _("%(done)s of %(all)s") % {"done": review.done, "all": review.all_lines}

    def get_urls(self) -> list[Any]:
        return [
            self.route("<path:object_id>/decide/", self.decide_view, "decide"),
            self.route("<path:object_id>/table/", self.table_view, "table"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        if obj is not None:
            lines = lines_of(obj)
            left = [line for line in lines if not line.verdict]
            context |= {
                "left": left, "decided": [line for line in lines if line.verdict],
                "may_decide": self.may(request, "orgs.change_staff", obj), "own": request.user.pk,
                "zone": zone_of(actor_of(request)).key,
            }  # fmt: skip
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def decide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        review = self.object_or_404(request, object_id, "orgs.change_staff")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        pk, verdict = request.POST.get("line", ""), request.POST.get("verdict", "")
        line = review.lines.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None
        if line is None or verdict not in (Verdict.KEPT, Verdict.TAKEN):
            raise Http404

        def run() -> HttpResponse:
            decided = services.decide_line(actor_of(request), line.pk, verdict, when=now())
            self.message_user(request, str(decided.get_verdict_display()), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:orgs_certification_change", args=[review.pk]))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def table_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The review as a file."""
        review = self.object_or_404(request, object_id, "view")
        if request.method == "POST":
            return HttpResponseNotAllowed(["GET"])
        header = [
            _("Person"),
            _("Sign-in name"),
            _("Role"),
            _("Held at"),
            _("Verdict"),
            _("Decided by"),
            _("Decided at"),
        ]
        rows = [
            [
                str(line.person), line.person.username, str(line.get_role_display()), line.held_at.name,
                str(line.get_verdict_display()), str(line.decided_by or ""), line.decided_at,
            ]
            for line in lines_of(review)
        ]  # fmt: skip
        return table_file(request, f"roles-{review.pk}", header, rows)


def lines_of(review: Certification) -> list[Any]:
    """The lines, in tree order, each with since when and by whom it was given. Two queries."""
    lines = list(review.lines.select_related("person", "held_at", "decided_by").order_by("held_at__path", "role", "pk"))
    for line, held in zip(
        lines, holdings(Job(line.person, line.role, line.held_at) for line in lines), strict=True
    ):  # fmt: skip
        line.holding = held  # type: ignore[attr-defined]
    return lines
