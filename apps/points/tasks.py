"""Background work of the ledger: each finds its work in the rows and may be run twice or killed half way."""

from celery import shared_task

from apps.core.clock import now
from apps.points import services
from apps.points.checking import differences


@shared_task
def release_pending() -> int:
    return services.release_due(now())


@shared_task
def expire_points() -> int:
    return services.expire_due(now()).points


@shared_task
def void_lapsed_holds() -> int:
    return services.void_lapsed_holds(now())


@shared_task
def check_ledger() -> int:
    """How many differences; each is in the log by its account, never by a person's name."""
    import logging

    found = differences()
    for difference in found:
        logging.getLogger(__name__).error("ledger: %s", difference)
    return len(found)
