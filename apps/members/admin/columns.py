"""Columns of attributes in the list of members and its export."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from apps.members.models import AttributeDefinition, Member
from apps.members.words import plain_value, value_in_words

MOST_SHOWN = 5


class AttributeColumn:
    """The attribute that members call `key`, each by the definition of their own company; a column as Django takes it."""

    def __init__(self, key: str, definitions: list[AttributeDefinition]) -> None:
        self.__name__ = f"attribute_{key}"
        self.key, self.definitions = key, definitions
        self.short_description = " / ".join(dict.fromkeys(str(each) for each in definitions))

    def __str__(self) -> str:
        return self.__name__

    def __call__(self, member: Member) -> str:
        definition = self._of(member)
        return value_in_words(definition, member.attributes[self.key]) if definition else ""

    def plain(self, member: Member) -> str | bool | int | Decimal | date | None:
        """The value in a file."""
        definition = self._of(member)
        return plain_value(definition, member.attributes[self.key]) if definition else None

    def _of(self, member: Member) -> AttributeDefinition | None:
        """Where the member has such a value, what it is."""
        if self.key not in member.attributes:
            return None
        path = member.home_unit.path
        return next((each for each in self.definitions if path.startswith(each.unit.path)), None)


def columns_of(definitions: Iterable[AttributeDefinition]) -> list[Any]:
    """A column for each key, in the order of the definitions."""
    by_key: dict[str, list[AttributeDefinition]] = {}
    for each in definitions:
        by_key.setdefault(each.key, []).append(each)
    return [AttributeColumn(key, found) for key, found in by_key.items()]
