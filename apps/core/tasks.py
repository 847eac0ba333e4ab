"""Background work of the base: sending again what a broker lost."""

from celery import shared_task

from apps.core import work


@shared_task
def send_overdue() -> int:
    return work.send_overdue()
