"""Lists of members that rooms above can name, such as a segment: the member list shows one under `?in=segment:7`.

    @chooses("segment")
    def of_segment(person: Any, name: str, when: datetime) -> Chosen | None: ...

answers what is called `segment:NAME`, as `person` may see it; None where there is no such list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q


@dataclass(frozen=True)
class Chosen:
    """A list of members: what it is called, and who is in it."""

    title: str
    members: Q


Finder = Callable[[Any, str, datetime], Chosen | None]
_finders: dict[str, Finder] = {}


def chooses(code: str) -> Callable[[Finder], Finder]:
    """Registers how a room finds the lists named `code:…`."""

    def keep(find: Finder) -> Finder:
        _finders[code] = find
        return find

    return keep


def chosen(person: Any, name: str, when: datetime) -> Chosen | None:
    """The list of that whole name; None where there is none."""
    code, _colon, rest = name.partition(":")
    find = _finders.get(code)
    return find(person, rest, when) if find is not None and rest else None
