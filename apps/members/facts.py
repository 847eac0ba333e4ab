"""A member as conditions read them. Pure; values only, nothing personal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """One member; `home_path` is the materialised path of the unit that enrolled them."""

    id: int
    home_path: str
    joined_on: date
    attributes: Mapping[str, Any]
