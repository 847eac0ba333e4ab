"""Point types: how long points last, when they can be spent, what one costs."""

import json
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import now
from apps.core.formats import money, number
from apps.orgs.gate import ApprovalNeeded
from apps.points.admin.moving import sent_sentence
from apps.points.forms import MICROS, POLICY, PointTypeForm
from apps.points.models import PointType
from apps.points.services.types import ask_terms, change_point_type, create_point_type
from apps.points.words import policy_sentence, templates

FIXED = ("program", "code", "kind")


@admin.register(PointType)
class PointTypeAdmin(ScopedAdmin):
    """The policy of expiry is chosen in plain fields; its sentence stands above them and changes as one types."""

    form = PointTypeForm
    list_display = ("name", "program", "kind", "expiry_sentence", "pending_days", "unit_cost_shown")
    list_select_related = ("program", "funder")
    list_filter = ("kind", "program")
    search_fields = ("name", "code")
    ordering = ("program", "name")
    choice_permissions: ClassVar = {"program": "points.add_pointtype"}
    history_words: ClassVar = {
        "expiry": policy_sentence,
        "unit_cost_micros": lambda micros: number(Decimal(micros) / MICROS, 6),
    }
    conditional_fields: ClassVar = {
        "expiry_period": "expiry_kind == 'end_of'",
        "expiry_plus_years": "expiry_kind == 'end_of'",
        "expiry_plus_days": "expiry_kind == 'end_of'",
        "expiry_days": "['after_days', 'inactivity'].includes(expiry_kind)",
    }
    change_form_before_template = "points/pointtype_sentence.html"

    class Media:
        js = ("points/pointtype.js",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not may:
            return ("program", "code", "name", "kind", "expiry_sentence", "pending_days", "unit_cost_shown", "funder")
        last = ("reason",) if obj else ()
        return ("program", "code", "name", "kind", *POLICY, "pending_days", "unit_cost", "funder", *last)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return FIXED if self.has_change_permission(request, obj) else (*FIXED, "expiry_sentence", "unit_cost_shown")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if may:
            context["policy_templates"] = json.dumps({code: templates(code) for code in ("en", "zh-hans")})
            data = obj.expiry if obj else None
            context["policy_sentences"] = [(code, policy_sentence(data, code)) for code in ("en", "zh-hans")]
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        names = ("name", "expiry", "pending_days", "unit_cost_micros", "funder")
        values = {name: form.cleaned_data[name] for name in names if name in form.cleaned_data}
        if change:
            self._change(request, obj, form.cleaned_data.get("reason") or "", values)
        else:
            first = {name: form.cleaned_data[name] for name in FIXED}
            obj.pk = create_point_type(first.pop("program"), actor=actor_of(request), **first, **values).pk

    def _change(self, request: HttpRequest, obj: Any, reason: str, values: dict[str, Any]) -> None:
        """Done at once, or sent as a request where a policy holds it and a reason is given."""
        kind, person = PointType.objects.select_related("program", "funder").get(pk=obj.pk), actor_of(request)
        try:
            change_point_type(kind, actor=person, when=now(), **values)
        except ApprovalNeeded:
            if not reason:
                raise
            if "name" in values:
                change_point_type(kind, actor=person, when=now(), name=values.pop("name"))
            request.terms_sent = ask_terms(  # type: ignore[attr-defined]
                person, kind, reason=reason, key=f"terms:{uuid4()}", when=now(), **values
            )

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        sent = getattr(request, "terms_sent", None)
        if sent is None:
            answer: HttpResponse = super().response_change(request, obj)
            return answer
        self.message_user(request, sent_sentence(sent), messages.SUCCESS)
        return HttpResponseRedirect(request.path)

    @admin.display(description=_("expiry"))
    def expiry_sentence(self, kind: PointType) -> str:
        return policy_sentence(kind.expiry)

    @admin.display(description=_("cost of a point"))
    def unit_cost_shown(self, kind: PointType) -> str:
        cost = Decimal(kind.unit_cost_micros) / MICROS
        places = max(2, -int(cost.normalize().as_tuple().exponent)) if cost else 2
        return f"{kind.program.currency} {number(cost, places)}" if places > 2 else money(cost, kind.program.currency)
