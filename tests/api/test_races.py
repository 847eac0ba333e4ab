"""Promise R1 over the API: one key has its effect once, with real connections at once; and what one award costs."""

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.activity.models import Event
from apps.members.models import Member
from apps.orgs.models import KeptAnswer
from apps.points.checking import differences
from apps.points.models import Account, Hold, Posting
from tests.api.conftest import Caller, make_caller, purchase
from tests.factories import make_group
from tests.rules.conftest import make_till, publish


def make_shop_till() -> Caller:
    group = make_group()
    make_till(group)
    publish(group)
    return make_caller(group)


def at_once(ask: Callable[[int], Any], times: int = 16) -> list[Any]:
    """The answers to `ask(0)` to `ask(times - 1)`, each on a connection of its own."""

    def closing(number: int) -> Any:
        try:
            return ask(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(closing, range(times)))


@pytest.mark.faults
def test_one_event_from_sixteen_connections_is_booked_once(committed: str) -> None:
    till = make_shop_till()
    answers = at_once(lambda _: till.post("events", purchase()))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 15}
    assert len({answer.content for answer in answers}) == 1
    assert (Event.objects.count(), Posting.objects.count(), Account.objects.get().balance) == (1, 1, 32)


@pytest.mark.faults
def test_one_idempotency_key_from_sixteen_connections_enrols_once(committed: str) -> None:
    till = make_shop_till()
    before = Member.objects.count()
    body = {"identifiers": [{"kind": "phone", "value": "13812341234"}], "name": "王小明"}
    answers = at_once(lambda _: till.post("members", body, idempotency_key="k"))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 15}
    assert len({answer.content for answer in answers}) == 1
    assert (Member.objects.count(), KeptAnswer.objects.count()) == (before + 1, 1)


@pytest.mark.faults
def test_one_key_with_sixteen_bodies_has_one_effect(committed: str) -> None:
    till = make_shop_till()
    before = Member.objects.count()
    answers = at_once(
        lambda number: till.post("members", {"identifiers": [{"value": f"N{number}"}]}, idempotency_key="k")
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 15}
    assert Member.objects.count() == before + 1


@pytest.mark.faults
def test_one_redemption_from_sixteen_connections_is_held_once_and_taken_once(committed: str) -> None:
    till = make_shop_till()
    till.post("events", purchase("100"))
    body = {"member": {"value": "C1"}, "points": 60}
    answers = at_once(lambda _: till.post("redemptions", body, idempotency_key="k"))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 15}
    held = Hold.objects.get()
    taken = at_once(lambda _: till.post(f"redemptions/{held.pk}/capture"))
    assert {answer.status_code for answer in taken} == {200}
    assert (Account.objects.get().balance, Account.objects.get().held) == (40, 0)
    assert differences() == []


def test_an_award_costs_four_round_trips_beside_the_key(committed: str) -> None:
    """Queries per request do not depend on the event: a warm process asks no configuration again."""
    till = make_shop_till()
    till.post("events", purchase())
    for body in (purchase(key="p2"), purchase(key="p3", lines=[{"amount": "1.50"}] * 30)):
        with CaptureQueriesContext(connection) as asked:
            assert till.post("events", body).status_code == 201
        found = [re.split(r"\(| FROM", query["sql"])[0] for query in asked.captured_queries]
        assert found[1:] == ["BEGIN", "SELECT n, member_id, event_id, home_path, joined_on, attributes, counters, accounts",
                             "SELECT rules_settle", "COMMIT"]  # fmt: skip
        assert len(found) == 5


def test_a_batch_costs_as_many_round_trips_as_one_event(committed: str) -> None:
    till = make_shop_till()
    till.post("events", purchase())
    events = [purchase(key=f"b{number}", member=f"C{number % 3 + 1}") for number in range(200)]
    with CaptureQueriesContext(connection) as asked:
        answer = till.post("events/batch", {"events": events})
    assert {one["status"] for one in answer.told["results"]} == {"processed"}
    assert len(asked.captured_queries) == 5
