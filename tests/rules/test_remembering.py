"""Rules that ask what a member did before: what counts, in any batch size and any order of arrival."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.activity.incoming import IncomingEvent
from tests.rules.conftest import START, Till, publish, purchase, refund
from tests.rules.test_pipeline import Undo


def asks(field: str, op: str, value: Any = None, window: Any = None) -> dict[str, Any]:
    parts = {"field": f"history.{field}", "op": op, "value": value, "window": window}
    return {name: part for name, part in parts.items() if part is not None}


def published(till: Till, *conditions: dict[str, Any]) -> None:
    """Each condition as a rule of its own; the n-th gives 2ⁿ points, so that points tell which held."""
    for number, condition in enumerate(conditions):
        publish(
            till.group, {"effect": "fixed_points", "point_type": "points", "points": 2**number}, condition=condition
        )


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def test_the_third_order_within_thirty_days_is_rewarded(till: Till) -> None:
    published(till, {"all": [asks("orders", "ge", 2, 30)]})
    days = [0, 10, 20, 50, 51, 52]
    assert [till.send(purchase("10", occurred_at=at(day)))[0].points for day in days] == [0, 0, 1, 0, 0, 1]
    assert till.send(purchase("10", occurred_at=at(52), member="C2"))[0].points == 0


def test_the_event_itself_does_not_count_and_neither_does_what_came_later_or_elsewhere(till: Till) -> None:
    published(till, asks("orders", "ge", 1, "ever"))
    assert [result.points for result in till.send(purchase("10"), purchase("10"))] == [0, 1]
    assert till.send(purchase("10", occurred_at=at(-1)))[0].points == 0
    till.send(purchase("10", member="C3", store="S101"))
    assert till.send(purchase("10", member="C3"))[0].points == 0


@pytest.mark.parametrize("size", [1, 6])
def test_an_order_has_its_number_within_the_month_whether_told_alone_or_in_a_batch(till: Till, size: int) -> None:
    third = {"field": "event.order_number", "op": "eq", "value": 3, "window": "month"}
    no_order = {"field": "event.order_number", "op": "is_not_set", "window": "ever"}
    published(till, third, third | {"value": 1}, no_order)
    days = [0, 1, 1, 2, 3, 31]
    events = [purchase("10", occurred_at=at(day)) for day in days]
    events[2] = replace(events[2], kind="check_in", lines=())
    points = [
        result.points for start in range(0, len(events), size) for result in till.send(*events[start : start + size])
    ]
    assert points == [2, 0, 4, 1, 0, 2]


def test_a_refund_lowers_what_was_spent_and_not_the_number_of_orders(till: Till) -> None:
    published(till, asks("spent", "ge", "100", "month"), asks("orders", "eq", 1, "month"))
    till.send(purchase("100", key="p"))
    assert till.send(refund("p", "0.01"))[0].status == "processed"
    assert till.send(purchase("10", occurred_at=at(1)))[0].points == 2


CONDITIONS = [
    asks("orders", "ge", 1, 1),
    asks("orders", "ge", 2, 3),
    asks("spent", "ge", "30", "month"),
    {"not": asks("spent", "between", ["-5", "40"], "year")},
    asks("visits", "ge", 2, 4),
    asks("check_ins", "in", [1, 3], "ever"),
    asks("days_since_order", "ge", 2),
    asks("days_since_order", "is_not_set"),
]


@dataclass(frozen=True)
class Told:
    kind: str
    member: str
    at: datetime
    amount: Decimal

    @property
    def day(self) -> date:
        return (self.at + timedelta(hours=8)).date()


def expected(before: list[Told], event: Told) -> int:
    """The points of an event, worked out by hand from what was told before it."""
    known = [told for told in before if told.member == event.member and told.at <= event.at]
    lately = lambda days: [told for told in known if told.day > event.day - timedelta(days=days)]  # noqa: E731
    orders = [told for told in known if told.kind == "purchase"]
    signs = {"purchase": 1, "refund": -1, "check_in": 0}
    spent = lambda tolds: sum(signs[told.kind] * told.amount for told in tolds)  # noqa: E731
    days_since = (event.day - max(told.day for told in orders)).days if orders else None
    held = [
        sum(told.kind == "purchase" for told in lately(1)) >= 1,
        sum(told.kind == "purchase" for told in lately(3)) >= 2,
        spent(told for told in known if (told.day.year, told.day.month) == (event.day.year, event.day.month)) >= 30,
        not -5 <= spent(told for told in known if told.day.year == event.day.year) <= 40,
        len({told.day for told in lately(4) if told.kind != "refund"}) >= 2,
        sum(told.kind == "check_in" for told in known) in (1, 3),
        days_since is not None and days_since >= 2,
        days_since is None,
    ]
    return sum(2**number for number, holds in enumerate(held) if holds)


steps = st.lists(
    st.tuples(
        st.sampled_from(["purchase", "purchase", "check_in", "refund"]), st.sampled_from(["C1", "C2"]),
        st.sampled_from([0, 0, 4, 12, 16, 24, 40, 72, 24 * 31]), st.sampled_from(["9.99", "10", "30.01"]),
    ), min_size=1, max_size=12,
)  # fmt: skip


@pytest.fixture
def asking(till: Till) -> Till:
    published(till, *CONDITIONS)
    return till


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.integers(2, 5))
def test_any_batch_size_and_any_order_of_arrival_count_what_was_told_before(
    asking: Till, drawn: Any, some: int
) -> None:
    events: list[IncomingEvent] = []
    told: list[Told] = []
    for number, (kind, member, hours, amount) in enumerate(drawn):
        bought = [event.key for event in events if (event.kind, event.member_value) == ("purchase", member)]
        values = {"key": f"k{number}", "member": member, "occurred_at": START + timedelta(hours=hours)}
        if kind != "refund":
            events.append(replace(purchase(amount, **values), kind=kind))
        elif bought and number % 2:
            amount = "0.50"
            events.append(refund(bought[-1], amount, **values))
        else:
            continue
        told.append(Told(kind, member, values["occurred_at"], Decimal(amount)))
    by_hand = {
        event.key: expected(told[:number], told[number])
        for number, event in enumerate(events)
        if event.kind != "refund"
    }
    for size in (1, some, 100):
        with suppress(Undo), transaction.atomic():
            results = [
                each for start in range(0, len(events), size) for each in asking.send(*events[start : start + size])
            ]
            raise Undo
        assert {each.status for each in results} <= {"processed"}
        assert {each.key: each.points for each in results if each.key in by_hand} == by_hand


def asks_shortly(field: str, op: str, value: int, window: Any) -> dict[str, Any]:
    return {"field": f"recent.{field}", "op": op, "value": value, "window": window}


SHORTLY = [
    asks_shortly("events", "ge", 1, 1),
    asks_shortly("events", "ge", 2, 10),
    asks_shortly("events", "ge", 2, "today"),
    asks_shortly("device_events", "ge", 1, 10),
    asks_shortly("device_events", "ge", 3, 1_440),
    asks_shortly("device_events", "eq", 0, "today"),
]
hurried = st.lists(
    st.tuples(
        st.sampled_from(["C1", "C2", "C3"]), st.sampled_from(["", "pad", "tab"]),
        st.sampled_from([0, 0, 1, 9, 10, 60, 12 * 60, 1_440]),
    ), min_size=1, max_size=12,
)  # fmt: skip


@pytest.fixture
def hurrying(till: Till) -> Till:
    published(till, *SHORTLY)
    return till


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hurried, st.integers(2, 5), st.randoms(use_true_random=False))
def test_what_happened_minutes_before_is_the_same_in_any_batch_size_and_order_of_arrival(
    hurrying: Till, drawn: Any, some: int, shuffler: Any
) -> None:
    """Catches a window that holds its first instant, what was told later in the batch, and events without a device that
    count as one device's."""
    moments = [sum(minutes for *_, minutes in drawn[: n + 1]) for n in range(len(drawn))]
    told = [
        (member, device, START + timedelta(minutes=at)) for (member, device, _), at in zip(drawn, moments, strict=True)
    ]
    shuffler.shuffle(told)
    local_day = lambda moment: (moment + timedelta(hours=8)).date()  # noqa: E731
    expected_points = []
    for number, (member, device, moment) in enumerate(told):
        before = [each for each in told[:number] if each[2] <= moment]
        mine = [each[2] for each in before if each[0] == member]
        its = [each[2] for each in before if device and each[1] == device]
        within = lambda moments, minutes: sum(at > moment - timedelta(minutes=minutes) for at in moments)  # noqa: B023, E731
        today = lambda moments: sum(local_day(at) == local_day(moment) for at in moments)  # noqa: B023, E731
        held = [
            within(mine, 1) >= 1, within(mine, 10) >= 2, today(mine) >= 2,
            within(its, 10) >= 1, within(its, 1_440) >= 3, today(its) == 0,
        ]  # fmt: skip
        expected_points.append(sum(2**n for n, holds in enumerate(held) if holds))
    events = [
        purchase("10", key=f"h{number}", member=member, device=device, occurred_at=moment)
        for number, (member, device, moment) in enumerate(told)
    ]
    for size in (1, some, len(events)):
        with suppress(Undo), transaction.atomic():
            results = [
                result for at in range(0, len(events), size) for result in hurrying.send(*events[at : at + size])
            ]
            assert [result.points for result in results] == expected_points
            raise Undo
