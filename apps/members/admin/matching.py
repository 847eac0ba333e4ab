"""By what a programme recognises its members."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.core.admin import ScopedAdmin, actor_of
from apps.members.matching_forms import MatchingOrderForm
from apps.members.merging.order import ADD, set_order
from apps.members.models import MatchingOrder
from apps.members.words import kind_in_words


@admin.register(MatchingOrder)
class MatchingOrderAdmin(ScopedAdmin):
    """One for each programme; without it card, phone and e-mail, and who is known is refused."""

    list_display = ("program", "kinds_shown", "only_verified", "enrols_known")
    list_select_related = ("program",)
    list_filter = ("program",)
    ordering = ("program",)
    form = MatchingOrderForm
    fields = ("program", "kinds", "only_verified", "enrols_known")
    choice_permissions: ClassVar = {"program": ADD}
    empty_template = "members/matching_empty.html"

    class Media:
        css: ClassVar = {"all": ["conditions/conditions.css", "members/choices.css"]}
        js = ("members/choices.js",)

    @admin.display(description=gettext_lazy("recognised by"))
    def kinds_shown(self, order: MatchingOrder) -> str:
        return " → ".join(kind_in_words(kind) for kind in order.kinds)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("program",) if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        sent = form.cleaned_data
        program = obj.program if change else sent["program"]
        flags = {name: sent[name] for name in ("only_verified", "enrols_known")}
        obj.pk = set_order(actor_of(request), program, sent["kinds"], **flags).pk
