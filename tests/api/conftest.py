"""A till that calls the API with a key, and a shop of company EAST where the rule is a point for each yuan."""

from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from django.test import Client

from apps.core.clock import now
from apps.orgs import services
from apps.orgs.models import ApiClient
from tests.factories import CoffeeGroup
from tests.rules.conftest import START, make_till, publish

ALL = list(ApiClient.AccessScope.values)


@dataclass
class Caller:
    """Somebody who calls the API with `key` (none: a stranger)."""

    key: str = ""
    client: ApiClient | None = None

    def call(self, method: str, path: str, body: Any = None, **headers: Any) -> Any:
        """The answer; `answer.told` is its JSON."""
        if self.key:
            headers = {"authorization": f"Bearer {self.key}"} | headers
        sent = body if isinstance(body, bytes | str) else b"" if body is None else orjson.dumps(body)
        content_type = headers.pop("content_type", "application/json")
        answer = Client(raise_request_exception=False).generic(
            method, f"/api/v1/{path}", sent, content_type, headers=headers
        )
        answer.told = orjson.loads(answer.content) if answer.content else None  # type: ignore[attr-defined]
        return answer

    def get(self, path: str, **headers: Any) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: Any) -> Any:
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: Any) -> Any:
        return self.call("PATCH", path, body, **headers)


def make_caller(group: CoffeeGroup, unit: str = "EAST", scopes: Any = ALL, code: str = "") -> Caller:
    client, key = services.create_api_client(
        group[unit], code=code or f"till-{unit.lower()}", name=f"Till of {unit}", scopes=scopes, when=now()
    )
    return Caller(key, client)


@pytest.fixture
def shop(group: CoffeeGroup) -> CoffeeGroup:
    """Members C1 to C3 of store S001; each yuan is worth a point."""
    make_till(group)
    publish(group)
    return group


@pytest.fixture
def till(shop: CoffeeGroup) -> Caller:
    """A caller of company EAST with every scope."""
    return make_caller(shop)


def purchase(amount: str = "32.80", key: str = "p1", member: str = "C1", **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "kind": "purchase",
        "member": {"kind": "card", "value": member},
        "occurred_at": START.isoformat(),
        "store": "S001",
        "lines": [{"sku": "LATTE", "category": "coffee", "quantity": 1, "amount": amount}],
        **more,
    }


def refund(of: str, amount: str, key: str = "r1", **more: Any) -> dict[str, Any]:
    return purchase(amount, key, **{"kind": "refund", "refund_of": of, **more})
