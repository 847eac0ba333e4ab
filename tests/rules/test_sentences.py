"""A rule as one sentence and two versions compared, in both languages, to the letter."""

from decimal import Decimal
from typing import Any

import pytest

from apps.rules.comparing import differences
from apps.rules.explain import reasons, units_named, why_not
from apps.rules.sentences import Names, amount, plain, rule_sentence
from tests.rules.conftest import CAP_A_DAY, PER_YUAN, PURCHASE

NAMES = Names("CNY", {"points": "Points"}, {"EAST-N": "East"})
COFFEE = {"all": [{"field": "line.category", "op": "eq", "value": "coffee"}]}
IN_EAST = {"field": "event.store", "op": "within", "value": ["EAST-N"]}
FIXED = {"effect": "fixed_points", "point_type": "points", "points": 50}
WHOLE: dict[str, Any] = {
    "condition": {"all": [*PURCHASE["all"], IN_EAST]},
    "effects": [PER_YUAN | {"lines": COFFEE}],
    "limits": [CAP_A_DAY | {"most": 200}],
}

SENTENCES: list[tuple[Any, str, str]] = [
    (
        WHOLE,
        "For each ¥1 spent on “coffee”, members earn 1 point, rounded down, at most 200 points a day for one member, "
        "when the event is a purchase and the store is in “East”.",
        "当事件类型为消费，且门店属于“East”时，“coffee”类商品每消费 ¥1，会员获得 1 积分，向下取整，每位会员每天最多 200 积分。",
    ),
    (
        {"effects": [PER_YUAN | {"lines": {"field": "line.brand", "op": "in", "value": ["Harar", "云岚"]}}]},
        "For each ¥1 spent on “Harar” or “云岚” goods, members earn 1 point, rounded down.",
        "“Harar”、“云岚”牌商品每消费 ¥1，会员获得 1 积分，向下取整。",
    ),
    (
        {"effects": [PER_YUAN | {"without": ["tax", "shipping"], "each": "line"}]},
        "For each ¥1 spent, members earn 1 point, rounded down, each line by itself, tax and shipping left out.",
        "每消费 ¥1，会员获得 1 积分，向下取整，每行明细单独取整，不含税和运费。",
    ),
    (
        {"effects": [{"effect": "table", "point_type": "points", "hit": "first", "rounding": "down", "without": ["tax"],
                      "rows": [{"when": {"all": []}, "points": "2", "per": "1"}]}]},
        "Members earn by the first row that holds, tax left out: 2 points for each ¥1 otherwise.",
        "会员按首个满足的行获得积分，不含税：其他情况每 ¥1 得 2 积分。",
    ),
    (
        {"condition": {"all": []}, "effects": [FIXED], "limits": []},
        "Members earn 50 points.",
        "会员获得 50 积分。",
    ),
    (
        {"condition": {"all": []}, "effects": [PER_YUAN | {"points": "1.5", "per": "40", "rounding": "half_up"}, FIXED]},
        "For each ¥40 spent, members earn 1.5 points, rounded to the nearest whole point; in addition, members earn "
        "50 points.",
        "每消费 ¥40，会员获得 1.5 积分，四舍五入取整；另外，会员获得 50 积分。",
    ),
    (
        {"condition": PURCHASE, "effects": [PER_YUAN | {"points": "", "per": "x"}], "limits": []},
        "For each … spent, members earn … points, rounded down, when the event is a purchase.",
        "当事件类型为消费时，每消费 …，会员获得 … 积分，向下取整。",
    ),
    (
        WHOLE | {"condition": {"all": [*PURCHASE["all"], {"field": "event.store", "op": "within", "value": []}]}},
        "For each ¥1 spent on “coffee”, members earn 1 point, rounded down, at most 200 points a day for one member, "
        "when the event is a purchase and …",
        "当事件类型为消费，且…时，“coffee”类商品每消费 ¥1，会员获得 1 积分，向下取整，每位会员每天最多 200 积分。",
    ),
    (
        {"condition": {"all": []}, "effects": [FIXED], "stacking": {"group": "周末", "take": "best", "order": 1}},
        "Members earn 50 points, of the group “周末” only the rule that gives most.",
        "会员获得 50 积分，“周末”组中仅取积分最多的规则。",
    ),
    (
        {"condition": PURCHASE, "effects": [FIXED], "validity": {"expiry": {"kind": "end_of", "period": "year", "plus_years": 1}, "pending": {"days": 14}}},
        "Members earn 50 points, when the event is a purchase; these points expire at the end of the next year and "
        "become spendable 14 days after they are earned.",
        "当事件类型为消费时，会员获得 50 积分；这些积分在获得次年年底过期，获得 14 天后可用。",
    ),
    (
        {"effects": [FIXED], "validity": {"expiry": {"kind": "end_of", "period": "quarter", "plus_days": 1}, "pending": {"until": "delivery"}}},
        "Members earn 50 points; these points expire 1 day after the end of the quarter they are earned in and become "
        "spendable once “delivery” confirms what earned them.",
        "会员获得 50 积分；这些积分在获得当季季末再过 1 天后过期，待“delivery”事件确认后可用。",
    ),
    (
        {"effects": [FIXED], "validity": {"expiry": {"kind": "after_days", "days": ""}, "pending": {"days": 0}}},
        "Members earn 50 points; these points expire … days after the day they are earned and are spendable at once.",
        "会员获得 50 积分；这些积分自获得日起 … 天后过期，立即可用。",
    ),
    (
        {"condition": {"all": []}, "effects": [PER_YUAN | {"points": "3"}], "limits": [
            {"per": "member", "period": "year", "of": "amount", "most": "50000"},
            {"per": "device", "period": "day", "of": "times", "most": 3},
        ]},
        "For each ¥1 spent, members earn 3 points, rounded down, on at most ¥50,000 spent a year for one member and "
        "at most 3 times a day from one device.",
        "每消费 ¥1，会员获得 3 积分，向下取整，每位会员每年最多 ¥50,000 的消费计分，且每台设备每天最多 3 次。",
    ),
    (
        {"condition": {"all": []}, "effects": [FIXED], "limits": [
            {"per": "programme", "period": "month", "of": "cost", "most": "2500.5"},
            {"per": "event", "period": "ever", "of": "points", "most": 200},
            {"per": "programme", "period": "ever", "of": "times", "most": 1},
            {"per": "store", "period": "week", "of": "pieces", "most": "1"},
        ]},
        "Members earn 50 points, at a cost of at most ¥2,500.50 a month in all and at most 200 points for one event and "
        "at most once in all and on at most 1 piece a week in one store.",
        "会员获得 50 积分，整个计划每月积分成本最多 ¥2,500.50，且每次事件最多 200 积分，且整个计划累计最多 1 次，"
        "且每家门店每周最多 1 件计分。",
    ),
    (
        {"condition": PURCHASE, "effects": [FIXED], "accumulator": {
            "of": "events", "at": "10", "fires": "step", "period": "month", "lines": None, "attribute": ""}},
        "For every 10 such events in a month, members earn 50 points, when the event is a purchase.",
        "当事件类型为消费时，会员当月每满 10 次，会员获得 50 积分。",
    ),
    (
        {"condition": {"all": []}, "effects": [FIXED], "accumulator": {
            "of": "amount", "at": "1000", "fires": "goal", "period": "ever", "lines": COFFEE, "attribute": ""}},
        "Once a member has ¥1,000 spent (of “coffee”), members earn 50 points.",
        "会员消费满 ¥1,000（“coffee”类商品）后，会员获得 50 积分。",
    ),
    (
        {"effects": [{"effect": "tag", "tag": "常客", "start": "next_month", "days": None}], "accumulator": {
            "of": "streak", "at": "7", "fires": "goal", "period": "ever", "lines": None, "attribute": ""}},
        "Once a member has 7 days in a row, members get the tag “常客” for the next month.",
        "会员连续 7 天后，会员获得标签“常客”，次月有效。",
    ),
    (
        {"effects": [PER_YUAN | {"per": "40", "rounding": "carry"}]},
        "For each ¥40 spent, members earn 1 point, and what is left over counts next time.",
        "每消费 ¥40，会员获得 1 积分，不足部分累计到下次。",
    ),
    (
        {"condition": PURCHASE, "effects": [{"effect": "hold_for_review", "reason": "Large order"}]},
        "All points of the event wait for a review (“Large order”), when the event is a purchase.",
        "当事件类型为消费时，该事件的全部积分须经人工审核后才可用（“Large order”）。",
    ),
    (
        {"condition": {"all": []}, "effects": [FIXED], "stacking": {"group": "周末", "take": "sum", "order": 1}},
        "Members earn 50 points, added to the other rules of the group “周末”.",
        "会员获得 50 积分，与“周末”组中的其他规则累加。",
    ),
    ({}, "Members earn …", "会员获得 …。"),
    ({"effects": "x", "condition": 7, "limits": [{}]}, "Members earn …, at most … points a day for one member, when …", "当…时，会员获得 …，每位会员每天最多 … 积分。"),
]  # fmt: skip


@pytest.mark.parametrize(("definition", "english", "chinese"), SENTENCES, ids=[row[1][:40] for row in SENTENCES])
def test_a_rule_is_one_sentence_in_each_language(definition: Any, english: str, chinese: str) -> None:
    assert rule_sentence(definition, NAMES, "en") == english
    assert rule_sentence(definition, NAMES, "zh-hans") == chinese


def test_kinds_of_points_are_named_where_there_are_several_and_places_where_they_are_narrower() -> None:
    names = Names("CNY", {"points": "Beans", "status": "Stars"}, {}, "East North")
    definition = {"condition": {"all": []}, "effects": [FIXED, PER_YUAN | {"point_type": "status"}]}
    assert rule_sentence(definition, names, "en") == (
        "In East North, members earn 50 points of “Beans”; in addition, for each ¥1 spent, members earn 1 point of "
        "“Stars”, rounded down."
    )
    assert rule_sentence(definition, names, "zh-hans") == (
        "在East North，会员获得 50 分“Beans”；另外，每消费 ¥1，会员获得 1 分“Stars”，向下取整。"
    )


def test_two_versions_compare_in_words() -> None:
    newer = {
        "condition": {"any": [*PURCHASE["all"], {"field": "event.weekday", "op": "in", "value": [6, 7]}]},
        "effects": [WHOLE["effects"][0] | {"points": "2"}, FIXED],
        "limits": [],
    }
    assert differences(WHOLE, newer, NAMES, "en") == [
        "Points for each ¥1: 1 → 2",
        "Added: members earn 50 points",
        "How the conditions combine: all of them → any of them",
        "Removed: the store is in “East”",
        "Added: the day of the week is Saturday or Sunday",
        "Removed: at most 200 points a day for one member",
    ]
    assert differences(WHOLE, newer, NAMES, "zh-hans") == [
        "每 ¥1 的积分：1 → 2",
        "新增：会员获得 50 积分",
        "条件的组合方式：全部满足 → 任一满足",
        "删除：门店属于“East”",
        "新增：星期为周六、周日之一",
        "删除：每位会员每天最多 200 积分",
    ]


def test_how_long_points_last_compares_with_what_their_kind_says() -> None:
    newer = WHOLE | {"validity": {"expiry": None, "pending": {"until": "delivery"}}}
    assert differences(WHOLE, newer, NAMES, "en") == [
        "These points: as their kind says → become spendable once “delivery” confirms what earned them"
    ]
    assert differences(newer, WHOLE, NAMES, "zh-hans") == ["这些积分：待“delivery”事件确认后可用 → 按积分类型的规定"]


def test_the_same_said_in_another_spelling_is_no_difference() -> None:
    other = WHOLE | {"condition": {"all": [*WHOLE["condition"]["all"]]}, "effects": [dict(WHOLE["effects"][0])]}
    assert differences(WHOLE, other, NAMES, "en") == []


def test_figures_read_without_needless_zeros() -> None:
    assert [plain(Decimal(text)) for text in ("100", "1E+3", "1250.50", "0.0001")] == [
        "100",
        "1,000",
        "1,250.5",
        "0.0001",
    ]
    assert [amount(Decimal(text), "CNY") for text in ("1.00", "0.5", "40")] == ["¥1", "¥0.50", "¥40"]


def test_an_award_says_how_it_came_about_and_what_the_limit_cut_off() -> None:
    award = {
        "points": 30, "version_id": 7, "version": 2, "rule_name": "Coffee",
        "why": {"points": 50, "code": "per_amount", "amount": "50.5", "rate": "1.00", "per": "1", "rounding": "ROUND_DOWN",
                "cut": 20, "cap": 100},
    }  # fmt: skip
    (reason,) = reasons({"awards": [award]}, {7: WHOLE}, "CNY")
    assert (reason.points, reason.title) == (30, "Coffee, version 2")
    assert reason.sentences[0] == "¥50.50 at 1 point for each ¥1 is 50 points, rounded down."
    assert reason.sentences[1].startswith("It held that the event is a purchase")
    assert reason.sentences[2] == "The limit cut off 20: at most 100 points a day for one member."


def test_a_rule_that_gave_nothing_says_which_part_failed() -> None:
    assert why_not([[7, 0]], {7: "Coffee"}, {7: WHOLE}) == ["Coffee: it did not hold that the event is a purchase."]
    assert why_not([[7, 1]], {7: "Coffee"}, {7: WHOLE}) == ["Coffee: it did not hold that the store is in “EAST-N”."]
    assert units_named([WHOLE, {}, None]) == {"EAST-N"}
    named = why_not([[7, 1]], {7: "Coffee"}, {7: WHOLE}, NAMES)
    assert named == ["Coffee: it did not hold that the store is in “East”."]
    assert why_not([[7, 9]], {7: "Coffee"}, {7: WHOLE}) == ["Coffee: its condition did not hold."]
    assert why_not([[8, 0]], {7: "Coffee"}, {7: WHOLE}) == []
