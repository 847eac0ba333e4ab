"""Promises R3 and R4: no point is spent twice, and nobody waits in a ring, with real connections at once."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.points import services
from apps.points.checking import differences
from apps.points.errors import NotEnoughPoints
from apps.points.models import Posting
from tests.factories import make_group
from tests.points.conftest import START, Purse, make_purse

pytestmark = pytest.mark.faults


def at_once(work: Callable[[int], bool], attempts: int, workers: int = 16) -> int:
    """Runs `work(n)` for each attempt on `workers` connections of their own; how many were granted."""

    def attempt(number: int) -> bool:
        try:
            return work(number)
        except NotEnoughPoints:
            return False

    def closing(number: int) -> bool:
        try:
            return attempt(number)
        finally:
            if number >= attempts - workers:
                connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(closing, range(attempts)))


def redeem(purse: Purse, number: int) -> bool:
    purse.redeem(100, key=f"r{number}")
    return True


def hold_and_capture(purse: Purse, number: int) -> bool:
    held = services.hold(None, purse.account_id, 100, key=f"h{number}", unit=purse.group["S001"], when=START)
    services.capture(None, held.pk, when=START)
    return True


def take_by_hand(purse: Purse, number: int) -> bool:
    purse.give(-100, key=f"a{number}")
    return True


def any_of_them(purse: Purse, number: int) -> bool:
    return (redeem, hold_and_capture, take_by_hand)[number % 3](purse, number)


@pytest.mark.parametrize("path", [redeem, hold_and_capture, take_by_hand, any_of_them])
def test_exactly_what_is_there_is_granted_to_sixteen_tills(committed: str, path: Callable[[Purse, int], bool]) -> None:
    purse = make_purse(make_group())
    for _ in range(10):
        purse.give(1_000)
    assert at_once(lambda number: path(purse, number), 320) == 100
    assert (purse.account.balance, purse.account.held) == (0, 0)
    assert differences() == []


def test_one_key_from_sixteen_tills_books_once(committed: str) -> None:
    purse = make_purse(make_group())
    purse.give(10_000)
    assert at_once(lambda _: redeem(purse, 1), 64) == 64
    assert purse.account.balance == 9_900
    assert Posting.objects.filter(kind="redeem").count() == 1


def test_verbs_on_few_members_never_deadlock(committed: str) -> None:
    group = make_group()
    purses = [make_purse(group) for _ in range(5)]
    for purse in purses:
        purse.give(1_000)
    chooser = random.Random(1)
    plan = [(chooser.choice(purses), chooser.choice(["redeem", "give", "expire", "hold"])) for _ in range(300)]

    def act(number: int) -> bool:
        purse, verb = plan[number]
        if verb == "redeem":
            purse.redeem(7)
        elif verb == "give":
            purse.give(13)
        elif verb == "hold":
            services.void(None, purse.hold(5).pk, when=START)
        else:
            services.expire_due(START)
        return True

    with connection.cursor() as cursor:
        assert at_once(act, len(plan), workers=8) > 250
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert cursor.fetchone() == (0,)
    assert differences() == []
