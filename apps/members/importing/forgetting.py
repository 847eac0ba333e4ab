"""Rows of files are not kept for ever: they name people, also those who never became members."""

from datetime import datetime, timedelta

from apps.core.transactions import in_transaction
from apps.members.importing.bringing import forget_rows
from apps.members.importing.models import MemberImport

KEPT = timedelta(days=30)
"""So long after a file ended it can be taken back, and its refused rows be fetched."""


def forget_old(*, when: datetime) -> int:
    """Forgets the rows of files that ended long enough ago; of how many files. Running it again changes nothing."""
    ended = MemberImport.objects.filter(ended_at__lte=when - KEPT, forgotten_at=None).order_by("pk")
    return sum(_forget(pk, when) for pk in ended.values_list("pk", flat=True))


@in_transaction
def _forget(job_id: int, when: datetime) -> bool:
    job = MemberImport.objects.select_for_update().get(pk=job_id)
    if job.forgotten_at or job.ended_at is None or job.ended_at > when - KEPT:
        return False
    forget_rows(job)
    job.forgotten_at = when
    job.save(update_fields=["forgotten_at"])
    return True
