"""The values that an attribute may be chosen from: the shape of `AttributeDefinition.choices`. Pure."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from apps.conditions.words import Words

MOST_CHOICES = 100
LONGEST_VALUE, LONGEST_LABEL = 60, 80


class Choice(BaseModel):
    """One of a list: `value` is what is kept and what rules name; one label at least says what people read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: str
    label: str = ""
    label_zh: str = ""

    @field_validator("value", "label", "label_zh")
    @classmethod
    def _in_one_line(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("in one line")
        return text.strip()

    @property
    def words(self) -> Words:
        return either(self.label, self.label_zh)


def either(label: str, label_zh: str) -> Words:
    """A label in both languages: the other stands in for one that is missing."""
    return Words(label or label_zh, label_zh or label)


def parse_choices(data: Any) -> tuple[Choice, ...]:
    """The choices that `data` (decoded JSON) lists, in order. Raises ValueError: some are malformed, too many or alike."""
    if not isinstance(data, list) or len(data) > MOST_CHOICES:
        raise ValueError("not a list of choices")
    try:
        choices = tuple(Choice.model_validate(each) for each in data)
    except ValidationError as error:
        raise ValueError("a choice is malformed") from error
    for each in choices:
        labels = (each.label, each.label_zh)
        if not 0 < len(each.value) <= LONGEST_VALUE or not any(labels) or len(max(labels, key=len)) > LONGEST_LABEL:
            raise ValueError("a choice is malformed")
    if len({each.value for each in choices}) < len(choices):
        raise ValueError("two choices are alike")
    return choices


def written(choices: Iterable[Choice]) -> list[dict[str, str]]:
    """The JSON that `parse_choices` reads."""
    return [each.model_dump() for each in choices]
