"""One world per module, in one transaction; each request in a savepoint, so that none sees what another did."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from tests.approvals.conftest import desk as desk
from tests.security.hardening import faults_of
from tests.security.planting import World, make_world

PERSONAS = (
    "marketing", "finance", "regional_manager", "service", "shop", "auditor", "integrator", "administrator", "outsider",
)  # fmt: skip


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Refused requests are what these tests are made of."""
    caplog.set_level(logging.CRITICAL, logger="django.request")


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def ask(world: World) -> Ask:
    """`ask(persona, method, path, data)` is the answer to one request, everything it changed undone; each is held to
    promise S10.

    `then()` is called before that; what it returns is `answer.seen`.
    """
    clients: dict[str, Client] = {"nobody": Client(raise_request_exception=False)}
    for persona in PERSONAS:
        clients[persona] = Client(raise_request_exception=False)
        clients[persona].force_login(getattr(world.cast, persona), backend="apps.orgs.auth.RoleBackend")

    def send(persona: str, method: str, path: str, data: Any = None, *, then: Any = None, **extra: Any) -> Any:
        with transaction.atomic():
            answer = getattr(clients[persona], method.lower())(path, data, **extra)
            answer.body = answer.getvalue() if not answer.streaming else b"".join(answer.streaming_content)
            assert faults_of(answer) == [], f"{persona} {method} {path}"
            if then is not None:
                answer.seen = then()
            transaction.set_rollback(True)
        clients[persona].cookies.pop("messages", None)  # what one request had to say is undone, too
        return answer

    return send
