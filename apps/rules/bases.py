"""What a rate is reckoned from where it does not take all that was paid, or rounds line by line. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.activity.facts import EventFacts, LineFacts

Counts = Callable[[LineFacts], bool] | None
"""Whether a line counts; None where all do."""


@dataclass(frozen=True, slots=True)
class Bases:
    """`without` holds what is left out, `tax` or `shipping`. An event that tells no lines is reckoned as a whole."""

    without: tuple[str, ...] = ()
    by_line: bool = False

    def amounts(self, event: EventFacts, counts: Counts) -> list[Decimal]:
        """The amounts of which each is rounded by itself."""
        if counts is None and not event.lines:
            return [event.amount or Decimal(0)]
        no_tax = "tax" in self.without
        return self._rounded_apart(
            [line.amount - line.tax if no_tax and line.tax else line.amount for line in self._lines(event, counts)]
        )

    def quantities(self, event: EventFacts, counts: Counts) -> list[Decimal]:
        """The numbers of pieces of which each is rounded by itself."""
        return self._rounded_apart([line.quantity for line in self._lines(event, counts)])

    def terms(self) -> dict[str, Any]:
        """What a reason tells of it."""
        return ({"without": list(self.without)} if self.without else {}) | ({"each": "line"} if self.by_line else {})

    def _lines(self, event: EventFacts, counts: Counts) -> list[LineFacts]:
        carries = "shipping" not in self.without
        return [line for line in event.lines if (carries or not line.is_shipping) and (counts is None or counts(line))]

    def _rounded_apart(self, found: list[Decimal]) -> list[Decimal]:
        return found if self.by_line else [sum(found, Decimal(0))]


def live_bases(effect: Mapping[str, Any]) -> Bases | None:
    """Of an effect of a definition; None where it takes everything and rounds once, as most do."""
    without, by_line = tuple(effect.get("without") or ()), effect.get("each") == "line"
    return Bases(without, by_line) if without or by_line else None
