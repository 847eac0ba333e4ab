"""Events as they were told, with their lines; and the systems that tell them."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.activity.models import Event, EventLine, Source
from apps.core.addresses import address
from apps.core.admin import ScopedAdmin, ScopedTabularInline, figure, local
from apps.core.formats import money


class EventLineInline(ScopedTabularInline):
    model = EventLine
    fields = ("line_no", "sku", "category", "brand", "shipping_shown", "quantity", "amount_figure", "tax_figure")
    readonly_fields = ("amount_figure", "tax_figure", "shipping_shown")

    amount_figure = figure(_("amount"), lambda row: row.amount)
    tax_figure = figure(_("tax in it"), lambda row: row.tax)

    @admin.display(description=_("shipping"))
    def shipping_shown(self, line: EventLine) -> str:
        return str(_("yes")) if line.is_shipping else ""


@admin.register(Event)
class EventAdmin(ScopedAdmin):
    """Newest first. What an event earned, and why, stands on the member's page."""

    is_large = True
    list_display = (
        "occurred_at",
        "kind_shown",
        "member_link",
        "amount_figure",
        "org_unit",
        "channel",
        "order_no",
        "key",
    )
    list_display_links = ("occurred_local",)
    list_select_related = ("member", "org_unit", "program")
    list_filter = ("kind", "day", "program", "org_unit")
    list_filter_sheet = True
    extra_lookups = ("member",)
    inlines = (EventLineInline,)
    fields = (
        "kind_shown", "member_link", "org_unit", "program", "occurred_at", "day", "amount_shown", "channel", "order_no",
        "refund_of", "device", "source", "key", "attributes", "received_at",
    )  # fmt: skip
    readonly_fields = ("kind_shown", "member_link", "amount_shown")

    occurred_local = local(_("occurred at"), lambda row: row.occurred_at, lambda row: row.program.time_zone)
    amount_figure = figure(_("amount"), lambda row: row.amount)

    @admin.display(description=_("kind"))
    def kind_shown(self, event: Event) -> str:
        return str(dict(Event.Kind.choices).get(event.kind, event.kind))

    @admin.display(description=_("amount"))
    def amount_shown(self, event: Event) -> str:
        return "" if event.amount is None else money(event.amount, event.program.currency)

    @admin.display(description=_("member"))
    def member_link(self, event: Event) -> str:
        page = address("members_member_change", event.member_id)
        return format_html('<a class="studio-link" href="{}">{}</a>', page, event.member) if page else str(event.member)


@admin.register(Source)
class SourceAdmin(ScopedAdmin):
    read_only = True
    list_display = ("code", "unit")
    list_select_related = ("unit",)
    search_fields = ("code",)
    list_filter = ("unit",)
    ordering = ("code",)
    fields = ("code", "unit")
