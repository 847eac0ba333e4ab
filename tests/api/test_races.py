"""Promise R1 over the API: one key has its effect once, with real connections at once; and what one award costs."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

from apps.activity.models import Event
from apps.members.models import Member
from apps.orgs.models import KeptAnswer, OrgUnit, Program
from apps.points.checking import differences
from apps.points.models import Account, Hold, Posting
from tests.api.conftest import Caller, make_caller, purchase
from tests.factories import CoffeeGroup, make_group
from tests.rules.conftest import START, make_till, publish


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


def turns_on_the_wire(work: Callable[[], Any]) -> int:
    """How often the client library sends something to the database and waits: round trips, whoever makes them."""
    raw = connection.connection.pgconn
    with tempfile.TemporaryFile() as log:
        raw.trace(log.fileno())
        work()
        raw.untrace()
        os.lseek(log.fileno(), 0, os.SEEK_SET)
        senders = [line.split(b"\t")[1] for line in log.read().splitlines() if line.count(b"\t") > 1]
    return sum(1 for pair in pairwise([b"B", *senders]) if pair == (b"B", b"F"))


def test_an_award_costs_four_round_trips_beside_the_key(committed: str) -> None:
    """However long the purchase: a warm process asks no configuration again."""
    till = make_shop_till()
    till.post("events", purchase())
    for body in (purchase(key="p2"), purchase(key="p3", lines=[{"amount": "1.50"}] * 30)):
        assert turns_on_the_wire(lambda sent=body: till.post("events", sent)) == 5
    assert Event.objects.count() == 3


def test_an_award_costs_one_more_where_a_rule_asks_what_the_member_did_before(committed: str) -> None:
    till = make_shop_till()
    group = CoffeeGroup(OrgUnit.objects.get(code="G"), programs={"east": Program.objects.get(code="east")})
    asked = {"field": "history.orders", "window": 30, "op": "ge", "value": 2}
    tomorrow = START + timedelta(days=1)
    publish(group, condition=asked, starts_at=tomorrow)
    till.post("events", purchase())
    assert turns_on_the_wire(lambda: till.post("events", purchase(key="before"))) == 5
    till.post("events", purchase(key="after", occurred_at=tomorrow.isoformat()))
    events = [purchase(key=f"b{n}", member=f"C{n % 3 + 1}", occurred_at=tomorrow.isoformat()) for n in range(50)]
    assert turns_on_the_wire(lambda: till.post("events/batch", {"events": events})) == 6


def test_a_batch_costs_as_many_round_trips_as_one_event(committed: str) -> None:
    till = make_shop_till()
    till.post("events", purchase())
    events = [purchase(key=f"b{number}", member=f"C{number % 3 + 1}") for number in range(200)]
    assert turns_on_the_wire(lambda: till.post("events/batch", {"events": events})) == 5
    assert Event.objects.count() == 201
