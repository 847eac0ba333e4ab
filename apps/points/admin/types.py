"""Point types: how long points last, when they can be spent, what one costs."""

import json
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ScopedAdmin, actor_of
from apps.core.formats import money, number
from apps.points.forms import MICROS, POLICY, PointTypeForm
from apps.points.models import PointType
from apps.points.services.types import change_point_type, create_point_type
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
        return ("program", "code", "name", "kind", *POLICY, "pending_days", "unit_cost", "funder")

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
            change_point_type(obj, actor=actor_of(request), **values)
        else:
            first = {name: form.cleaned_data[name] for name in FIXED}
            obj.pk = create_point_type(first.pop("program"), actor=actor_of(request), **first, **values).pk

    @admin.display(description=_("expiry"))
    def expiry_sentence(self, kind: PointType) -> str:
        return policy_sentence(kind.expiry)

    @admin.display(description=_("cost of a point"))
    def unit_cost_shown(self, kind: PointType) -> str:
        cost = Decimal(kind.unit_cost_micros) / MICROS
        places = max(2, -int(cost.normalize().as_tuple().exponent)) if cost else 2
        return f"{kind.program.currency} {number(cost, places)}" if places > 2 else money(cost, kind.program.currency)
