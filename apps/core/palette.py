"""What the box under Ctrl+K finds: rooms contribute sources, each of which shows only what the person may see.

    @source(gettext_lazy("Rules"), permission="rules.view_rule", listed="rules_rule_changelist")
    def rules(person: Staff, term: str) -> list[Found]: ...

Nothing is cached: a right taken away is gone at the next key stroke.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.http import urlencode

from apps.core.addresses import address
from apps.core.errors import LoyaltyError

MOST = 6
"""Rows of one source that are shown; a source looks for one more, which says that there are more."""


@dataclass(frozen=True)
class Found:
    """A line of the box, as its template reads it; `mark` stands beside the title, `tag` says what is unusual."""

    title: str
    description: str
    link: str
    icon: str = "arrow_forward"
    mark: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Section:
    """What one source found; `more` is the address of a list of all of it, `refusal` why it did not look."""

    title: str
    rows: tuple[Found, ...] = ()
    more: str = ""
    refusal: str = ""


Find = Callable[[Any, str], list[Found]]


@dataclass(frozen=True)
class Source:
    title: Any
    permission: str
    listed: str
    find: Find

    def section(self, person: Any, term: str) -> Section:
        try:
            found = self.find(person, term)
        except LoyaltyError as refusal:
            return Section(str(self.title), refusal=refusal.sentence())
        more = f"{address(self.listed)}?{urlencode({'q': term})}" if len(found) > MOST else ""
        return Section(str(self.title), tuple(found[:MOST]), more)


_sources: dict[str, Source] = {}


def source(title: Any, *, permission: str, listed: str) -> Callable[[Find], Find]:
    """Contributes what `term` finds for people who hold `permission` somewhere; the list `listed` shows all of it."""

    def keep(find: Find) -> Find:
        _sources[f"{find.__module__}.{find.__qualname__}"] = Source(title, permission, listed, find)
        return find

    return keep


def sections_for(person: Any, term: str) -> list[Section]:
    """What the rooms find for `term`, in the order in which they were installed; none that found nothing."""
    asked = (each.section(person, term) for each in _sources.values() if person.has_perm(each.permission))
    return [section for section in asked if section.rows or section.refusal]
