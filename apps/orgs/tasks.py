"""Background work of this room: notices as e-mail. Each may be run twice or killed half way."""

from celery import shared_task

from apps.core.clock import now
from apps.orgs import mailing


@shared_task
def mail_notices(*notices: int) -> None:
    mailing.mail(notices, now())


@shared_task
def mail_due_notices() -> int:
    return mailing.mail_due(now())
