"""The ledger to read: balances, movements, entries, lots and holds; `moving` adds what is done by hand."""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.core.addresses import address
from apps.core.admin import ScopedAdmin, figure, local
from apps.core.formats import day, money_of_micros
from apps.orgs.models import OrgUnit
from apps.points.admin.moving import AdjustPage, ReversePage
from apps.points.member_page import last_day
from apps.points.models import Account, Entry, Hold, Lot, Posting


class DebtFilter(SimpleListFilter):
    title = _("debt")
    parameter_name = "in_debt"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("yes", _("In debt")), ("no", _("Without debt"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "yes":
            return queryset.filter(debt__gt=0)
        return queryset.filter(debt=0) if self.value() == "no" else queryset


class OpenFilter(SimpleListFilter):
    title = _("what is left")
    parameter_name = "left"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("yes", _("Points left")), ("no", _("Used up or expired"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "yes":
            return queryset.filter(remaining__gt=0)
        return queryset.filter(remaining=0) if self.value() == "no" else queryset


class WithinFilter(SimpleListFilter):
    """A unit with everything below it, by its code; a code that the reader does not see holds nothing."""

    title = _("within")
    parameter_name = "within"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        units = OrgUnit.objects.visible_to(request.user)
        asked = request.GET.get(self.parameter_name, "")
        shown = units.exclude(kind=OrgUnit.Kind.STORE) | units.filter(code=asked.replace("\0", ""))
        return [(unit.code, str(unit)) for unit in shown]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.value():
            return queryset
        code = str(self.value()).replace("\0", "")
        unit = OrgUnit.objects.visible_to(request.user).filter(code=code).first()
        return queryset.filter(org_unit__path__startswith=unit.path) if unit else queryset.none()


def account_zone(row: Any) -> str:
    return str(row.account.point_type.program.time_zone)


class LedgerAdmin(ScopedAdmin):
    """What the lists of the ledger share."""

    read_only = True
    is_large = True
    list_filter_sheet = True

    @admin.display(description=_("member"))
    def member_link(self, row: Any) -> str:
        page = address("members_member_change", row.member_id)
        return format_html('<a class="studio-link" href="{}">{}</a>', page, row.member) if page else str(row.member)


@admin.register(Account)
class AccountAdmin(AdjustPage, LedgerAdmin):
    list_display = (
        "member_link", "point_type", "available_figure", "pending_figure", "held_figure", "debt_figure", "earned_figure",
    )  # fmt: skip
    list_display_links = ("point_type",)
    list_select_related = ("member", "point_type")
    list_filter = (DebtFilter, "point_type")
    extra_lookups = ("member",)
    fields = ("member_link", "point_type", "balance", "pending", "held", "debt", "earned_total", "lapses_at")
    readonly_fields = fields

    available_figure = figure(_("available"), lambda row: row.available)
    pending_figure = figure(_("pending"), lambda row: row.pending)
    held_figure = figure(_("held"), lambda row: row.held)
    debt_figure = figure(_("debt"), lambda row: row.debt)
    earned_figure = figure(_("earned so far"), lambda row: row.earned_total)


@admin.register(Posting)
class PostingAdmin(ReversePage, LedgerAdmin):
    list_display = (
        "posted_local", "member_link", "kind", "points_figure", "pending_figure", "org_unit", "reason", "actor",
    )  # fmt: skip
    list_select_related = ("member", "org_unit", "actor", "account__point_type__program")
    list_filter = ("kind", "day", "org_unit")
    extra_lookups = ("member", "account", "event")
    fields = (
        "key", "member_link", "kind", "points", "pending_points", "org_unit", "event", "reverses", "actor", "reason",
        "day", "posted_at",
    )  # fmt: skip
    readonly_fields = ("member_link",)

    posted_local = local(_("posted at"), lambda row: row.posted_at, account_zone)
    points_figure = figure(_("points"), lambda row: row.points, signed=True)
    pending_figure = figure(_("pending points"), lambda row: row.pending_points, signed=True)


@admin.register(Entry)
class EntryAdmin(LedgerAdmin):
    list_display = (
        "posted_local", "member_link", "kind", "points_figure", "pending_figure", "cost_figure", "program", "org_unit",
    )  # fmt: skip
    list_select_related = ("member", "program", "org_unit")
    list_filter = ("kind", "day", "program", WithinFilter, "org_unit")
    extra_lookups = ("member", "account", "posting", "lot", "rule_id")
    fields = (
        "posting", "member_link", "lot", "kind", "points", "pending_points", "cost_shown", "program", "org_unit", "day",
        "posted_at",
    )  # fmt: skip
    readonly_fields = ("member_link", "cost_shown")

    posted_local = local(_("posted at"), lambda row: row.posted_at, lambda row: row.program.time_zone)
    points_figure = figure(_("points"), lambda row: row.points, signed=True)
    pending_figure = figure(_("pending points"), lambda row: row.pending_points, signed=True)
    cost_figure = figure(_("cost, in millionths"), lambda row: row.cost_micros)

    @admin.display(description=_("cost"))
    def cost_shown(self, entry: Entry) -> str:
        return money_of_micros(entry.cost_micros, entry.program.currency)


@admin.register(Lot)
class LotAdmin(LedgerAdmin):
    list_display = (
        "earned_local", "member_link", "earned_figure", "left_figure", "held_figure", "released_local", "good_through",
        "org_unit",
        "funder",
    )  # fmt: skip
    list_select_related = ("member", "org_unit", "funder", "account__point_type__program")
    list_filter = (OpenFilter, "is_pending", "org_unit", "funder")
    extra_lookups: ClassVar = ("member", "account", "event")
    fields = (
        "member_link", "org_unit", "funder", "event", "earned", "remaining", "held", "is_pending", "unit_cost_micros",
        "earned_local", "released_local", "expires_at",
    )  # fmt: skip
    readonly_fields = ("member_link", "earned_local", "released_local")

    earned_local = local(_("earned on"), lambda row: row.earned_at, account_zone)
    released_local = local(_("pending until"), lambda row: row.releases_at if row.is_pending else None, account_zone)
    earned_figure = figure(_("earned"), lambda row: row.earned)
    left_figure = figure(_("left"), lambda row: row.remaining)
    held_figure = figure(_("held"), lambda row: row.held)

    @admin.display(description=_("good through"))
    def good_through(self, lot: Lot) -> str:
        last = last_day(lot.expires_at, ZoneInfo(account_zone(lot)))
        return day(last) if last else ""


@admin.register(Hold)
class HoldAdmin(LedgerAdmin):
    list_display = (
        "held_local", "member_link", "points_figure", "state", "lapses_local", "ended_local", "org_unit", "reason",
    )  # fmt: skip
    list_select_related = ("member", "org_unit", "account__point_type__program")
    list_filter = ("state", "org_unit")
    extra_lookups = ("member", "account")
    fields = ("key", "member_link", "points", "state", "org_unit", "reason", "held_at", "lapses_at", "ended_at")
    readonly_fields = ("member_link",)

    points_figure = figure(_("points"), lambda row: row.points)
    held_local = local(_("held at"), lambda row: row.held_at, account_zone)
    lapses_local = local(_("lapses at"), lambda row: row.lapses_at, account_zone)
    ended_local = local(_("ended at"), lambda row: row.ended_at, account_zone)
