"""Promise R9: a task that a committed transaction promised is done, whatever becomes of the broker."""

import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from django.db import ProgrammingError, connection, transaction

from apps.core import work
from apps.core.broker import QUEUE
from apps.core.models import PromisedTask
from apps.core.supervisor import WORKER
from tests.processes import environment, redis_server, running, until

NAME = "apps.core.tasks.send_overdue"
ROOMS = settings.BASE_DIR / "apps"


def queued() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM pgmq.q_{QUEUE}")
        count: int = cursor.fetchone()[0]
        return count


def empty_the_broker() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM pgmq.q_{QUEUE}")


def let_a_minute_pass() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_promisedtask SET due_at = due_at - interval '1 minute'")


def nothing_is_promised() -> bool:
    return not PromisedTask.objects.exists()


def test_a_transaction_that_is_rolled_back_promises_nothing(committed: str) -> None:
    with transaction.atomic():
        work.after_commit(NAME)
        transaction.set_rollback(True)
    assert (PromisedTask.objects.count(), queued()) == (0, 0)


def test_the_message_follows_the_commit(committed: str) -> None:
    with transaction.atomic():
        work.after_commit(NAME)
        assert queued() == 0
    assert (PromisedTask.objects.count(), queued()) == (1, 1)


def test_the_same_work_is_promised_once_when_that_is_asked(committed: str) -> None:
    for job_id in (1, 1, 2):
        work.unless_promised("apps.rules.tasks.run_import_part", job_id)
    assert sorted(PromisedTask.objects.values_list("args", flat=True)) == [[1], [2]]


def test_what_is_not_done_is_sent_again_later_and_later(committed: str) -> None:
    work.after_commit(NAME)
    sent = []
    for _ in range(4):
        let_a_minute_pass()
        sent.append(work.send_overdue())
    # After one minute, one more, and then two.
    assert sent == [1, 1, 0, 1]
    assert queued() == 4


def test_a_broker_that_is_down_fails_no_request(committed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)
    monkeypatch.setattr(current_app, "connection_for_write", lambda: current_app.connection("redis://127.0.0.1:1/0"))
    work.after_commit(NAME)
    assert (PromisedTask.objects.count(), queued()) == (1, 0)
    monkeypatch.undo()
    let_a_minute_pass()
    assert (work.send_overdue(), queued()) == (1, 1)


def test_the_application_makes_no_tables_for_its_messages(db: None) -> None:
    with pytest.raises(ProgrammingError, match="permission denied for schema pgmq"), connection.cursor() as cursor:
        cursor.execute("SELECT pgmq.create('another')")


def test_every_promised_task_exists() -> None:
    """Its name is a text, so that a service may promise a task that itself calls the service."""
    named = {
        name
        for path in ROOMS.rglob("*.py")
        for name in re.findall(r'"(apps\.\w+\.tasks\.\w+)"', path.read_text(encoding="utf-8"))
    }
    assert "apps.rules.tasks.run_import_part" in named
    current_app.loader.import_default_modules()
    assert named <= set(current_app.tasks)


def test_everything_on_the_schedule_exists() -> None:
    current_app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(current_app.tasks)


@pytest.mark.faults
def test_a_broker_emptied_at_a_random_moment_loses_no_work(committed: str) -> None:
    chooser = random.Random()
    with running(*WORKER):
        for _ in range(60):
            work.after_commit(NAME)
            if chooser.random() < 0.1:
                empty_the_broker()
        empty_the_broker()
        let_a_minute_pass()
        work.send_overdue()
        until(nothing_is_promised)
        until(lambda: queued() == 0)


@pytest.mark.faults
def test_a_task_that_fails_stays_promised(committed: str) -> None:
    work.after_commit("apps.rules.tasks.run_import_part", 404)
    with running(*WORKER, stderr=subprocess.DEVNULL):
        until(lambda: queued() == 0)
    assert PromisedTask.objects.get().args == [404]


@pytest.mark.faults
def test_redis_carries_the_same_work(committed: str, tmp_path: Path) -> None:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed; the broker road is tried on PostgreSQL only.")
    sending = f"import django; django.setup(); from apps.core import work; work.after_commit({NAME!r})"
    with redis_server(program, tmp_path) as address, running(*WORKER, CELERY_BROKER_URL=address):
        variables = environment(CELERY_BROKER_URL=address)
        subprocess.run([sys.executable, "-c", sending], cwd=settings.BASE_DIR, env=variables, check=True)
        assert queued() == 0
        until(nothing_is_promised)
