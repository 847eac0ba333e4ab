"""What the page about the ledger shows: the last check, every promise in words, and what differs where one may look."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.addresses import address
from apps.core.formats import moment
from apps.orgs.models import Program, Staff
from apps.reports.models import LedgerCheck, LedgerDifference

SHOWN = 100
EARLIER = 10

IN_WORDS = {
    "account_balance_is_sum_of_entries": gettext_lazy("Every balance is the sum of its entries."),
    "account_pending_is_sum_of_entries": gettext_lazy("Every account's pending points are the sum of its entries."),
    "account_debt_is_entries_without_a_lot": gettext_lazy("Every debt is the sum of the entries without a lot."),
    "account_earned_so_far_is_sum_of_earnings": gettext_lazy("What an account has earned so far is the sum of its earnings."),
    "account_balance_is_lots_less_debt": gettext_lazy("Every balance is what is left of its lots, less debt."),
    "account_pending_is_pending_lots": gettext_lazy("Every account's pending points are those of its pending lots."),
    "account_held_is_held_of_lots": gettext_lazy("What an account holds back is what its lots hold back."),
    "account_held_is_open_holds": gettext_lazy("What an account holds back is the sum of its open holds."),
    "lot_remaining_is_sum_of_entries": gettext_lazy("What is left of a lot is the sum of its entries."),
    "lot_earned_is_its_first_entry": gettext_lazy("What a lot was made of is what its first entry says."),
    "lot_life_is_within_earned_and_held": gettext_lazy("What is left of a lot is never less than is held, nor more than was earned."),
    "lot_pending_is_sum_of_entries": gettext_lazy("A lot is pending exactly as its entries say."),
    "lot_held_is_parts_of_open_holds": gettext_lazy("What a lot holds back is the sum of the parts of open holds."),
    "lot_account_is_its_entries": gettext_lazy("A lot and its entries are on the same account."),
    "lot_member_is_its_accounts": gettext_lazy("Every lot is of its account's member."),
    "posting_points_are_sum_of_entries": gettext_lazy("Every posting is the sum of its entries."),
    "posting_pending_points_are_sum_of_entries": gettext_lazy("Every posting's pending points are the sum of its entries."),
    "posting_account_is_its_entries": gettext_lazy("A posting and its entries are on the same account."),
    "posting_member_is_its_entries": gettext_lazy("A posting and its entries are of the same member."),
    "posting_day_is_its_entries": gettext_lazy("A posting and its entries are of the same day."),
    "entry_member_is_its_accounts": gettext_lazy("Every entry is of its account's member."),
    "entry_programme_is_its_accounts": gettext_lazy("Every entry is of its account's programme."),
    "entry_cost_is_points_at_cost_of_lot": gettext_lazy("Every entry costs its points times what a point of its lot costs."),
    "hold_is_sum_of_parts": gettext_lazy("Every hold is the sum of its parts."),
    "fact_entries_are_sum_of_entries": gettext_lazy("The daily facts count every entry once."),
    "fact_points_are_sum_of_entries": gettext_lazy("The daily facts' points are those of the entries."),
    "fact_pending_points_are_sum_of_entries": gettext_lazy("The daily facts' pending points are those of the entries."),
    "fact_costs_are_sum_of_entries": gettext_lazy("The daily facts' costs are those of the entries."),
    "counter_is_what_the_limited_rule_gave": gettext_lazy("The counter of a limit says what the rule gave the member in that period."),
    "unitcounter_is_what_the_limited_rule_gave": gettext_lazy("The counter of a limit says what the rule gave there in that period."),
    "unitcounter_of_a_device_is_what_the_limited_rule_gave": gettext_lazy("The counter of a limit says what the rule gave events of the device in that period."),
    "entry_rule_is_its_versions": gettext_lazy("Every entry names a rule and a version of it that exist."),
    "lot_rule_is_its_versions": gettext_lazy("Every lot names a rule and a version of it that exist."),
}  # fmt: skip
"""Every promise as people read it."""

PAGES = {
    "account": "points_account_change",
    "lot": "points_lot_change",
    "posting": "points_posting_change",
    "entry": "points_entry_change",
    "hold": "points_hold_change",
    "fact": "reports_dailyfact_change",
}


@dataclass(frozen=True)
class Promise:
    sentence: str
    differs: int


@dataclass(frozen=True)
class Row:
    """A row that differs: the tables add up to `found` where it says `stated`."""

    sentence: str
    name: str
    address: str
    unit: str
    stated: int
    found: int

    @property
    def difference(self) -> int:
        return self.stated - self.found


@dataclass(frozen=True)
class Earlier:
    at: str
    by: str
    holds: bool


@dataclass(frozen=True)
class LedgerPage:
    """`check` is the last one; None before the first. `differs` counts what the reader may see of it."""

    check: LedgerCheck | None
    may_check: bool
    at: str = ""
    seconds: Decimal = Decimal(0)
    differs: int = 0
    promises: tuple[Promise, ...] = ()
    rows: tuple[Row, ...] = ()
    earlier: tuple[Earlier, ...] = ()


def ledger_page(person: Any) -> LedgerPage:
    checks = list(LedgerCheck.objects.visible_to(person).order_by("-checked_at", "-pk")[: EARLIER + 1])
    may_check = person.has_perm("reports.check_ledger")
    if not checks:
        return LedgerPage(None, may_check)
    zone = _zone(person)
    seen = LedgerDifference.objects.visible_to(person).filter(check_run__in=checks)
    found = Counter(seen.values_list("check_run_id", "promise"))
    last = checks[0]
    by = _people(person, checks)
    rows = seen.filter(check_run=last).select_related("org_unit").order_by("pk")[:SHOWN]
    return LedgerPage(
        last,
        may_check,
        moment(last.checked_at, zone),
        last.seconds,
        sum(number for (check, _promise), number in found.items() if check == last.pk),
        tuple(Promise(in_words(promise), found[last.pk, promise]) for promise in last.promises),
        tuple(_row(row) for row in rows),
        tuple(
            Earlier(
                moment(check.checked_at, zone),
                by.get(check.checked_by_id, _("Somebody in the group")),
                not any(pk == check.pk for pk, _promise in found),
            )
            for check in checks[1:]
        ),
    )


def _people(person: Any, checks: Iterable[LedgerCheck]) -> dict[int | None, str]:
    """Who checked, by name where the reader may see the person; None is the clock."""
    seen = Staff.objects.visible_to(person) | Staff.objects.filter(pk=person.pk)
    found = seen.filter(pk__in={check.checked_by_id for check in checks})
    names: dict[int | None, str] = {each.pk: each.get_full_name() or each.get_username() for each in found}
    return {**names, None: _("By the clock, every night")}


def in_words(promise: str) -> str:
    return str(IN_WORDS.get(promise, promise))


def _row(row: LedgerDifference) -> Row:
    page = PAGES.get(row.promise.partition("_")[0], "")
    unit = str(row.org_unit) if row.org_unit else ""
    link = address(page, row.row_id) if page and row.row_id else ""
    return Row(in_words(row.promise), _("No. %(id)s") % {"id": row.row_id}, link, unit, row.stated, row.found)


def _zone(person: Any) -> ZoneInfo:
    """The clocks of the reader's first programme."""
    program = Program.objects.visible_to(person).order_by("unit__path").first()
    return ZoneInfo(program.time_zone if program else "UTC")
