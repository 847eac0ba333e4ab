"""Reading a file and checking every row, by several workers at once."""

from datetime import datetime

from django.db import transaction

from apps.core.reading import FileRefused
from apps.members.importing.bringing import State, forget_rows, remove_file, require_still
from apps.members.importing.checking import match, settle_states
from apps.members.importing.deciding import settle_again
from apps.members.importing.models import MemberImport
from apps.members.importing.staging import Progress, stage, waits_still


def check(job_id: int, *, when: datetime, tell: Progress = lambda stage, done, total: None) -> MemberImport:
    """Reads and checks every row that nobody else is reading; whoever finds all of them read matches them. A file that cannot
    be read is refused and keeps nothing."""
    job = MemberImport.objects.select_related("program__unit", "created_by").get(pk=job_id)
    if job.state != State.CHECKING:
        return job
    try:
        require_still(job)
        if not stage(job, when=when, tell=tell):
            return job
        job.refresh_from_db(fields=["rows_read"])
        if not job.rows_read:
            raise FileRefused(reason="no_rows")
        tell("matching", 0, job.rows_read)
        with transaction.atomic():
            if waits_still(job, "NO KEY UPDATE"):
                match(job)
                if job.decisions:
                    settle_again(job)
                    settle_states(job)
                job.state = State.CHECKED
                job.save(update_fields=["state"])
    except FileRefused as refusal:
        with transaction.atomic():
            # Waits for whoever is still reading.
            if waits_still(job, "UPDATE"):
                forget_rows(job)
                job.state, job.refusal, job.ended_at = State.REFUSED, refusal.data, when
                job.save(update_fields=["state", "refusal", "ended_at"])
                remove_file(job)
    return job
