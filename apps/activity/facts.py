"""An event as conditions and effects read it. Pure; values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One line of an order; `amount` is what was paid for the whole line, tax included, `tax` how much of it is tax; a
    line that `is_shipping` is the carriage."""

    sku: str | None
    category: str | None
    quantity: Decimal
    amount: Decimal
    brand: str | None = None
    tax: Decimal | None = None
    is_shipping: bool = False


@dataclass(frozen=True, slots=True)
class EventFacts:
    """One event. `hour`, `weekday` (1 Monday to 7 Sunday) and `date` are local to the programme; the batch of a
    code and what it drew are the main road's to say, never the sender's."""

    kind: str
    amount: Decimal | None
    channel: str | None
    unit_path: str
    device: str | None
    attributes: Mapping[str, Any]
    lines: tuple[LineFacts, ...]
    hour: int
    weekday: int
    date: date
    code_batch: str | None = None
    prize: str | None = None
    special_days: tuple[str, ...] | None = None
    """The codes of the special days of the programme that it is; None on a day like any other."""
