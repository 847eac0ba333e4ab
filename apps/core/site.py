"""The studio's admin site. It takes only admin classes that know scopes; what libraries would register stays out."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from unfold.sites import UnfoldAdminSite

METHODS = ("GET", "HEAD", "POST")


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

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        models = model_or_iterable if isinstance(model_or_iterable, list | tuple) else [model_or_iterable]
        ours = [model for model in models if model.__module__.startswith("apps.")]
        if ours:
            super().register(ours, admin_class, **options)
