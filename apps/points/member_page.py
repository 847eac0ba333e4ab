"""A member's balances and lots, for the member page."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F
from django.utils.translation import gettext as _

from apps.core.addresses import address
from apps.core.clock import local_day
from apps.members.page import Action, Asked, Block, action, block
from apps.points.models import Account, Lot

SHOWN_LOTS = 200
"""Lots read for one page; further ones expire later and are found in the list of lots."""


@dataclass
class Balance:
    """One account as the page shows it: `next_points` expire at the end of `next_on`."""

    account: Account
    zone: ZoneInfo
    lots: list[Any] = field(default_factory=list)
    has_more_lots: bool = False

    @property
    def lapses_on(self) -> date | None:
        return last_day(self.account.lapses_at, self.zone) if self.account.balance > 0 else None

    @property
    def next_on(self) -> date | None:
        days = [lot.last_on for lot in self.lots if lot.last_on and not lot.is_pending]
        return min(days, default=None)

    @property
    def next_points(self) -> int:
        due = (lot for lot in self.lots if lot.last_on == self.next_on and not lot.is_pending)
        return sum(int(lot.remaining) for lot in due)

    @property
    def released_on(self) -> date | None:
        instants = [lot.releases_at for lot in self.lots if lot.is_pending and lot.releases_at]
        return local_day(min(instants), self.zone) if instants else None

    @property
    def all_lots(self) -> str:
        return f"{address('points_lot_changelist')}?account={self.account.pk}"


def last_day(instant: datetime | None, zone: ZoneInfo) -> date | None:
    """The last local day before `instant`, which is excluded: what people call the day of expiry."""
    if instant is None:
        return None
    return date.fromordinal(local_day(instant, zone).toordinal() - 1)


def accounts_of(person: Any, member_id: int) -> list[Account]:
    """The visible accounts of a member, with their point types and programmes. One query."""
    accounts = Account.objects.visible_to(person).filter(member=member_id).select_related("point_type__program")
    return list(accounts.order_by("point_type__program_id", "point_type_id"))


def accounts_on(asked: Asked) -> list[Account]:
    """The accounts that a member's page shows."""
    return accounts_of(asked.person, asked.member.pk)


def balances_of(person: Any, accounts: Iterable[Account]) -> list[Balance]:
    """The accounts of a member with their open lots, the first to expire first. One query."""
    balances = {each.pk: Balance(each, ZoneInfo(each.point_type.program.time_zone)) for each in accounts}
    for lot in _open_lots(person, balances):
        balance = balances[lot.account_id]
        lot.last_on = last_day(lot.expires_at, balance.zone)
        lot.released_on = local_day(lot.releases_at, balance.zone) if lot.is_pending and lot.releases_at else None
        balance.lots.append(lot)
    return list(balances.values())


def _open_lots(person: Any, accounts: Iterable[int]) -> list[Any]:
    lots = Lot.objects.visible_to(person).filter(account__in=list(accounts), remaining__gt=0)
    return list(lots.select_related("org_unit").order_by(F("expires_at").asc(nulls_last=True), "pk")[:SHOWN_LOTS])


@action(order=10, permission="points.adjust_points")
def adjusting(asked: Asked) -> Action:
    return Action(_("Adjust points"), address("points_account_adjust", asked.member.pk), "exposure")


@block(order=10, permission="points.view_account")
def balances(asked: Asked) -> Block:
    return Block(_("Balance"), "points/member_balances.html", balances_of(asked.person, asked.once(accounts_on)))
