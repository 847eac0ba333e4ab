"""Whose particulars win when two members become one. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

FIELDS = ("name", "birth_on", "home_unit", "joined_on", "referrer")
"""Beside them each attribute, as `attributes:KEY`."""
KEPT, GONE = "kept", "gone"


class Side(NamedTuple):
    """What one of the two members says: by field, what is empty left out; and since when, where that is known."""

    values: Mapping[str, Any]
    since: Mapping[str, datetime]


def fields_of(*sides: Side) -> list[str]:
    """The fields of which a choice can be made, in the order of pages."""
    attributes = sorted({field for side in sides for field in side.values if field.startswith("attributes:")})
    return [*FIELDS, *attributes]


def usual(kept: Side, gone: Side) -> dict[str, str]:
    """By field whose value is taken where nobody chooses: the one there is; of two the newer one; the earlier day of
    joining; the kept member's home.

    >>> old, new = datetime(2026, 1, 1), datetime(2026, 2, 1)
    >>> usual(Side({"name": "Wang"}, {"name": old}), Side({"name": "Wang Li", "birth_on": 1}, {"name": new}))["name"]
    'gone'
    """
    return {field: _usual(field, kept, gone) for field in fields_of(kept, gone)}


def _usual(field: str, kept: Side, gone: Side) -> str:
    mine, other = kept.values.get(field), gone.values.get(field)
    if field == "home_unit" or other is None or mine == other:
        return KEPT
    if mine is None:
        return GONE
    if field == "joined_on":
        return KEPT if mine <= other else GONE
    mine_since, other_since = kept.since.get(field), gone.since.get(field)
    return GONE if other_since and (mine_since is None or mine_since < other_since) else KEPT


def chosen(kept: Side, gone: Side, choices: Mapping[str, str]) -> dict[str, str]:
    """`usual`, but for what was chosen; a choice of what is not there is none. The day of joining is always the earlier."""
    free = {field: whose for field, whose in choices.items() if field != "joined_on" and whose in (KEPT, GONE)}
    return {field: free.get(field, whose) for field, whose in usual(kept, gone).items()}


def differing(kept: Side, gone: Side) -> list[str]:
    """The fields that say something else, emptiness included."""
    return [field for field in fields_of(kept, gone) if kept.values.get(field) != gone.values.get(field)]
