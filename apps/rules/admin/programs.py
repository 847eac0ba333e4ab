"""The page on which a whole programme leaves as one document, is compared with one, and takes one in as drafts."""

import json
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from apps.approvals.services.sending import send
from apps.approvals.showing import waited_for
from apps.approvals.words import path_in_words
from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import now
from apps.core.errors import ChangedMeanwhile
from apps.core.scope import reach_of
from apps.orgs.models import Program, Staff
from apps.rules import bringing_in, exchange
from apps.rules.document import MOST_BYTES, ProgramDocument
from apps.rules.errors import DocumentFaulty

FAULTS_SHOWN = 200
FILE = UnfoldAdminFileFieldWidget(attrs={"accept": ".json,application/json", "required": True})


class ProgramPages(ScopedAdmin):
    """Adds the pages of a programme's document to those of rules."""

    def get_urls(self) -> list[Any]:
        return [
            self.route("program/", self.program_view, "program"),
            self.route("program/export/", self.program_export_view, "program_export"),
            self.route("program/compare/", self.program_compare_view, "program_compare"),
            self.route("program/import/", self.program_import_view, "program_import"),
            *super().get_urls(),
        ]

    def program_view(self, request: HttpRequest) -> HttpResponse:
        programs = self._programs(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self._program_page(request, _chosen(programs, request.GET.get("program")) if programs else None)

    def program_export_view(self, request: HttpRequest) -> HttpResponse:
        programs = self._programs(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        program = _chosen(programs, request.GET.get("program", ""))
        written = json.dumps(exchange.exported(actor_of(request), program, now()), ensure_ascii=False, indent=2)
        name = f'attachment; filename="{program.code}.json"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        return HttpResponse(written + "\n", content_type="application/json", headers=headers)

    def program_compare_view(self, request: HttpRequest) -> HttpResponse:
        """What a file would do, in words; it is sent along, so that nothing is kept until somebody brings it in."""
        programs = self._programs(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        program = _chosen(programs, request.POST.get("program", ""))
        sent = request.FILES.get("file")
        if sent is None:
            return self._program_page(request, program, missing=_("Choose a file."))
        try:
            document = exchange.read(sent.read(MOST_BYTES + 1))
            plan = exchange.compared(
                actor_of(request), program, document, language=get_language() or "en", when=now()
            )  # fmt: skip
        except DocumentFaulty as refusal:
            return self._program_page(request, program, refusal=refusal)
        asking = bringing_in.import_planned(actor_of(request), program, document, now()) if plan.changes else None
        path = path_in_words(asking.steps) if asking is not None and not asking.is_free else ""
        return self._program_page(request, program, plan=plan, document=document.model_dump_json(), path=path)

    def program_import_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        programs = self._programs(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        program = _chosen(programs, request.POST.get("program", ""))

        def bring_in() -> HttpResponse:
            document = exchange.read(request.POST.get("document", "").encode("utf-8", "replace"))
            digest = request.POST.get("digest", "")
            person = actor_of(request)
            asking = bringing_in.import_planned(person, program, document, now())
            if asking is not None and not asking.is_free:
                if digest != exchange.compared(person, program, document, language="en", when=now()).digest:
                    raise ChangedMeanwhile()
                return self._import_sent(request, program, document)
            plan = bringing_in.import_document(person, program, document, digest=digest, when=now())
            rules = len([step for step in plan.rules if step.verb in ("added", "changed")])
            said = ngettext(
                "%(n)s rule is drafted. Nothing is live yet.", "%(n)s rules are drafted. Nothing is live yet.", rules
            ) % {"n": rules}
            self.message_user(request, said, messages.SUCCESS)
            return HttpResponseRedirect(f"{self.list_address()}?standing=draft")

        answer: HttpResponse = self.refusals_shown(request, bring_in)
        return answer

    def _import_sent(self, request: HttpRequest, program: Program, document: ProgramDocument) -> HttpResponse:
        subject = bringing_in.import_of(actor_of(request), program, document, now())
        reason = request.POST.get("reason", "").replace("\0", "")[:500]
        sent = send(actor_of(request), subject, reason=reason, key=f"import:{program.pk}:{uuid4()}", when=now())
        people = ", ".join(str(person) for person in waited_for(sent)) or _("nobody yet")
        said = _("Sent as request #%(number)s. %(people)s can decide now.") % {"number": sent.pk, "people": people}
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(f"{reverse('admin:rules_rule_program')}?program={program.pk}")

    def page_of(self, request: HttpRequest) -> str:
        """A refusal of a document is read on the page of documents."""
        match = request.resolver_match
        is_ours = match is not None and match.url_name == "rules_rule_program_import"
        return reverse("admin:rules_rule_program") if is_ours else super().page_of(request)

    def _programs(self, request: HttpRequest) -> list[Program]:
        """The programmes whose every rule the person may see."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        person: Staff = actor_of(request)
        reach = reach_of(person, exchange.VIEW)
        found = Program.objects.visible_to(person, exchange.VIEW).select_related("unit").order_by("name", "pk")
        return [program for program in found if reach.covers(program.unit.path)]

    def _program_page(self, request: HttpRequest, program: Program | None, **more: Any) -> HttpResponse:
        refusal: DocumentFaulty | None = more.get("refusal")
        may = program is not None and reach_of(actor_of(request), exchange.ADD).covers(program.unit.path)
        context = {
            **self.admin_site.each_context(request),
            "file_box": FILE.render("file", None, {"id": "file", "aria-label": _("File")}),
            "title": _("The whole programme as a file"), "opts": self.opts, "program": program,
            "programs": self._programs(request), "may_import": may and self.has_add_permission(request),
            "faults": refusal.lines()[:FAULTS_SHOWN] if refusal else [],
            "faults_count": len(refusal.faults) if refusal else 0, **more,
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "rules/program.html", context)


def _chosen(programs: list[Program], pk: str | None) -> Program:
    """The programme with that id among those; the first where none is asked for. 404 where there is none such."""
    found = next((program for program in programs if pk is None or str(program.pk) == pk), None)
    if found is None:
        raise Http404
    return found
