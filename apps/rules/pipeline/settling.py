"""Settling: one statement writes what a wave came to."""

import orjson

from apps.core.prepared import call
from apps.rules.pipeline.reckoning import Reckoned


def settle(reckoned: Reckoned) -> None:
    """Writes points, outcomes, and what was counted and gathered."""
    if not reckoned.outcomes:
        return
    counters = reckoned.memory.written()
    if reckoned.held:
        counters["held"] = reckoned.held
    written = [orjson.dumps(part).decode() for part in (reckoned.book.plan(), reckoned.outcomes, counters)]
    call("SELECT rules_settle(%s::jsonb, %s::jsonb, %s::jsonb)", written)
