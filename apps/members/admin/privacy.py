"""Consents and their purposes, erasures with their certificates, a member's own data, and identifiers that are blocked."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.addresses import address
from apps.core.admin import ScopedAdmin, actor_of
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.members.models import BlockedIdentifier, Consent, ConsentPurpose, ConsentWording, Erasure, Member
from apps.members.page import member_or_404
from apps.members.privacy.blocks import LIFT, lift_block
from apps.members.privacy.certificate import as_text, certificate_of
from apps.members.privacy.consenting import (
    CHANGEABLE,
    PERMISSION,
    WORDINGS,
    change_purpose,
    consents_of,
    create_purpose,
    purposes_of,
    record_consent,
    standing,
)
from apps.members.privacy.erasing import PERMISSION as ERASE
from apps.members.privacy.erasing import MemberErasure, erase
from apps.members.privacy.forms import ConsentPurposeForm, EraseForm, LiftForm, OwnDataForm
from apps.members.privacy.holdings import hindrances, holdings, left_of
from apps.members.privacy.own_data import PERMISSION as HAND_OUT
from apps.members.privacy.own_data import hand_out, own_data
from apps.members.querysets import zone_at
from apps.members.words import kind_in_words
from apps.orgs.admin.asking import SENDS, AskingAdmin
from apps.orgs.desk import waiting_about

NO_STORE = {"Cache-Control": "no-store"}


def _member(request: HttpRequest, object_id: str, permission: str) -> Member:
    """The member of a page: unseen 404, seen but not allowed 403."""
    member = member_or_404(request.user, object_id)
    if not actor_of(request).has_perm(permission, member):
        raise PermissionDenied
    return member


@admin.display(description=gettext_lazy("member"))
def member_link(row: Any) -> str:
    page = address("members_member_change", row.member_id)
    return format_html('<a class="studio-link" href="{}">{}</a>', page, row.member)


@admin.display(description=gettext_lazy("by"))
def author(row: Any) -> str:
    return str(row.author)


@admin.register(Erasure)
class ErasureAdmin(AskingAdmin):
    """The page of one is its certificate. Erasing, and a member's own data, have pages of their own here."""

    read_only = True
    list_display = ("at", member_link, "why", author, "blocked")
    list_select_related = ("member", "actor", "client")
    list_filter = ("why", "at")
    fields = ("at", "member", "why", "blocked")
    empty_template = "members/erasures_empty.html"

    def get_urls(self) -> list[Any]:
        return [
            self.route("member/<path:object_id>/erase/", self.erase_view, "erase"),
            self.route("member/<path:object_id>/own-data/", self.own_data_view, "own_data"),
            self.route("<path:object_id>/file/", self.file_view, "file"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related(*self.list_select_related)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        erasure = self.object_or_404(request, object_id)
        context = {
            **self.admin_site.each_context(request), "title": _("Certificate of erasure #%(number)s") % {"number": erasure.pk},
            "opts": self.opts, "certificate": certificate_of(erasure), "original": erasure,
            "zone": zone_at(erasure.member.home_unit),
        }  # fmt: skip
        return TemplateResponse(request, "members/certificate.html", context)

    def file_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        erasure = self.object_or_404(request, object_id)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        told = f'attachment; filename="erasure-{erasure.pk}.txt"'
        return HttpResponse(
            as_text(certificate_of(erasure)), content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": told, **NO_STORE},
        )  # fmt: skip

    def erase_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Says what would go and what would stay; erases, or sends a request where a policy wants one."""
        member = _member(request, object_id, ERASE)
        points = left_of(member.pk, now())
        form = EraseForm(request.POST or None, member=member, points=points)
        back = reverse("admin:members_member_change", args=[member.pk])
        if SENDS in request.POST or form.is_valid():
            asked: dict[str, Any] = {"why": request.POST.get("why", ""), "forfeits": "forfeits" in request.POST}
            if asked["why"] in Erasure.Why.values:
                return self._erased(request, member, asked, back)
        context = {
            **self.admin_site.each_context(request), "title": _("Erase %(member)s") % {"member": member}, "opts": self.opts,
            "form": form, "member": member, "back": back, "hindrances": hindrances(member, now()),
            "points": points,
            "holdings": [(each, each.rows(member.pk).count()) for each in holdings() if each.tells or each.erase],
            "waiting": waiting_about(actor_of(request), MemberErasure.code, f"member:{member.pk}"),
        }  # fmt: skip
        return TemplateResponse(request, "members/erase.html", context, headers=NO_STORE)

    def _erased(self, request: HttpRequest, member: Member, asked: dict[str, Any], back: str) -> HttpResponse:
        def verb() -> None:
            erase(actor_of(request), member.pk, when=now(), **asked)

        subject = MemberErasure(member=member.pk, **asked)
        answer = self.asked_first(request, subject, verb, title=_("Ask to erase this member"), back=back)
        if answer is not None:
            return answer
        self.message_user(request, _("Erased. The certificate says what went and what stayed."), messages.SUCCESS)
        made = Erasure.objects.visible_to(request.user).filter(member=member).first()
        return HttpResponseRedirect(address("members_erasure_change", made.pk) if made is not None else back)

    def own_data_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Asks what for; then everything that is held of the member, as one file."""
        member = _member(request, object_id, HAND_OUT)
        form = OwnDataForm(request.POST or None)
        back, when = reverse("admin:members_member_change", args=[member.pk]), now()
        if form.is_valid():
            told = form.cleaned_data
            try:
                hand_out(actor_of(request), member.pk, when=when, **told)
            except LoyaltyError as refusal:
                form.add_error(None, refusal.sentence())
            else:
                name = f'attachment; filename="member-{member.pk}.json"'
                return StreamingHttpResponse(
                    own_data(member, told["language"], when), content_type="application/json; charset=utf-8",
                    headers={"Content-Disposition": name, **NO_STORE},
                )  # fmt: skip
        context = {
            **self.admin_site.each_context(request), "title": _("Own data of %(member)s") % {"member": member},
            "opts": self.opts, "form": form, "back": back, "holdings": [each for each in holdings() if each.tells],
        }  # fmt: skip
        return TemplateResponse(request, "members/own_data.html", context, headers=NO_STORE)


class KindFilter(admin.SimpleListFilter):
    """A kind of identifier, called what people call it."""

    title = gettext_lazy("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        kinds = BlockedIdentifier.objects.visible_to(request.user).order_by("kind").values_list("kind", flat=True)
        return [(kind, kind_in_words(kind)) for kind in kinds.distinct()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(BlockedIdentifier)
class BlockedIdentifierAdmin(ScopedAdmin):
    """What names nobody any more. Whoever comes back themselves shows it, and the block is lifted."""

    read_only = True
    list_display = ("number", "kind_shown", "blocked_on", "lifted_at", "lifted_by", "reason")
    list_select_related = ("actor", "client")
    list_filter = (KindFilter, "blocked_on")
    fields = ("kind_shown", "blocked_on", "lifted_at", "lifted_by", "reason")
    readonly_fields = ("kind_shown", "lifted_by")
    list_before_template = "members/blocked_before.html"
    empty_template = "members/blocked_empty.html"

    @admin.display(description=gettext_lazy("number"))
    def number(self, row: BlockedIdentifier) -> str:
        return f"#{row.pk}"

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def kind_shown(self, row: BlockedIdentifier) -> str:
        return kind_in_words(row.kind)

    @admin.display(description=gettext_lazy("lifted by"))
    def lifted_by(self, row: BlockedIdentifier) -> str:
        return str(row.author) if row.lifted_at is not None else ""

    def get_urls(self) -> list[Any]:
        return [self.route("lift/", self.lift_view, "lift"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        shown = {"may_lift": actor_of(request).has_perm(LIFT), **(extra_context or {})}
        answer: HttpResponseBase = super().changelist_view(request, shown)
        return answer

    def lift_view(self, request: HttpRequest) -> HttpResponse:
        if not actor_of(request).has_perm(LIFT):
            raise PermissionDenied
        form = LiftForm(request.POST or None)
        back = reverse("admin:members_blockedidentifier_changelist")
        if form.is_valid():
            try:
                lift_block(actor_of(request), when=now(), **form.cleaned_data)
            except LoyaltyError as refusal:
                form.add_error("value", refusal.sentence())
            else:
                self.message_user(request, _("It can name somebody again."), messages.SUCCESS)
                return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request), "title": _("Let somebody come back"), "opts": self.opts, "form": form,
            "back": back,
        }  # fmt: skip
        return TemplateResponse(request, "members/lift.html", context, headers=NO_STORE)


@admin.register(ConsentPurpose)
class ConsentPurposeAdmin(ScopedAdmin):
    """Whose members and the key are chosen once. Another wording is another version."""

    form = ConsentPurposeForm
    list_display = ("__str__", "key", "unit", "version", "is_active")
    list_select_related = ("unit",)
    list_filter = ("is_active", "unit")
    search_fields = ("key", "label", "label_zh")
    ordering = ("unit__path", "position", "pk")
    choice_permissions: ClassVar = {"unit": "members.add_consentpurpose"}
    empty_template = "members/purposes_empty.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        may = obj is None or self.has_change_permission(request, obj)
        worded = WORDINGS if may else ("wording_now",)
        return ("unit", "label", "label_zh", "key", *worded, "position", *(("is_active",) if obj is not None else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("unit", "key", "wording_now")

    def prepare_rows(self, rows: list[Any]) -> None:
        newest: dict[int, int] = {}
        for wording in ConsentWording.objects.filter(purpose__in=rows).order_by("version"):
            newest[wording.purpose_id] = wording.version
        for row in rows:
            row.newest = newest.get(row.pk, 0)

    @admin.display(description=gettext_lazy("version of the wording"))
    def version(self, row: Any) -> str:
        return f"v{row.newest}"

    @admin.display(description=gettext_lazy("wording"))
    def wording_now(self, row: ConsentPurpose) -> str:
        latest = row.wordings.order_by("-version").first()
        return f"{latest}: {latest.wording} / {latest.wording_zh}" if latest is not None else ""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        told = {name: form.cleaned_data[name] for name in (*CHANGEABLE, *WORDINGS) if name in form.cleaned_data}
        if change:
            change_purpose(actor_of(request), obj.pk, when=now(), **told)
        else:
            unit, key = form.cleaned_data["unit"], form.cleaned_data["key"]
            obj.pk = create_purpose(actor_of(request), unit, key=key, when=now(), **told).pk


@admin.register(Consent)
class ConsentAdmin(ScopedAdmin):
    """Everything that was agreed to and withdrawn, newest first; recorded on the member's page."""

    read_only = True
    list_display = ("at", member_link, "purpose", "channel", "is_given", "wording", "source", "proof", author)
    list_select_related = ("member", "purpose", "wording", "actor", "client")
    list_filter = ("is_given", "channel", "source", "at")
    list_filter_sheet = True
    extra_lookups = ("member", "purpose")
    fields = ("at", "member", "purpose", "channel", "is_given", "wording", "source", "proof")

    def get_urls(self) -> list[Any]:
        return [
            self.route("member/<path:object_id>/record/", self.record_view, "record"),
            self.route("member/<path:object_id>/", self.of_view, "of"),
            *super().get_urls(),
        ]

    def of_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """How one member's consents stand, by purpose and channel, with what was said when and its proof."""
        member = _member(request, object_id, "members.view_consent")
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self._page_of(request, member)

    def _page_of(self, request: HttpRequest, member: Member, refused: str = "") -> HttpResponse:
        """`refused` says why what was just sent is not recorded; it stands in the form again."""
        history, is_left = consents_of(member), member.state != Member.State.REMOVED
        context = {
            **self.admin_site.each_context(request), "title": _("Consents of %(member)s") % {"member": member},
            "opts": self.opts, "member": member, "channels": Consent.Channel.choices, "history": history,
            "rows": standing(purposes_of(member), history), "zone": zone_at(member.home_unit),
            "may_record": is_left and actor_of(request).has_perm(PERMISSION, member),
            "refused": refused, "sent": request.POST,
        }  # fmt: skip
        return TemplateResponse(request, "members/consents.html", context, headers=NO_STORE)

    def record_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = _member(request, object_id, PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        sent = request.POST
        try:
            record_consent(
                actor_of(request), member.pk, purpose=sent.get("purpose", ""), channel=sent.get("channel", ""),
                is_given=sent.get("given") == "yes", source=Consent.Source.HAND, proof=sent.get("proof", ""), when=now(),
            )  # fmt: skip
        except LoyaltyError as refusal:
            return self._page_of(request, member, refusal.sentence())
        self.message_user(request, _("Recorded, with your name and the time."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:members_consent_of", args=[member.pk]))
