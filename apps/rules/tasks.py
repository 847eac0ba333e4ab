"""Background work of the rules: imports and batches of codes, part by part, and the events that the studio tells itself. Each may be run
twice, beside others, or killed half way."""

from celery import shared_task

from apps.core.clock import now
from apps.core.work import unless_promised
from apps.orgs.models import Program
from apps.rules import daily, friends, importing
from apps.rules.codes import services as codes


@shared_task
def run_import_part(job_id: int) -> None:
    importing.run_part(job_id, when=now())


@shared_task
def go_on_with_imports() -> None:
    """Finds the jobs in their rows, whatever became of the messages."""
    for job_id in importing.unfinished_jobs():
        importing.hand_to_workers(job_id)


@shared_task
def make_codes(batch_id: int) -> None:
    codes.make_part(batch_id, when=now())


@shared_task
def tell_friends() -> None:
    friends.tell_friends(now())


@shared_task
def tell_days() -> None:
    """Finds the programmes whose day has begun and is not told, or was missed."""
    for program_id in daily.programs_due(now()):
        unless_promised("apps.rules.tasks.tell_days_of", program_id)


@shared_task
def tell_days_of(program_id: int) -> None:
    daily.tell_days(Program.objects.select_related("unit").get(pk=program_id), now())
