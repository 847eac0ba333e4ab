"""What the home page says about what came in: files, and the rows of them that were refused."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.activity.models import ImportJob
from apps.core.addresses import address
from apps.core.formats import number
from apps.core.home import Empty, Link, Panel, Row, section
from apps.orgs.jobs import jobs_held

TONES = {"done": "good", "refused": "bad", "cancelled": "warn"}


@section(order=40, permission="activity.view_importjob")
def imports(person: Any, when: datetime) -> Panel | None:
    """The latest files, and how many of their rows wait for a correction."""
    if not jobs_held(person) & {"integrator", "marketing"}:
        return None
    jobs = list(ImportJob.objects.visible_to(person).select_related("program").order_by("-pk")[:5])
    rows = tuple(
        Row(
            job.file_name,
            address("activity_importjob_change", job.pk),
            _("%(program)s: %(events)s events, %(refused)s rows refused")
            % {
                "program": job.program,
                "events": number(job.events_new + job.events_repeated),
                "refused": number(job.rows_refused),
            },
            tag=job.get_state_display(),
            tone="warn" if job.rows_refused and job.state == "done" else TONES.get(job.state, ""),
        )
        for job in jobs
    )
    everything = address("activity_importjob_changelist")
    action = Link(_("Bring in a file"), address("activity_importjob_add"))
    empty = Empty(
        _("Files with purchases and other events appear here, with every row that was refused and why."),
        action if person.has_perm("activity.add_importjob") else None,
    )
    return Panel(_("Latest imports"), rows=rows, empty=empty, more=Link(_("All imports"), everything) if jobs else None)
