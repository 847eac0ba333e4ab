"""Templates: rules that are ready but for their blanks, to begin a new one from. Pure.

They stand in gallery.json, each with its purpose and its blanks in both languages and a definition. Some values of a
definition are known only where it is used: a text that starts with `$` stands for a unit of the programme, a day, or the question whether it is a special day.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from apps.conditions.words import Words

GROUPS = {
    "everyday": Words("Every day", "日常"),
    "start": Words("Joining", "入会"),
    "occasions": Words("Days and hours", "日期与时段"),
    "spending": Words("What is bought", "购买内容"),
    "habits": Words("What members did before", "会员过往行为"),
    "goals": Words("Goals and stamp cards", "目标与集点"),
    "limits": Words("Limits and budgets", "上限与预算"),
    "places": Words("Where and who", "地点与人群"),
}


TUESDAY = {"field": "event.weekday", "op": "eq", "value": 2}


@dataclass(frozen=True)
class Template:
    """`blanks` say what to decide; the definition has a sensible value in each of them."""

    code: str
    group: str
    icon: str
    name: Words
    purpose: Words
    blanks: tuple[Words, ...]
    definition: Mapping[str, Any]

    def fits(self, term: str) -> bool:
        """Whether each word of `term` is written on the card, in either language."""
        written = [self.name, self.purpose, GROUPS[self.group], *self.blanks]
        text = " ".join(part for words in written for part in (words.en, words.zh)).lower()
        return all(word in text for word in term.lower().split())

    def filled(
        self, point_type: str, units: Sequence[tuple[str, str]], today: date, special_days: Sequence[str] = ()
    ) -> Any:
        """The definition for a programme: its first kind of points, its `units` (code and kind, the highest first), its
        first special day, or where it has none a day of the week."""
        values: dict[str, Any] = {
            "$special_day": {"field": "event.special_days", "op": "has_any", "value": list(special_days[:1])}
            if special_days
            else TUESDAY,
            "$today": today.isoformat(),
            "$in_a_week": (today + timedelta(days=6)).isoformat(),
            "$in_a_month": (today + timedelta(days=29)).isoformat(),
        }
        for kind in ("region", "store"):
            values[f"${kind}"] = next((code for code, each in units if each == kind), units[0][0] if units else "")
        content = _replaced(self.definition, values)
        for effect in content["effects"]:
            if "point_type" in effect:
                effect["point_type"] = point_type
        return content


def _replaced(data: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(data, Mapping):
        return {key: _replaced(value, values) for key, value in data.items()}
    if isinstance(data, list):
        return [_replaced(value, values) for value in data]
    return values.get(data, data) if isinstance(data, str) else data


def _template(data: dict[str, Any]) -> Template:
    words = {name: Words(**data.pop(name)) for name in ("name", "purpose")}
    return Template(**data | words | {"blanks": tuple(Words(**blank) for blank in data["blanks"])})


TEMPLATES = {
    each["code"]: _template(each)
    for each in json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
}
