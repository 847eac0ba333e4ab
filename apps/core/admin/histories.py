"""The history page of a row, in words; Django's own log of changes is not kept."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.core.admin.scoped import ScopedPages
from apps.core.history import HistoryReader
from apps.core.lists import key_in


class HistoryPages(ScopedPages):
    """Replaces the history page of an admin class."""

    history_words: ClassVar[dict[str, Callable[[Any], str]]] = {}
    history_exclude: ClassVar[Sequence[str]] = ()

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
