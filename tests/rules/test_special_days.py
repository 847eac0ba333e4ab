"""Special days in rules: they hold on the programme's days, are named in words, and travel with the programme."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.orgs.models import SpecialDay
from apps.orgs.services import change_special_day, create_special_day
from apps.rules import bringing_in, exchange
from apps.rules.errors import DefinitionFaulty, DocumentFaulty
from apps.rules.gallery import TEMPLATES
from apps.rules.reading import names_of
from apps.rules.sentences import rule_sentence
from apps.rules.services import checked, create_rule
from apps.rules.starting import filling
from apps.rules.trying import Trial, try_definition
from tests.factories import CoffeeGroup
from tests.rules.conftest import PER_YUAN, PURCHASE, START, Till, purchase
from tests.rules.worked import publish_all

EIGHTH = {"kind": "each_month", "day": 8}
EVENING = datetime(2026, 3, 7, 15, 59, tzinfo=UTC)
"""One minute before the 8th begins in Shanghai."""


def asks(*codes: str, op: str = "has_any") -> dict[str, Any]:
    leaf = {"field": "event.special_days", "op": op, "value": list(codes)}
    return {"condition": {"all": [*PURCHASE["all"], leaf]}, "effects": [PER_YUAN], "limits": []}


@pytest.fixture
def member_day(group: CoffeeGroup) -> SpecialDay:
    return create_special_day(group.east, code="md", name="Member day", days=EIGHTH)


def test_a_special_day_begins_and_ends_with_the_programmes_day(till: Till, member_day: SpecialDay) -> None:
    publish_all(till.group, {"member day": asks("md"), "others": asks("md", op="has_none")})
    times = [
        EVENING,
        EVENING + timedelta(minutes=1),
        EVENING + timedelta(days=1),
        EVENING + timedelta(days=1, minutes=1),
    ]
    results = till.send(
        *(purchase(str(10**number), occurred_at=at) for number, at in enumerate(times)),
        when=EVENING + timedelta(days=9),
    )
    skipped = [[len(result.answer["skipped"]), result.points] for result in results if result.answer]
    assert skipped == [[1, 1], [1, 10], [1, 100], [1, 1000]]
    codes = [result.answer["awards"][0]["rule_name"] for result in results if result.answer]
    assert codes == ["others", "member day", "member day", "others"]


def test_other_days_hold_for_the_next_event_already(till: Till, member_day: SpecialDay) -> None:
    publish_all(till.group, {"member day": asks("md")})
    assert till.send(purchase("10"))[0].points == 0
    change_special_day(member_day, name="Member day", days={"kind": "each_month", "day": 1})
    assert till.send(purchase("10"))[0].points == 10


def test_a_rule_may_name_only_special_days_of_its_programme(group: CoffeeGroup, member_day: SpecialDay) -> None:
    with pytest.raises(DefinitionFaulty) as refused:
        checked(group.west, asks("md"))
    (fault,) = refused.value.faults
    assert (fault.path, fault.code) == (("condition", "all", 1, "value"), "unknown_choice")
    assert checked(group.east, asks("md"))
    with pytest.raises(DefinitionFaulty):
        checked(group.east, asks("md", "fest"))


def test_the_sentence_and_a_trial_say_its_name(group: CoffeeGroup, member_day: SpecialDay) -> None:
    names = names_of([group.east])[group.east.pk]
    assert rule_sentence(asks("md"), names, "en").endswith("when the event is a purchase and the day is “Member day”.")
    assert "当天是“Member day”" in rule_sentence(asks("md"), names, "zh-hans")
    trial = Trial("purchase", EVENING + timedelta(minutes=1), group["S001"], Decimal("20"))
    told = try_definition(group.east, group["EAST"], asks("md"), trial, "en")
    assert (told["points"], told["asked"][1]["actual"]) == (20, "Member day")


def test_the_template_of_a_member_day_asks_about_the_first_special_day(
    group: CoffeeGroup, member_day: SpecialDay
) -> None:
    fill = filling(group.east, START)
    content = fill(TEMPLATES["member-day"])
    assert content["condition"]["all"][1] == asks("md")["condition"]["all"][1]
    assert checked(group.east, content)


def test_special_days_travel_with_the_programme(group: CoffeeGroup, member_day: SpecialDay) -> None:
    create_rule(None, group.east, group["EAST"], code="md", name="Triple", definition=asks("md"), when=START)
    written = exchange.exported(None, group.east, START)
    assert written["special_days"] == [{"code": "md", "name": "Member day", "days": EIGHTH}]
    written["rules"][0]["unit"] = "WEST"
    document = exchange.read(json.dumps(written).encode())
    plan = bringing_in.import_document(None, group.west, document, when=START)
    assert [(step.verb, step.code, step.lines) for step in plan.special_days] == [
        ("added", "md", ("every month on day 8",))
    ]
    assert SpecialDay.objects.get(program=group.west).days == EIGHTH
    written["special_days"][0]["days"] = {"kind": "each_week", "weekday": 2}
    plan = exchange.compared(None, group.west, exchange.read(json.dumps(written).encode()), language="en", when=START)
    assert "Member day — Days: every month on day 8 here, every Tuesday in the file. It stays as it is." in plan.stays


def test_a_file_with_an_impossible_day_is_refused_with_its_path(group: CoffeeGroup) -> None:
    written = exchange.exported(None, group.east, START)
    written["special_days"] = [
        {"code": "md", "name": "Member day", "days": {"kind": "each_year", "month": 2, "day": 30}}
    ]
    with pytest.raises(DocumentFaulty) as refused:
        exchange.read(json.dumps(written).encode())
    (fault,) = refused.value.faults
    assert (fault.path, fault.code) == (("special_days", 0, "days"), "no_such_day")
