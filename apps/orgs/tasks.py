"""Background work of this room: notices as e-mail."""

from celery import shared_task

from apps.orgs.notices import mail


@shared_task
def mail_notices(*notices: int) -> None:
    mail(notices)
