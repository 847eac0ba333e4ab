"""Working times of units."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ScopedAdmin, actor_of
from apps.orgs import services
from apps.orgs.models import WorkingTime
from apps.orgs.working_forms import WorkingTimeForm, day_field
from apps.orgs.working_words import hours_in_words

HEAD = ("unit", "time_zone", "hours_shown")
WEEK = tuple(day_field(number) for number in range(1, 8))
DIFFERENT = ("closed", "moved")


@admin.register(WorkingTime)
class WorkingTimeAdmin(ScopedAdmin):
    """The week is written day by day; the sentence says what came of it."""

    form = WorkingTimeForm
    list_display = ("unit", "time_zone", "hours_shown")
    list_select_related = ("unit",)
    list_filter = ("unit",)
    search_fields = ("unit__name", "unit__code")
    ordering = ("unit__path",)
    sortable_by = ()
    empty_template = "orgs/working_times_empty.html"
    choice_permissions: ClassVar = {"unit": "orgs.add_workingtime"}
    history_words: ClassVar = {"hours": hours_in_words}

    class Media:
        css: ClassVar = {"all": ["orgs/working_time.css"]}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return [*(HEAD if obj else HEAD[:2]), *((*WEEK, *DIFFERENT) if may else ())]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        offered = self.get_fields(request, obj)
        parts: tuple[tuple[Any, tuple[str, ...], list[str]], ...] = (
            (None, HEAD, []),
            (_("The week"), WEEK, ["working-week"]),
            (_("Days that are different"), DIFFERENT, []),
        )
        shown = [(title, [name for name in names if name in offered], classes) for title, names, classes in parts]
        return [(title, {"fields": names, "classes": classes}) for title, names, classes in shown if names]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("unit", "hours_shown") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in ("time_zone", "hours")}
        actor = actor_of(request)
        if change:
            services.change_working_time(obj, actor=actor, **values)
        else:
            obj.pk = services.create_working_time(form.cleaned_data["unit"], actor=actor, **values).pk

    @admin.display(description=_("when people work"))
    def hours_shown(self, row: WorkingTime) -> str:
        return hours_in_words(row.hours)
