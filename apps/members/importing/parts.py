"""What rooms above bring in with a member: opening points, for one. They register a `Part`; this room calls it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from apps.conditions.words import Words
from apps.members.importing.models import MemberImport
from apps.orgs.gate import Line

Texts = Mapping[str, str]
"""The cells of a row that the part takes, by target."""

Read = Callable[[Texts, date], "tuple[dict[str, Any], dict[str, str], list[str]]"]
"""Given a row's cells and the day its member joined: what to keep as the row's amounts, findings, and notes."""


@dataclass(frozen=True, slots=True)
class Brought:
    """One kind of what the rows that would be taken in bring, as people read it."""

    name: str
    number: int
    cost: str


class Part:
    """One room's share in a file of members. Every verb is a constant number of statements for however many rows."""

    code: ClassVar[str]
    label: ClassVar[Words]
    labels: ClassVar[Mapping[str, Words]] = {}
    """Words of the lines that it adds to what a request shows."""

    def takes(self, target: str) -> bool:
        """Whether a column can be read as `target`."""
        raise NotImplementedError

    def targets(self, program: Any) -> Sequence[tuple[str, Words]]:
        """What columns of a programme's files can be read as, with what they are called."""
        raise NotImplementedError

    def called(self, name: str, program: Any) -> str:
        """The target that a column of this name suggests: lower case, without blanks; empty where it suggests none."""
        return ""

    def reader(self, job: MemberImport, options: Mapping[str, Any], when: datetime) -> Read:
        """How the cells of one file are read."""
        raise NotImplementedError

    def totals(self, job: MemberImport) -> dict[str, Any]:
        """What the rows that would be taken in bring, to be kept with the file and shown before it is taken in."""
        raise NotImplementedError

    def facts(self, job: MemberImport) -> dict[str, Any]:
        """What policies may ask about, among the fields of `asked.FIELDS`; from what `totals` kept."""
        return {}

    def lines(self, job: MemberImport) -> Sequence[Line]:
        """What approvers are shown of it; from what `totals` kept."""
        return ()

    def brought(self, job: MemberImport) -> Sequence[Brought]:
        """What pages show of it; from what `totals` kept."""
        return ()

    def stateable(self, program: Any) -> Sequence[tuple[str, Words]]:
        """What a sender may state of a programme's files: `CODE:NAME` as in `stated_totals`, and what it is called."""
        return ()

    def in_row(self, job: MemberImport) -> Callable[[Mapping[str, Any]], str]:
        """How the amounts of a row read. A constant number of queries."""
        return lambda amounts: ""

    def take(self, job: MemberImport, first: int, last: int, when: datetime) -> None:
        """Brings in what the rows from `first` to `last` (included) hold whose members are in; running it again
        changes nothing."""
        raise NotImplementedError

    def take_back(self, job: MemberImport, first: int, last: int, when: datetime) -> dict[str, int]:
        """The reverse, as far as it is still there: what was gone, by name, to be added up."""
        raise NotImplementedError


LABELS: dict[str, Words] = {}
OPTIONS: dict[str, Any] = {}
"""By a part's code a form class, made with `options`, whose `options()` are what its `reader` is given."""
"""Of the lines of a request, ours and the parts'."""
_parts: dict[str, Part] = {}


def register(part: Part) -> None:
    """Adds a part. Raises ValueError where its code is taken."""
    if part.code in _parts:
        raise ValueError(f"there is a part called {part.code} already")
    _parts[part.code] = part
    LABELS.update(part.labels)


def parts() -> list[Part]:
    """Every part, in the order of registration."""
    return list(_parts.values())


Lived = Callable[[Sequence[int], MemberImport], set[int]]
"""Which of some members have done something since a file was taken in, as one room knows."""
_lives: list[Lived] = []


def later_life(lived: Lived) -> Lived:
    """Contributes what keeps a member from going when their file is taken back. A constant number of queries."""
    _lives.append(lived)
    return lived


def lives() -> Sequence[Lived]:
    return tuple(_lives)
