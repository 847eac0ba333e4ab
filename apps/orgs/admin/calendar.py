"""Special days of programmes."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.admin import actor_of
from apps.core.clock import now
from apps.orgs import services
from apps.orgs.admin.asking import AskingForms
from apps.orgs.calendar_forms import SpecialDayForm
from apps.orgs.calendar_words import days_in_words
from apps.orgs.models import SpecialDay

WHICH = ("days_kind", "ranges", "month", "day", "weekday")


@admin.register(SpecialDay)
class SpecialDayAdmin(AskingForms):
    """Which days it is, is chosen in plain fields."""

    form = SpecialDayForm
    list_display = ("name", "code", "program", "days_shown")
    list_select_related = ("program",)
    list_filter = ("program",)
    search_fields = ("name", "code")
    ordering = ("program", "name")
    choice_permissions: ClassVar = {"program": "orgs.add_specialday"}
    history_words: ClassVar = {"days": days_in_words}
    conditional_fields: ClassVar = {
        "ranges": "days_kind == 'on_dates'",
        "month": "days_kind == 'each_year'",
        "day": "['each_year', 'each_month'].includes(days_kind)",
        "weekday": "days_kind == 'each_week'",
    }

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return ("program", "name", "code", *(WHICH if may else ("days_shown",)), *(("reason",) if obj and may else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return ("program", "code") if self.has_change_permission(request, obj) else ("program", "code", "days_shown")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in ("name", "days")}
        actor = actor_of(request)
        if change:
            day, when = SpecialDay.objects.get(pk=obj.pk), now()
            self.changed_or_asked(
                request, services.days_wanted(day, values["days"]), form.cleaned_data.get("reason", ""),
                lambda: services.change_special_day(day, actor=actor, when=when, **values),
                lambda: services.change_special_day(day, actor=actor, name=values["name"], days=day.days),
            )  # fmt: skip
        else:
            program, code = form.cleaned_data["program"], form.cleaned_data["code"]
            obj.pk = services.create_special_day(program, code=code, actor=actor, **values).pk

    @admin.display(description=_("days"))
    def days_shown(self, day: SpecialDay) -> str:
        return days_in_words(day.days)
