"""A till that sends events down the main road, and rules published by a short word."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from apps.activity.incoming import IncomingEvent, IncomingLine
from apps.activity.models import Source
from apps.activity.services import source_for
from apps.members.models import Member
from apps.members.services import enrol_many
from apps.points.checking import differences
from apps.points.models import Account
from apps.rules.models import Rule, RuleVersion
from apps.rules.pipeline import Processed, process
from tests.approvals.conftest import desk as desk
from tests.factories import CoffeeGroup

START = datetime(2026, 3, 1, 4, tzinfo=UTC)
PER_YUAN = {
    "effect": "points_per_amount",
    "point_type": "points",
    "points": "1",
    "per": "1.00",
    "rounding": "down",
    "lines": None,
}
PURCHASE = {"all": [{"field": "event.kind", "op": "eq", "value": "purchase"}]}
CAP_A_DAY = {"per": "member", "period": "day", "of": "points"}
FIXTURES = Path(settings.BASE_DIR) / "fixtures"
_numbers = count(1)


def line(
    amount: str, category: str = "coffee", sku: str = "A1", quantity: str = "1", number: int = 1, **more: Any
) -> IncomingLine:
    return IncomingLine(number, sku, category, Decimal(quantity), Decimal(amount), **more)


def purchase(amount: str, key: str | None = None, member: str = "C1", **more: Any) -> IncomingEvent:
    values = {"occurred_at": START, "store": "S001", "lines": (line(amount),)} | more
    return IncomingEvent(key or f"e{next(_numbers)}", "purchase", "card", member, **values)


def refund(of: str, amount: str, key: str | None = None, member: str = "C1", **more: Any) -> IncomingEvent:
    values = {"occurred_at": START + timedelta(hours=1), "store": "S001", "lines": (line(amount),)} | more
    return IncomingEvent(key or f"e{next(_numbers)}", "refund", "card", member, refund_of=of, **values)


@dataclass
class Till:
    """Sends events of one source of company EAST."""

    group: CoffeeGroup
    source: Source
    sent: list[Processed] = field(default_factory=list)

    def send(self, *events: IncomingEvent, when: datetime = START + timedelta(days=200)) -> list[Processed]:
        results = process(None, self.source, events, when=when)
        self.sent += results
        return results

    def account(self, member: str = "C1") -> Account:
        return Account.objects.get(member=self.member(member))

    def member(self, value: str = "C1") -> Member:
        from apps.members.crypto import lookup_hash

        return Member.objects.get(identifiers__value_hash=lookup_hash("card", value))


def publish(
    group: CoffeeGroup,
    *effects: dict,
    condition: dict | None = None,
    cap: int | None = None,
    limits: Sequence[dict] = (),
    starts_at: datetime = datetime(2020, 1, 1, tzinfo=UTC),
    ends_at: datetime | None = None,
    unit: str = "EAST",
    overrides: Rule | None = None,
    **more: Any,
) -> RuleVersion:
    number = next(_numbers)
    rule = Rule.objects.create(
        program=group.east,
        unit=group[unit],
        code=f"rule{number}",
        name=f"Rule {number}",
        overrides=overrides,
        created_at=START,
    )
    return RuleVersion.objects.create(
        rule=rule,
        number=1,
        state="published",
        definition={
            "condition": condition or PURCHASE,
            "effects": list(effects or [PER_YUAN]),
            "limits": [*limits, *([] if cap is None else [CAP_A_DAY | {"most": cap}])],
            **more,
        },
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=START,
        published_at=START,
    )


def make_till(group: CoffeeGroup, members: int = 3) -> Till:
    rows = [("card", f"C{number}", group.units["S001"].pk, date(2026, 1, 1)) for number in range(1, members + 1)]
    enrol_many(rows, when=START)
    return Till(group, source_for("test", group.units["EAST"]))


@pytest.fixture
def till(group: CoffeeGroup) -> Any:
    yield make_till(group)
    assert differences() == []


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files that are sent are kept: a folder of the test's own."""
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path / "uploads")
    return tmp_path / "uploads"
