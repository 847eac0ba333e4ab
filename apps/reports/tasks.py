"""Background work of the reports; each may be run twice or killed half way."""

from celery import shared_task

from apps.core.clock import now
from apps.orgs.models import Staff
from apps.reports import services


@shared_task
def fold_facts() -> int:
    return services.fold_facts(now()).entries


@shared_task
def check_ledger(staff_id: int | None = None) -> int:
    """How many rows differ; each is kept with the check, where finance and auditors read it."""
    return services.check_ledger(Staff.objects.filter(pk=staff_id).first(), now())
