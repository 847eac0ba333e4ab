"""Sources of events. Events themselves are recorded by the main road (`apps.rules.pipeline`)."""

from django.db import connection

from apps.activity.models import Source
from apps.orgs.models import ApiClient, OrgUnit

_of_clients: dict[tuple[str, int], Source] = {}


def source_for(code: str, unit: OrgUnit) -> Source:
    """The source called `code`, made on first use; safe when two make it at once."""
    source, _made = Source.objects.get_or_create(code=code, defaults={"unit": unit})
    return source


def source_of(client: ApiClient) -> Source:
    """The source whose events `client` tells. Asked of the database once a process: neither of them ever changes."""
    name = str(connection.settings_dict["NAME"]), client.pk
    source = _of_clients.get(name)
    if source is None:
        source = source_for(f"api:{client.code}", client.unit)
        # What may still be undone is not remembered.
        if not connection.in_atomic_block:
            _of_clients[name] = source
    return source
