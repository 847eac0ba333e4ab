"""Who looked at personal data, searched for members by identifier or took a list of them away. To read."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.core.addresses import address
from apps.core.admin import ScopedAdmin
from apps.members.models import Look
from apps.members.words import seen_in_words


@admin.register(Look)
class LookAdmin(ScopedAdmin):
    """Newest first."""

    read_only = True
    list_display = ("at", "kind", "who", "member_link", "what_shown", "found", "reason", "unit")
    list_select_related = ("actor", "client", "member", "unit")
    list_filter = ("kind", "at", "unit")
    list_filter_sheet = True
    empty_template = "members/looks_empty.html"
    extra_lookups = ("member", "actor", "client")
    fields = ("at", "until", "kind", "who", "member_link", "what_shown", "found", "reason", "unit")
    readonly_fields = ("who", "member_link", "what_shown")

    @admin.display(description=_("who"))
    def who(self, look: Look) -> str:
        return look.author

    @admin.display(description=_("member"))
    def member_link(self, look: Look) -> str:
        if look.member is None:
            return ""
        page = address("members_member_change", look.member_id)
        return format_html('<a class="studio-link" href="{}">{}</a>', page, look.member)

    @admin.display(description=_("what"))
    def what_shown(self, look: Look) -> str:
        return seen_in_words(look)

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related(*self.list_select_related)
