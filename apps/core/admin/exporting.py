"""Exports of lists: exactly what the list shows, filters and columns included."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from html import unescape
from itertools import islice
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    StreamingHttpResponse,
)
from django.urls import path
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from apps.core.admin.columns import plain_value
from apps.core.admin.scoped import ScopedPages
from apps.core.exports import csv_lines, xlsx_file
from apps.core.history import in_words

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ExportPages(ScopedPages):
    """Adds `export/` to an admin class."""

    def get_urls(self) -> list[Any]:
        return [self.route("export/", self.export_view, "export"), *super().get_urls()]

    def route(self, route: str, view: Callable[..., Any], name: str) -> Any:
        """A page of one's own, for `get_urls`: `self.route("<path:object_id>/grant/", self.grant_view, "grant")`."""
        full = f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        return path(route, self.admin_site.admin_view(view), name=full)

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
        shown = [column for column in changelist.list_display if column != "action_checkbox"]
        columns = self.export_columns(request, shown)
        header = [str(label_for_field(column, self.model, self)) for column in columns]
        rows = self._export_rows(changelist.get_queryset(request), columns)
        name = f'attachment; filename="{self.opts.model_name}.{"xlsx" if is_xlsx else "csv"}"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        if is_xlsx:
            return HttpResponse(xlsx_file(header, rows), content_type=XLSX, headers=headers)
        return StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8", headers=headers)

    def export_columns(self, request: HttpRequest, shown: list[Any]) -> list[Any]:
        """The columns of the file: those that the list shows."""
        return shown

    def _export_rows(self, queryset: Any, columns: list[Any]) -> Iterator[list[Any]]:
        for chunk in batched(queryset.iterator(chunk_size=1000), 1000):
            self.prepare_rows(chunk)
            for row in chunk:
                yield [self._export_cell(row, column) for column in columns]

    def _export_cell(self, row: Any, column: Any) -> Any:
        if (plain := plain_value(self, column)) is not None:
            return plain(row)
        field, _attribute, value = lookup_field(column, row, self)
        if field is not None and field.choices:
            return str(dict(field.flatchoices).get(value, value))
        if isinstance(value, SafeString):
            return unescape(strip_tags(value))
        if value is None or isinstance(value, str | int | float | Decimal | date):
            return value
        return in_words(value) if isinstance(value, list | dict) else str(value)


def table_file(request: HttpRequest, name: str, header: list[str], rows: list[list[Any]]) -> HttpResponseBase:
    """A table of one's own as a file: `?format=xlsx`, else CSV."""
    is_xlsx = request.GET.get("format") == "xlsx"
    told = f'attachment; filename="{name}.{"xlsx" if is_xlsx else "csv"}"'
    headers = {"Content-Disposition": told, "Cache-Control": "no-store"}
    if is_xlsx:
        return HttpResponse(xlsx_file(header, rows), content_type=XLSX, headers=headers)
    return HttpResponse(b"".join(csv_lines(header, rows)), content_type="text/csv; charset=utf-8", headers=headers)


def batched(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """`rows` in lists of `size`."""
    while chunk := list(islice(rows, size)):
        yield chunk
