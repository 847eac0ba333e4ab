"""Who names an attribute: rooms above say where conditions of theirs ask for it, so that nobody deletes what is in use.

    @names_attributes
    def rules_naming(unit: OrgUnit, key: str, values: frozenset[str]) -> list[str]: ...

answers the names of what, in the programmes at, above and below `unit`, asks for that attribute; with `values`, only of
what names one of them.
"""

from collections.abc import Callable

from apps.orgs.models import OrgUnit

Finder = Callable[[OrgUnit, str, frozenset[str]], list[str]]
_finders: dict[str, Finder] = {}


def names_attributes(find: Finder) -> Finder:
    """Registers where a room looks for attributes that are named."""
    _finders[f"{find.__module__}.{find.__qualname__}"] = find
    return find


def users_of(unit: OrgUnit, key: str, values: frozenset[str] = frozenset()) -> list[str]:
    """What names the attribute, or one of those values of it; in order, each once."""
    return sorted({name for find in _finders.values() for name in find(unit, key, values)})
