"""Admin lists: small ones are counted and have page numbers; large ones are walked by key, never counted.

A large list costs one statement of page length + 1 rows, whatever its size and however deep the page lies.
"""

from collections.abc import Callable
from typing import Any

from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from apps.core.scope import first_of_units, reach_of

AFTER, BEFORE = "after", "before"
DEEPEST_OFFSET = 200
"""How far an autocomplete box may be scrolled on a large model; whoever wants more types more."""
MOST_MERGED = 100
"""A reach of more units holds enough of a list that walking the list soon finds a page."""


class LookAheadPaginator(Paginator):
    """Pages without a count, for autocomplete boxes on large models: one row more tells whether there is a next."""

    def page(self, number: Any) -> Page:
        number = int(number) if str(number).isdigit() else 1
        first = (number - 1) * self.per_page
        if number < 1 or first > DEEPEST_OFFSET:
            raise EmptyPage("beyond the deepest page")
        rows = list(self.object_list[first : first + self.per_page + 1])
        self.count = first + len(rows)
        return Page(rows[: self.per_page], number, self)


class ScopedChangeList(ChangeList):
    """A counted list; the admin class may add to the page's rows what its columns need."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            # Then the page's title needs no "show all".
            self.full_result_count = self.result_count
        if not self.list_editable:
            self.result_list = list(self.result_list)
            self.model_admin.prepare_rows(self.result_list)


class KeysetPager:
    """What the pagination template of a large list needs."""

    template_name = "core/keyset_pagination.html"

    def __init__(self, newer: str | None, older: str | None, has_more: bool) -> None:
        self.newer, self.older, self.has_more = newer, older, has_more


class LargeChangeList(ChangeList):
    """A list of a large model, newest first, walked by primary key: `?after=<id>`, `?before=<id>`."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet:
        for name in (AFTER, BEFORE):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        found: QuerySet = super().get_queryset(request, exclude_parameters)
        return found

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[str]:
        return ["-pk"]

    def get_ordering_field_columns(self) -> dict[int, str]:
        return {}

    def get_results(self, request: HttpRequest) -> None:
        after, before = key_in(request, AFTER), key_in(request, BEFORE)
        size = self.list_per_page
        if before is not None:
            rows = list(self._first(request, Q(pk__gt=before), "pk", size + 1))
            has_newer, has_older = len(rows) > size, True
            rows = rows[:size][::-1]
        else:
            rows = list(self._first(request, Q() if after is None else Q(pk__lt=after), "-pk", size + 1))
            has_newer, has_older = after is not None, len(rows) > size
            rows = rows[:size]
        link: Callable[[dict[str, Any]], str] = self.get_query_string
        self.paginator = KeysetPager(
            link({BEFORE: rows[0].pk}) if has_newer and rows else None,
            link({AFTER: rows[-1].pk}) if has_older and rows else None,
            has_newer or has_older,
        )
        self.model_admin.prepare_rows(rows)
        self.result_list = rows
        self.result_count = self.full_result_count = len(rows)
        self.show_full_result_count = False
        self.show_admin_actions = bool(rows)
        self.can_show_all = self.multi_page = False

    def _first(self, request: HttpRequest, bounds: Q, order: str, count: int) -> QuerySet:
        rows: QuerySet = self.queryset.order_by(order)
        if self.model_admin.merges_units and not (self.query or self.has_active_filters):
            meta = self.model._meta
            reach = reach_of(request.user, f"{meta.app_label}.view_{meta.model_name}")
            if reach.units is not None and len(reach.units) <= MOST_MERGED:
                return rows.filter(pk__in=first_of_units(self.model, reach.units, bounds, order, count))
        return rows.filter(bounds)[:count]


def key_in(request: HttpRequest, name: str) -> int | None:
    """The primary key in the address under `name`; None when it holds none."""
    value = request.GET.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 19 else None
