"""The base class of every admin class of ours."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.admin import ShowFacets
from django.core.paginator import Paginator
from django.http import HttpRequest

from apps.core import filters  # noqa: F401 -- registers the scoped filter for foreign keys
from apps.core.admin import json  # noqa: F401 -- shows JSON without styles inside the page
from apps.core.admin.actions import Actions
from apps.core.admin.exporting import ExportPages
from apps.core.admin.histories import HistoryPages
from apps.core.lists import LargeChangeList, LookAheadPaginator, ScopedChangeList

LOOKUPS = frozenset({"exact", "in", "isnull", "gte", "gt", "lte", "lt", "id", "pk", "year", "month", "day"})
"""What may follow a filter's field in an address; anything else could ask about what is not shown."""


class ScopedAdmin(ExportPages, HistoryPages, Actions):
    """The base of every admin class of ours. Beside Django's and unfold's options:

    - `read_only = True`: nobody adds or changes here (append-only models are so by themselves).
    - `can_delete = True`: rows may be deleted one by one by who holds the permission; off by default.
    - `is_large = True` (here or on the model): the list is newest first, walked by key, never counted.
    - `merges_units = True`: pages of this large list are merged from those of each unit. For a model that lives in
      one unit and has an index on it and `-id`.
    - `empty_template`: what a list says in which there is nothing yet, and the one thing to do.
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

    A page of one's own is a `self.route(…)` in `get_urls`, before super's, and a row in tests/security/routes.py.

    Actions get only rows for which the person holds each of the action's `permissions`; list them. Detail and row
    actions get an object that is visible and allowed. What changes something must ask for POST.
    """

    is_large = False
    merges_units = False
    empty_template = "core/list_empty.html"
    extra_lookups: ClassVar[Sequence[str]] = ()
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
