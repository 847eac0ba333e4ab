"""What the demo knows of its members beyond who they are: attributes that are defined, and what each member has."""

from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any

from apps.members.services.defining import create_definition
from apps.orgs.models import OrgUnit
from config.demo.members import FAVOURITES, Person

LEVELS = (("basic", "Basic", "普卡", 70), ("silver", "Silver", "银卡", 22), ("gold", "Gold", "金卡", 8))
"""Of the card system before; the last figure is how many in a hundred held it."""
DRINKS = ("Latte", "Americano", "Pour over", "Cold brew", "Matcha", "Oolong")
"""In English, what `FAVOURITES` are called in Chinese."""
GENDERS = (("female", "Female", "女", 55), ("male", "Male", "男", 40), ("untold", "Rather not say", "不愿透露", 5))


def _listed(*rows: tuple[Any, ...]) -> list[dict[str, str]]:
    return [{"value": value, "label": label, "label_zh": label_zh} for value, label, label_zh, *_more in rows]


DEFINITIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("EAST", {
        "key": "legacy_level", "type": "choice", "label": "Level in the old card system", "label_zh": "旧卡等级",
        "description": "由旧会员系统导入 Imported from the system before", "choices": _listed(*LEVELS), "in_list": True, "position": 1,
    }),
    ("EAST", {
        "key": "favourite_drinks", "type": "choices", "label": "Favourite drinks", "label_zh": "喜爱的饮品",
        "choices": _listed(*((english.lower().replace(" ", "_"), english, chinese)
                             for english, chinese in zip(DRINKS, FAVOURITES, strict=True))),
        "position": 2,
    }),
    ("SHANHAI", {
        "key": "gender", "type": "choice", "label": "Gender", "label_zh": "性别", "choices": _listed(*GENDERS), "position": 3,
    }),
    ("SHANHAI", {
        "key": "newsletter", "type": "boolean", "label": "Newsletter", "label_zh": "订阅简讯", "in_list": True, "position": 4,
    }),
)  # fmt: skip
"""The unit for whose members it is, and the definition."""


def define_attributes(units: Mapping[str, OrgUnit]) -> None:
    for unit, values in DEFINITIONS:
        create_definition(None, units[unit], **values)


def attributes_of(random: Random, person: Person, first: date) -> dict[str, Any]:
    """What the member has; who joined before `first` brought a level with them. As people say it: services know what is
    meant."""
    gender, more, newsletter = _drawn(random, GENDERS), random.choice(FAVOURITES), random.random()
    level = _drawn(random, LEVELS)
    told: dict[str, Any] = {"gender": gender} if random.random() < 0.8 else {}
    if newsletter < 0.6:
        told["newsletter"] = newsletter < 0.35
    if person.company != "EAST":
        return told | {"喜好": person.favourite}
    told["favourite_drinks"] = list(dict.fromkeys([person.favourite, more]))
    return told | ({"legacy_level": level} if person.joined_on < first else {})


def _drawn(random: Random, rows: tuple[tuple[str, str, str, int], ...]) -> str:
    """One of the choices, by its Chinese label."""
    return random.choices([label_zh for _value, _label, label_zh, _share in rows], [row[3] for row in rows])[0]
