"""API clients."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import now
from apps.orgs import forms, services
from apps.orgs.models import ApiClient
from apps.orgs.words import reason_in_words


@admin.register(ApiClient)
class ApiClientAdmin(ScopedAdmin):
    """Systems that call the API. A key is shown once, in the answer that makes it."""

    list_display = ("name", "code", "unit", "scopes_in_words", "key_hint", "is_active")
    list_select_related = ("unit",)
    list_filter = ("is_active", "unit")
    search_fields = ("name", "code")
    ordering = ("name",)
    fields = ("name", "code", "unit", "scopes")
    form = forms.ApiClientForm
    choice_permissions: ClassVar = {"unit": "orgs.add_apiclient"}
    change_form_outer_after_template = "orgs/apiclient_panel.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("code", "unit", "key_hint", "created_at") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.fields, "key_hint", "created_at") if obj else self.fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = form.cleaned_data
        if change:
            services.change_api_client(obj, name=values["name"], scopes=values["scopes"], actor=actor_of(request))
        else:
            client, form.key = services.create_api_client(
                values.pop("unit"), when=now(), actor=actor_of(request), **values
            )
            obj.pk, request.new_key = client.pk, form.key  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._key_page(request, obj, request.new_key)  # type: ignore[attr-defined]

    def history_reason(self, reason: str) -> str:
        return reason_in_words(reason)

    @admin.display(description=gettext_lazy("may"))
    def scopes_in_words(self, client: ApiClient) -> str:
        return "; ".join(str(ApiClient.AccessScope(scope).label) for scope in client.scopes)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        context["may_change"] = obj is not None and self.has_change_permission(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_urls(self) -> list[Any]:
        return [
            self.route("<path:object_id>/rotate/", self.rotate_view, "rotate"),
            self.route("<path:object_id>/active/", self.active_view, "active"),
            *super().get_urls(),
        ]

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        answer: HttpResponse = self.refusals_shown(
            request, lambda: self._key_page(request, client, services.rotate_key(client, actor=actor_of(request)))
        )
        return answer

    def active_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self.object_or_404(request, object_id, "change")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        wanted = request.POST.get("is_active") == "1"

        def run() -> HttpResponse:
            services.set_client_active(client, wanted, actor=actor_of(request))
            self.message_user(request, _("Saved. It is in force from the next call on."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:orgs_apiclient_change", args=[client.pk]))

        answer: HttpResponse = self.refusals_shown(request, run)
        return answer

    def _key_page(self, request: HttpRequest, client: ApiClient, key: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("The key of %(name)s") % {"name": client},
            "key": key, "opts": self.opts, "original": client,
        }  # fmt: skip
        return TemplateResponse(request, "orgs/key.html", context, headers={"Cache-Control": "no-store"})
