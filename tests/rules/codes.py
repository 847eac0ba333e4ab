"""Batches of codes for tests, made through the services; and events that redeem their codes."""

from itertools import count
from typing import Any

from apps.activity.incoming import IncomingEvent
from apps.rules.codes import services
from apps.rules.codes.models import CodeBatch
from tests.factories import CoffeeGroup
from tests.rules.conftest import START

_numbers = count(1)


def drafted(group: CoffeeGroup, **values: Any) -> CodeBatch:
    values = {"code": f"caps{next(_numbers)}", "name": "Bottle caps", "size": 20, "when": START} | values
    return services.create_batch(None, group.east, group[values.pop("unit", "EAST")], **values)


def made(group: CoffeeGroup, **values: Any) -> tuple[CodeBatch, list[str]]:
    """A batch that is ready, and its codes in their order."""
    batch = services.start_making(None, drafted(group, **values), when=START)
    while CodeBatch.objects.get(pk=batch.pk).state == "making":
        services.make_part(batch.pk, when=START)
    batch.refresh_from_db()
    return batch, [code for _number, code in services.download(None, batch, when=START)]


def mistyped(code: str) -> str:
    """The code with a wrong last character, whichever the right one is."""
    return code[:-1] + ("2" if code[-1] != "2" else "3")


def redeeming(code: str | None, key: str | None = None, member: str = "C1", **more: Any) -> IncomingEvent:
    values = {"occurred_at": START, "store": "S001", "attributes": {"code": code}} | more
    return IncomingEvent(key or f"code{next(_numbers)}", "code", "card", member, **values)
