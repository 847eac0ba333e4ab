"""Answers that are kept, so that a call sent twice has its effect once and is answered the same."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from django.utils.crypto import salted_hmac

from apps.core.transactions import in_transaction
from apps.orgs.errors import IdempotencyKeyReused
from apps.orgs.models import ApiClient, KeptAnswer


@in_transaction
def answer_once(
    client: ApiClient, key: str, asked: Any, effect: Callable[[], dict[str, Any]], *, when: datetime
) -> tuple[dict[str, Any], bool]:
    """What `effect()` answers, and whether it was run before under this key; then it is not run again.

    `asked` is all that makes the call what it is; it is kept as a keyed hash only. The key is claimed first: of two
    calls at once the second waits for the first. A refusal undoes the claim. Raises IdempotencyKeyReused.
    """
    digest = _digest(asked)
    claim = KeptAnswer(client=client, key=key, content_hash=digest, created_at=when)
    KeptAnswer.objects.bulk_create([claim], ignore_conflicts=True)
    kept = KeptAnswer.objects.get(client=client, key=key)
    if bytes(kept.content_hash) != digest:
        raise IdempotencyKeyReused()
    if kept.body is not None:
        return dict(kept.body), True
    answer = effect()
    KeptAnswer.objects.filter(pk=kept.pk).update(body=answer)
    return answer, False


def _digest(asked: Any) -> bytes:
    told = orjson.dumps(asked, default=str, option=orjson.OPT_SORT_KEYS)
    return salted_hmac("orgs.keptanswer", told, algorithm="sha256").digest()[:16]
