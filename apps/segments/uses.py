"""Who asks for a tag: rooms above say where conditions of theirs do, so that a change or a doubt about it is seen there.

@names_tags
def rules_asking(program: Program, keys: Collection[str]) -> list[Use]: ...
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from apps.orgs.models import Program


@dataclass(frozen=True)
class Use:
    """What asks for the tag `key`, where it is seen, and whether it is in force."""

    key: str
    name: str
    address: str
    is_live: bool


Finder = Callable[[Program, Collection[str]], list[Use]]
_finders: dict[str, Finder] = {}


def names_tags(find: Finder) -> Finder:
    """Registers where a room looks for tags that are asked for. A constant number of queries."""
    _finders[f"{find.__module__}.{find.__qualname__}"] = find
    return find


def uses_of(program: Program, keys: Collection[str]) -> list[Use]:
    """What asks for one of `keys` in the programmes at, above and below `program`; in order."""
    found = [use for find in _finders.values() for use in find(program, keys)]
    return sorted(found, key=lambda use: (use.key, not use.is_live, use.name))
