"""The studio's admin site. It takes only admin classes that know scopes; what libraries would register stays out."""

from typing import Any

from unfold.sites import UnfoldAdminSite


class StudioSite(UnfoldAdminSite):
    """The one site. See `apps.core.checks` for what it refuses."""

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        models = model_or_iterable if isinstance(model_or_iterable, list | tuple) else [model_or_iterable]
        ours = [model for model in models if model.__module__.startswith("apps.")]
        if ours:
            super().register(ours, admin_class, **options)
