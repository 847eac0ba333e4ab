"""Holds every promise about points against the tables, set-based, and names each row that differs.

One sweep reads the ledger once and holds several promises against what it adds up. The rooms above add sweeps over
tables of theirs with `sweeps.append`, when they are ready. A promise's name starts with the kind of row it is about.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction


@dataclass(frozen=True)
class Difference:
    """A promise (`check`) that a row (`row_id`) breaks: it says `stated`, the tables add up to `found`."""

    check: str
    row_id: int
    stated: int
    found: int


@dataclass(frozen=True)
class Sweep:
    """`rows` is what stands after FROM: `row_id` and the figures of which `promises` are made, {name: (stated, found)}."""

    rows: str
    promises: dict[str, tuple[str, str]]
    is_in_order: bool = False
    """Whether both sides lie on disk in the order of their key: then walking them beats hashing millions of groups."""

    @property
    def statement(self) -> str:
        pairs = ",\n".join(
            f"('{promise}', ({stated})::bigint, ({found})::bigint)"
            for promise, (stated, found) in self.promises.items()
        )
        # What holds is left out before it is told promise by promise: nearly every row of millions.
        broken = " OR ".join(
            f"({stated})::bigint IS DISTINCT FROM ({found})::bigint" for stated, found in self.promises.values()
        )
        return (
            f"SELECT held.promise, row_id, held.stated, held.found FROM (SELECT * FROM {self.rows} WHERE {broken}) row\n"  # noqa: S608 -- our own text
            f"CROSS JOIN LATERAL (VALUES {pairs}) AS held(promise, stated, found)\n"
            "WHERE held.stated IS DISTINCT FROM held.found"
        )


def _alike(stated: str, name: str) -> tuple[str, str]:
    """`stated` against the first and the last of what its entries say: the one of them that differs, if one does."""
    return stated, f"CASE WHEN first_{name} <> {stated} THEN first_{name} ELSE coalesce(last_{name}, {stated}) END"


ACCOUNTS = Sweep(
    """(SELECT account.id AS row_id, account.balance, account.pending, account.debt, account.earned_total, entry.points, entry.pending_points, entry.debt_points, entry.earnings
        FROM points_account account LEFT JOIN (
            SELECT account_id, (sum(points))::bigint AS points, (sum(pending_points))::bigint AS pending_points,
                   (sum(points) FILTER (WHERE lot_id IS NULL))::bigint AS debt_points,
                   (sum(points + pending_points) FILTER (
                       WHERE kind IN ('earn', 'adjust', 'opening') AND points + pending_points > 0
                   ))::bigint AS earnings
            FROM points_entry GROUP BY account_id
        ) entry ON entry.account_id = account.id) AS account""",
    {
        "account_balance_is_sum_of_entries": ("balance", "coalesce(points, 0)"),
        "account_pending_is_sum_of_entries": ("pending", "coalesce(pending_points, 0)"),
        "account_debt_is_entries_without_a_lot": ("debt", "coalesce(-debt_points, 0)"),
        "account_earned_so_far_is_sum_of_earnings": ("earned_total", "coalesce(earnings, 0)"),
    },
)
ACCOUNTS_AND_LOTS = Sweep(
    """(SELECT account.id AS row_id, account.balance, account.pending, account.debt, account.held, lot.settled, lot.waiting, lot.set_aside, hold.points AS open_holds
        FROM points_account account LEFT JOIN (
            SELECT account_id, (sum(remaining) FILTER (WHERE NOT is_pending))::bigint AS settled,
                   (sum(remaining) FILTER (WHERE is_pending))::bigint AS waiting, (sum(held))::bigint AS set_aside
            FROM points_lot GROUP BY account_id
        ) lot ON lot.account_id = account.id
        LEFT JOIN (
            SELECT account_id, (sum(points))::bigint AS points FROM points_hold WHERE state = 'held' GROUP BY account_id
        ) hold ON hold.account_id = account.id) AS account""",
    {
        "account_balance_is_lots_less_debt": ("balance + debt", "coalesce(settled, 0)"),
        "account_pending_is_pending_lots": ("pending", "coalesce(waiting, 0)"),
        "account_held_is_held_of_lots": ("held", "coalesce(set_aside, 0)"),
        "account_held_is_open_holds": ("held", "coalesce(open_holds, 0)"),
    },
)
# The greatest movement of a lot is the one that made it: what comes back later was part of that.
LOTS = Sweep(
    """(SELECT lot.id AS row_id, lot.account_id, lot.member_id, account.member_id AS account_member, lot.remaining, lot.earned, lot.held, lot.is_pending, entry.total,
               entry.pending_points, entry.greatest_points,
               entry.first_account, entry.last_account, part.points AS open_holds
        FROM points_lot lot JOIN points_account account ON account.id = lot.account_id LEFT JOIN (
            SELECT lot_id, (sum(points + pending_points))::bigint AS total, (sum(pending_points))::bigint AS pending_points,
                   max(points + pending_points) AS greatest_points,
                   min(account_id) AS first_account, max(account_id) AS last_account
            FROM points_entry WHERE lot_id IS NOT NULL GROUP BY lot_id
        ) entry ON entry.lot_id = lot.id
        LEFT JOIN (
            SELECT lot_id, (sum(part.points))::bigint AS points FROM points_holdlot part
            JOIN points_hold hold ON hold.id = part.hold_id AND hold.state = 'held' GROUP BY lot_id
        ) part ON part.lot_id = lot.id) AS lot""",
    {
        "lot_remaining_is_sum_of_entries": ("remaining", "coalesce(total, 0)"),
        "lot_earned_is_its_first_entry": ("earned", "coalesce(greatest_points, 0)"),
        "lot_life_is_within_earned_and_held": ("remaining", "greatest(held, 0, least(remaining, earned))"),
        "lot_pending_is_sum_of_entries": (
            "CASE WHEN is_pending THEN remaining ELSE 0 END",
            "coalesce(pending_points, 0)",
        ),
        "lot_held_is_parts_of_open_holds": ("held", "coalesce(open_holds, 0)"),
        "lot_account_is_its_entries": _alike("account_id", "account"),
        "lot_member_is_its_accounts": ("member_id", "account_member"),
    },
)
POSTINGS = Sweep(
    """(SELECT posting.id AS row_id, posting.account_id, posting.member_id, posting.day, posting.points,
               posting.pending_points, entry.settled, entry.waiting, entry.first_account, entry.last_account,
               entry.first_member, entry.last_member, entry.first_day, entry.last_day
        FROM points_posting posting LEFT JOIN (
            SELECT posting_id, (sum(points))::bigint AS settled, (sum(pending_points))::bigint AS waiting,
                   min(account_id) AS first_account, max(account_id) AS last_account,
                   min(member_id) AS first_member, max(member_id) AS last_member,
                   min(day) - DATE '2000-01-01' AS first_day, max(day) - DATE '2000-01-01' AS last_day
            FROM points_entry GROUP BY posting_id
        ) entry ON entry.posting_id = posting.id) AS posting""",
    {
        "posting_points_are_sum_of_entries": ("points", "coalesce(settled, 0)"),
        "posting_pending_points_are_sum_of_entries": ("pending_points", "coalesce(waiting, 0)"),
        "posting_account_is_its_entries": _alike("account_id", "account"),
        "posting_member_is_its_entries": _alike("member_id", "member"),
        "posting_day_is_its_entries": _alike("day - DATE '2000-01-01'", "day"),
    },
    is_in_order=True,
)
ENTRIES = Sweep(
    """(SELECT entry.id AS row_id, entry.member_id, entry.program_id, account.member_id AS account_member,
               kind.program_id AS account_program, entry.cost_micros,
               (entry.points + entry.pending_points) * lot.unit_cost_micros AS lot_cost
        FROM points_entry entry JOIN points_account account ON account.id = entry.account_id
        JOIN points_pointtype kind ON kind.id = account.point_type_id
        LEFT JOIN points_lot lot ON lot.id = entry.lot_id) AS entry""",
    {
        "entry_member_is_its_accounts": ("member_id", "account_member"),
        "entry_programme_is_its_accounts": ("program_id", "account_program"),
        "entry_cost_is_points_at_cost_of_lot": ("cost_micros", "coalesce(lot_cost, cost_micros)"),
    },
)
HOLDS = Sweep(
    """(SELECT hold.id AS row_id, hold.points, (sum(part.points))::bigint AS parts
        FROM points_hold hold LEFT JOIN points_holdlot part ON part.hold_id = hold.id
        GROUP BY hold.id, hold.points) AS hold""",
    {"hold_is_sum_of_parts": ("points", "coalesce(parts, 0)")},
)
sweeps: list[Sweep] = [ACCOUNTS, ACCOUNTS_AND_LOTS, LOTS, POSTINGS, ENTRIES, HOLDS]


def promises() -> list[str]:
    """The names of all promises, in the order in which they are held."""
    return [promise for sweep in sweeps for promise in sweep.promises]


def differences() -> list[Difference]:
    """Everything that differs; empty when every promise holds. Each sweep reads the tables as of one moment."""
    return [difference for sweep in sweeps for difference in _swept(sweep)]


ORDERED = ("enable_hashagg", "enable_hashjoin", "enable_sort")
ALWAYS = ("enable_nestloop",)
"""What no sweep does, whatever the planner believes: it walks whole tables, and statistics from when those were empty
once made a walk of each table for each row of the other."""


def _swept(sweep: Sweep) -> list[Difference]:
    avoided = ALWAYS + (ORDERED if sweep.is_in_order else ())
    with transaction.atomic(), connection.cursor() as cursor:
        # Room to group millions of lots in memory; for this transaction only.
        cursor.execute("SET LOCAL work_mem = '256MB'")
        _plan(cursor, avoided, "off")
        cursor.execute(sweep.statement)
        found = [Difference(*row) for row in cursor.fetchall()]
        _plan(cursor, avoided, "DEFAULT")
        return found


def _plan(cursor: Any, names: Iterable[str], value: str) -> None:
    cursor.execute("; ".join(f"SET LOCAL {name} TO {value}" for name in names))
