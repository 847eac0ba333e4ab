"""Whether the studio is well: database and broker answer, and no message waits too long for a worker."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import redis
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from kombu.exceptions import OperationalError

from apps.core.broker import QUEUE

_WAITED = f"""
    SELECT coalesce(extract(epoch FROM %(when)s - min(enqueued_at)), 0)::int FROM pgmq.q_{QUEUE} WHERE vt <= %(when)s
"""  # noqa: S608 -- the name is our own


@dataclass(frozen=True)
class Health:
    database: bool
    broker: bool
    queue_seconds: int | None
    """How long the oldest message has waited that no worker has taken; None where the broker does not tell."""

    @property
    def is_well(self) -> bool:
        return self.database and self.broker and (self.queue_seconds or 0) <= settings.HEALTH_QUEUE_SECONDS


def health(when: datetime) -> Health:
    """The state at `when`, the present, within a few seconds also when something is down."""
    database = _database_answers()
    ask = _BROKERS[urlsplit(settings.CELERY_BROKER_URL).scheme]
    try:
        return Health(database, True, ask(when))
    except (DatabaseError, InterfaceError, redis.RedisError, OperationalError, OSError):
        return Health(database, False, None)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return False
    return True


def _wait_on_postgres(when: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_WAITED, {"when": when})
        waited: int = cursor.fetchone()[0]
        return waited


def _wait_on_redis(when: datetime) -> int:
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    with redis.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_connect_timeout=options["socket_connect_timeout"], socket_timeout=5
    ) as broker:
        oldest: Any = broker.lindex(QUEUE, -1)
    return 0 if oldest is None else int(when.timestamp() - json.loads(oldest)["headers"]["sent_at"])


def _amqp_answers(when: datetime) -> None:
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=5)


_BROKERS: dict[str, Callable[[datetime], int | None]] = {
    "pgmq": _wait_on_postgres,
    "redis": _wait_on_redis,
    "rediss": _wait_on_redis,
    "amqp": _amqp_answers,
    "amqps": _amqp_answers,
}
