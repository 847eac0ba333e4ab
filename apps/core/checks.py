"""System checks that keep the house rules: no model and no admin class without a scope."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import AllValuesFieldListFilter, RelatedFieldListFilter
from django.contrib.admin.options import BaseModelAdmin
from django.core.checks import CheckMessage, Error, Tags, register

from apps.core.filters import ScopedRelatedFilter
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


@register(Tags.admin)
def every_admin_offers_only_what_it_names(app_configs: Any, **kwargs: Any) -> Iterable[CheckMessage]:
    """Forms name their fields; no choice, filter or label goes round `visible_to`."""
    from apps.core.admin import ScopedAdmin

    for model, model_admin in admin.site._registry.items():
        if isinstance(model_admin, ScopedAdmin):
            inlines = [inline(model, admin.site) for inline in model_admin.inlines]
            for part in (model_admin, *inlines):
                yield from _faults(model, part)


def _faults(model: Any, part: Any) -> Iterable[CheckMessage]:
    label = f"{model._meta.label}: {type(part).__name__}"
    inherits = type(part).get_fields is BaseModelAdmin.get_fields
    if inherits and not part.fields and not part.fieldsets:
        yield Error(f"{label} names neither fields nor fieldsets.", obj=model, id="core.E004",
                    hint="A form offers what it names, so that a new column is not editable by accident.")  # fmt: skip
    if part.raw_id_fields:
        # The widget prints the name of whatever id was sent.
        yield Error(f"{label} uses raw_id_fields.", obj=model, id="core.E005", hint="Use autocomplete_fields.")
    for item in getattr(part, "list_filter", ()):
        if isinstance(item, tuple | list) and issubclass(item[1], RelatedFieldListFilter | AllValuesFieldListFilter):
            if not issubclass(item[1], ScopedRelatedFilter):
                yield Error(f"{label} filters by {item[0]} with unscoped choices.", obj=model, id="core.E006")
        elif isinstance(item, str) and "__" in item:
            yield Error(f"{label} filters across {item}.", obj=model, id="core.E006",
                        hint="A filter across a relation lists values of rows that may be unseen.")  # fmt: skip
