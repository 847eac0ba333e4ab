"""The studio's admin site. It takes only admin classes that know scopes; what libraries would register stays out."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from unfold.sites import UnfoldAdminSite

from apps.core.palette import Found, Section, sections_for

METHODS = ("GET", "HEAD", "POST")
LONGEST, MOST_PAGES = 120, 8


class StudioSite(UnfoldAdminSite):
    """The one site. See `apps.core.checks` for what it refuses."""

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Pages answer to GET and POST; to other methods as HTTP says, whoever asks."""
        page = super().admin_view(view, cacheable)

        @wraps(page)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in METHODS:
                return HttpResponseNotAllowed(METHODS)
            response: HttpResponseBase = page(request, *args, **kwargs)
            return response

        return answer

    def extra_context(self, context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        """Colours stand in our style sheet: the pages' policy allows no style inside them."""
        return {**context, "colors": None}

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What the box under Ctrl+K finds: pages by name, rows through the rooms' sources. It is asked by POST, for what
        is looked for may be personal and belongs into no address. Unfold's own keeps answers for five minutes,
        whatever rights or language have become meanwhile."""
        asked = request.POST if request.method == "POST" else request.GET
        term = asked.get("s", "").replace("\0", "").strip()[:LONGEST]
        if not term:
            return HttpResponse()
        sections = sections_for(request.user, term)
        if pages := self._pages_named(request, term.casefold()):
            sections.insert(0, Section(gettext("Pages"), tuple(pages[:MOST_PAGES])))
        context = {"sections": sections, "found": sum(len(section.rows) for section in sections)}
        headers = {"Cache-Control": "no-store"}
        return TemplateResponse(request, "core/palette.html", context, headers=headers)

    def _pages_named(self, request: HttpRequest, term: str) -> list[Found]:
        pages = {}
        for group in self.get_sidebar_list(request):
            for item in group["items"]:
                pages[item["link"]] = Found(str(item["title"]), str(group["title"]), item["link"], item["icon"])
        for app in self.get_app_list(request):
            for model in app["models"]:
                if model["admin_url"] and model["admin_url"] not in pages:
                    pages[model["admin_url"]] = Found(str(model["name"]), str(app["name"]), model["admin_url"], "list")
        return [page for page in pages.values() if term in page.title.casefold()]

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        models = model_or_iterable if isinstance(model_or_iterable, list | tuple) else [model_or_iterable]
        ours = [model for model in models if model.__module__.startswith("apps.")]
        if ours:
            super().register(ours, admin_class, **options)
