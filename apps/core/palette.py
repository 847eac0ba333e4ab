"""What Ctrl+K finds: rooms contribute sources, each of which shows only what the person may see.

    @source(permission="rules.view_rule")
    def rules(person: Staff, term: str) -> list[Found]: ...

Nothing is cached: a right taken away is gone at the next key stroke.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST = 6
"""Rows of one source."""


@dataclass(frozen=True)
class Found:
    """A line of the palette, as its template reads it."""

    title: str
    description: str
    link: str
    icon: str = "arrow_forward"


Source = Callable[[Any, str], list[Found]]
_sources: dict[str, tuple[str, Source]] = {}


def source(permission: str) -> Callable[[Source], Source]:
    """Contributes what `term` finds for people who hold `permission` somewhere; at most MOST rows are shown."""

    def keep(find: Source) -> Source:
        _sources[f"{find.__module__}.{find.__qualname__}"] = (permission, find)
        return find

    return keep


def found_for(person: Any, term: str) -> list[Found]:
    """What the rooms find for `term`, in the order in which they were installed."""
    found: list[Found] = []
    for permission, find in _sources.values():
        if person.has_perm(permission):
            found += find(person, term)[:MOST]
    return found
