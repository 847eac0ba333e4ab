"""System checks that keep the house rules: no model and no admin class without a scope."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.checks import CheckMessage, Error, Tags, register

from apps.core.scope import Scope, ScopedQuerySet

OURS = "apps."


@register(Tags.models)
def every_model_is_scoped(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """Every model of ours names its scope and can be asked for what a person may see."""
    for model in apps.get_models():
        if not model.__module__.startswith(OURS) or model.__name__.startswith("Historical"):
            continue
        if not isinstance(getattr(model, "scope", None), Scope):
            yield Error(f"{model._meta.label} names no scope.", obj=model, id="core.E001",
                        hint="Say where its rows live: scope = Scope(units=(…,)).")  # fmt: skip
        elif not isinstance(model._default_manager.get_queryset(), ScopedQuerySet):
            yield Error(f"{model._meta.label}'s default manager has no visible_to().", obj=model, id="core.E002")


@register(Tags.admin)
def every_admin_is_scoped(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """Every registered admin class is ours: lists, objects, choices and exports pass `visible_to`."""
    from apps.core.admin import ScopedAdmin

    for model, model_admin in admin.site._registry.items():
        if not isinstance(model_admin, ScopedAdmin):
            yield Error(f"{model._meta.label} is in the admin without ScopedAdmin.", obj=model, id="core.E003")
