"""Holds every promise about points against the tables, set-based, and names what differs."""

from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True)
class Difference:
    """A promise (`check`) that a row (`row_id`) breaks: it says `stated`, the tables add up to `found`."""

    check: str
    row_id: int
    stated: int
    found: int


# One statement a promise; each returns the rows that break it: id, what it says, what the tables add up to.
CHECKS = {
    "account_balance_is_sum_of_entries": """
        SELECT a.id, a.balance, coalesce(e.points, 0) FROM points_account a
        LEFT JOIN (SELECT account_id, sum(points)::bigint AS points FROM points_entry GROUP BY 1) e
          ON e.account_id = a.id
        WHERE a.balance <> coalesce(e.points, 0)""",
    "account_pending_is_sum_of_entries": """
        SELECT a.id, a.pending, coalesce(e.points, 0) FROM points_account a
        LEFT JOIN (SELECT account_id, sum(pending_points)::bigint AS points FROM points_entry GROUP BY 1) e
          ON e.account_id = a.id
        WHERE a.pending <> coalesce(e.points, 0)""",
    "account_balance_is_lots_less_debt": """
        SELECT a.id, a.balance + a.debt, coalesce(l.settled, 0) FROM points_account a
        LEFT JOIN (SELECT account_id, sum(remaining) FILTER (WHERE NOT is_pending)::bigint AS settled
                   FROM points_lot GROUP BY 1) l ON l.account_id = a.id
        WHERE a.balance + a.debt <> coalesce(l.settled, 0)""",
    "account_pending_is_pending_lots": """
        SELECT a.id, a.pending, coalesce(l.pending, 0) FROM points_account a
        LEFT JOIN (SELECT account_id, sum(remaining) FILTER (WHERE is_pending)::bigint AS pending
                   FROM points_lot GROUP BY 1) l ON l.account_id = a.id
        WHERE a.pending <> coalesce(l.pending, 0)""",
    "account_held_is_held_of_lots": """
        SELECT a.id, a.held, coalesce(l.held, 0) FROM points_account a
        LEFT JOIN (SELECT account_id, sum(held)::bigint AS held FROM points_lot WHERE held > 0 GROUP BY 1) l
          ON l.account_id = a.id
        WHERE a.held <> coalesce(l.held, 0)""",
    "account_held_is_open_holds": """
        SELECT a.id, a.held, coalesce(h.points, 0) FROM points_account a
        LEFT JOIN (SELECT account_id, sum(points)::bigint AS points FROM points_hold WHERE state = 'held' GROUP BY 1) h
          ON h.account_id = a.id
        WHERE a.held <> coalesce(h.points, 0)""",
    "account_debt_is_entries_without_a_lot": """
        SELECT a.id, a.debt, coalesce(-e.points, 0) FROM points_account a
        LEFT JOIN (SELECT account_id, sum(points)::bigint AS points FROM points_entry WHERE lot_id IS NULL GROUP BY 1) e
          ON e.account_id = a.id
        WHERE a.debt <> coalesce(-e.points, 0)""",
    "lot_remaining_is_sum_of_entries": """
        SELECT l.id, l.remaining, coalesce(e.points, 0) FROM points_lot l
        LEFT JOIN (SELECT lot_id, sum(points + pending_points)::bigint AS points FROM points_entry
                   WHERE lot_id IS NOT NULL GROUP BY 1) e ON e.lot_id = l.id
        WHERE l.remaining <> coalesce(e.points, 0)""",
    "posting_is_sum_of_entries": """
        SELECT p.id, p.points + p.pending_points, coalesce(e.points, 0) FROM points_posting p
        LEFT JOIN (SELECT posting_id, sum(points)::bigint AS points, sum(pending_points)::bigint AS pending
                   FROM points_entry GROUP BY 1) e ON e.posting_id = p.id
        WHERE p.points <> coalesce(e.points, 0) OR p.pending_points <> coalesce(e.pending, 0)""",
    "entry_agrees_with_posting_and_lot": """
        SELECT e.id, e.account_id, p.account_id FROM points_entry e
        JOIN points_posting p ON p.id = e.posting_id LEFT JOIN points_lot l ON l.id = e.lot_id
        WHERE e.account_id <> p.account_id OR e.member_id <> p.member_id
           OR (l.id IS NOT NULL AND (l.account_id <> e.account_id
               OR e.cost_micros <> (e.points + e.pending_points) * l.unit_cost_micros))""",
}


def differences(most: int = 100) -> list[Difference]:
    """What differs, at most `most` rows a promise; empty when every promise holds."""
    found: list[Difference] = []
    with connection.cursor() as cursor:
        for check, statement in CHECKS.items():
            cursor.execute(f"SELECT * FROM ({statement}) AS broken LIMIT %s", [most])  # noqa: S608 -- our own text
            found += [Difference(check, *row) for row in cursor.fetchall()]
    return found
