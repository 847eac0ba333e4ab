"""The heat map of a programme's scores: how many members each cell and each group has, as far as one may see them."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.utils.translation import get_language

from apps.segments.groups import GROUPS, SCORES, TABLE
from apps.segments.lists import list_address
from apps.segments.models import RfmScheme, RfmScore

HEATS = 5


@dataclass(frozen=True)
class Cell:
    """`heat` is 0 where nobody is, else 1 to 5, the fullest cell."""

    recency: int
    worth: int
    group: str
    members: int
    share: float
    heat: int
    address: str


@dataclass(frozen=True)
class GroupLine:
    name: str
    advice: str
    key: str
    members: int
    share: float
    address: str


@dataclass(frozen=True)
class HeatMap:
    """`rows` are the cells by recency, the best first, each from the lowest worth to the highest."""

    rows: list[tuple[int, list[Cell]]]
    groups: list[GroupLine]
    members: int


def heat_map(person: Any, scheme: RfmScheme) -> HeatMap:
    """One query."""
    counted = RfmScore.objects.visible_to(person).filter(scheme=scheme).order_by()
    cells: dict[tuple[int, int], int] = {}
    for recency, worth, number in counted.values_list("recency", "worth").annotate(number=Count("pk")):
        cells[recency, worth] = number
    everybody, fullest = sum(cells.values()), max(cells.values(), default=0)
    language = get_language() or "en"

    def cell(recency: int, worth: int) -> Cell:
        number = cells.get((recency, worth), 0)
        name = GROUPS[TABLE[recency][worth - 1]].words.in_language(language)
        heat = -(-HEATS * number // fullest) if fullest else 0
        return Cell(
            recency, worth, name, number, _share(number, everybody), heat,
            list_address(f"rfm:{scheme.pk}-{recency}-{worth}"),
        )  # fmt: skip

    sizes = dict.fromkeys(GROUPS, 0)
    for (recency, worth), number in cells.items():
        sizes[TABLE[recency][worth - 1]] += number
    groups = [
        GroupLine(
            group.words.in_language(language), group.advice.in_language(language), group.key, sizes[code],
            _share(sizes[code], everybody), list_address(f"rfm:{scheme.pk}-{code}"),
        )
        for code, group in GROUPS.items()
    ]  # fmt: skip
    rows = [(recency, [cell(recency, worth) for worth in SCORES]) for recency in reversed(SCORES)]
    return HeatMap(rows, groups, everybody)


def _share(number: int, everybody: int) -> float:
    return 100 * number / everybody if everybody else 0
