"""Sources of events. Events themselves are recorded by the main road (`apps.rules.pipeline`)."""

from django.db import connection

from apps.activity.models import Source
from apps.orgs.models import ApiClient, OrgUnit

_of_keys: dict[bytes, Source] = {}


def source_for(code: str, unit: OrgUnit) -> Source:
    """The source called `code`, made on first use; safe when two make it at once."""
    source, _made = Source.objects.get_or_create(code=code, defaults={"unit": unit})
    return source


def source_of(client: ApiClient) -> Source:
    """The source whose events `client` tells. Asked of the database once a process and key: it never changes."""
    key = bytes(client.key_hash)
    source = _of_keys.get(key)
    if source is None:
        source = source_for(f"api:{client.code}", client.unit)
        # What may still be undone is not remembered.
        if not connection.in_atomic_block:
            _of_keys[key] = source
    return source
