"""What a change of a member looks like in its history: each field before and after, as far as it may be shown. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel

from apps.members.identifiers import mask, mask_name

HIDDEN = "****"


class FieldChange(BaseModel):
    """`field` is `name`, `home_unit`, `identifier:phone`, `attributes:colour`, …; None is a field without value."""

    field: str
    old: str | None = None
    new: str | None = None


def of_name(old: str, new: str) -> FieldChange:
    return FieldChange(field="name", old=mask_name(old) or None, new=mask_name(new) or None)


def of_birthday(old: date | None, new: date | None) -> FieldChange:
    return FieldChange(field="birth_on", old=HIDDEN if old else None, new=HIDDEN if new else None)


def of_identifier(kind: str, *, old: str | None = None, new: str | None = None) -> FieldChange:
    """An identifier that came or went, masked here."""
    return FieldChange(field=f"identifier:{kind}", old=old and mask(kind, old), new=new and mask(kind, new))


def of_referrer(old: int | None, new: int | None) -> FieldChange:
    """Members by their ids, which name nobody."""
    return FieldChange(field="referrer", old=str(old) if old else None, new=str(new) if new else None)


TAG = "tag:"


def of_tag(key: str, *, is_given: bool) -> FieldChange:
    """A tag that somebody gave by hand, or took away."""
    old, new = (None, key) if is_given else (key, None)
    return FieldChange(field=f"{TAG}{key}", old=old, new=new)


def of_attributes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[FieldChange]:
    """The attributes that differ; they are not personal and stand as they are."""
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before != after:
            yield FieldChange(field=f"attributes:{name}", old=attribute_text(before), new=attribute_text(after))


def attribute_text(value: Any) -> str | None:
    """A value as it is shown: several texts with commas between them."""
    return None if value is None else ", ".join(value) if isinstance(value, list) else str(value)
