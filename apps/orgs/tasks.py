"""Background work of this room: notices as e-mail, the quarterly review of roles. Each may be run twice or killed half
way."""

from celery import shared_task

from apps.core.clock import now
from apps.orgs import mailing
from apps.orgs.services.certifying import open_certifications


@shared_task
def mail_notices(*notices: int) -> None:
    mailing.mail(notices, now())


@shared_task
def mail_due_notices() -> int:
    return mailing.mail_due(now())


@shared_task
def open_reviews_of_roles() -> int:
    return open_certifications(now())
