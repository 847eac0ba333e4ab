"""Members with what they did, straight into the tables, and tags of company EAST."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from apps.activity.models import MemberDay
from apps.members.models import Member, MemberTag
from apps.members.services import enrol_many
from apps.segments.models import Tag
from apps.segments.services.defining import create_tag
from tests.factories import CoffeeGroup

WHEN = datetime(2026, 3, 31, 4, tzinfo=UTC)
DAY = date(2026, 3, 31)
LATER = WHEN + timedelta(days=1)


def orders(window: Any, op: str, value: int) -> dict[str, Any]:
    return {"all": [{"field": "history.orders", "window": window, "op": op, "value": value}]}


REGULAR = orders(30, "ge", 2)


def enrol(group: CoffeeGroup, count: int, *, store: str = "S001", prefix: str = "C") -> list[Member]:
    rows = [("card", f"{prefix}{store}{number}", group.units[store].pk, date(2026, 1, 1)) for number in range(count)]
    first = Member.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    enrol_many(rows, when=WHEN - timedelta(days=60))
    return list(Member.objects.filter(pk__gt=first).order_by("pk"))


def bought(
    group: CoffeeGroup, member: Member, purchases: int, spent: int = 0, ago: int = 1, code: str = "east"
) -> None:
    MemberDay.objects.create(
        member=member, program=group.programs[code], day=DAY - timedelta(days=ago), events=purchases,
        purchases=purchases, spent=spent,
    )  # fmt: skip


def holders(tag: Tag, day: date = DAY) -> list[int]:
    """Who holds the tag on that day."""
    rows = MemberTag.objects.filter(tag=tag.key, from_on__lte=day).exclude(until_on__lte=day)
    return sorted(rows.values_list("member_id", flat=True))


def ids(members: Iterable[Member]) -> list[int]:
    return sorted(member.pk for member in members)


@pytest.fixture
def regulars(group: CoffeeGroup) -> Tag:
    return create_tag(None, group.east, key="regular", label="Regular", label_zh="常客", condition=REGULAR)
