"""Refusals of the services that pages call: everything is undone, and the person reads why."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import NestedObjects
from django.db import router, transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from apps.core.admin.scoped import ScopedPages, actor_of
from apps.core.errors import LoyaltyError


class Refusals(ScopedPages):
    """Shows a `LoyaltyError` in the form that was sent, or as a message."""

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


def _refused(form: Any, refusal: LoyaltyError) -> type[forms.ModelForm]:
    """`form`, which will not validate: the refusal stands at its field, or on top."""

    class RefusedForm(form):
        def _post_clean(self) -> None:
            super()._post_clean()
            for part in refusal.parts or (refusal,):
                self.add_error(part.field if part.field in self.fields else None, part.sentence())

    return RefusedForm
