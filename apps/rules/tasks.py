"""Background work of the rules: imports, part by part. Each may be run twice, beside others, or killed half way."""

from celery import shared_task

from apps.core.clock import now
from apps.rules import importing


@shared_task
def run_import_part(job_id: int) -> None:
    importing.run_part(job_id, when=now())


@shared_task
def go_on_with_imports() -> None:
    """Finds the jobs in their rows, whatever became of the messages."""
    for job_id in importing.unfinished_jobs():
        importing.hand_to_workers(job_id)
