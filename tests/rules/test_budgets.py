"""Budgets: what is used up of a limit for all, and when it will be gone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from apps.rules.budgets import Budget, budgets_of
from apps.rules.home import budgets
from apps.rules.models import RuleVersion
from apps.rules.services import retire_rule
from tests.factories import Cast
from tests.rules.conftest import PER_YUAN, START, Till, publish, purchase

FOR_ALL = {"per": "programme", "period": "ever", "of": "points", "most": 1_000}


def budget(used: int, since: date, today: date, **limit: Any) -> Budget:
    return Budget(RuleVersion(), FOR_ALL | limit, used, since, today)


@pytest.mark.parametrize(
    ("used", "limit", "percent", "tone", "gone"),
    [
        (0, {}, 0, "good", None),
        (100, {}, 10, "good", date(2026, 6, 8)),  # ten a day: the other nine hundred take ninety days
        (799, {}, 79, "good", date(2026, 3, 13)),
        (800, {}, 80, "warn", date(2026, 3, 13)),
        (999, {}, 99, "warn", date(2026, 3, 11)),
        (1_000, {}, 100, "bad", None),
        (100, {"period": "month"}, 10, "good", None),  # the month ends first
        (1, {}, 0, "good", None),  # in 27 years
    ],
)
def test_how_much_is_used_and_when_the_rest_will_be(used: int, limit: Any, percent: int, tone: str, gone: Any) -> None:
    made = budget(used, date(2026, 3, 1), date(2026, 3, 10), **limit)
    assert (made.percent, made.tone, made.exhausted_on) == (percent, tone, gone)


def test_a_budget_says_what_the_counter_says_and_the_home_page_tells_when_it_runs_out(till: Till, cast: Cast) -> None:
    version = publish(till.group, limits=[FOR_ALL | {"period": "month"}, FOR_ALL | {"most": 10**6}])
    version.rule.refresh_from_db()
    when = START + timedelta(days=9)
    assert budgets(cast.marketing, when) is None
    till.send(purchase("850"), purchase("10", occurred_at=datetime(2026, 2, 20, tzinfo=UTC)))
    monthly, ever = budgets_of([version], when)
    assert (monthly.used, ever.used) == (850, 860)
    assert monthly.sentence() == "850 of 1,000 points used (85 %). At the pace so far it is used up on 12 Mar 2026."
    panel = budgets(cast.marketing, when)
    assert panel is not None
    assert [(row.tag, row.tone) for row in panel.rows] == [("Nearly used up", "warn")]
    assert budgets(cast.outsider, when) is None
    assert budgets(cast.marketing, START + timedelta(days=40)) is None
    retire_rule(None, version.rule, at=when + timedelta(days=1), when=when)
    assert budgets(cast.marketing, when) == panel


def test_the_page_of_the_rule_shows_its_budget(till: Till, cast: Cast, client: Any) -> None:
    version = publish(till.group, limits=[FOR_ALL])
    till.send(purchase("1200"))
    client.force_login(cast.marketing)
    page = client.get(f"/rules/rule/{version.rule_id}/change/").content.decode()
    assert "1,000 of 1,000 points used (100 %). It is used up: the rule gives nothing more." in page
    assert '<progress class="studio-meter" max="100" value="100"' in page


def test_budgets_of_money_are_told_in_money(till: Till, cast: Cast) -> None:
    costs, money, pieces = (
        FOR_ALL | {"of": of, "most": most} for of, most in (("cost", "8"), ("amount", "900"), ("pieces", "40.5"))
    )
    version = publish(till.group, PER_YUAN, PER_YUAN | {"effect": "points_per_quantity"}, limits=[costs, money, pieces])
    version.rule.refresh_from_db()
    till.send(purchase("650.50"))
    when = START + timedelta(days=9)
    assert [each.sentence().split(" At")[0] for each in budgets_of([version], when)] == [
        "¥6.51 of ¥8.00 given in points (81 %).",
        "¥650.50 of ¥900.00 spent has earned (72 %).",
        "1 of 40.5 pieces have earned (2 %).",
    ]
    panel = budgets(cast.marketing, when)
    assert panel is not None
    assert [row.tag for row in panel.rows] == ["Nearly used up"]
    till.send(purchase("650.50"))
    assert budgets_of([version], when)[0].tone == "bad"
