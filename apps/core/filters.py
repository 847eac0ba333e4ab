"""List filters that offer only what the person may see."""

from typing import Any

from django.contrib.admin import FieldListFilter, ModelAdmin, RelatedFieldListFilter
from django.http import HttpRequest

from apps.core.scope import ScopedModel


class ScopedRelatedFilter(RelatedFieldListFilter):
    """A filter by a foreign key; its choices are the visible rows."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: ModelAdmin) -> Any:
        model = field.remote_field.model
        if not issubclass(model, ScopedModel) and not hasattr(model, "scope"):
            return []
        ordering = self.field_admin_ordering(field, request, model_admin)
        rows = model._default_manager.visible_to(request.user).complex_filter(field.get_limit_choices_to())
        return [(row.pk, str(row)) for row in (rows.order_by(*ordering) if ordering else rows)]


FieldListFilter.register(lambda field: bool(field.remote_field), ScopedRelatedFilter, take_priority=True)
