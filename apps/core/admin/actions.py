"""Actions: they get only rows for which the person holds each of their permissions."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponseBase

from apps.core.admin.refusals import Refusals


class Actions(Refusals):
    """Guards the actions of an admin class."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return {name: (self._on_allowed_rows(function), *rest) for name, (function, *rest) in actions.items()}

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        validate = self.opts.pk.to_python
        try:
            for value in request.POST.getlist("_selected_action"):
                validate(value)
        except ValidationError:
            raise Http404 from None
        response: HttpResponseBase | None = super().response_action(request, queryset)
        return response

    def get_unfold_action(self, action: str) -> Any:
        found = super().get_unfold_action(action)
        found.method = self._on_allowed_object(found.method)
        return found

    def _on_allowed_rows(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def run(model_admin: Any, request: HttpRequest, queryset: Any) -> Any:
            for verb in getattr(function, "allowed_permissions", ()):
                allowed = queryset.visible_to(request.user, self.permission(verb))
                queryset = queryset.filter(pk__in=allowed.values("pk"))
            return self.refusals_shown(request, lambda: function(model_admin, request, queryset))

        return run

    def _on_allowed_object(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if "object_id" in kwargs:
                obj = self.object_or_404(request, kwargs["object_id"])
                for verb in getattr(method, "allowed_permissions", None) or ():
                    if "." in verb and not self.may(request, verb, obj):
                        raise PermissionDenied
            return self.refusals_shown(request, lambda: method(request, *args, **kwargs))

        return run
