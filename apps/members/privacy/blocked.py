"""Whether something named somebody who was erased. For lifting that see `blocks`."""

from apps.members.models import BlockedIdentifier


def is_blocked(kind: str, value_hash: bytes) -> bool:
    return bool(BlockedIdentifier.objects.filter(kind=kind, value_hash=value_hash, lifted_at=None).exists())
