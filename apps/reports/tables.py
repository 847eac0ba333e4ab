"""The tables of the cost report: the same lines on the page, as CSV and as a sheet."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from apps.core.exports import Cell
from apps.core.formats import MICROS, month
from apps.reports.sums import ADJUSTED, EXPIRED, GIVEN, NET, REDEEMED, TAKEN_BACK, Sums


def column_names() -> dict[str, str]:
    return {
        GIVEN: _("Given"),
        TAKEN_BACK: _("Taken back"),
        REDEEMED: _("Redeemed"),
        EXPIRED: _("Expired"),
        ADJUSTED: _("Adjusted"),
        NET: _("Net"),
    }


@dataclass(frozen=True)
class Line:
    """A line: what it is about, a month or a name; what moved; where it opens to, and where its entries are listed."""

    about: date | str
    sums: Sums
    address: str = ""
    entries_address: str = ""

    @property
    def name(self) -> str:
        return month(self.about) if isinstance(self.about, date) else self.about

    def cells(self) -> list[Cell]:
        """Entries, then points and cost of each column; costs in the currency's main unit, exact."""
        values: list[Cell] = [self.sums.entries]
        for _column, points, micros in self.sums.pairs():
            values += [points, _exact(micros)]
        return values


@dataclass(frozen=True)
class Table:
    """Lines under a heading, and their total."""

    key: str
    title: str
    first_column: str
    currency: str
    lines: tuple[Line, ...]
    total: Line

    def header(self) -> list[str]:
        names = [self.first_column, _("Entries")]
        for name in column_names().values():
            names.append(_("%(column)s, points") % {"column": name})
            names.append(_("%(column)s, cost in %(currency)s") % {"column": name, "currency": self.currency})
        return names

    def rows(self) -> Iterator[list[Cell]]:
        """What a CSV holds: months as 2026-05, the total last."""
        for line in (*self.lines, self.total):
            about = f"{line.about:%Y-%m}" if isinstance(line.about, date) else line.about
            yield [about, *line.cells()]


def _exact(micros: int) -> Decimal:
    """Millionths as an amount, with two places at least and as many as it needs.

    >>> _exact(12_500_000), _exact(-1), _exact(0)
    (Decimal('12.50'), Decimal('-0.000001'), Decimal('0.00'))
    """
    amount = Decimal(micros) / MICROS
    cents = amount.quantize(Decimal("0.01"))
    return cents if cents == amount else amount.quantize(Decimal("0.000001")).normalize()
