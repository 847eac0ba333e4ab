"""Background work of members: files that are checked, taken in or taken back. Each task may be run twice, or be killed half way."""

from celery import shared_task

from apps.core.clock import now
from apps.members.importing import services


@shared_task
def run_member_import(job_id: int) -> None:
    services.run_step(job_id, when=now())


@shared_task
def go_on_with_member_imports() -> None:
    """Finds the files in their rows, whatever became of the messages."""
    for job_id in services.unfinished():
        services.hand_to_workers(job_id)
