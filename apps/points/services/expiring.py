"""What time does to points: pending ones are released, due ones expire, forgotten holds end.

Each works in chunks, each chunk one transaction, and finds its work by what is true of the rows, so that running
it again, or twice at once, changes nothing more.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection

from apps.core.clock import local_day
from apps.core.transactions import in_transaction
from apps.orgs.models import Program
from apps.points.book import Act, Book
from apps.points.models import Account, Hold, Lot
from apps.points.services.ledger import lot_state, post, state_of
from apps.points.services.spending import void


@dataclass(frozen=True)
class Expired:
    accounts: int = 0
    lots: int = 0
    points: int = 0

    def __add__(self, other: "Expired") -> "Expired":
        return Expired(self.accounts + other.accounts, self.lots + other.lots, self.points + other.points)


def expire_due(as_of: datetime, *, chunk: int = 10_000) -> Expired:
    """Expires everything whose last local day ended at `as_of` or before."""
    total = Expired()
    for program in Program.objects.order_by("pk"):
        day = local_day(as_of, ZoneInfo(program.time_zone))
        while (done := _expire_chunk(program.pk, as_of, day, chunk)).accounts:
            total += done
    return total


@in_transaction
def _expire_chunk(program_id: int, as_of: datetime, day: date, chunk: int) -> Expired:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM points_expire(%s, %s, %s, %s)", [program_id, as_of, day, chunk])
        return Expired(*cursor.fetchone())


def release_due(as_of: datetime, *, chunk: int = 2_000) -> int:
    """Makes pending points spendable whose waiting ended at `as_of` or before; how many lots."""
    total = 0
    while done := _release_chunk(as_of, chunk):
        total += done
    return total


@in_transaction
def _release_chunk(as_of: datetime, chunk: int) -> int:
    due = Lot.objects.filter(is_pending=True, remaining__gt=0, releases_at__lte=as_of)
    waiting = list(due.order_by("releases_at").values_list("account_id", flat=True)[:chunk])
    accounts = {
        row.pk: row
        for row in Account.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
        .select_related("point_type__program")
        .filter(pk__in=waiting)
        .order_by("pk")
    }
    states = {pk: state_of(row, row.point_type.program_id) for pk, row in accounts.items()}
    by_account = defaultdict(list)
    for row in due.filter(account_id__in=accounts).order_by("account_id", "releases_at", "pk"):
        by_account[row.account_id].append(lot_state(row))
    book = Book()
    for account_id, lots in by_account.items():
        zone = ZoneInfo(accounts[account_id].point_type.program.time_zone)
        for lot in lots:
            act = Act(f"release:{lot.id}", as_of, local_day(as_of, zone), lot.origin.org_unit_id)
            book.release(states[account_id], act, lot)
    post(book)
    return sum(len(lots) for lots in by_account.values())


def void_lapsed_holds(as_of: datetime) -> int:
    """Gives back what was held longer than agreed; how many holds."""
    lapsed = list(
        Hold.objects.filter(state=Hold.State.HELD, lapses_at__lte=as_of)
        .order_by("lapses_at")
        .values_list("pk", flat=True)[:10_000]
    )
    for hold_id in lapsed:
        void(None, hold_id, when=as_of)
    return len(lapsed)
