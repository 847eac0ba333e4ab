"""Work after commit: a task that a transaction promises is a row of that transaction, so that no broker can lose it.

The message is sent once the row is committed, and the row goes when the task is done. What is still there a minute
later the sweeper sends again, then later and later: a task is therefore safe to run twice, and takes ids only.
Times here are the database's own: they are the machinery's, not the business's.
"""

from datetime import timedelta
from typing import Any

from celery import Task, current_app
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.core.models import PromisedTask

SENT_AT_ONCE = 1_000
LONGEST_WAIT_MINUTES = 60


def after_commit(task: str, *args: int | str) -> None:
    """Has the task of that name (`apps.rules.tasks.run_import_part`) run once the present transaction is committed."""
    _send_after_commit(PromisedTask.objects.create(task=task, args=list(args)))


def unless_promised(task: str, *args: int | str, times: int = 1) -> None:
    """`after_commit`, so many times for as many workers, unless the same work is waiting already."""
    if not PromisedTask.objects.filter(task=task, args=list(args)).exists():
        for _ in range(times):
            after_commit(task, *args)


@transaction.atomic
def send_overdue() -> int:
    """Sends again what was sent long enough ago and is not done; how many."""
    overdue = PromisedTask.objects.select_for_update(skip_locked=True).filter(due_at__lte=Now()).order_by("due_at")
    again = list(overdue[:SENT_AT_ONCE])
    for promised in again:
        wait = timedelta(minutes=min(2**promised.resent, LONGEST_WAIT_MINUTES))
        PromisedTask.objects.filter(pk=promised.pk).update(resent=F("resent") + 1, due_at=Now() + wait)
        _send_after_commit(promised)
    return len(again)


def _send_after_commit(promised: PromisedTask) -> None:
    # Robust: a broker that is down fails no request, the sweeper sends the row later.
    transaction.on_commit(lambda: _send(promised), robust=True)


def _send(promised: PromisedTask) -> None:
    current_app.send_task(promised.task, args=promised.args, task_id=str(promised.pk), headers={"is_promised": True})


class StudioTask(Task):
    """Every task of the studio: one that was promised runs only while its row is there, and takes it away when done."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not (self.request.headers or {}).get("is_promised"):
            return super().__call__(*args, **kwargs)
        row = PromisedTask.objects.filter(pk=self.request.id)
        if not row.exists():
            return None
        result = super().__call__(*args, **kwargs)
        row.delete()
        return result
