"""Promises R1, R4 and R10 on the main road, with real processes and real faults in the database."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, connections

from apps.activity.incoming import IncomingEvent
from apps.activity.models import Event
from apps.points import services
from apps.points.checking import differences
from apps.points.models import Account, Posting
from apps.rules.daily import tell_days
from apps.rules.models import DayTold, UnitCounter
from apps.rules.pipeline import process
from benchmarks.measuring import Jobs, team
from tests.factories import CoffeeGroup, make_group
from tests.rules.conftest import PER_YUAN, START, Till, make_till, publish, purchase, refund
from tests.rules.test_pipeline import FIXED, digest

pytestmark = pytest.mark.faults
NOW = START + timedelta(days=200)
SMALL = {"all": [{"field": "event.amount", "op": "lt", "value": "40"}]}


def whole_file(members: int, each: int) -> list[IncomingEvent]:
    """Purchases of several days, whose points do not depend on their order."""
    events = []
    for number in range(members * each):
        member, at = f"C{number % members + 1}", START + timedelta(hours=number)
        events.append(purchase(f"{number % 60 + 1}.5", key=f"k{number}", member=member, occurred_at=at))
    return events


def test_the_whole_file_thrice_shuffled_from_many_processes_books_once(committed: str) -> None:
    """R1. Catches a key that is looked up and then inserted without the unique index behind it."""
    till = make_till(make_group(), members=20)
    publish(till.group)
    publish(till.group, FIXED, condition=SMALL)
    events = whole_file(20, 8)
    till.send(*events)
    once = digest()
    with team(8, partial(retelling, till, events)) as tellers:
        answers = [answer for told in tellers.ask("tell", 3) for answer in told]
    assert {status for status, _ in answers} == {"repeated"}
    assert len(answers) == 8 * 3 * len(events)
    assert digest() == once
    assert differences() == []


def retelling(till: Till, events: list[IncomingEvent], number: int) -> Jobs:
    """Tells the whole file so many times, each time in another order and in batches of another size."""

    def tell(times: int) -> list[tuple[str, int]]:
        chooser, answers = random.Random(number), []
        for _ in range(times):
            shuffled = chooser.sample(events, len(events))
            size = chooser.choice([3, 20, 60])
            for start in range(0, len(shuffled), size):
                results = process(None, till.source, shuffled[start : start + size], when=NOW)
                answers += [(result.status, result.points) for result in results]
        return answers

    return {"tell": tell}


def test_processes_that_tell_a_new_file_at_once_come_to_what_one_comes_to(committed: str) -> None:
    """R1 and R4: every event is told by three of six processes at once, over few members."""
    group = make_group()
    till = make_till(group, members=10)
    publish(group)
    events = whole_file(10, 20)
    with team(6, partial(retelling, till, events)) as tellers:
        answers = [answer for told in tellers.ask("tell", 1) for answer in told]
    assert [status for status, _ in answers].count("processed") == Event.objects.count() == len(events)
    assert {status for status, _ in answers} == {"processed", "repeated"}
    expected = sum(number % 60 + 1 for number in range(len(events)))
    assert sum(Account.objects.values_list("balance", flat=True)) == expected
    assert (deadlocks(), differences()) == (0, [])


def test_eight_processes_over_two_hundred_members_never_deadlock(committed: str) -> None:
    """R4. Catches locks taken in the order of the batch, and plain FOR UPDATE under foreign keys."""
    group = make_group()
    till = make_till(group, members=200)
    publish(group, PER_YUAN, cap=500)
    till.send(*[purchase("100", key=f"first{number}", member=f"C{number}") for number in range(1, 201)])
    with team(8, partial(busy, group, till)) as workers:
        done = workers.ask("work", 12)
    assert done == [12] * 8
    assert (deadlocks(), differences()) == (0, [])


def busy(group: CoffeeGroup, till: Till, number: int) -> Jobs:
    """A worker that awards in batches in any order, refunds, spends, holds, adjusts and expires."""
    chooser = random.Random(number)
    accounts = list(Account.objects.values_list("pk", "member_id"))
    unit, kind = group["S001"], group.point_types["east"].pk

    def work(times: int) -> int:
        for turn in range(times):
            name = f"{number}-{turn}"
            members = chooser.sample(range(1, 201), 40)
            batch = [purchase("9", key=f"{name}-{member}", member=f"C{member}") for member in members]
            batch += [
                refund(f"first{member}", "1", key=f"{name}-r{member}", member=f"C{member}") for member in members[:5]
            ]
            process(None, till.source, batch, when=NOW)
            account, member_id = chooser.choice(accounts)
            services.redeem(None, account, 1, key=f"redeem{name}", unit=unit, when=NOW)
            held = services.hold(None, account, 1, key=f"hold{name}", unit=unit, when=NOW)
            services.capture(None, held.pk, when=NOW)
            services.adjust(None, member_id, kind, 3, reason="sorry", key=f"adjust{name}", when=NOW)
            services.expire_due(NOW)
        return times

    return {"work": work}


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


FAULTS = {
    "deadlock": "RAISE EXCEPTION 'injected' USING ERRCODE = '40P01'",
    "serialization": "RAISE EXCEPTION 'injected' USING ERRCODE = '40001'",
    "lost connection": "PERFORM pg_terminate_backend(pg_backend_pid())",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_database_breaks_off_is_done_again_and_never_dropped(committed: str, fault: str) -> None:
    """R4. A trigger breaks each verb off once, in the middle of its writes. Catches a verb outside `in_transaction`."""
    group = make_group()
    till = make_till(group)
    publish(group)
    till.send(purchase("100", key="first"))
    account = till.account()
    adjust = partial(services.adjust, None, account.member_id, group.point_types["east"].pk, reason="sorry", when=NOW)
    verbs: list[Callable[[], object]] = [
        lambda: till.send(purchase("10", key="again")),
        lambda: till.send(*[purchase("1", key=f"many{number}", member=f"C{number % 3 + 1}") for number in range(9)]),
        lambda: services.redeem(None, account.pk, 5, key="redeem", unit=group["S001"], when=NOW),
        lambda: adjust(7, key="up"),
        lambda: adjust(-3, key="down"),
        lambda: till.send(refund("first", "50", key="back")),
    ]
    break_off_once(FAULTS[fault])
    for verb in verbs:
        before = Posting.objects.count()
        arm()
        verb()
        assert Posting.objects.count() > before
    assert fired() == len(verbs)
    assert till.account().balance == 100 + 10 + 3 - 5 + 7 - 3 - 50
    assert differences() == []


def break_off_once(fault: str) -> None:
    """The next posting after `arm` breaks its transaction off; a sequence remembers it, for those are never undone."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            f"""
            CREATE SEQUENCE armed; CREATE SEQUENCE broken;
            GRANT ALL ON SEQUENCE armed, broken TO PUBLIC;
            SELECT nextval('armed'), nextval('broken');
            CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
                IF (SELECT last_value FROM armed) > (SELECT last_value FROM broken) THEN
                    PERFORM nextval('broken');
                    {fault};
                END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER break_off AFTER INSERT ON points_posting FOR EACH ROW EXECUTE FUNCTION break_off();
            """
        )


def arm() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('armed')")


def fired() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value - 1 FROM broken")
        return int(cursor.fetchone()[0])


def test_expiry_again_and_twice_at_once_changes_nothing(committed: str) -> None:
    """R10. Catches an expiry that selects by a label, or that reads its lots before it holds the accounts."""
    group = make_group()
    kind = group.point_types["east"]
    kind.expiry = {"kind": "after_days", "days": 30}
    kind.save()
    till = make_till(group, members=60)
    publish(group)
    till.send(*[purchase("10", key=f"k{number}", member=f"C{number % 60 + 1}") for number in range(240)])
    with team(4, expiring) as workers:
        expired = sum(workers.ask("expire", 7))
    assert expired == 2_400
    assert set(Account.objects.values_list("balance", flat=True)) == {0}
    before = Posting.objects.count()
    with team(2, expiring) as workers:
        assert workers.ask("expire", 50) == [0, 0]
    assert Posting.objects.count() == before
    assert differences() == []


def expiring(number: int) -> Jobs:
    return {"expire": lambda chunk: services.expire_due(NOW, chunk=chunk).points}


def test_eight_processes_on_one_budget_stop_exactly_at_its_end(committed: str) -> None:
    """Catches a budget that is read before it is locked, and one that two rules' batches lock in different orders."""
    till = make_till(make_group(), members=20)
    budget = {"per": "programme", "period": "ever", "of": "points", "most": 1_000}
    publish(till.group, limits=[budget])
    publish(
        till.group, FIXED, limits=[budget | {"most": 777}, {"per": "store", "period": "day", "of": "times", "most": 9}]
    )
    events = whole_file(20, 12)
    with team(8, partial(telling, till, events)) as tellers:
        tellers.ask("tell", 5)
    given = dict(UnitCounter.objects.filter(period="ever").values_list("rule__code", "points"))
    assert sorted(given.values()) == [777, 1_000]
    assert differences() == []


def test_eight_processes_stop_exactly_at_the_end_of_a_budget_of_money_and_of_a_device(committed: str) -> None:
    till = make_till(make_group(), members=20)
    publish(till.group, limits=[{"per": "programme", "period": "ever", "of": "cost", "most": "9.87"}])
    publish(till.group, limits=[{"per": "programme", "period": "ever", "of": "amount", "most": "777.5"}])
    publish(till.group, FIXED, limits=[{"per": "device", "period": "ever", "of": "points", "most": 333}])
    events = [replace(event, device=f"pad{number % 3}") for number, event in enumerate(whole_file(20, 12))]
    with team(8, partial(telling, till, events)) as tellers:
        tellers.ask("tell", 5)
    costs, amounts, *devices = UnitCounter.objects.order_by("rule", "device")
    assert (costs.points, costs.cost_micros) == (987, 9_870_000)
    assert amounts.amount_micros == 777_500_000
    assert [(each.device, each.points) for each in devices] == [("pad0", 333), ("pad1", 333), ("pad2", 333)]
    assert differences() == []


def telling(till: Till, events: list[IncomingEvent], number: int) -> Jobs:
    """Tells its eighth of the file in batches of so many, in an order of its own."""

    def tell(size: int) -> None:
        mine = random.Random(number).sample(events[number::8], len(events[number::8]))
        for start in range(0, len(mine), size):
            process(None, till.source, mine[start : start + size], when=NOW)

    return {"tell": tell}


def test_a_day_that_many_workers_tell_at_once_is_told_once(committed: str) -> None:
    """R8 and R10: they share the members; nobody gets an event twice, and nobody none."""
    till = make_till(make_group(), members=60)
    waited = {"field": "history.days_since_order", "op": "ge", "value": 90}
    publish(till.group, FIXED, condition={"all": [{"field": "event.kind", "op": "eq", "value": "day"}, waited]})
    till.send(*(purchase("1", member=f"C{number}") for number in range(1, 61)), when=NOW)
    with team(6, partial(telling_days, till)) as tellers:
        tellers.ask("tell", 3)
    rows = DayTold.objects.order_by("day")
    points = FIXED["points"]
    assert [(row.events, row.points, row.ended_at is None) for row in rows] == [(60, 60 * points, False)] * 3
    assert Event.objects.filter(kind="day").count() == 180
    assert sum(Account.objects.values_list("balance", flat=True)) == 180 * points
    assert differences() == []


def telling_days(till: Till, number: int) -> Jobs:
    def tell(days: int) -> None:
        for ahead in range(days):
            tell_days(till.group.east, NOW + timedelta(days=ahead), chunk=7)

    return {"tell": tell}
