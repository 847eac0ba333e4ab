"""Background work of the ledger: each finds its work in the rows and may be run twice or killed half way."""

from celery import shared_task

from apps.core.clock import now
from apps.points import services


@shared_task
def release_pending() -> int:
    return services.release_due(now())


@shared_task
def expire_points() -> int:
    return services.expire_due(now()).points


@shared_task
def void_lapsed_holds() -> int:
    return services.void_lapsed_holds(now())
