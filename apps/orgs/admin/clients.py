"""API clients."""

from typing import Any, ClassVar
from uuid import uuid4

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.addresses import address
from apps.core.admin import actor_of
from apps.core.clock import now
from apps.orgs import forms, services
from apps.orgs.admin.asking import AskingAdmin, sent_words
from apps.orgs.desk import send_request, waiting_about
from apps.orgs.gate import ApprovalNeeded
from apps.orgs.models import ApiClient
from apps.orgs.words import reason_in_words


@admin.register(ApiClient)
class ApiClientAdmin(AskingAdmin):
    """Systems that call the API. A key is shown once, in the answer that makes it."""

    list_display = ("name", "code", "unit", "scopes_in_words", "key_hint", "is_active")
    list_select_related = ("unit",)
    list_filter = ("is_active", "unit")
    search_fields = ("name", "code")
    ordering = ("name",)
    fields = ("name", "code", "unit", "scopes", "reason")
    form = forms.ApiClientForm
    choice_permissions: ClassVar = {"unit": "orgs.add_apiclient"}
    change_form_outer_after_template = "orgs/apiclient_panel.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("code", "unit", "key_hint", "created_at") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.fields, "key_hint", "created_at") if obj else self.fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Saves it; where a policy wants others to say yes first, sends that as a request when a reason is given."""
        values, actor, when = form.cleaned_data, actor_of(request), now()
        reason = values.pop("reason", "").strip()
        told: Any = {"actor": actor, "when": when, "reason": reason}
        try:
            if change:
                services.change_api_client(obj, name=values["name"], scopes=values["scopes"], **told)
            else:
                client, key = services.create_api_client(
                    values["unit"], code=values["code"], name=values["name"], scopes=values["scopes"], **told
                )
                obj.pk, request.new_key = client.pk, key  # type: ignore[attr-defined]
        except ApprovalNeeded:
            if not reason:
                raise
            wanted: Any = {"name": values["name"], "scopes": tuple(values["scopes"])}
            known = (
                {"client": obj.pk, "client_code": obj.code, "unit": obj.unit_id}
                if change
                else {"client_code": values["code"], "unit": values["unit"].pk}
            )
            subject = services.ClientAccess(**known, **wanted)
            request.sent = send_request(  # type: ignore[attr-defined]
                actor, subject, reason=reason, key=f"door:{uuid4().hex}", when=when
            )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if not hasattr(request, "sent"):
            super().save_related(request, form, formsets, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        if hasattr(request, "sent"):
            return self._sent(request)
        return self._key_page(request, obj, request.new_key)  # type: ignore[attr-defined]

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._sent(request) if hasattr(request, "sent") else super().response_change(request, obj)

    def _sent(self, request: Any) -> HttpResponse:
        self.message_user(request, sent_words(), messages.SUCCESS)
        page = address("approvals_approvalrequest_change", request.sent)
        return HttpResponseRedirect(page or self.list_address())

    def history_reason(self, reason: str) -> str:
        return reason_in_words(reason)

    @admin.display(description=gettext_lazy("may"))
    def scopes_in_words(self, client: ApiClient) -> str:
        return "; ".join(str(ApiClient.AccessScope(scope).label) for scope in client.scopes)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        if obj is not None:
            context["waiting"] = waiting_about(actor_of(request), services.ClientAccess.code, f"client:{obj.code}")
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
        actor, when, wanted = actor_of(request), now(), request.POST.get("is_active") == "1"
        back = reverse("admin:orgs_apiclient_change", args=[client.pk])

        def run() -> HttpResponse:
            services.set_client_active(client, wanted, actor=actor, when=when)
            self.message_user(request, _("Saved. It is in force from the next call on."), messages.SUCCESS)
            return HttpResponseRedirect(back)

        answer: HttpResponse
        if not wanted:
            answer = self.refusals_shown(request, run)
            return answer
        subject = services.access_of(client, client.name, client.scopes)
        held = self.asked_first(request, subject, run, title=_("Ask to switch it on"), back=back)
        return held if held is not None else HttpResponseRedirect(back)

    def _key_page(self, request: HttpRequest, client: ApiClient, key: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("The key of %(name)s") % {"name": client},
            "key": key, "opts": self.opts, "original": client,
        }  # fmt: skip
        return TemplateResponse(request, "orgs/key.html", context, headers={"Cache-Control": "no-store"})
