"""What movements add up to: points and cost by what happened, in whole points and millionths of one currency. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

GIVEN, TAKEN_BACK, REDEEMED, EXPIRED, ADJUSTED, NET = (
    "given", "taken_back", "redeemed", "expired", "adjusted", "net",
)  # fmt: skip
COLUMNS = (GIVEN, TAKEN_BACK, REDEEMED, EXPIRED, ADJUSTED)
_COLUMN_OF = {
    "earn": GIVEN,
    # A release moves points from pending to settled: both are counted, so that it adds nothing.
    "release": GIVEN,
    "clawback": TAKEN_BACK,
    "redeem": REDEEMED,
    "expire": EXPIRED,
}


def column_of(kind: str) -> str:
    """Where a kind of posting counts; what is not in the table is done by hand: adjustments and reversals.

    >>> column_of("clawback"), column_of("reverse")
    ('taken_back', 'adjusted')
    """
    return _COLUMN_OF.get(kind, ADJUSTED)


@dataclass(slots=True)
class Sums:
    """Entries, and per column points (pending ones included) and cost; what leaves an account is negative."""

    entries: int = 0
    points: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))
    cost_micros: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))

    def add(self, kind: str, entries: int, points: int, cost_micros: int) -> None:
        column = column_of(kind)
        self.entries += entries
        self.points[column] += points
        self.cost_micros[column] += cost_micros

    def pairs(self) -> Iterable[tuple[str, int, int]]:
        """Column, points and cost, the net last."""
        yield from ((column, self.points[column], self.cost_micros[column]) for column in COLUMNS)
        yield NET, sum(self.points.values()), sum(self.cost_micros.values())
