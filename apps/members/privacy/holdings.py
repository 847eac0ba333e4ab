"""What the studio holds of a member: every room says it here, table by table. Of it the member's own data is told, it is
what an erasure empties, and its certificate lists.

    register(Holding(Event, Words("Events", "事件"), of_member(Event), tells=told_event, stays=Words("…", "…")))

A test walks the schema: every model that says how it stands to personal data has a holding.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from apps.conditions.words import Words
from apps.members.identifiers import normalise
from apps.members.models import Erasure, Member

KINDS = ("phone", "email", "card")
"""Identifiers that have several spellings."""
LONG = 7
"""Characters of an identifier that no text holds by chance."""
FIGURES = Words(
    "Figures that the books need stay, under the member's number alone", "账目所需的数字予以保留，仅以会员编号表示"
)


@dataclass(frozen=True)
class Erasing:
    """A member who is just being erased, by what they were known while that is still known: `named` holds the kinds and
    keyed hashes of their identifiers, `values` how these are spelt, `masks` how records show them; `born` is the birthday
    as figures alone, empty where none is known."""

    member: Member
    erasure: Erasure
    when: datetime
    named: frozenset[tuple[str, bytes]] = frozenset()
    values: frozenset[str] = frozenset()
    name: str = ""
    born: str = ""
    masks: Sequence[str] = ()
    files: list[str] = field(default_factory=list)
    """Files that go when the erasure is committed."""

    @property
    def hashes(self) -> list[bytes]:
        return sorted({value for _kind, value in self.named})

    @property
    def told(self) -> list[str]:
        """All by which a text may name them."""
        return sorted(self.values | ({self.name} if self.name else set()))

    def is_named_in(self, cells: Collection[str]) -> bool:
        """Whether a row of a file names them: an identifier in any spelling, or within a text where it is long enough to
        stand there for no other reason, or the name together with the birthday. The name alone is others' too."""
        spelt = (normalise(kind, cell) for cell in cells for kind in KINDS)
        long = [value for value in self.values if len(value) >= LONG]
        if not self.values.isdisjoint([*cells, *spelt]) or any(value in cell for cell in cells for value in long):
            return True
        return (
            bool(self.name and self.born) and self.name in cells and any(_figures(cell) == self.born for cell in cells)
        )


def _figures(text: str) -> str:
    return "".join(each for each in text if each.isdigit())


Rows = Callable[[int], QuerySet]
Tell = Callable[[Any], Mapping[Words, Any]]


@dataclass(frozen=True)
class Holding:
    """One table. `rows` are those about a member, `tells` how one of them reads in the member's own data (None: they say
    nothing that others do not), `erase` empties or removes them and says how many, `stays` says what stays and why."""

    model: Any
    label: Words
    rows: Rows
    tells: Tell | None = None
    erase: Callable[[Erasing], int] | None = None
    stays: Words | None = None

    @property
    def relation(self) -> str:
        return str(self.model._meta.db_table)


_holdings: dict[str, Holding] = {}
Door = Callable[[Erasing], Mapping[str, int]]
_doors: list[Door] = []
Hindrance = Callable[[Member, datetime], Iterable[str]]
_hindrances: list[Hindrance] = []


def register(*holdings: Holding) -> None:
    """Adds tables. Raises ValueError where one is told of twice."""
    for holding in holdings:
        if holding.relation in _holdings:
            raise ValueError(f"{holding.relation} is told of already")
        _holdings[holding.relation] = holding


def holdings() -> list[Holding]:
    """Every table, in the order of registration, lower rooms first."""
    return list(_holdings.values())


def door(blank: Door) -> Door:
    """Contributes what blanks words in a room's append-only tables; it says how many rows of which table."""
    _doors.append(blank)
    return blank


def doors() -> Sequence[Door]:
    return tuple(_doors)


def hindrance(find: Hindrance) -> Hindrance:
    """Contributes what stands in the way of an erasure, in sentences."""
    _hindrances.append(find)
    return find


def hindrances(member: Member, when: datetime) -> list[str]:
    return [sentence for find in _hindrances for sentence in find(member, when)]


@dataclass(frozen=True)
class Remainder:
    """What of a member must be settled before they go: how much is left, and how it is given up."""

    left: Callable[[int, datetime], int]
    forfeit: Callable[[Erasing, Any], object]


_remainders: list[Remainder] = []


def settles(remainder: Remainder) -> None:
    _remainders.append(remainder)


def left_of(member_id: int, when: datetime) -> int:
    """The points that a member still has, spendable and pending."""
    return sum(each.left(member_id, when) for each in _remainders)


def forfeit(erasing: Erasing, actor: Any) -> None:
    for each in _remainders:
        each.forfeit(erasing, actor)


def of_member(model: Any, *related: str) -> Rows:
    """The rows of a model with a foreign key `member`, the oldest first."""

    def rows(member_id: int) -> QuerySet:
        found: QuerySet = model.objects.filter(member=member_id).select_related(*related).order_by("pk")
        return found

    return rows


def through(model: Any, path: str, *related: str) -> Rows:
    """The rows of a model that reach a member over `path`."""

    def rows(member_id: int) -> QuerySet:
        found: QuerySet = model.objects.filter(**{path: member_id}).select_related(*related).order_by("pk")
        return found

    return rows


def removed(rows: Rows) -> Callable[[Erasing], int]:
    """Erases by removing every row."""

    def erase(erasing: Erasing) -> int:
        return int(rows(erasing.member.pk).delete()[0])

    return erase
