"""Background work of tags and segments: each finds what is due in the rows and may be run twice or killed half way."""

from celery import shared_task

from apps.core.clock import now
from apps.core.work import unless_promised
from apps.segments.services import refreshing, scoring, tracking


@shared_task
def refresh_due() -> None:
    """Scores first: tags are given by them."""
    when = now()
    for program_id in scoring.programs_due(when):
        unless_promised("apps.segments.tasks.score_program", program_id)
    for tag_id in refreshing.tags_due(when):
        unless_promised("apps.segments.tasks.refresh_tag", tag_id)
    for segment_id in tracking.segments_due(when):
        unless_promised("apps.segments.tasks.refresh_segment", segment_id)


@shared_task
def refresh_tag(tag_id: int) -> None:
    refreshing.refresh_tag(tag_id, now())


@shared_task
def refresh_members(program_id: int, *members: int) -> None:
    refreshing.refresh_members(program_id, members, now())


@shared_task
def refresh_segment(segment_id: int) -> None:
    tracking.refresh_segment(segment_id, now())


@shared_task
def score_program(program_id: int) -> None:
    scoring.score(program_id, now())
