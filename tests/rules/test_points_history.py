"""Points earned and redeemed before: the same in any batch size, and over all members what it is of each."""

from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.activity.segments import members_in
from apps.conditions.compiling import HOLDS, compile_tree
from apps.conditions.tree import parse
from apps.members.facts import History, MemberFacts
from apps.members.models import Member
from apps.points.models import Account, PointType, Posting
from apps.points.services import redeem
from apps.rules.catalogue import MEMBERS, OTHERS
from tests.activity.test_segments import undone, window_holds
from tests.conditions import trees
from tests.factories import CoffeeGroup
from tests.rules.conftest import PURCHASE, START, Till, publish, purchase, refund
from tests.rules.test_pipeline import Undo

QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
BONUS = {"effect": "fixed_points", "point_type": "points", "points": 1000}
_keys = count(1)


def asks(name: str, op: str, value: Any, window: Any) -> dict[str, Any]:
    leaf = {"field": f"history.points_{name}", "op": op, "value": value, "window": window}
    return {"all": [*PURCHASE["all"], leaf]}


def local_day(at: datetime) -> date:
    return (at + timedelta(hours=8)).date()


def test_what_was_earned_and_redeemed_before_counts_also_where_it_was_taken_back(till: Till) -> None:
    publish(till.group)
    publish(till.group, BONUS, condition=asks("earned", "between", [100, 199], "month"))
    publish(till.group, BONUS | {"points": 5000}, condition=asks("spent", "ge", 30, 7))
    assert [
        till.send(purchase("100", key=f"p{n}", occurred_at=START + timedelta(hours=n)))[0].points for n in range(2)
    ] == [100, 1100]
    till.send(refund("p1", "100", occurred_at=START + timedelta(hours=3)))
    redeem(None, till.account().pk, 30, key="r", unit=till.group["S001"], when=START + timedelta(hours=4))
    days = [timedelta(hours=3), timedelta(hours=5), timedelta(days=7), timedelta(days=31)]
    assert [till.send(purchase("10", occurred_at=START + after))[0].points for after in days] == [10, 5010, 10, 10]


@pytest.fixture
def asking(till: Till) -> Till:
    publish(till.group)
    publish(till.group, BONUS, condition=asks("earned", "ge", 50, "month"))
    publish(till.group, BONUS | {"points": 10_000}, condition=asks("earned", "lt", 1100, 3))
    return till


def expected(told: list[tuple[str, datetime, int]]) -> list[int]:
    """By hand: what each purchase earns, given what those before it earned."""
    earned: list[int] = []
    for number, (member, at, amount) in enumerate(told):
        before = [
            (local_day(when), points)
            for (who, when, _), points in zip(told[:number], earned, strict=True)
            if who == member and when <= at
        ]
        day = local_day(at)
        of_month = sum(points for on, points in before if (on.year, on.month) == (day.year, day.month))
        of_three = sum(points for on, points in before if on > day - timedelta(days=3))
        earned.append(amount + 1000 * (of_month >= 50) + 10_000 * (of_three < 1100))
    return earned


steps = st.lists(
    st.tuples(st.sampled_from(["C1", "C2"]), st.sampled_from([0, 0, 4, 12, 16, 40, 72, 24 * 31]), st.sampled_from([5, 30, 60])),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
@given(steps, st.integers(2, 5))
def test_any_batch_size_counts_what_the_events_before_earned(asking: Till, drawn: Any, some: int) -> None:
    told = [(member, START + timedelta(hours=hours), amount) for member, hours, amount in drawn]
    by_hand = expected(told)
    for size in (1, some, 100):
        with suppress(Undo), transaction.atomic():
            events = [purchase(str(amount), member=member, occurred_at=at) for member, at, amount in told]
            points = [
                each.points
                for start in range(0, len(events), size)
                for each in asking.send(*events[start : start + size])
            ]
            assert points == by_hand
            raise Undo


DAYS = [
    date(2023, 2, 24),
    date(2026, 1, 1),
    date(2026, 1, 31),
    date(2026, 2, 1),
    date(2026, 2, 22),
    date(2026, 2, 28),
    date(2026, 3, 1),
]
moved = st.lists(
    st.tuples(st.sampled_from(DAYS), st.sampled_from(["earn", "pending", "redeem", "adjust"]), st.sampled_from([1, 2, 3])),
    max_size=5,
)  # fmt: skip
leaves = st.one_of(trees.points_leaves, trees.points_leaves.map(lambda leaf: {"not": leaf}))


def posted(group: CoffeeGroup, kind: PointType, member: Member, movements: Any, times: int = 1) -> None:
    account = Account.objects.create(member=member, point_type=kind)
    for day, how, points in movements:
        Posting.objects.create(
            key=f"k{next(_keys)}", account=account, member=member, org_unit=group["S001"], day=day, posted_at=START,
            kind="earn" if how == "pending" else how, points=0 if how == "pending" else times * (-points if how == "redeem" else points),
            pending_points=times * points if how == "pending" else 0,
        )  # fmt: skip


def history(movements: Any, until: date) -> History:
    def of(kinds: tuple[str, ...], window: Any) -> int:
        return sum(points for day, how, points in movements if how in kinds and window_holds(window, day, until))

    return History(
        points_earned={window: of(("earn", "pending"), window) for window in trees.WINDOWS},
        points_spent={window: of(("redeem",), window) for window in trees.WINDOWS},
    )


@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(st.lists(moved, min_size=1, max_size=4), st.lists(leaves, min_size=1, max_size=6), st.sampled_from(DAYS[-2:]))
def test_over_all_members_it_holds_for_just_those_for_whom_it_holds_in_memory(
    group: CoffeeGroup, drawn: Any, asked: Any, until: date
) -> None:
    with undone():
        other = PointType.objects.create(program=group.east, code="more", name="More", kind="reward")
        subjects = []
        for movements in drawn:
            member = Member.objects.create(home_unit=group["S001"], joined_on=until, created_at=START)
            posted(group, group.point_types["east"], member, movements)
            for kind in (other, group.point_types["west"]):
                posted(group, kind, member, movements, times=7)
            subjects.append(MemberFacts(member.pk, "0001", until, {}, history(movements, until)))
        for written in asked:
            tree = parse(written, MEMBERS)
            in_memory = [each.id for each in subjects if compile_tree(tree, MEMBERS, {}).test(each) == HOLDS]
            text, parameters = members_in(Member.objects.all(), group.east, tree, {}, until, others=OTHERS)
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT member.id {text} ORDER BY 1", parameters)
                assert [pk for (pk,) in cursor.fetchall()] == in_memory, written
