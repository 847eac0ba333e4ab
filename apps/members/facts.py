"""A member as conditions read them. Pure; values only, nothing personal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class History:
    """What the member had done up to some moment, over the windows that were asked for."""

    orders: Mapping[int | str, int] = field(default_factory=dict)
    spent: Mapping[int | str, Decimal] = field(default_factory=dict)
    visits: Mapping[int | str, int] = field(default_factory=dict)
    check_ins: Mapping[int | str, int] = field(default_factory=dict)
    days_since_order: int | None = None


NO_HISTORY = History()


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """One member; `home_path` is the materialised path of the unit that enrolled them."""

    id: int
    home_path: str
    joined_on: date
    attributes: Mapping[str, Any]
    history: History = NO_HISTORY
