"""What rooms above move along when two members become one, points for instance. They register a `Part`; this room calls it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from apps.conditions.words import Words
from apps.core.errors import LoyaltyError
from apps.members.merging.models import Merge
from apps.orgs.gate import Line


@dataclass(frozen=True)
class Beside:
    """One line of the two members side by side: its name, and what each has."""

    name: Words
    values: Mapping[int, str]


class Part:
    """One room's share. The two members are locked when its verbs are called, in the transaction of the merge."""

    code: ClassVar[str]
    labels: ClassVar[Mapping[str, Words]] = {}
    """Words of the lines that it adds to what a request shows."""

    def beside(self, person: Any, members: Sequence[int]) -> Sequence[Beside]:
        """What pages show of the two, as far as `person` may see it. A constant number of queries."""
        return ()

    def facts(self, source: int, target: int, merge: Merge | None) -> dict[str, Any]:
        """What policies may ask about, among the fields of `asked.FIELDS`, of what moves from one member to the other;
        with `merge`, when that is undone."""
        return {}

    def lines(self, source: int, target: int, merge: Merge | None) -> Sequence[Line]:
        """What approvers are shown of it. A constant number of queries."""
        return ()

    def told(self, merge: Merge) -> Sequence[tuple[Words, str]]:
        """What the page of a merge says of what moved and what came back. A constant number of queries."""
        return ()

    def obstacles(self, kept: int, gone: int, when: datetime) -> Sequence[LoyaltyError]:
        """What is in the way of a merge."""
        return ()

    def obstacles_back(self, merge: Merge, when: datetime) -> Sequence[LoyaltyError]:
        """What is in the way of undoing it."""
        return ()

    def move(self, merge: Merge, actor: Any, when: datetime) -> dict[str, Any]:
        """Moves what the gone member has to the kept; what moved, as JSON."""
        return {}

    def move_back(self, merge: Merge, actor: Any, when: datetime) -> dict[str, Any]:
        """Moves back what is still there; what came back and what did not, as JSON."""
        return {}


LABELS: dict[str, Words] = {}
"""Of the lines of a request, ours and the parts'."""
_parts: dict[str, Part] = {}


def register(part: Part) -> None:
    """Adds a part. Raises ValueError where its code is taken."""
    if part.code in _parts:
        raise ValueError(f"there is a part called {part.code} already")
    _parts[part.code] = part
    LABELS.update(part.labels)


def parts() -> list[Part]:
    """Every part, in the order of registration: lower rooms first."""
    return list(_parts.values())
