"""Daily facts to read, and the two pages that are made of them."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.admin import ScopedAdmin, actor_of, figure
from apps.core.clock import now
from apps.core.exports import csv_lines
from apps.core.formats import money_of_micros
from apps.core.work import unless_promised
from apps.points.models import PostingKind
from apps.reports import services
from apps.reports.cost import cost_report, ledger_is_small, tie
from apps.reports.ledger_page import ledger_page
from apps.reports.models import DailyFact
from apps.reports.page import cost_page, tables_of
from apps.reports.questions import NothingSuch, Question, read_question
from apps.reports.sheets import workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ASKED = ("program", "from", "to", "unit", "type")


@admin.register(DailyFact)
class DailyFactAdmin(ScopedAdmin):
    read_only = True
    is_large = True
    list_display = (
        "day", "program", "org_unit", "point_type", "kind_in_words", "entries_figure", "points_figure",
        "pending_figure", "cost_shown",
    )  # fmt: skip
    list_select_related = ("program", "org_unit", "point_type")
    list_filter = ("day", "program", "org_unit")
    fields = ("day", "program", "org_unit", "point_type", "kind_in_words", "entries", "points", "pending_points")
    readonly_fields = ("kind_in_words",)

    entries_figure = figure(gettext_lazy("entries"), lambda row: row.entries)
    points_figure = figure(gettext_lazy("points"), lambda row: row.points, signed=True)
    pending_figure = figure(gettext_lazy("pending points"), lambda row: row.pending_points, signed=True)

    @admin.display(description=gettext_lazy("kind"))
    def kind_in_words(self, fact: DailyFact) -> str:
        return str(dict(PostingKind.choices).get(fact.kind, fact.kind))

    @admin.display(description=gettext_lazy("cost"))
    def cost_shown(self, fact: DailyFact) -> str:
        return money_of_micros(fact.cost_micros, fact.program.currency)

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view
        return [
            path("cost/", page(self.cost_view), name="reports_cost"),
            path("ledger/", page(self.ledger_view), name="reports_ledger"),
            *super().get_urls(),
        ]

    def cost_view(self, request: HttpRequest) -> HttpResponse:
        """What points cost, as asked in the address; with `format=csv` (and `table=`) or `format=xlsx`, as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        person = actor_of(request)
        asked = {name: request.GET.get(name, "").strip() for name in ASKED}
        try:
            question, choices = read_question(person, asked)
        except NothingSuch:
            raise Http404 from None
        report = cost_report(person, question, choices.units) if question else None
        if request.GET.get("format"):
            if question is None or report is None:
                raise Http404
            return self._file(request, question, tables_of(question, report))
        is_tied = report is not None and question is not None and (request.GET.get("tie") or ledger_is_small())
        held = tie(person, question) if is_tied and question else None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Points cost"),
            "page": cost_page(person, question, choices, report, held, now()),
        }
        return TemplateResponse(request, "reports/cost.html", context)

    def _file(self, request: HttpRequest, question: Question, tables: list[Any]) -> HttpResponse:
        name = f"points-cost-{question.program.code}-{question.first:%Y-%m}-{question.last:%Y-%m}"
        if request.GET["format"] == "xlsx":
            return _attachment(workbook(question, tables, now()), XLSX, f"{name}.xlsx")
        table = next((table for table in tables if table.key == request.GET.get("table", "months")), None)
        if table is None:
            raise Http404
        lines = b"".join(csv_lines(table.header(), table.rows()))
        return _attachment(lines, "text/csv; charset=utf-8", f"{name}-{table.key}.csv")

    def ledger_view(self, request: HttpRequest) -> HttpResponse:
        """Whether the ledger ties, as it was last checked; POST checks it now."""
        person: Any = actor_of(request)
        if not person.has_perm("reports.view_ledgercheck"):
            raise PermissionDenied
        if request.method == "POST":
            answer: HttpResponse = self.refusals_shown(request, lambda: self._check(request, person))
            return answer
        context = {
            **self.admin_site.each_context(request),
            "title": _("Does the ledger tie?"),
            "page": ledger_page(person),
        }
        return TemplateResponse(request, "reports/ledger.html", context)

    def _check(self, request: HttpRequest, person: Any) -> HttpResponse:
        if ledger_is_small():
            services.check_ledger(person, now())
            self.message_user(request, _("The ledger was checked just now."), messages.SUCCESS)
        else:
            services.require_checking(person)
            unless_promised("apps.reports.tasks.check_ledger", person.pk)
            self.message_user(request, _("The ledger is being checked; what is found appears here."), messages.INFO)
        return HttpResponseRedirect(reverse("admin:reports_ledger"))


def _attachment(content: bytes, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=kind, headers=headers)
