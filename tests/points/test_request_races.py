"""Requests sent at once: real connections, and the real locks that count them together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connection

from apps.approvals.models import ApprovalRequest, Evidence
from apps.points.checking import differences
from apps.points.models import Account, Posting
from apps.points.services.adjusting import ask_adjustment
from tests.factories import make_cast, make_group, make_staff
from tests.points.conftest import make_purse
from tests.points.test_requests import PDF, WHEN, Counter, hold_at

pytestmark = pytest.mark.faults
R = TypeVar("R")


def at_once(work: Callable[[int], R], times: int) -> list[R]:
    """What `work` answers to each number, on connections of their own."""

    def closing(number: int) -> R:
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(closing, range(times)))


def open_counter() -> Counter:
    group = make_group()
    hold_at(group)
    return Counter(make_purse(group), make_cast(group))


def test_the_same_form_sent_four_times_at_once_is_one_request(committed: str) -> None:
    counter = open_counter()
    sent = at_once(lambda _: counter.ask(60, key="form", files=[PDF]).pk, times=4)
    assert len(set(sent)) == 1
    assert (counter.balance, Posting.objects.count(), Evidence.objects.count()) == (60, 1, 1)
    assert differences() == []


def test_two_of_nine_hundred_at_once_do_not_both_slip_through(committed: str) -> None:
    counter = open_counter()
    people = [counter.cast.service, make_staff(counter.purse.group["EAST"], ["service"])]

    def ask(number: int) -> str:
        wanted = counter.wants(900)
        return str(ask_adjustment(people[number], wanted, reason="in parts", key=f"part{number}", when=WHEN).state)

    assert sorted(at_once(ask, times=2)) == ["done", "open"]
    held = ApprovalRequest.objects.get(state="open")
    assert (held.band, len(held.together), Account.objects.get().balance) == ("Medium", 1, 900)
    assert differences() == []
