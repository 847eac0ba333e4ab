"""What the latest events and members said: channels, articles, categories, brands, tags and attributes to offer while somebody
writes a condition."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count

from apps.activity.models import Event, EventLine
from apps.members.models import Member, MemberTag

LATEST = 2_000
"""Events, and members, looked at, however many there are."""
MOST = 100


def values_seen(principal: Any) -> dict[str, list[str]]:
    """The texts of fields among the latest events and members, as far as `principal` sees them, the commonest first;
    by the prefix of a family of attributes, what they are called."""
    latest = Event.objects.order_by("-pk").values("pk")[:LATEST]
    events = Event.objects.visible_to(principal).filter(pk__in=latest)
    lines = EventLine.objects.visible_to(principal).filter(event__in=latest)
    tags = MemberTag.objects.visible_to(principal).filter(
        pk__in=MemberTag.objects.order_by("-pk").values("pk")[:LATEST]
    )
    members = Member.objects.visible_to(principal).order_by("-pk")[:LATEST]
    return {
        "event.kind": _commonest(events, "kind"),
        "event.channel": _commonest(events, "channel"),
        "line.brand": _commonest(lines, "brand"),
        "line.category": _commonest(lines, "category"),
        "line.sku": _commonest(lines, "sku"),
        "member.tags": _commonest(tags, "tag"),
        **_attributes("event.attributes.", events.values_list("attributes", flat=True)),
        **_attributes("member.attributes.", members.values_list("attributes", flat=True)),
    }


def _commonest(rows: Any, name: str) -> list[str]:
    counted = rows.order_by().exclude(**{name: ""}).values(name).annotate(number=Count("pk")).order_by("-number", name)
    return [row[name] for row in counted[:MOST]]


def _attributes(prefix: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The names of attributes by `prefix`, and the texts of each by its whole name."""
    names: Counter[str] = Counter()
    texts: dict[str, Counter[str]] = {}
    for attributes in rows:
        names.update(attributes.keys())
        for name, value in attributes.items():
            said = value if isinstance(value, list) else [value]
            texts.setdefault(name, Counter()).update(each for each in said if isinstance(each, str) and each)
    found = {prefix: _most(names)}
    return found | {prefix + name: _most(texts[name]) for name in found[prefix]}


def _most(counted: Counter[str]) -> list[str]:
    return sorted(counted, key=lambda text: (-counted[text], text))[:MOST]
