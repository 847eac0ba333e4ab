"""What the clock does in this room; each task finds its work in the rows and may be run twice or killed half way."""

from celery import shared_task

from apps.approvals.services import digests, waiting
from apps.core.clock import now


@shared_task
def escalate_due() -> int:
    return waiting.escalate_due(now())


@shared_task
def remind_due() -> int:
    return waiting.remind_due(now())


@shared_task
def replace_absent() -> int:
    return waiting.replace_absent(now())


@shared_task
def send_digests() -> int:
    return digests.send_due(now())
