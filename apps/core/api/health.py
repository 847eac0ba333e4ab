"""Whether the studio is well, for whoever watches over it: no key, and no word of what is in it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import Field

from apps.core.api.problems import problem
from apps.core.clock import now
from apps.core.health import Health, health

router = Router(tags=["Health"])


class Well(Schema):
    """Everything answers."""

    database: bool
    broker: bool
    queue_seconds: int | None = Field(
        description="How long the oldest message has waited that no worker has taken; null where the broker cannot tell."
    )


@router.get("health", response=Well, summary="Whether the studio is well", auth=None)
def get_health(request: HttpRequest) -> Any:
    """200 when database and broker answer and no message waits too long for a worker; else 503 with what is wrong."""
    state = health(now())
    if not state.is_well:
        return _unwell(state)
    return {"database": True, "broker": True, "queue_seconds": state.queue_seconds}


def _unwell(state: Health) -> HttpResponse:
    if not state.database:
        code, detail = "database_down", _("The database does not answer.")
    elif not state.broker:
        code, detail = "broker_down", _("The broker of the background work does not answer.")
    else:
        code, detail = "queue_waits", _("Background work waits too long for a worker.")
    return problem(503, code, detail)
