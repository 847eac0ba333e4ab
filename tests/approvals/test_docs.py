"""What docs/approvals.md promises of its worked policies is what they do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from apps.approvals.definition import check_definition
from apps.approvals.models import Policy, PolicyVersion
from apps.approvals.routing import road_of
from apps.approvals.words import steps_in_words
from apps.orgs.gate import kinds

TEXT = (Path(settings.BASE_DIR) / "docs" / "approvals.md").read_text(encoding="utf-8")
WORKED = TEXT.partition("## Five worked policies")[2].partition("\n## ")[0]


def cases() -> list[Any]:
    found = []
    for part in WORKED.split("\n### ")[1:]:
        title, kind = part.splitlines()[0], re.search(r"Kind `([a-z_.]+)`", part)
        policy = re.search(r"```json\n(.*?)```", part, re.DOTALL)
        assert kind is not None, title
        assert policy is not None, title
        for facts, said in re.findall(r"^\| `(\{.*?\})` \| (.+?) \|$", part, re.MULTILINE):
            found.append(pytest.param(kind[1], json.loads(policy[1]), json.loads(facts), said, id=f"{title}: {facts}"))
    return found


def test_every_kind_stands_in_the_table_of_doors() -> None:
    table = TEXT.partition("### Doors that lead to the same")[2].partition("\n## ")[0]
    own = {code for code, kind in kinds().items() if kind.__module__.startswith("apps.")}
    assert own - set(re.findall(r"`([a-z_]+\.[a-z_]+)`", table)) == set()


def test_there_are_five() -> None:
    assert WORKED.count("\n### ") == 5
    assert len(cases()) >= 10


@pytest.mark.parametrize(("kind", "policy", "facts", "said"), cases())
def test_a_worked_policy_asks_whom_it_says(kind: str, policy: Any, facts: dict[str, Any], said: str) -> None:
    definition = check_definition(kind, policy, units={}, people=frozenset())
    version = PolicyVersion(policy=Policy(kind=kind), definition=definition.to_json())
    totals = {"request.points": facts.pop("total")} if "total" in facts else {}
    road = road_of(version, facts, totals, {})
    assert (steps_in_words(road.band.steps, "en") if road.band else "nobody") == said
    assert road.is_longer == bool(totals)
