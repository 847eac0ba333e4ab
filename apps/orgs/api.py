"""Who calls the API: the key in `Authorization: Bearer` names an API client, which has scopes and reaches its unit.

And how a call that is sent twice is answered: `once`.
"""

from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Header, Schema, Status
from ninja.security import HttpBearer

from apps.core.clock import now
from apps.orgs import services
from apps.orgs.devices import address_of
from apps.orgs.errors import ScopeMissing
from apps.orgs.models import ApiClient

Scope = ApiClient.AccessScope


class ApiKey(HttpBearer):
    """Lets in the clients that have `scope`; the client is `request.auth`."""

    openapi_description = "The key of an API client of the studio, shown once when it is made."

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiClient | None:
        """Raises ScopeMissing, TooManyTries."""
        client = services.client_for_key(token, address=address_of(request), when=now())
        if client is not None and self.scope not in client.scopes:
            raise ScopeMissing(scope=self.scope.value)
        return client


def client_of(request: HttpRequest) -> ApiClient:
    """The client whose key the request showed."""
    client: Any = request.auth  # type: ignore[attr-defined]
    assert isinstance(client, ApiClient)
    return client


IdempotencyKey = Annotated[
    str | None,
    Header(
        None,
        alias="Idempotency-Key",
        max_length=120,
        pattern="^[!-~]+$",
        description="Made by you, a new one for each thing to be done: sent again with the same body it is done once.",
    ),
]


def once(request: HttpRequest, key: str | None, asked: Any, effect: Callable[[], Schema]) -> Status:
    """Answers 201 with what `effect()` says; where `key` came before, 200 with what was said then.

    Raises IdempotencyKeyReused where it came with another body.
    """
    if key is None:
        return Status(201, effect())
    call = [request.method, request.path, asked]
    answer, is_repeated = services.answer_once(
        client_of(request), key, call, lambda: effect().model_dump(mode="json"), when=now()
    )
    return Status(200 if is_repeated else 201, answer)
