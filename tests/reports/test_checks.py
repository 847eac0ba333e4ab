"""Promise R2: one off-by-one per identity, planted with the owner's rights, is found and named."""

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from apps.core.errors import NotAllowed
from apps.points.checking import Difference, differences, promises, sweeps
from apps.points.models import Account
from apps.reports.models import LedgerCheck, LedgerDifference
from apps.reports.services import check_ledger, fold_facts
from tests.factories import Cast, CoffeeGroup
from tests.reports.conftest import NOW

LOT, OTHER_LOT = "(SELECT min(id) FROM points_lot)", "(SELECT max(id) FROM points_lot)"
POSTING, ENTRY = "(SELECT min(id) FROM points_posting)", "(SELECT min(id) FROM points_entry)"
OTHER_ACCOUNT = "(SELECT max(id) FROM points_account)"
DEBT = (
    "INSERT INTO points_entry (posting_id, account_id, member_id, kind, points, pending_points, cost_micros,"
    " program_id, org_unit_id, day, posted_at) SELECT posting_id, account_id, member_id, kind, -1, 0, -10000,"
    f" program_id, org_unit_id, day, posted_at FROM points_entry WHERE id = {ENTRY}"
)

PLANTED: dict[str, tuple[str, int]] = {
    "account_balance_is_sum_of_entries": ("UPDATE points_account SET balance = balance + 1", 1),
    "account_pending_is_sum_of_entries": ("UPDATE points_account SET pending = pending + 1", 1),
    "account_debt_is_entries_without_a_lot": (DEBT, -1),
    "account_earned_so_far_is_sum_of_earnings": ("UPDATE points_account SET earned_total = earned_total - 1", -1),
    "account_balance_is_lots_less_debt": ("UPDATE points_account SET debt = debt + 1", 1),
    "account_pending_is_pending_lots": ("UPDATE points_account SET pending = pending + 1", 1),
    "account_held_is_held_of_lots": (f"UPDATE points_lot SET held = held - 1 WHERE id = {LOT}", 1),
    "account_held_is_open_holds": ("UPDATE points_hold SET points = points + 1", -1),
    "lot_remaining_is_sum_of_entries": (f"UPDATE points_lot SET remaining = remaining - 1 WHERE id = {LOT}", -1),
    "lot_earned_is_its_first_entry": (f"UPDATE points_lot SET earned = earned + 1 WHERE id = {LOT}", 1),
    "lot_life_is_within_earned_and_held": (
        f"ALTER TABLE points_lot DROP CONSTRAINT lot_life; UPDATE points_lot SET remaining = earned + 1 WHERE id = {LOT}", 1,
    ),
    "lot_pending_is_sum_of_entries": (f"UPDATE points_entry SET pending_points = 1 WHERE id = {ENTRY}", -1),
    "lot_held_is_parts_of_open_holds": ("UPDATE points_holdlot SET points = points + 1", -1),
    "lot_account_is_its_entries": (f"UPDATE points_entry SET account_id = {OTHER_ACCOUNT} WHERE id = {ENTRY}", -1),
    "lot_member_is_its_accounts": (f"UPDATE points_lot SET member_id = member_id + 1 WHERE id = {LOT}", 1),
    "posting_points_are_sum_of_entries": (f"UPDATE points_posting SET points = points + 1 WHERE id = {POSTING}", 1),
    "posting_pending_points_are_sum_of_entries": (
        f"UPDATE points_posting SET pending_points = pending_points + 1 WHERE id = {POSTING}", 1,
    ),
    "posting_account_is_its_entries": (f"UPDATE points_posting SET account_id = {OTHER_ACCOUNT} WHERE id = {POSTING}", 1),
    "posting_member_is_its_entries": (f"UPDATE points_posting SET member_id = member_id + 1 WHERE id = {POSTING}", 1),
    "posting_day_is_its_entries": (f"UPDATE points_posting SET day = day + 1 WHERE id = {POSTING}", 1),
    "entry_member_is_its_accounts": (f"UPDATE points_entry SET member_id = member_id + 1 WHERE id = {ENTRY}", 1),
    "entry_programme_is_its_accounts": (f"UPDATE points_entry SET program_id = program_id + 1 WHERE id = {ENTRY}", 1),
    "entry_cost_is_points_at_cost_of_lot": (f"UPDATE points_entry SET cost_micros = cost_micros + 1 WHERE id = {ENTRY}", 1),
    "hold_is_sum_of_parts": ("UPDATE points_hold SET points = points + 1", 1),
    "fact_entries_are_sum_of_entries": ("UPDATE reports_dailyfact SET entries = entries + 1", 1),
    "fact_points_are_sum_of_entries": ("UPDATE reports_dailyfact SET points = points - 1", -1),
    "fact_pending_points_are_sum_of_entries": ("UPDATE reports_dailyfact SET pending_points = pending_points + 1", 1),
    "fact_costs_are_sum_of_entries": ("UPDATE reports_dailyfact SET cost_micros = cost_micros + 1", 1),
    "counter_is_what_the_limited_rule_gave": ("UPDATE rules_counter SET points = points + 1", 1),
    "unitcounter_is_what_the_limited_rule_gave": ("UPDATE rules_unitcounter SET points = points - 1", -1),
    "unitcounter_of_a_device_is_what_the_limited_rule_gave": (
        "INSERT INTO rules_unitcounter (unit_id, device, rule_id, period, start, points, times, amount_micros, pieces_micros,"
        " cost_micros) SELECT unit_id, 'pad', rule_id, period, start, 1, 1, 0, 0, 0 FROM rules_unitcounter LIMIT 1", 1,
    ),
    "entry_rule_is_its_versions": (f"UPDATE points_entry SET rule_id = rule_id + 1 WHERE id = {ENTRY}", 1),
    "lot_rule_is_its_versions": (f"UPDATE points_lot SET rule_id = rule_id + 1 WHERE id = {LOT}", 1),
}  # fmt: skip
"""Per promise the statement that breaks it, and how far off the row is then."""


@pytest.fixture(scope="module")
def folded(kept_history: Account) -> Account:
    fold_facts(NOW)
    return kept_history


def test_every_promise_has_a_planted_mistake() -> None:
    assert set(PLANTED) == set(promises())


def test_the_history_ties(folded: Account) -> None:
    assert differences() == []


@pytest.mark.parametrize("promise", PLANTED)
def test_an_off_by_one_is_found_and_named(folded: Account, promise: str) -> None:
    statement, off = PLANTED[promise]
    owner = connections["owner"]
    with owner.cursor() as cursor:
        cursor.execute("BEGIN")
        for table in ("points_posting", "points_entry"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        found: list[Difference] = []
        for sweep in sweeps:
            cursor.execute(sweep.statement)
            found += [Difference(*row) for row in cursor.fetchall()]
        cursor.execute("ROLLBACK")
    mine = [each for each in found if each.check == promise]
    assert mine
    assert {each.stated - each.found for each in mine} == {off}
    assert all(each.row_id for each in mine)


def test_the_command_names_what_differs_and_exits_1(folded: Account) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE points_account SET balance = balance + 1 WHERE id = %s", [folded.pk])
        try:
            out = StringIO()
            with pytest.raises(SystemExit) as stopped:
                call_command("check_ledger", json=True, stdout=out)
        finally:
            cursor.execute("UPDATE points_account SET balance = balance - 1 WHERE id = %s", [folded.pk])
    told = json.loads(out.getvalue())
    assert stopped.value.code == 1
    assert told["entries"] == 5
    assert told["checks"] == promises()
    assert told["differences"] == [
        {"check": "account_balance_is_sum_of_entries", "row_id": folded.pk, "stated": 41, "found": 40},
        {"check": "account_balance_is_lots_less_debt", "row_id": folded.pk, "stated": 41, "found": 40},
    ]


def test_a_check_is_kept_and_each_reads_only_what_differs_in_their_units(history: CoffeeGroup, cast: Cast) -> None:
    account = Account.objects.order_by("pk")[0]
    Account.objects.filter(pk=account.pk).update(pending=3)
    assert check_ledger(cast["finance"], datetime(2026, 5, 20, tzinfo=UTC)) == 2
    check = LedgerCheck.objects.get()
    assert (check.checked_by, check.promises, check.differences_found) == (cast.finance, promises(), 2)
    seen: Any = LedgerDifference.objects.visible_to(cast["finance"]).order_by("pk")
    assert list(seen.values_list("promise", "row_id", "org_unit__code", "stated", "found")) == [
        ("account_pending_is_sum_of_entries", account.pk, "S001", 3, 0),
        ("account_pending_is_pending_lots", account.pk, "S001", 3, 0),
    ]
    assert not LedgerDifference.objects.visible_to(cast["outsider"]).exists()


def test_who_may_not_check_the_ledger_leaves_no_check(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        check_ledger(cast["marketing"], NOW)
    assert not LedgerCheck.objects.exists()
