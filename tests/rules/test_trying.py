"""Trying a definition: on what the other rules give, with what the member is told to have."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from apps.orgs.models import OrgUnit
from apps.rules.trying import Trial, free_fields, try_definition
from tests.factories import CoffeeGroup
from tests.rules.conftest import PER_YUAN, PURCHASE, START, publish

FIXED = {"effect": "fixed_points", "point_type": "points", "points": 50}
TRIPLE = {"effect": "multiply", "point_type": "points", "times": "3", "of": "base", "rounding": "down"}
TAGGED = {"field": "member.attributes.tags", "op": "has_any", "value": ["regular"]}


def tried(group: CoffeeGroup, definition: dict[str, Any], rule_id: int | None = None, **more: Any) -> dict[str, Any]:
    values = {"kind": "purchase", "at": START, "store": group["S001"], "amount": Decimal("20")} | more
    place = OrgUnit.objects.get(code="EAST")
    return try_definition(group.east, place, definition, Trial(**values), "en", rule_id)


def test_a_multiplier_is_tried_on_what_other_rules_give_there_and_then(group: CoffeeGroup) -> None:
    definition = {"condition": PURCHASE, "effects": [TRIPLE], "limits": []}
    assert tried(group, definition)["note"].startswith("No other rule in force")
    own = publish(group, starts_at=START)
    publish(group, PER_YUAN | {"points": "7"}, unit="EAST-S")
    answer = tried(group, definition)
    assert (answer["points"], answer["note"]) == (40, "")
    assert answer["awards"] == ["3 times the 20 points given before adds 40 points."]
    assert tried(group, definition, at=START - timedelta(seconds=1))["points"] == 0
    assert tried(group, definition, rule_id=own.rule_id)["points"] == 0
    taken = {"group": "weekend", "take": "first", "order": 1}
    publish(group, stacking=taken)
    answer = tried(group, definition | {"stacking": taken | {"order": 2}})
    assert (answer["points"], answer["holds"]) == (0, True)
    assert answer["note"] == "Another rule of its group gives points for this event instead."


def test_an_imagined_member_has_the_birthday_that_was_told(group: CoffeeGroup) -> None:
    on_the_day = {"field": "member.days_to_birthday", "op": "eq", "value": 0}
    definition = {"condition": {"all": [*PURCHASE["all"], on_the_day]}, "effects": [PER_YUAN], "limits": []}
    assert free_fields(definition, "en") == [("member.birth_on", "Date of birth, such as 1990-05-04")]
    today = f"1990-{START:%m-%d}"
    points = [tried(group, definition, told={"member.birth_on": text})["points"] for text in (today, "1990-07-07", "?")]
    assert points == [20, 0, 0]


def test_a_new_day_is_tried_on_what_asks_for_one_and_brings_no_money(group: CoffeeGroup) -> None:
    day = {"field": "event.kind", "op": "eq", "value": "day"}
    anything = {"condition": {"all": []}, "effects": [FIXED, PER_YUAN], "limits": []}
    answer = tried(group, anything, kind="day")
    assert (answer["points"], answer["place"]) == (0, "Only a rule whose condition asks for a new day hears of one.")
    assert tried(group, anything)["points"] == 70
    assert tried(group, anything | {"condition": day}, kind="day")["points"] == 50


def test_an_imagined_member_has_the_tags_that_were_told(group: CoffeeGroup) -> None:
    definition = {"condition": {"all": [*PURCHASE["all"], TAGGED]}, "effects": [PER_YUAN], "limits": []}
    assert free_fields(definition, "en") == [(TAGGED["field"], "The member's “tags”")]
    points = [
        tried(group, definition, told={TAGGED["field"]: text})["points"] for text in ("", "vegan，regular", "vegan")
    ]
    assert points == [0, 20, 0]


def test_an_imagined_article_has_the_brand_that_was_told(group: CoffeeGroup) -> None:
    harar = {"field": "line.brand", "op": "eq", "value": "Harar"}
    asked = {"lines": "any", "where": {"all": [harar, {"field": "line.category", "op": "is_not_set"}]}}
    for definition in (
        {"condition": PURCHASE, "effects": [PER_YUAN | {"lines": harar}], "limits": []},
        {"condition": {"all": [*PURCHASE["all"], asked]}, "effects": [PER_YUAN], "limits": []},
    ):
        assert free_fields(definition, "en") == [("line.brand", "The brand")]
        points = [tried(group, definition, told={"line.brand": text})["points"] for text in ("", "Harar")]
        assert points == [0, 20]


CHECK_IN = {"field": "event.kind", "op": "eq", "value": "check_in"}
FIFTY = {"effect": "fixed_points", "point_type": "points", "points": 50}


def gathering(of: str, at: str, **more: Any) -> dict[str, Any]:
    goal = {"of": of, "at": at, "fires": "step", "period": "month"} | more
    return {"condition": CHECK_IN, "effects": [FIFTY], "limits": [], "accumulator": goal}


def test_a_goal_is_tried_as_if_the_event_reached_it(group: CoffeeGroup) -> None:
    coffee = {"field": "line.category", "op": "eq", "value": "coffee"}
    asked: list[tuple[dict[str, Any], dict[str, Any], int]] = [
        (gathering("events", "10"), {}, 50),
        (gathering("streak", "7"), {}, 50),
        (gathering("stores", "3", fires="goal"), {}, 50),
        (gathering("amount", "8"), {}, 150),
        (gathering("pieces", "10", fires="goal", lines=coffee), {"category": "coffee"}, 50),
        (gathering("pieces", "10", lines=coffee), {}, 0),
        (gathering("attribute_sum", "10", attribute="km"), {"told": {"event.attributes.km": "25"}}, 150),
        (gathering("attribute_values", "2", attribute="km"), {}, 0),
    ]
    for definition, more, points in asked:
        answer = tried(group, definition, kind="check_in", **more)
        assert (answer["points"], "reaches the goal" in answer["note"]) == (points, points > 0), definition
    assert tried(group, asked[0][0], kind="check_in")["note"] == (
        "Taken as the event that reaches the goal: 10 such events in a month."
    )
    assert tried(group, asked[0][0])["note"] == ""
    assert free_fields(asked[6][0], "en") == [("event.attributes.km", "The event's “km”")]


def test_a_trial_says_what_is_carried_on_and_which_tag_the_member_gets(group: CoffeeGroup) -> None:
    rate = PER_YUAN | {"per": "40", "rounding": "carry"}
    tag = {"effect": "tag", "tag": "regular", "start": "next_month", "days": None}
    definition = {"condition": PURCHASE, "effects": [rate, tag, tag | {"start": "now"}], "limits": []}
    answer = tried(group, definition)
    assert (answer["points"], answer["awards"]) == (0, [
        "With nothing carried over this is less than a point; ¥20 is carried on.",
        "The member gets the tag “regular” from 1 Apr 2026 until the end of 30 Apr 2026.",
        "The member gets the tag “regular” for ever.",
    ])  # fmt: skip
    assert "¥10.00 is carried on" in tried(group, definition, amount=Decimal(50))["awards"][0]
    held = {
        "condition": {"field": "member.tags", "op": "has_any", "value": ["regular"]},
        "effects": [PER_YUAN],
        "limits": [],
    }
    assert free_fields(held, "en") == [("member.tags", "The member's tags")]
    assert [tried(group, held, told={"member.tags": text})["points"] for text in ("", "vip, regular")] == [0, 20]
