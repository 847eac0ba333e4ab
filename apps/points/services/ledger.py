"""Opening the ledger: lock accounts, read their lots, and write what a book plans."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.db import connection

from apps.core.clock import local_day, start_of_day
from apps.orgs.models import Program
from apps.points.book import AccountState, Act, Book, LotState, Origin
from apps.points.errors import KeyReused, NoSuchAccount
from apps.points.expiry import expires_at, lapses_at, parse_policy
from apps.points.models import Account, Lot, PointType, Posting


@dataclass(frozen=True)
class Opened:
    """A locked account with what its verbs need to know."""

    row: Account
    state: AccountState
    point_type: PointType
    program: Program
    zone: ZoneInfo

    def day(self, when: datetime) -> date:
        return local_day(when, self.zone)

    def expires_at(self, earned_on: date) -> datetime | None:
        return expires_at(parse_policy(self.point_type.expiry), earned_on, self.zone)

    def lapses_at(self, active_on: date) -> datetime | None:
        return lapses_at(parse_policy(self.point_type.expiry), active_on, self.zone)

    def days_end(self, day: date) -> datetime:
        """The end, excluded, of a local day."""
        return start_of_day(date.fromordinal(day.toordinal() + 1), self.zone)


def open_account(account_id: int) -> Opened:
    """Locks one account. Raises NoSuchAccount."""
    row = (
        Account.objects.select_for_update(no_key=True, of=("self",))
        .select_related("point_type__program", "point_type__funder", "member__home_unit")
        .filter(pk=account_id)
        .first()
    )
    if row is None:
        raise NoSuchAccount()
    program = row.point_type.program
    return Opened(row, state_of(row, program.pk), row.point_type, program, ZoneInfo(program.time_zone))


def open_account_of(member_id: int, point_type_id: int) -> Opened:
    """Locks a member's account of a point type, made when missing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM points_open_accounts(%s, %s)", [[member_id], [point_type_id]])
        found = cursor.fetchone()
    if found is None:
        raise NoSuchAccount()
    return open_account(found[0])


def state_of(row: Account, program_id: int) -> AccountState:
    return AccountState(
        row.pk,
        row.member_id,
        row.point_type_id,
        program_id,
        row.balance,
        row.pending,
        row.held,
        row.debt,
        row.lapses_at,
    )


def lot_state(row: Lot) -> LotState:
    origin = Origin(
        row.org_unit_id, row.funder_id, row.unit_cost_micros, row.event_id, row.rule_id, row.rule_version_id
    )
    return LotState(
        row.pk,
        row.account_id,
        origin,
        row.earned,
        row.remaining,
        row.held,
        row.is_pending,
        row.earned_at,
        row.expires_at,
        row.releases_at,
        moved_from=row.moved_from_id,
    )


def open_lots(account_ids: Iterable[int]) -> list[LotState]:
    """The lots of locked accounts that still hold points."""
    return [lot_state(row) for row in Lot.objects.filter(account_id__in=list(account_ids), remaining__gt=0)]


def post(book: Book) -> list[int]:
    """Writes the book's plan; the postings' ids in the order they were made."""
    if book.is_empty:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT points_post(%s::jsonb)", [orjson.dumps(book.plan()).decode()])
        ids: list[int] = cursor.fetchone()[0]
    return ids


def content_hash(*parts: Any) -> bytes:
    """A short digest by which a repeated key is told from a reused one."""
    return hashlib.sha256(orjson.dumps(parts, default=str)).digest()[:16]


def posted_before(key: str, digest: bytes) -> Posting | None:
    """The posting made under `key` before, if any. Raises KeyReused when its content was another."""
    earlier = Posting.objects.filter(key=key).first()
    if earlier is not None and bytes(earlier.content_hash or b"") != digest:
        raise KeyReused(key=key)
    return earlier


def act(
    opened: Opened,
    key: str,
    when: datetime,
    *,
    unit_id: int | None = None,
    actor: Any = None,
    reason: str = "",
    digest: bytes | None = None,
    reverses_id: int | None = None,
    event_id: int | None = None,
) -> Act:
    """The circumstances of a posting on an opened account; where nothing else is said, at the member's home."""
    return Act(
        key=key,
        at=when,
        day=opened.day(when),
        org_unit_id=unit_id or opened.row.member.home_unit_id,
        event_id=event_id,
        reverses_id=reverses_id,
        # Only people are actors of record; an API client is named by the unit and the key.
        actor_id=actor.pk if actor is not None and hasattr(actor, "username") else None,
        reason=reason,
        content_hash=digest,
    )
