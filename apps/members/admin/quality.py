"""Data quality: its rules, the board, and putting right what they find."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.core.lists import key_in
from apps.members.models import AttributeDefinition, Member
from apps.members.quality import services
from apps.members.quality.board import Board, board_of, source_asked, source_in_words
from apps.members.quality.checks import field_words, sentence_of
from apps.members.quality.fixing import fix, is_fixable
from apps.members.quality.forms import FixForm, QualityRuleForm, value_field
from apps.members.quality.measuring import MEASURE, definitions_near, members_at_fault
from apps.members.quality.models import QualityRule
from apps.members.querysets import masks_of
from apps.orgs.models import OrgUnit, Program
from apps.orgs.querysets import HOME_ZONE

FIXED = ("unit", "field_shown", "check_code")
SHOWN = 20
CHANGE_MEMBER = "members.change_member"


@admin.register(QualityRule)
class QualityRuleAdmin(ScopedAdmin):
    form = QualityRuleForm
    list_display = ("sentence", "unit", "wanted_pct", "weight", "is_active")
    list_select_related = ("unit",)
    list_filter = ("is_active", "unit")
    ordering = ("unit__path", "field", "check_code")
    can_delete = True
    choice_permissions: ClassVar = {"unit": services.ADD}
    empty_template = "members/quality/rules_empty.html"

    class Media:
        css: ClassVar = {"all": ["members/quality.css"]}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*(FIXED if obj else ("unit", "field", "check_code")), "wanted_pct", "weight", "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return FIXED if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values, actor = dict(form.cleaned_data), actor_of(request)
        if change:
            services.change_rule(actor, obj.pk, **values)
        else:
            obj.pk = services.create_rule(actor, values.pop("unit"), **values).pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.delete_rule(actor_of(request), obj.pk)

    def prepare_rows(self, rows: list[Any]) -> None:
        definitions = list(AttributeDefinition.objects.order_by("position", "pk")) if rows else []
        for rule in rows:
            rule.words = sentence_of(rule.field, rule.check_code, definitions)

    @admin.display(description=gettext_lazy("what it asks"))
    def sentence(self, rule: Any) -> str:
        return str(rule.words.in_language(get_language() or "en"))

    @admin.display(description=gettext_lazy("field"))
    def field_shown(self, rule: QualityRule) -> str:
        return field_words(rule.field, definitions_near(rule)).in_language(get_language() or "en")

    # The board.

    def get_urls(self) -> list[Any]:
        return [
            self.route("board/", self.board_view, "board"),
            self.route("measure/", self.measure_view, "measure"),
            self.route("gate/<int:program_id>/", self.gate_view, "gate"),
            self.route("<path:object_id>/fix/", self.fix_view, "fix"),
            *super().get_urls(),
        ]

    def board_view(self, request: HttpRequest) -> HttpResponse:
        if not self.may(request, "members.view_qualityfigure"):
            raise PermissionDenied
        actor = actor_of(request)
        board = board_of(actor, request.GET.dict(), now())
        language = get_language() or "en"
        context = {
            **self.admin_site.each_context(request), "title": _("Data quality"), "board": board,
            "language": language, "may_measure": self.may(request, MEASURE), "may_add": self.has_add_permission(request),
            "sees_members": self.may(request, "members.view_member"), "may_fix": self.may(request, CHANGE_MEMBER),
            "lines": [
                {"line": each, "words": each.sentence.in_language(language), "is_fixable": is_fixable(each.rule)}
                for each in board.rules
            ],
            "standings": [
                {
                    "standing": each, "may_set": actor.has_perm(services.GATE, each.program),
                    "missing": [(one.sentence.in_language(language), one.share, one.rule) for one in each.missing],
                }
                for each in board.standings
            ],
            "short": sum(each.is_short for each in board.rules), "source_name": source_in_words(board.source),
            "zone": str(HOME_ZONE), "tables": _tables(board), "media": self.media,
        }  # fmt: skip
        return TemplateResponse(request, "members/quality/board.html", context)

    def measure_view(self, request: HttpRequest) -> HttpResponse:
        if not self.may(request, MEASURE):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        number = services.ask_to_measure(actor_of(request))
        told = ngettext(
            "%(number)s rule is being measured; the board shows it in a moment.",
            "%(number)s rules are being measured; the board shows them in a moment.", number,
        ) % {"number": number}  # fmt: skip
        messages.success(request, told)
        return HttpResponseRedirect(self._board())

    def gate_view(self, request: HttpRequest, program_id: int) -> HttpResponse:
        """Sets how accurate a programme's data must be."""
        if not self.may(request, services.GATE):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        sent = request.POST.get("wanted_pct", "")
        program = Program.objects.visible_to(actor_of(request)).select_related("unit").filter(pk=program_id).first()
        if program is not None:
            try:
                services.set_gate(actor_of(request), program, int(sent) if sent.isdecimal() and len(sent) < 4 else 0)
            except LoyaltyError as refusal:
                messages.error(request, refusal.sentence())
        return HttpResponseRedirect(self._board())

    def _board(self) -> str:
        return reverse(f"{self.admin_site.name}:members_qualityrule_board")

    # Putting right.

    def fix_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Those at fault whom the person may change, each with the one field to correct."""
        rule = self.object_or_404(request, object_id)
        if not self.may(request, CHANGE_MEMBER):
            raise PermissionDenied
        if not is_fixable(rule):
            return HttpResponseRedirect(self._board())
        actor, when, definitions = actor_of(request), now(), definitions_near(rule)
        place, source = self._narrowed(request)
        at_fault = members_at_fault(rule, when, place, source)
        rows = at_fault.visible_to(actor, CHANGE_MEMBER).select_related("home_unit").order_by("-pk")
        stores = OrgUnit.objects.visible_to(actor, CHANGE_MEMBER).filter(kind=OrgUnit.Kind.STORE, is_active=True)
        label = field_words(rule.field, definitions).in_language(get_language() or "en")
        here, faulty = request.get_full_path(), None
        if request.method == "POST":
            faulty = self._fixed(request, rule, rows, definitions, stores, label)
            if faulty is None:
                return HttpResponseRedirect(here)
        after = key_in(request, "after")
        found = list((rows if after is None else rows.filter(pk__lt=after))[: SHOWN + 1])
        masks = masks_of([member.pk for member in found[:SHOWN]])
        entries = []
        for member in found[:SHOWN]:
            if faulty is not None and member.pk == faulty[0].pk:
                entries.append((member, masks[member.pk], faulty[1]))
            elif (field := value_field(rule, member, definitions, stores)) is not None:
                entries.append((member, masks[member.pk], FixForm(field, label, prefix=str(member.pk))))
        for number, (_member, _masks, form) in enumerate(entries):
            if number == 0 or form.is_bound:
                form.fields["value"].widget.attrs["autofocus"] = True
        context = {
            **self.admin_site.each_context(request), "title": _("Put right"), "opts": self.opts, "rule": rule,
            "sentence": sentence_of(rule.field, rule.check_code, definitions).in_language(get_language() or "en"),
            "entries": entries, "older": found[SHOWN - 1].pk if len(found) > SHOWN else None,
            "board": self._board(), "place": place, "source": source, "source_name": source_in_words(source),
            "media": self.media,
        }  # fmt: skip
        headers = {"Cache-Control": "no-store"}
        return TemplateResponse(request, "members/quality/fix.html", context, headers=headers)

    def _narrowed(self, request: HttpRequest) -> tuple[OrgUnit | None, str]:
        """The unit and the source to which the board was narrowed."""
        code = request.GET.get("unit", "").replace("\0", "")
        units = OrgUnit.objects.visible_to(actor_of(request))
        return units.filter(code=code).first() if code else None, source_asked(request.GET)

    def _fixed(
        self, request: HttpRequest, rule: QualityRule, rows: Any, definitions: Any, stores: Any, label: str
    ) -> tuple[Member, FixForm] | None:
        """None where it was put right, or is no longer at fault; else the member, and the form that says what is wrong."""
        sent = request.POST.get("member", "")
        member = rows.filter(pk=sent).first() if sent.isdecimal() and len(sent) < 19 else None
        field = value_field(rule, member, definitions, stores) if member is not None else None
        if member is None or field is None:
            return None
        form = FixForm(field, label, request.POST, prefix=str(member.pk))
        if not form.is_valid():
            return member, form
        try:
            fix(actor_of(request), rule, member.pk, form.cleaned_data["value"], when=now())
        except LoyaltyError as refusal:
            form.add_error("value", refusal.sentence())
            return member, form
        messages.success(request, _("%(member)s is put right.") % {"member": member})
        return None


def _tables(board: Board) -> list[dict[str, Any]]:
    """The same accuracy, cut three ways."""
    return [
        {"title": _("Where is it worst?"), "column": _("Unit"), "lines": board.units, "hint": ""},
        {"title": _("Which source brings it?"), "column": _("Source"), "lines": board.sources, "hint": ""},
        {
            "title": _("Do newcomers come in better?"), "column": _("Joined"), "lines": board.weeks,
            "hint": _("By the week of joining."),
        },
    ]  # fmt: skip
