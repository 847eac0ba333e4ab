"""Rights and choices: what lists, objects, forms and inlines share."""

from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from unfold.admin import ModelAdmin


def actor_of(request: HttpRequest) -> Any:
    """The signed-in person: admin pages have no other visitors."""
    return request.user


class Scoped:
    """What lists, objects, forms and inlines share."""

    model: Any
    opts: Any
    can_delete = False
    choice_permissions: ClassVar[dict[str, str]] = {}

    @property
    def is_append_only(self) -> bool:
        return bool(getattr(self.model, "append_only", False))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).visible_to(request.user)  # type: ignore[misc]

    def permission(self, verb: str) -> str:
        """`"view"` is `"app.view_model"`; a full name stays as it is."""
        return verb if "." in verb else f"{self.opts.app_label}.{verb}_{self.opts.model_name}"

    def may(self, request: HttpRequest, verb: str, obj: Any = None) -> bool:
        """Whether the person may do `verb` (or a full permission) to `obj`, or to any row. Asked once a request."""
        name = self.permission(verb)
        if obj is not None and not isinstance(obj, self.model):
            obj = self.get_object(request, str(obj))  # type: ignore[attr-defined] # unfold passes ids
            if obj is None:
                return False
        answers: dict[Any, bool] = request.__dict__.setdefault("_permission_answers", {})
        asked = (name, self.opts.label, getattr(obj, "pk", None))
        if asked not in answers:
            answers[asked] = request.user.has_perm(name, obj)
        if not answers[asked]:
            _note_denied(request, asked)
        return answers[asked]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._choices(db_field, request, kwargs.get("queryset"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = self._choices(db_field, request, kwargs.get("queryset"))
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]

    def _choices(self, db_field: Any, request: HttpRequest, queryset: Any) -> Any:
        if queryset is None:
            queryset = db_field.remote_field.model._default_manager.all()
        if not hasattr(queryset, "visible_to"):
            return queryset.none()
        return queryset.visible_to(request.user, self.choice_permissions.get(db_field.name))


def _note_denied(request: HttpRequest, asked: tuple[str, str, Any]) -> None:
    """Keeps what was missing, for the page that refuses (`apps.core.views.refused`): Django asks for the right to change
    what may not even be seen, and then seeing is what is missing."""
    earlier = getattr(request, "denied", None)
    if earlier is None or earlier[1:] != asked[1:] or ".view_" not in earlier[0]:
        request.denied = asked  # type: ignore[attr-defined]


class ScopedPages(Scoped, ModelAdmin):
    """Rights on rows, and rows by their id, for every part of the admin's base class."""

    read_only = False

    # Rights: the model's permission, and where the row lives.

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "view", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not self.read_only and not self.is_append_only and self.may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.read_only and not self.is_append_only and self.may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.can_delete and not self.is_append_only and self.may(request, "delete", obj)

    # Objects: unseen and missing are one.

    def object_or_404(self, request: HttpRequest, object_id: Any, permission: str = "view") -> Any:
        obj = self.get_object(request, unquote(str(object_id)))
        if obj is None:
            raise Http404
        if not self.may(request, permission, obj):
            raise PermissionDenied
        return obj

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if "\0" in str(object_id):
            return None
        return super().get_object(request, object_id, from_field)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        raise Http404

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        return bool(self.opts.pk.name == to_field or self.opts.pk.attname == to_field)
