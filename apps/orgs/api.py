"""Who calls the API: the key in `Authorization: Bearer` names an API client, which has scopes and reaches its unit."""

from typing import Any

from django.http import HttpRequest
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
