"""What the latest events said: channels, articles and categories to offer while somebody writes a condition."""

from typing import Any

from django.db.models import Count

from apps.activity.models import Event, EventLine

LATEST = 2_000
"""Events looked at, however many there are."""
MOST = 100


def values_seen(principal: Any) -> dict[str, list[str]]:
    """The values of text fields among the latest events, as far as `principal` sees them, the commonest first."""
    latest = Event.objects.order_by("-pk").values("pk")[:LATEST]
    events = Event.objects.visible_to(principal).filter(pk__in=latest)
    lines = EventLine.objects.visible_to(principal).filter(event__in=latest)
    return {
        "event.channel": _commonest(events, "channel"),
        "line.category": _commonest(lines, "category"),
        "line.sku": _commonest(lines, "sku"),
    }


def _commonest(rows: Any, name: str) -> list[str]:
    counted = rows.order_by().exclude(**{name: ""}).values(name).annotate(number=Count("pk")).order_by("-number", name)
    return [row[name] for row in counted[:MOST]]
