"""The gallery: templates to begin a new rule from, and the new rule's form filled with one of them."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import now
from apps.rules.gallery import GROUPS, TEMPLATES, Template
from apps.rules.reading import names_of
from apps.rules.sentences import Names, rule_sentence
from apps.rules.starting import Start, filling, first_program, from_template, like


class GalleryPages(ScopedAdmin):
    """Adds the gallery, and what a new rule begins with, to the pages of rules."""

    def get_urls(self) -> list[Any]:
        return [self.route("templates/", self.gallery_view, "gallery"), *super().get_urls()]

    def gallery_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        asked = request.GET.get("q", "").strip()[:100]
        found = [template for template in TEMPLATES.values() if template.fits(asked)]
        language = get_language() or "en"
        program = first_program(actor_of(request))
        names = names_of([program])[program.pk] if program else Names()
        fill = filling(program, now()) if program else None

        def card(template: Template) -> dict[str, Any]:
            said = rule_sentence(fill(template), names, language) if fill else ""
            blanks = [blank.in_language(language) for blank in template.blanks]
            return {
                "code": template.code, "icon": template.icon, "sentence": said, "blanks": blanks,
                "name": template.name.in_language(language), "purpose": template.purpose.in_language(language),
            }  # fmt: skip

        groups = [
            (code, words.in_language(language), [card(each) for each in found if each.group == code])
            for code, words in GROUPS.items()
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": _("New rule from a template"), "opts": self.opts, "asked": asked, "found_count": len(found),
            "all_count": len(TEMPLATES), "groups": [group for group in groups if group[2]],
        }  # fmt: skip
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "rules/gallery.html", context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new rule begins like the template or the rule that the address names, and like nothing else in it."""
        start = self._start(request)
        if start is None:
            return {}
        return {
            "name": start.name, "code": start.code, "program": start.program.pk, "unit": start.unit.pk,
            "definition": start.definition,
        }  # fmt: skip

    def _start(self, request: HttpRequest) -> Start | None:
        person, asked = actor_of(request), request.GET
        if "template" in asked:
            return from_template(person, asked["template"], now())
        return like(person, asked["like"], now()) if "like" in asked else None

    def begun_from(self, request: HttpRequest) -> dict[str, Any]:
        """What the page of a new rule says of the template it begins with."""
        template = TEMPLATES.get(request.GET.get("template", ""))
        if template is None:
            return {}
        language = get_language() or "en"
        return {
            "template_name": template.name.in_language(language),
            "template_blanks": [blank.in_language(language) for blank in template.blanks],
        }
