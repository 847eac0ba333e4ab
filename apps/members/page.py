"""The member page: rooms above contribute what they know of a member; this room puts it in order.

    @block(order=10, permission="points.view_account")
    def balances(asked: Asked) -> Block | None: ...

    @action(order=10, permission="points.adjust_points")
    def adjusting(asked: Asked) -> Action | None: ...

The admin's change page shows `blocks_for(asked)` with `members/page.html`. A block asks a constant number of queries
and shows only what `asked.person` may see; who may see a member sees that member's whole timeline. An action is a
button that leads to a page of the room that offers it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from django.http import Http404

from apps.members.models import Member

Found = TypeVar("Found")


@dataclass(frozen=True)
class Asked:
    """Whose page, by whom, when; `query` holds the address's parameters, for paging inside a block."""

    person: Any
    member: Member
    when: datetime
    query: Mapping[str, str] = field(default_factory=dict)
    _read: dict[Any, Any] = field(default_factory=dict)

    def once(self, read: Callable[["Asked"], Found]) -> Found:
        """What `read` finds for this page: asked once, by however many blocks."""
        if read not in self._read:
            self._read[read] = read(self)
        return cast(Found, self._read[read])


@dataclass(frozen=True)
class Block:
    """A part of the page: its template gets `context` under the name `block`."""

    title: str
    template: str
    context: Any


@dataclass(frozen=True)
class Action:
    """A button on top of the page: what it does, where it leads, and its symbol."""

    title: str
    address: str
    icon: str


def member_or_404(person: Any, object_id: str) -> Member:
    """The member of a page that another room offers; unseen and missing are one."""
    seen = Member.objects.visible_to(person).select_related("home_unit")
    member = seen.filter(pk=object_id).first() if object_id.isdecimal() and len(object_id) < 19 else None
    if member is None:
        raise Http404
    return member


Builder = Callable[[Asked], Block | None]
Offer = Callable[[Asked], Action | None]
_builders: dict[str, tuple[int, str, Builder]] = {}
_offers: dict[str, tuple[int, str, Offer]] = {}


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


def action(order: int, permission: str) -> Callable[[Offer], Offer]:
    """Contributes a button for people who hold `permission` on the member; lower orders stand first."""

    def keep(offer: Offer) -> Offer:
        _offers[f"{offer.__module__}.{offer.__qualname__}"] = (order, permission, offer)
        return offer

    return keep


def actions_for(asked: Asked) -> list[Action]:
    """The buttons of a member's page, in order; none for one of whom nothing is left."""
    if asked.member.state == Member.State.REMOVED:
        return []
    chosen = sorted(_offers.values(), key=lambda each: each[0])
    offered = (offer(asked) for _, permission, offer in chosen if asked.person.has_perm(permission, asked.member))
    return [each for each in offered if each is not None]


def missing_for(asked: Asked) -> list[str]:
    """The permissions of buttons that the person does not get on this member."""
    if asked.member.state == Member.State.REMOVED:
        return []
    chosen = sorted(_offers.values(), key=lambda each: each[0])
    permissions = dict.fromkeys(permission for _, permission, _ in chosen)
    return [permission for permission in permissions if not asked.person.has_perm(permission, asked.member)]
