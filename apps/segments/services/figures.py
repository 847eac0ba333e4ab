"""What refreshing tags, segments and scores has in common: the figures that are kept of it, why it failed, and whether its day
has come."""

import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DatabaseError, OperationalError
from django.db.models import F

from apps.core.clock import local_day
from apps.core.timeouts import was_canceled
from apps.core.transactions import is_passing
from apps.orgs.models import Program
from apps.segments.models import Failure


def milliseconds(started: float) -> int:
    """Since a moment of `time.perf_counter`."""
    return round(1000 * (time.perf_counter() - started))


def refreshed(size: int, took_ms: int, when: datetime) -> dict[str, Any]:
    """The values of a row that was brought up to date."""
    return {
        "previous_size": F("size"), "size": size, "refreshed_at": when, "took_ms": took_ms, "last_error": "",
    }  # fmt: skip


def failure_of(error: DatabaseError) -> Failure:
    """What a row says of it. Raises it again where it passes by itself."""
    if isinstance(error, OperationalError) and is_passing(error):
        raise error
    return Failure.TIME if was_canceled(error) else Failure.DATABASE


def is_of_a_day_before(program: Program, at: datetime | None, when: datetime) -> bool:
    """Whether a day of the programme has begun since `at`; None is never."""
    zone = ZoneInfo(program.time_zone)
    return at is None or local_day(at, zone) < local_day(when, zone)
