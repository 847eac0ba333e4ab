"""The studio knows when it is not well."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from apps.core import work
from apps.core.broker import QUEUE
from apps.core.clock import now
from apps.core.health import Health, health
from tests.processes import environment, redis_server

TASK = "apps.core.tasks.send_overdue"


def test_a_studio_with_nothing_waiting_is_well(committed: str) -> None:
    assert health(now()) == Health(database=True, broker=True, queue_seconds=0)
    assert health(now()).is_well


@pytest.mark.parametrize(("waited", "is_well"), [(300, True), (302, False)])
def test_a_message_that_no_worker_takes_shows(committed: str, waited: int, is_well: bool) -> None:
    work.after_commit(TASK)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE pgmq.q_{QUEUE} SET enqueued_at = now() - make_interval(secs => %s)", [waited])
    assert health(now()).is_well is is_well


def test_a_message_that_a_worker_has_taken_does_not_count(committed: str) -> None:
    work.after_commit(TASK)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE pgmq.q_{QUEUE} SET enqueued_at = now() - interval '1 hour'")
        cursor.execute("SELECT pgmq.read(%s, 60, 1)", [QUEUE])
    assert health(now()).is_well


def test_a_database_that_does_not_answer_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("the server is starting up")

    monkeypatch.setattr(connection, "cursor", refuse)
    assert health(now()) == Health(database=False, broker=False, queue_seconds=None)


def said_with(broker: str) -> str:
    """What a process says of itself that uses `broker`, five minutes after it sent a task."""
    program = f"""
import datetime, django
django.setup()
from apps.core import health, work
work.after_commit({TASK!r})
print(health.health(datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=5)))
"""
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment(CELERY_BROKER_URL=broker), check=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ).stdout.strip()  # fmt: skip


@pytest.mark.faults
def test_redis_tells_how_long_its_oldest_message_waits(committed: str, tmp_path: Path) -> None:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed; health is asked of PostgreSQL only.")
    with redis_server(program, tmp_path) as broker:
        assert said_with(broker) in [
            f"Health(database=True, broker=True, queue_seconds={seconds})" for seconds in (300, 301)
        ]


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_does_not_answer_shows(committed: str, scheme: str) -> None:
    assert said_with(f"{scheme}://127.0.0.1:1/") == "Health(database=True, broker=False, queue_seconds=None)"
