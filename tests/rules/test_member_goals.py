"""What the member page says of goals, remainders and tags."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.members.page import Asked
from apps.rules.member_goals import Standing, goals
from tests.factories import Cast, CoffeeGroup
from tests.rules.conftest import START, Till, publish, purchase, refund
from tests.rules.test_progress import CHECK_IN, carrying, check_in, fixed, gathers, tag


def standing(cast: Cast, till: Till, when: datetime = START, persona: str = "service", member: str = "C1") -> Any:
    found = goals(Asked(cast[persona], till.member(member), when))
    assert found is None or isinstance(found.context, Standing)
    return found and found.context


def said(cast: Cast, till: Till, when: datetime = START) -> list[tuple[str, Any]]:
    return [(goal.said, goal.last_on) for goal in standing(cast, till, when).goals]


def test_each_goal_says_how_far_the_member_is_and_until_when(cast: Cast, group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(50), accumulator=gathers("events", "3"))
    publish(group, fixed(50), accumulator=gathers("amount", "1000", fires="goal", period="month"))
    publish(group, fixed(50), condition=CHECK_IN, accumulator=gathers("stores", "2"))
    publish(group, fixed(50), accumulator=gathers("events", "3"), unit="EAST-S")
    assert standing(cast, till) is None
    till.send(*(purchase("300.5", key=f"p{number}") for number in range(4)))
    march, april = date(2026, 3, 31), date(2026, 4, 30)
    assert said(cast, till) == [("1 of 3", None), ("¥1,000 of ¥1,000", march), ("0 of 2", None)]
    assert [goal.is_reached for goal in standing(cast, till).goals] == [False, True, False]
    till.send(refund("p3", "300.5"))
    assert said(cast, till) == [("¥901.50 of ¥1,000", march), ("0 of 3", None), ("0 of 2", None)]
    assert ("¥0 of ¥1,000", april) in said(cast, till, START + timedelta(days=40))


def test_a_streak_is_broken_once_a_day_is_over_without_an_event(cast: Cast, group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(50), condition=CHECK_IN, accumulator=gathers("streak", "7"))
    days = [datetime(2026, 3, day, 4, tzinfo=UTC) for day in (1, 2, 3)]
    till.send(*map(check_in, days))
    in_shanghai = [datetime(2026, 3, 4, 15, 59, tzinfo=UTC), datetime(2026, 3, 4, 16, tzinfo=UTC)]
    assert [said(cast, till, when)[0][0] for when in (days[2], *in_shanghai)] == ["3 of 7", "3 of 7", "0 of 7"]


def test_remainders_and_tags_are_told(cast: Cast, group: CoffeeGroup, till: Till) -> None:
    rate = publish(group, carrying()).rule.name
    giving = publish(group, tag("big", days=30), tag("regular", "next_month"))
    till.send(purchase("60", "a"), purchase("80", "b", occurred_at=START + timedelta(days=10)))
    told = standing(cast, till)
    assert told.carried == [f"¥20 carried on: {rate}"]
    held = [(each.tag, each.rule, each.since, each.last_on) for each in told.tags]
    name = giving.rule.name
    assert held == [
        ("big", name, None, date(2026, 4, 9)),
        ("regular", name, date(2026, 4, 1), date(2026, 4, 30)),
    ]  # fmt: skip
    assert [each.tag for each in standing(cast, till, datetime(2026, 4, 9, 16, tzinfo=UTC)).tags] == ["regular"]
    till.send(refund("a", "60"), refund("b", "80"))
    assert standing(cast, till) is None


def test_it_asks_as_many_queries_for_one_rule_as_for_many(cast: Cast, group: CoffeeGroup, till: Till) -> None:
    def queries() -> int:
        asked = Asked(cast.service, till.member(), START)
        with CaptureQueriesContext(connection) as captured:
            goals(asked)
        return len(captured)

    publish(group, fixed(5), tag("one"), accumulator=gathers())
    till.send(purchase("10"), purchase("10"), purchase("10"))
    queries()  # once to learn what the person may see
    few = queries()
    for number in range(5):
        publish(group, fixed(5), tag(f"t{number}"), accumulator=gathers("amount", "10"))
    till.send(purchase("10"))
    assert queries() == few
    assert standing(cast, till, persona="outsider") is None
