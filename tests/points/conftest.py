"""A member with an account in the programme EAST, and short words for the verbs."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from apps.members.models import Member
from apps.points import services
from apps.points.checking import differences
from apps.points.models import Account, Lot, Posting
from tests.factories import CoffeeGroup

START = datetime(2026, 3, 1, 4, tzinfo=UTC)
_keys = count(1)


@dataclass
class Purse:
    """One member's account, driven through the services."""

    group: CoffeeGroup
    member: Member
    account_id: int

    def give(self, points: int, when: datetime = START, key: str | None = None) -> Posting:
        return services.adjust(
            None,
            self.member.pk,
            self.group.point_types["east"].pk,
            points,
            reason="test",
            key=key or f"give{next(_keys)}",
            when=when,
        )

    def redeem(self, points: int, when: datetime = START, key: str | None = None) -> Posting:
        return services.redeem(
            None, self.account_id, points, key=key or f"redeem{next(_keys)}", unit=self.group["S001"], when=when
        )

    def hold(self, points: int, when: datetime = START, **more: Any) -> Any:
        return services.hold(
            None, self.account_id, points, key=f"hold{next(_keys)}", unit=self.group["S001"], when=when, **more
        )

    @property
    def account(self) -> Account:
        return Account.objects.get(pk=self.account_id)

    @property
    def lots(self) -> list[tuple[int, int, date | None]]:
        """Remaining and held of each lot, in order of making, with the day it expires."""
        return [
            (lot.remaining, lot.held, lot.expires_at and lot.expires_at.date())
            for lot in Lot.objects.filter(account_id=self.account_id).order_by("pk")
        ]

    def expiry(self, policy: dict[str, Any]) -> None:
        kind = self.group.point_types["east"]
        kind.expiry = policy
        kind.save()


def make_purse(group: CoffeeGroup) -> Purse:
    member = Member.objects.create(home_unit=group["S001"], joined_on=date(2026, 1, 1), created_at=START)
    account = Account.objects.create(member=member, point_type=group.point_types["east"])
    return Purse(group, member, account.pk)


@pytest.fixture
def purse(group: CoffeeGroup) -> Any:
    made = make_purse(group)
    yield made
    assert differences() == []


def days(number: int) -> timedelta:
    return timedelta(days=number)
