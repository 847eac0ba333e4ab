"""The admin's base classes: whatever reaches a screen through them has passed `visible_to`.

A row that a person may not see answers like a row that does not exist: 404, whatever the address or method. A
row that is visible but not theirs to change opens as a page to read.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import wraps
from html import unescape
from itertools import islice
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import NestedObjects, label_for_field, lookup_field, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import router, transaction
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, StackedInline, TabularInline

from apps.core import filters  # noqa: F401 -- registers the scoped filter for foreign keys
from apps.core.errors import LoyaltyError
from apps.core.exports import csv_lines, xlsx_file
from apps.core.history import HistoryReader, in_words
from apps.core.lists import LargeChangeList, LookAheadPaginator, ScopedChangeList, key_in

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

LOOKUPS = frozenset({"exact", "in", "isnull", "gte", "gt", "lte", "lt", "id", "pk", "year", "month", "day"})
"""What may follow a filter's field in an address; anything else could ask about what is not shown."""


def actor_of(request: HttpRequest) -> Any:
    """The signed-in person: admin pages have no other visitors."""
    return request.user


class _Scoped:
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


class ScopedAdmin(_Scoped, ModelAdmin):
    """The base of every admin class of ours. Beside Django's and unfold's options:

    - `read_only = True`: nobody adds or changes here (append-only models are so by themselves).
    - `can_delete = True`: rows may be deleted one by one by who holds the permission; off by default.
    - `is_large = True` (here or on the model): the list is newest first, walked by key, never counted.
    - `choice_permissions = {"unit": "rules.add_rule"}`: offers for that foreign key only the rows where the
      person holds the permission; by default those they may see.
    - `extra_lookups = ("member",)`: fields that addresses may filter by besides those in `list_filter`.
    - `history_words = {"definition": as_sentence}`: how a field's value reads on the history page;
      `history_exclude` leaves fields out; `history_reason(reason)` translates reasons that the studio wrote.
    - `fields` or `fieldsets` must be named (check core.E004): a form offers nothing by default.
    - `prepare_rows(rows)` adds what columns need to a page's rows (and an export's), in a constant number of queries.
    - `list_select_related` takes names; `raw_id_fields` is refused (core.E005), use `autocomplete_fields`.

    Saving calls the service: override `save_model(request, obj, form, change)`. A `LoyaltyError` raised there
    rolls everything back and shows at the field it names, or on top of the form; in actions and deletions it
    becomes a message. After creating through a service, set `obj.pk` (and fields that pages show) from the result.

    `self.may(request, "publish_permission" or "app.codename", obj)` asks for a right; `self.object_or_404(request,
    object_id, "app.codename")` fetches a row for a page of one's own: unseen 404, seen but not allowed 403.

    Forms find the person in `self.actor`, to scope choices of fields that they declare themselves.

    Actions get only rows for which the person holds each of the action's `permissions`; list them. Detail and row
    actions get an object that is visible and allowed. What changes something must ask for POST.
    """

    read_only = False
    is_large = False
    extra_lookups: ClassVar[Sequence[str]] = ()
    history_words: ClassVar[dict[str, Callable[[Any], str]]] = {}
    history_exclude: ClassVar[Sequence[str]] = ()
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200
    list_fullwidth = True
    warn_unsaved_form = True

    class Media:
        css: ClassVar = {"all": ["core/admin.css"]}

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)
        self.is_large = self.is_large or getattr(model, "is_large", False)
        if self.is_large:
            self.sortable_by = ()

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

    # Lists.

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return LargeChangeList if self.is_large else ScopedChangeList

    def prepare_rows(self, rows: list[Any]) -> None:
        """Adds to the rows of a page what its columns need, in a constant number of queries."""

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("-pk",) if self.is_large else super().get_ordering(request)

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, orphans: int = 0, allow_empty_first_page: bool = True
    ) -> Paginator:
        paginator = LookAheadPaginator if self.is_large else Paginator
        return paginator(queryset, per_page, orphans, allow_empty_first_page)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the list offers as a filter: any other lookup is a question about hidden fields."""
        offered = [*(self.get_list_filter(request) if request else self.list_filter), *self.extra_lookups]
        names = {self.date_hierarchy} if self.date_hierarchy else set()
        for item in offered:
            item = item[0] if isinstance(item, list | tuple) else item
            names.add(getattr(item, "parameter_name", item))
        for name in names:
            if lookup == name:
                return True
            if isinstance(name, str) and lookup.startswith(f"{name}__"):
                return all(part in LOOKUPS for part in lookup.removeprefix(f"{name}__").split("__"))
        return False

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        rows, may_have_duplicates = super().get_search_results(request, queryset, search_term.replace("\0", ""))
        return rows, may_have_duplicates

    # Exports: exactly what the list shows, filters and columns included.

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export_view), name=name), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The whole list as it is filtered now: `?format=xlsx`, else CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        asked = request.GET.copy()
        is_xlsx = asked.pop("format", [""])[-1] == "xlsx"
        request.GET = asked  # type: ignore[assignment] # the list takes every parameter for a filter
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            raise Http404 from None
        columns = [column for column in changelist.list_display if column != "action_checkbox"]
        header = [str(label_for_field(column, self.model, self)) for column in columns]
        rows = self._export_rows(changelist.get_queryset(request), columns)
        name = f'attachment; filename="{self.opts.model_name}.{"xlsx" if is_xlsx else "csv"}"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        if is_xlsx:
            return HttpResponse(xlsx_file(header, rows), content_type=XLSX, headers=headers)
        return StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8", headers=headers)

    def _export_rows(self, queryset: Any, columns: list[str]) -> Iterator[list[Any]]:
        for chunk in batched(queryset.iterator(chunk_size=1000), 1000):
            self.prepare_rows(chunk)
            for row in chunk:
                yield [self._export_cell(row, column) for column in columns]

    def _export_cell(self, row: Any, column: str) -> Any:
        field, _attribute, value = lookup_field(column, row, self)
        if field is not None and field.choices:
            return str(dict(field.flatchoices).get(value, value))
        if isinstance(value, SafeString):
            return unescape(strip_tags(value))
        if value is None or isinstance(value, str | int | float | Decimal | date):
            return value
        return in_words(value) if isinstance(value, list | dict) else str(value)

    # Forms, and refusals of the services that they call.

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        extra_context = {"show_history": hasattr(self.model, "history"), **(extra_context or {})}
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except LoyaltyError as refusal:
            # Everything is rolled back. The same form is shown again with what was typed and the refusal in it.
            request.refusal = refusal  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.actor = actor_of(request)
        refusal: LoyaltyError | None = getattr(request, "refusal", None)
        return _refused(form, refusal) if refusal else form

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        try:
            return super().delete_view(request, object_id, extra_context)
        except LoyaltyError as refusal:
            self.message_user(request, refusal.sentence(), messages.ERROR)
            return HttpResponseRedirect(request.path.removesuffix("delete/") + "change/")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """What would go, and how much hangs on it: counts, for what hangs on it may lie beyond the person's reach."""
        collector = NestedObjects(using=router.db_for_write(self.model))
        collector.collect(objs)
        hanging = Counter(str(row._meta.verbose_name_plural) for row in collector.protected)
        protected = [f"{name}: {number}" for name, number in hanging.items()]
        return [str(obj) for obj in objs], {}, set(), protected

    # Actions.

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

    def refusals_shown(self, request: HttpRequest, run: Callable[[], Any]) -> Any:
        """What `run` returns; when it is refused, everything is undone and the refusal is shown where it was asked."""
        try:
            with transaction.atomic():
                return run()
        except LoyaltyError as refusal:
            self.message_user(request, refusal.sentence(), messages.ERROR)
            return HttpResponseRedirect(self.page_of(request))

    def page_of(self, request: HttpRequest) -> str:
        """Where the person came from, if it is one of our pages; else the list."""
        came_from = urlsplit(request.headers.get("referer", ""))
        is_ours = came_from.netloc == request.get_host() and came_from.path != request.path
        return came_from.path if is_ours else self.list_address()

    def list_address(self) -> str:
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist")

    # History: our own page, in words. Django's own log of changes is not kept.

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        obj = self.object_or_404(request, object_id)
        if not hasattr(self.model, "history"):
            raise Http404
        reader = HistoryReader(
            self.model, request.user,
            words=self.history_words, exclude=self.history_exclude, reason=self.history_reason,
        )  # fmt: skip
        versions, has_older = reader.versions(obj.pk, key_in(request, "before"))
        one, other = key_in(request, "one"), key_in(request, "other")
        compared = reader.compare(obj.pk, one, other) if one and other else None
        older, newer, differences = compared or (None, None, [])
        context = {
            **self.admin_site.each_context(request),
            "title": _("History of %(name)s") % {"name": obj},
            "opts": self.opts,
            "original": obj,
            "versions": versions,
            "older_than": versions[-1].pk if has_older else None,
            "can_compare": len(versions) > 1,
            "comparison": compared is not None,
            "older": older,
            "newer": newer,
            "differences": differences,
            "one": one or (versions[1].pk if len(versions) > 1 else None),
            "other": other or (versions[0].pk if versions else None),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "core/history.html", context)

    def history_reason(self, reason: str) -> str:
        """A stored reason, in the reader's language; people's own words stay as they are."""
        return reason

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None: ...

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None: ...

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None: ...


def batched(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """`rows` in lists of `size`."""
    while chunk := list(islice(rows, size)):
        yield chunk


def _refused(form: Any, refusal: LoyaltyError) -> type[forms.ModelForm]:
    """`form`, which will not validate: the refusal stands at its field, or on top."""

    class RefusedForm(form):
        def _post_clean(self) -> None:
            super()._post_clean()
            self.add_error(refusal.field if refusal.field in self.fields else None, refusal.sentence())

    return RefusedForm


class _ScopedInline(_Scoped):
    """Rows below an object: to read, unless `editable = True`; then whoever may change the object may change them
    with the model permission. Large collections do not belong into an inline."""

    editable = False
    extra = 0
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "view")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open and self.may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open and self.may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open and self.can_delete and self.may(request, "delete")

    @property
    def _is_open(self) -> bool:
        return self.editable and not self.is_append_only


class ScopedTabularInline(_ScopedInline, TabularInline):
    """A table of rows below an object."""


class ScopedStackedInline(_ScopedInline, StackedInline):
    """Forms of rows below an object."""
