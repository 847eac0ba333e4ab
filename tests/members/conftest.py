"""Wang Xiaoming, a member of store S001 (company EAST), and the moment of the stories."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from apps.members.models import Member
from apps.members.services import create_member
from tests.approvals.conftest import desk as desk
from tests.factories import Cast, CoffeeGroup

WHEN = datetime(2026, 5, 4, 12, tzinfo=UTC)
PHONE, EMAIL, CARD, NAME, BORN = "13812341234", "xiaoming.wang@example.com", "C00012345", "王小明", date(1990, 2, 14)


@pytest.fixture
def wang(group: CoffeeGroup) -> Member:
    return create_member(
        None, group["S001"], identifiers=[("phone", PHONE), ("email", EMAIL), ("card", CARD)], name=NAME, birth_on=BORN,
        joined_on=date(2026, 1, 5), attributes={"level": 3}, when=WHEN,
    )  # fmt: skip


@pytest.fixture
def browse(client: Client, cast: Cast) -> Any:
    """`browse("service")` is that person's client."""

    def sign_in(persona: str) -> Client:
        client.force_login(cast[persona], backend="apps.orgs.auth.RoleBackend")
        return client

    return sign_in
