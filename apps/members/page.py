"""The member page: rooms above contribute what they know of a member; this room puts it in order.

    @block(order=10, permission="points.view_account")
    def balances(asked: Asked) -> Block | None: ...

The admin's change page shows `blocks_for(asked)` with `members/page.html`. A block asks a constant number of queries
and shows only what `asked.person` may see; who may see a member sees that member's whole timeline.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.members.models import Member


@dataclass(frozen=True)
class Asked:
    """Whose page, by whom, when; `query` holds the address's parameters, for paging inside a block."""

    person: Any
    member: Member
    when: datetime
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """A part of the page: its template gets `context` under the name `block`."""

    title: str
    template: str
    context: Any


Builder = Callable[[Asked], Block | None]
_builders: dict[str, tuple[int, str, Builder]] = {}


def block(order: int, permission: str) -> Callable[[Builder], Builder]:
    """Contributes a block for people who hold `permission` somewhere; lower orders stand higher."""

    def keep(build: Builder) -> Builder:
        _builders[f"{build.__module__}.{build.__qualname__}"] = (order, permission, build)
        return build

    return keep


def blocks_for(asked: Asked) -> list[Block]:
    """The blocks of a member's page, in order."""
    chosen = sorted(_builders.values(), key=lambda each: each[0])
    built = (build(asked) for _, permission, build in chosen if asked.person.has_perm(permission))
    return [each for each in built if each is not None]
