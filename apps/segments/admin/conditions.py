"""What pages with a condition share: the editor, and what is said of the condition while one types."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from apps.activity.segments import count_members
from apps.conditions.describing import SCRIPTS
from apps.conditions.sentences import sentence
from apps.conditions.tree import ConditionError, parse
from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import local_day, now
from apps.core.formats import number
from apps.orgs.models import OrgUnit, Program
from apps.segments.catalogue import OTHERS, catalogue_of
from apps.segments.forms import decoded
from apps.segments.services.holding import at_home

LANGUAGES = (("en", "en"), ("zh", "zh-hans"))
LANG = {"en": "en", "zh": "zh-Hans"}


class ConditionPages(ScopedAdmin):
    """Adds the editor of a condition to a model's form, and the page that reads what it says."""

    warn_unsaved_form = True

    class Media:
        css: dict[str, list[str]] = {"all": ["conditions/conditions.css", "segments/segments.css"]}
        js = (*SCRIPTS, "segments/editor.js")

    def get_urls(self) -> list[Any]:
        return [self.route("preview/", self.preview_view, "preview"), *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The condition in words, its faults, and how many members it holds for, while somebody writes it."""
        if not (self.may(request, "change") or self.may(request, "add")):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        person, named = actor_of(request), request.POST.get("program", "")
        programs = Program.objects.visible_to(person).select_related("unit")
        program = programs.filter(pk=named).first() if named.isdecimal() and len(named) < 19 else None
        if program is None:
            raise Http404
        return JsonResponse(said_of(person, program, decoded(request.POST.get("condition", ""))))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        form = context["adminform"].form
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if may and "condition" in flatten_fieldsets(self.get_fieldsets(request, obj)):
            page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_preview")
            context["condition_editor"] = form.config() | {"preview": page}
        context |= {
            "show_save_and_add_another": False, "show_save_and_continue": False,
            "sentence_order": [(code, LANG[code]) for code, _full in own_first()],
        }  # fmt: skip
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)


def own_first() -> list[tuple[str, str]]:
    """The two languages, that of the page first."""
    is_chinese = (get_language() or "en").startswith("zh")
    return sorted(LANGUAGES, key=lambda pair: (pair[0] == "zh") != is_chinese)


def said_of(person: Any, program: Program, condition: Any) -> dict[str, Any]:
    """`{"sentences": {"en": …, "zh": …}, "faults": […], "count": "1,204 of 5,000 members"}`"""
    catalogue = catalogue_of(program)
    places = list(OrgUnit.objects.within(program.unit.path).values_list("code", "path", "name"))
    try:
        tree = parse(condition, catalogue, {code: path for code, path, _name in places})
    except ConditionError as error:
        language = get_language() or "en"
        faults = [{"path": list(each.path), "message": each.message.in_language(language)} for each in error.faults]
        return {"sentences": dict.fromkeys(("en", "zh"), "…"), "faults": faults, "count": ""}
    names = {code: name for code, _path, name in places}
    sentences = {code: sentence(tree, catalogue, full, names) for code, full in LANGUAGES}
    day = local_day(now(), ZoneInfo(program.time_zone))
    found = count_members(
        person, program, tree, {code: path for code, path, _name in places}, day, others=OTHERS, among=at_home(program)
    )
    if found is None:
        return {"sentences": sentences, "faults": [], "count": _("More members than can be counted in a second")}
    words = ngettext("%(some)s of %(all)s member", "%(some)s of %(all)s members", found.of)
    return {
        "sentences": sentences,
        "faults": [],
        "count": words % {"some": number(found.members), "all": number(found.of)},
    }
