"""A small history with every kind of movement, for reports to add up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.points import services
from apps.points.models import Account
from tests.databases import scratch
from tests.factories import CoffeeGroup, make_group
from tests.rules.conftest import START, make_till, publish, purchase, refund

NOW = datetime(2026, 5, 20, 4, tzinfo=UTC)


def make_history(group: CoffeeGroup) -> None:
    """Two members of EAST. March: 80 yuan at S001 (capped to 50 points), 10 redeemed; 40 yuan at S003, half of it
    refunded in April. May: 7 points adjusted, 5 set aside."""
    till = make_till(group)
    publish(group, cap=50, limits=[{"per": "store", "period": "month", "of": "points", "most": 1_000}])
    till.send(purchase("80.00", key="one"))
    till.send(purchase("40.00", key="two", member="C2", store="S003"))
    till.send(refund("two", "20.00", member="C2", store="S003", occurred_at=START + timedelta(days=40)))
    first, second = till.account("C1"), till.account("C2")
    services.redeem(None, first.pk, 10, key="spent", unit=group["S001"], when=START + timedelta(days=1))
    services.adjust(None, second.member_id, second.point_type_id, 7, reason="sorry", key="gift", when=NOW)
    services.hold(None, first.pk, 5, key="held", unit=group["S001"], when=NOW)


@pytest.fixture
def history(group: CoffeeGroup) -> CoffeeGroup:
    make_history(group)
    return group


@pytest.fixture(scope="module")
def kept_history(django_db_setup: None, django_db_blocker: Any) -> Iterator[Account]:
    """The history, committed to a database of the module's own; the first member's account."""
    with django_db_blocker.unblock(), scratch("history"):
        make_history(make_group())
        yield Account.objects.order_by("pk")[0]
