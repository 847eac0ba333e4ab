"""Background work of members: files that are checked, taken in or taken back; data quality. Each task may be run twice, or be killed half way."""

from celery import shared_task

from apps.core.clock import now
from apps.core.work import unless_promised
from apps.members.importing import services
from apps.members.merging import finding
from apps.members.quality import measuring


@shared_task
def run_member_import(job_id: int) -> None:
    services.run_step(job_id, when=now())


@shared_task
def go_on_with_member_imports() -> None:
    """Finds the files in their rows, whatever became of the messages."""
    for job_id in services.unfinished():
        services.hand_to_workers(job_id)


@shared_task
def measure_quality(rule_id: int) -> int:
    """How many members are at fault by the rule."""
    return measuring.measure_rule(rule_id, now())


@shared_task
def measure_all_quality() -> None:
    """Each rule by itself: one that fails keeps none of the others."""
    for rule_id in measuring.rules_in_force():
        unless_promised("apps.members.tasks.measure_quality", rule_id)


@shared_task
def forget_rows_of_old_files() -> None:
    services.forget_old(when=now())


@shared_task
def find_duplicates(search_id: int) -> None:
    finding.search(search_id, when=now())


@shared_task
def find_duplicates_tonight() -> None:
    finding.ask_search(None, when=now())
