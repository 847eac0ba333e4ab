"""docs/rules.md keeps its word: every mechanic in it is saved as written and earns what its story says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from apps.orgs.services import create_special_day
from apps.points.models import PointType
from apps.rules.sentences import Names, rule_sentence
from tests.factories import CoffeeGroup
from tests.rules.worked import publish_all, tell

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "rules.md"
MECHANIC = re.compile(r"^#### (\d+)\. (.+?)\n.*?^```json\n(.+?)^```\n\n```jsonl\n(.+?)^```", re.M | re.S)
TEXT = DOCUMENT.read_text(encoding="utf-8")
MECHANICS = [(int(number), title, rules, story) for number, title, rules, story in MECHANIC.findall(TEXT)]


def rules_of(written: str) -> dict[str, Any]:
    """The definitions by their names; one alone needs none."""
    found: dict[str, Any] = json.loads(written)
    return {"Rule": found} if "condition" in found else found


def test_there_are_thirty_and_more_numbered_one_by_one() -> None:
    assert len(MECHANICS) >= 30
    assert [number for number, *_rest in MECHANICS] == list(range(1, TEXT.count("\n#### ") + 1))
    assert f"{len(MECHANICS)} mechanics to copy" in TEXT


@pytest.mark.parametrize(("number", "title", "written", "story"), MECHANICS, ids=[each[1] for each in MECHANICS])
def test_a_mechanic_earns_what_its_story_says(
    group: CoffeeGroup, number: int, title: str, written: str, story: str
) -> None:
    PointType.objects.create(program=group.east, code="stars", name="Stars", kind="status")
    told = [json.loads(line) for line in story.splitlines()]
    people = {line["person"]: line for line in told if "person" in line}
    for line in told:
        if "special_day" in line:
            create_special_day(group.east, code=line["special_day"], name=line["name"], days=line["days"])
    events = [line for line in told if "points" in line]
    rules = rules_of(written)
    publish_all(group, rules)
    assert tell(group, events, people) == [event["points"] for event in events]
    for definition in rules.values():
        for language in ("en", "zh"):
            assert "…" not in rule_sentence(definition, Names(), language)


def test_every_picture_and_page_it_shows_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (DOCUMENT.parent / target).exists(), target
