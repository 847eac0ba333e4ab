"""What rules gather: goals and steps, streaks, remainders, and what refunds undo of them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apps.members.models import MemberTag
from apps.members.services import add_identifier
from apps.points.models import Account, PointType
from apps.rules.models import Progress as Kept
from apps.rules.pipeline import Processed
from apps.rules.progress import KEPT_DAYS, NOTHING, Accumulator, Progress, undone
from tests.factories import CoffeeGroup
from tests.rules.conftest import START, Till, publish, purchase, refund

DAY = date(2026, 3, 1).toordinal()
CHECK_IN = {"field": "event.kind", "op": "eq", "value": "check_in"}


def gathers(of: str = "events", at: str = "3", **more: Any) -> dict[str, Any]:
    return {"of": of, "at": at, "fires": "step", "period": "ever", "lines": None, "attribute": ""} | more


def fixed(points: int) -> dict[str, Any]:
    return {"effect": "fixed_points", "point_type": "points", "points": points}


def tag(text: str, start: str = "now", days: int | None = None) -> dict[str, Any]:
    return {"effect": "tag", "tag": text, "start": start, "days": days}


def carrying(points: str = "1", per: str = "40") -> dict[str, Any]:
    return {
        "effect": "points_per_amount", "point_type": "points", "points": points, "per": per, "rounding": "carry",
        "lines": None,
    }  # fmt: skip


def points(results: list[Processed]) -> list[int]:
    return [result.points for result in results]


def told(result: Processed) -> list[tuple[str, str]]:
    return [(each["done"], each["goal"]) for each in (result.answer or {})["progress"]]


def check_in(at: datetime, **more: Any) -> Any:
    return replace(purchase("0", occurred_at=at, **more), kind="check_in", lines=())


# -- pure --------------------------------------------------------------------------------------------------------------


def streaks(days: set[int], at: int, *, every: bool) -> int:
    found, length = 0, 0
    for day in range(min(days, default=0), max(days, default=0) + 2):
        if day in days:
            length += 1
        else:
            found, length = found + (length // at if every else length >= at), 0
    return found


@given(
    st.lists(st.integers(0, 3 * KEPT_DAYS), max_size=120).map(sorted),
    st.integers(2, 9),
    st.booleans(),
)
def test_a_streak_told_in_order_is_counted_right_however_long_it_is(days: list[int], at: int, every: bool) -> None:
    """Also where its days are long forgotten. Catches a run that is cut where it is forgotten."""
    accumulator = Accumulator("streak", Decimal(at), every)
    progress = NOTHING
    for number, day in enumerate(days):
        progress = accumulator.after(progress, (str(DAY + day),))
        assert accumulator.fires(progress) == streaks(set(days[: number + 1]), at, every=every)
    assert len(progress.seen) <= KEPT_DAYS
    assert Progress.from_json(str(progress.value), progress.to_json()) == progress


@given(st.permutations(range(20)), st.sets(st.integers(0, 19)), st.integers(2, 5))
def test_days_of_a_streak_may_come_in_any_order_and_be_taken_back(told: list[int], back: set[int], at: int) -> None:
    accumulator = Accumulator("streak", Decimal(at), every=True)
    progress = NOTHING
    for day in told:
        progress = accumulator.after(progress, (str(DAY + day),))
    for day in back:
        progress = accumulator.after(progress, (str(DAY + day),), -1)
    assert accumulator.fires(progress) == streaks(set(range(20)) - back, at, every=True)


def test_a_value_counts_until_the_last_event_that_brought_it_is_given_back() -> None:
    accumulator = Accumulator("stores", Decimal(2))
    progress = accumulator.after(accumulator.after(accumulator.after(NOTHING, ("a",)), ("a",)), ("b",))
    assert accumulator.fires(progress) == 1
    assert accumulator.fires(accumulator.after(progress, ("a",), -1)) == 1
    assert accumulator.fires(accumulator.after(accumulator.after(progress, ("a",), -1), ("a",), -1)) == 0


def test_steps_are_undone_at_their_own_event_first_and_then_at_the_latest() -> None:
    progress = NOTHING.with_firing(1, 2).with_firing(2, 1).with_firing(3, 1)
    left, found = undone(progress, 1, 3)
    assert [(firing.event_id, steps) for firing, steps in found] == [(1, 2), (3, 1)]
    assert [(firing.event_id, steps) for firing, steps in undone(left, 1, 5)[1]] == [(2, 1)]


# -- on the main road --------------------------------------------------------------------------------------------------


def test_every_third_order_is_worth_its_points_and_how_far_it_is_is_told(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(50), accumulator=gathers())
    results = till.send(*(purchase("10", key=f"p{number}") for number in range(7)))
    assert points(results) == [0, 0, 50, 0, 0, 50, 0]
    assert [told(result) for result in results[:4]] == [[("1", "3")], [("2", "3")], [("0", "3")], [("1", "3")]]


def test_a_goal_is_reached_once_in_its_period(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(50), accumulator=gathers("amount", "100", fires="goal", period="month"))
    march = till.send(*(purchase("60") for _ in range(4)))
    april = till.send(*(purchase("60", occurred_at=START + timedelta(days=40)) for _ in range(2)))
    assert (points(march), points(april)) == ([0, 50, 0, 0], [0, 50])


def test_one_large_order_reaches_several_steps_at_once(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(20), accumulator=gathers("amount", "1000"))
    assert points(till.send(purchase("3500"), purchase("499"), purchase("1"))) == [60, 0, 20]


def test_different_stores_count_once_each(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(30), accumulator=gathers("stores", "2", fires="goal"))
    results = till.send(*(purchase("10", store=store) for store in ("S001", "S001", "S003", "S002")))
    assert points(results) == [0, 0, 30, 0]


def test_a_refund_undoes_the_goal_and_the_next_order_reaches_it_again(group: CoffeeGroup, till: Till) -> None:
    """The points were given for a later order than the one that is given back."""
    publish(group, fixed(50), accumulator=gathers())
    till.send(*(purchase("10", key=f"p{number}") for number in range(3)))
    assert points(till.send(refund("p0", "4"))) == [0]
    assert points(till.send(refund("p0", "6"))) == [-50]
    assert points(till.send(purchase("10"), purchase("10"))) == [50, 0]
    assert till.account().balance == 50


def test_a_goal_that_is_still_reached_keeps_its_points_when_its_own_order_is_given_back(
    group: CoffeeGroup, till: Till
) -> None:
    publish(group, fixed(50), accumulator=gathers("events", "2", fires="goal"))
    till.send(*(purchase("10", key=f"p{number}") for number in range(3)))
    assert points(till.send(refund("p1", "10"))) == [0]
    assert points(till.send(refund("p0", "10"))) == [-50]


def test_what_is_left_over_is_carried_on_and_right_after_any_refund(group: CoffeeGroup, till: Till) -> None:
    publish(group, carrying())
    assert points(till.send(purchase("30", "a"), purchase("30", "b"), purchase("70", "c"))) == [0, 1, 2]
    assert points(till.send(refund("a", "30"))) == [-1]
    assert points(till.send(purchase("20", "d"))) == [1]
    assert till.account().balance == (30 + 70 + 20) // 40


def test_one_batch_of_orders_and_refunds_comes_to_the_same_as_one_by_one(group: CoffeeGroup, till: Till) -> None:
    publish(group, carrying())
    publish(group, fixed(50), accumulator=gathers("events", "2"))
    events = [
        purchase("30", "a"), purchase("30", "b"), purchase("70", "c"), refund("b", "30", "rb"), purchase("45", "d"),
        refund("a", "30", "ra"), purchase("9", "e"),
    ]  # fmt: skip
    for event in events:
        till.send(event)
    others = [
        replace(event, key=f"x{event.key}", refund_of=event.refund_of and f"x{event.refund_of}", member_value="C2")
        for event in events
    ]
    till.send(*others)
    assert till.account("C1").balance == till.account("C2").balance == (70 + 45 + 9) // 40 + 50


def test_a_limit_cuts_what_a_goal_gives_and_a_refund_takes_no_more_than_that(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(50), accumulator=gathers("events", "2"), cap=70)
    results = till.send(*(purchase("10", key=f"p{number}") for number in range(4)))
    assert points(results) == [0, 50, 0, 20]
    assert points(till.send(refund("p0", "10"))) == [-20]
    assert till.account().balance == 50


def test_twelve_visits_in_a_month_double_the_next_one(group: CoffeeGroup, till: Till) -> None:
    publish(group)
    publish(group, tag("regular", "next_month"), condition=CHECK_IN, accumulator=gathers("days", "12", period="month"))
    publish(
        group,
        {"effect": "multiply", "point_type": "points", "times": "2", "of": "base", "rounding": "down"},
        condition={"field": "member.tags", "op": "has_any", "value": ["regular"]},
    )
    till.send(*(check_in(datetime(2026, 3, day, 4, tzinfo=UTC)) for day in range(1, 13)))
    days = [datetime(2026, month, day, 4, tzinfo=UTC) for month, day in ((3, 20), (4, 1), (4, 30), (5, 1))]
    assert points(till.send(*(purchase("10", occurred_at=day) for day in days))) == [10, 20, 20, 10]
    assert list(MemberTag.objects.values_list("tag", "from_on", "until_on")) == [
        ("regular", date(2026, 4, 1), date(2026, 5, 1))
    ]


def test_a_tag_is_seen_by_the_next_event_of_the_batch_and_goes_with_the_order_that_brought_it(
    group: CoffeeGroup, till: Till
) -> None:
    publish(group, tag("big", days=30), condition={"field": "event.amount", "op": "ge", "value": "500"})
    publish(group, fixed(5), condition={"field": "member.tags", "op": "has_any", "value": ["big"]})
    assert points(till.send(purchase("500", "a"), purchase("1"))) == [0, 5]
    assert points(till.send(refund("a", "499"), purchase("1"))) == [0, 5]
    assert points(till.send(refund("a", "1"), purchase("1"))) == [0, 0]


def test_a_rule_that_is_outdone_carries_nothing_on_but_counts_towards_its_goal(group: CoffeeGroup, till: Till) -> None:
    def of(order: int) -> dict[str, Any]:
        return {"group": "one", "take": "first", "order": order}

    publish(group, carrying(), stacking=of(2))
    publish(group, fixed(9), stacking=of(1), accumulator=gathers("events", "2"))
    assert points(till.send(purchase("30"), purchase("30"), purchase("30"))) == [0, 9, 1]
    assert sorted(Kept.objects.values_list("name", "value")) == [("carry 0", Decimal(60)), ("events", Decimal(3))]


def test_a_budget_holds_also_where_a_tag_of_the_same_batch_opens_it(group: CoffeeGroup, till: Till) -> None:
    """Catches a counter that is not locked since nobody had the tag yet when the batch was opened."""
    once = {"per": "programme", "period": "ever", "of": "times", "most": 1}
    publish(group, tag("big"), condition={"field": "event.amount", "op": "ge", "value": "500"})
    publish(group, fixed(5), condition={"field": "member.tags", "op": "has_any", "value": ["big"]}, limits=[once])
    assert points(till.send(purchase("500"), purchase("1"), purchase("1"))) == [0, 5, 0]
    assert points(till.send(purchase("1"))) == [0]


def test_a_refund_of_nothing_takes_nothing_more_back(group: CoffeeGroup, till: Till) -> None:
    """Catches a stamp taken for each refund after the last, and one without lines that stops those behind it."""
    publish(group, fixed(50), accumulator=gathers("events", "2"))
    till.send(*(purchase("10", key=f"p{number}") for number in range(4)))
    nothing = replace(refund("p0", "0"), lines=())
    later = [replace(nothing, key=f"n{number}") for number in range(2)]
    assert points(till.send(nothing, *later)) == [0, 0, 0]
    assert points(till.send(refund("p0", "10"), *(replace(each, key=f"x{each.key}") for each in later))) == [-50, 0, 0]
    assert Kept.objects.get().value == 3


def test_what_cost_nothing_is_given_back_once(group: CoffeeGroup, till: Till) -> None:
    publish(group, fixed(5))
    publish(group, fixed(50), accumulator=gathers("events", "2"))
    till.send(purchase("0", key="free"), purchase("10"))
    assert points(till.send(refund("free", "0"), refund("free", "0"))) == [-55, 0]
    assert Kept.objects.get().value == 1


def test_a_goal_of_another_kind_of_points_is_undone_where_its_rule_is_no_longer_in_force(
    group: CoffeeGroup, till: Till
) -> None:
    """The purchase that is given back brought no points itself."""
    stars = PointType.objects.create(program=group.east, code="stars", name="Stars")
    end = START + timedelta(minutes=30)
    publish(group, fixed(50) | {"point_type": "stars"}, accumulator=gathers("events", "2"), ends_at=end)
    till.send(purchase("10", key="p0"), purchase("10"))
    assert points(till.send(refund("p0", "10"))) == [-50]
    assert Account.objects.get(point_type=stars).balance == 0


def test_the_tag_of_another_order_stays_where_only_a_remainder_is_undone_there(group: CoffeeGroup, till: Till) -> None:
    publish(group, carrying(), tag("regular"))
    till.send(purchase("30", "a"), purchase("30", "b"))
    assert points(till.send(refund("a", "30"))) == [-1]
    given = MemberTag.objects.order_by("event_id").values_list("from_on", "until_on")
    assert list(given) == [(date(2026, 3, 1), date(2026, 3, 1)), (date(2026, 3, 1), None)]


def test_a_tag_goes_with_its_order_whatever_the_rule_says_by_then(group: CoffeeGroup, till: Till) -> None:
    """Catches tags taken back as the newest version says: here it gives none, or only at a goal."""
    for accumulator, effect in ((None, fixed(5)), (gathers(), tag("other"))):
        row = publish(group, tag("regular"), ends_at=START + timedelta(minutes=30))
        row.pk, row.number, row.starts_at, row.ends_at = None, 2, START + timedelta(minutes=30), None
        row.definition = row.definition | {"effects": [effect]} | ({"accumulator": accumulator} if accumulator else {})
        row.save(force_insert=True)
    till.send(purchase("10", "a"))
    till.send(refund("a", "10"))
    assert list(MemberTag.objects.values_list("until_on", flat=True)) == [date(2026, 3, 1)] * 2


def test_events_of_one_batch_that_call_a_member_by_several_names_come_in_their_order(
    group: CoffeeGroup, till: Till
) -> None:
    """Catches a goal whose points stay since it fired in the same wave as the refund, told by phone, that undoes it."""
    add_identifier(None, till.member().pk, "phone", "13800000001", when=START)
    publish(group, fixed(50), accumulator=gathers("events", "2"))
    till.send(purchase("10", key="p0"))
    back = replace(refund("p0", "10"), member_kind="phone", member_value="138 0000 0001")
    assert points(till.send(purchase("10"), back, purchase("10"))) == [50, -50, 50]
    assert till.account().balance == 50


def test_a_sum_of_attributes_takes_any_number_that_is_told(group: CoffeeGroup, till: Till) -> None:
    """Catches one that no column holds, which stops the whole batch, and decimals that get lost between batches."""
    publish(
        group, fixed(1), condition=CHECK_IN, accumulator=gathers("attribute_sum", "1", fires="goal", attribute="mark")
    )
    marks = ["0.3333333333", 0.6666666667, -5, "x", True, 1e300, "9" * 40]
    events = [check_in(START, attributes={"mark": mark}) for mark in marks]
    results = points(till.send(*events))
    assert results == [0, 0, 0, 0, 0, 1, 0]
    others = [replace(event, key=f"x{event.key}", member_value="C2") for event in events]
    assert [points(till.send(event)) for event in others] == [[each] for each in results]
    assert set(Kept.objects.values_list("value", flat=True)) == {10**12 + Decimal("0.999999")}
