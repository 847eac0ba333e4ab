"""What rooms above say about a programme on its page.

@part(permission="members.view_qualitygate")
def standing(reader: Any, program: Program) -> Part | None: ...
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.orgs.models import Program


@dataclass(frozen=True)
class Part:
    """A part of the page: its template gets `context` under the name `part`."""

    title: str
    template: str
    context: Any


Builder = Callable[[Any, Program], Part | None]
_builders: dict[str, tuple[str, Builder]] = {}


def part(permission: str) -> Callable[[Builder], Builder]:
    """Contributes a part for people who hold `permission` on the programme."""

    def keep(build: Builder) -> Builder:
        _builders[f"{build.__module__}.{build.__qualname__}"] = (permission, build)
        return build

    return keep


def parts_for(reader: Any, program: Program) -> list[Part]:
    """What is said to `reader` about the programme. Each part asks a constant number of queries."""
    built = (build(reader, program) for permission, build in _builders.values() if reader.has_perm(permission, program))
    return [each for each in built if each is not None]
