"""The home page's sections: rooms contribute what needs doing; core puts them in order.

    @section(order=20, permission="rules.view_rule")
    def drafts(person: Staff, when: datetime) -> Panel | None: ...

A section asks a constant number of queries, shows only what `person` may see, and returns None where it has
nothing to say to a person of that job.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Link:
    text: str
    address: str


@dataclass(frozen=True)
class Figure:
    """One number with its name; `value` is formatted already, `note` says what it is measured against."""

    name: str
    value: str
    note: str = ""
    address: str = ""


@dataclass(frozen=True)
class Row:
    """One line of work. `tone` colours the tag: good, warn or bad; the tag's words say the same."""

    text: str
    address: str = ""
    note: str = ""
    amount: str = ""
    tag: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Empty:
    """What a section says when there is nothing: what would stand here, and the one thing to do."""

    text: str
    action: Link | None = None


@dataclass(frozen=True)
class Search:
    """A search box: where it asks, under which name, and what may be typed."""

    address: str
    name: str
    label: str
    hint: str = ""


@dataclass(frozen=True)
class Panel:
    """A section of the home page."""

    title: str
    note: str = ""
    figures: tuple[Figure, ...] = ()
    rows: tuple[Row, ...] = ()
    empty: Empty | None = None
    more: Link | None = None
    search: Search | None = None
    is_wide: bool = False


Builder = Callable[[Any, datetime], Panel | None]


@dataclass(frozen=True)
class _Section:
    order: int
    permission: str
    build: Builder


@dataclass
class _Sections:
    known: dict[str, _Section] = field(default_factory=dict)


_sections = _Sections()


def section(order: int, permission: str) -> Callable[[Builder], Builder]:
    """Contributes a section for people who hold `permission` somewhere; lower orders stand higher."""

    def keep(build: Builder) -> Builder:
        _sections.known[f"{build.__module__}.{build.__qualname__}"] = _Section(order, permission, build)
        return build

    return keep


def panels_for(person: Any, when: datetime) -> list[Panel]:
    """The home page of `person`, in order."""
    chosen = sorted(_sections.known.values(), key=lambda each: each.order)
    built = (each.build(person, when) for each in chosen if person.has_perm(each.permission))
    return [panel for panel in built if panel is not None]
