"""What hangs on a person: rooms tell what they know of, and hand on what others can do in the person's place.

@hanging(order=10)
def tasks(person: Staff, reader: Staff, when: datetime) -> Iterable[Hanging]: ...

set_sweep(hand_on_of_one, hand_on_of_all)
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from apps.orgs.models import Staff


@dataclass(frozen=True)
class Hanging:
    """One kind of thing that hangs on a person: what it is, how many there are, what becomes of them."""

    title: str
    count: int
    becomes: str = ""
    address: str = ""


Finder = Callable[[Staff, Staff, datetime], Iterable[Hanging]]
_finders: dict[str, tuple[int, Finder]] = {}


HandOn = Callable[[Staff, datetime], int]
_hands: list[HandOn] = []


def hanging(order: int) -> Callable[[Finder], Finder]:
    """Contributes what a room knows of; lower orders stand higher."""

    def keep(find: Finder) -> Finder:
        _finders[f"{find.__module__}.{find.__qualname__}"] = (order, find)
        return find

    return keep


def hands_on(hand: HandOn) -> HandOn:
    """Contributes how a room hands on what waits for somebody who is gone; it says how much it was."""
    if hand not in _hands:
        _hands.append(hand)
    return hand


def hangs_on(person: Staff, reader: Staff, when: datetime) -> list[Hanging]:
    """What hangs on `person`, in order; kinds of which there is nothing are left out."""
    finders = [find for _, find in sorted(_finders.values(), key=lambda pair: pair[0])]
    return [each for find in finders for each in find(person, reader, when) if each.count]


def hand_on(person: Staff, when: datetime) -> int:
    """Hands on what waits for `person`, who is gone; how much."""
    return sum(hand(person, when) for hand in _hands)
