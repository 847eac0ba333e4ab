"""Events held for held: their points wait for a person, who decides once and for all."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from apps.core.errors import LoyaltyError, NotAllowed
from apps.points.checking import differences
from apps.points.errors import ReasonMissing
from apps.points.models import Account, Lot, Posting
from apps.points.services import release_due
from apps.rules.errors import AlreadyDecided
from apps.rules.holding import decide_held
from apps.rules.home import held as held_panel
from apps.rules.models import HeldDecision, HeldEvent
from benchmarks.measuring import Jobs, team
from tests.factories import Cast, make_group
from tests.rules.conftest import PER_YUAN, START, Till, make_till, publish, purchase, refund

NOW = START + timedelta(days=200)
HOLD = {"effect": "hold_for_review", "reason": "Large order"}
LARGE = {"all": [{"field": "event.amount", "op": "ge", "value": "1000"}]}
decide = partial(decide_held, reason="Looked at it", when=NOW)


@pytest.fixture
def guarded(till: Till) -> Till:
    publish(till.group)
    publish(till.group, {"effect": "fixed_points", "point_type": "points", "points": 5})
    publish(till.group, HOLD, condition=LARGE)
    return till


def state_of(member: str, till: Till) -> tuple[int, int, int]:
    account = till.account(member)
    return account.balance, account.pending, account.debt


def test_all_that_a_held_event_earns_waits_without_a_date_and_its_answer_says_why(guarded: Till) -> None:
    """Catches a hold that reaches only its own rule's points, and one of an event that is not held."""
    held, plain = guarded.send(purchase("1000", key="big"), purchase("999", member="C2"))
    assert [(award["points"], award["state"]) for award in held.answer["awards"]] == [(1000, "pending"), (5, "pending")]
    assert {tuple(award["why"]["held"]) for award in held.answer["awards"]} == {("Large order",)}
    assert held.answer["balance"] == {"point_type": "points", "available": 0, "pending": 1005, "debt": 0}
    assert {award["state"] for award in plain.answer["awards"]} == {"settled"}
    held = HeldEvent.objects.get()
    assert (held.event.key, held.reason) == ("big", "Large order")
    assert release_due(NOW + timedelta(days=10_000)) == 0
    assert set(Lot.objects.filter(event=held.event).values_list("is_pending", "releases_at")) == {(True, None)}


def test_an_event_that_earns_nothing_stands_in_no_queue(till: Till) -> None:
    publish(till.group, HOLD, condition=LARGE)
    assert till.send(purchase("1000"))[0].answer["awards"] == []
    assert not HeldEvent.objects.exists()


def test_released_points_are_spendable_with_their_expiry_and_refused_ones_are_taken_back(
    guarded: Till, cast: Cast
) -> None:
    kind = guarded.group.point_types["east"]
    kind.expiry, kind.pending_days = {"kind": "after_days", "days": 400}, 7
    kind.save()
    guarded.send(purchase("1000", key="a"), purchase("2000", key="b", member="C2"))
    first, second = HeldEvent.objects.order_by("event__key")
    expiry = set(Lot.objects.filter(event=first.event).values_list("expires_at", flat=True))
    assert decide(cast["regional_manager"], first, "released").points == 1005
    assert decide(cast["regional_manager"], second, "refused").points == 2005
    assert (state_of("C1", guarded), state_of("C2", guarded)) == ((1005, 0, 0), (0, 0, 0))
    assert set(Lot.objects.filter(event=first.event).values_list("expires_at", flat=True)) == expiry != {None}
    written = Posting.objects.filter(kind__in=("release", "reverse")).values_list("kind", "reason", "actor__username")
    assert sorted(written) == sorted(
        [("release", "Looked at it", cast.regional_manager.username)] * 2
        + [("reverse", "Looked at it", cast.regional_manager.username)] * 2
    )
    assert guarded.send(refund("b", "2000", member="C2"))[0].points == 0
    assert guarded.send(refund("a", "500"))[0].points == -502


def test_a_refund_takes_its_share_of_what_is_held_and_the_decision_moves_the_rest(guarded: Till, cast: Cast) -> None:
    guarded.send(purchase("1000", key="a"))
    assert guarded.send(refund("a", "400"))[0].points == -402
    assert state_of("C1", guarded) == (0, 603, 0)
    assert decide(cast["regional_manager"], HeldEvent.objects.get(), "released").points == 603
    assert guarded.send(refund("a", "600"))[0].points == -603


def test_a_confirmation_does_not_release_what_a_person_has_to_decide_on(till: Till) -> None:
    publish(till.group, PER_YUAN, HOLD, validity={"expiry": None, "pending": {"until": "delivery"}})
    till.send(purchase("10", key="a"))
    delivery = replace(purchase("1", key="d", lines=()), kind="delivery", confirms="a")
    assert till.send(delivery)[0].status == "processed"
    assert till.account().pending == 10


def test_a_decision_needs_the_right_at_the_store_and_a_reason_and_is_made_once(guarded: Till, cast: Cast) -> None:
    guarded.send(purchase("1000"))
    held = HeldEvent.objects.get()
    refused: list[tuple[Any, Any, type[LoyaltyError]]] = [
        (cast["service"], {}, NotAllowed),
        (cast["outsider"], {}, NotAllowed),
        (cast["marketing"], {}, NotAllowed),
        (cast["regional_manager"], {"reason": " "}, ReasonMissing),
    ]
    for person, more, error in refused:
        with pytest.raises(error):
            decide(person, held, "released", **more)
    decide(cast["regional_manager"], held, "refused")
    for verdict in ("released", "refused"):
        with pytest.raises(AlreadyDecided), transaction.atomic():
            decide(cast["finance"], held, verdict)
    assert state_of("C1", guarded) == (0, 0, 0)
    for table in ("rules_heldevent", "rules_helddecision"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET reason = ''")


@pytest.mark.faults
def test_many_who_decide_at_once_decide_once(committed: str) -> None:
    """Catches a decision that is looked up before the accounts are locked."""
    till = make_till(make_group(), members=5)
    publish(till.group)
    publish(till.group, HOLD)
    till.send(*[purchase("100", key=f"k{number}", member=f"C{number % 5 + 1}") for number in range(20)])
    with team(4, deciding) as people:
        made = people.ask("decide", 0)
    assert sum(made) == HeldDecision.objects.count() == 20
    released = HeldDecision.objects.filter(verdict="released").count()
    assert sum(Account.objects.values_list("balance", flat=True)) == 100 * released
    assert sum(Account.objects.values_list("pending", flat=True)) == 0
    assert differences() == []


def deciding(number: int) -> Jobs:
    """Decides on everything, for or against by turns; how often it was the first."""

    def every(_: int) -> int:
        made = 0
        for held in HeldEvent.objects.select_related("event__org_unit").order_by("pk"):
            try:
                decide(None, held, ("released", "refused")[number % 2])
                made += 1
            except AlreadyDecided:
                pass
        return made

    return {"decide": every}


def test_the_queue_is_decided_on_in_bulk_and_the_timeline_and_home_page_tell(
    guarded: Till, cast: Cast, client: Any
) -> None:
    guarded.send(purchase("1000"), purchase("2000", member="C2"), purchase("3000", member="C3"))
    manager, queue = cast["regional_manager"], "/rules/heldevent/"
    waiting = list(HeldEvent.objects.order_by("pk").values_list("pk", flat=True))
    panel = held_panel(manager, NOW)
    assert panel is not None
    assert [row.amount for row in panel.rows] == ["+1,005", "+2,005", "+3,005"]
    assert held_panel(cast.outsider, NOW) is None
    client.force_login(manager)
    assert client.get(queue).content.decode().count("Large order") == 3
    chosen = {"action": "decide_on_selected", "_selected_action": waiting[:2]}
    where = client.post(queue, chosen).headers["Location"]
    page = client.get(where).content.decode()
    assert "Decide on 2 held events" in page
    assert "It held that the amount is at least 1,000." in page
    assert client.post(where, {"verdict": "released", "reason": ""}).status_code == 200
    assert not HeldDecision.objects.exists()
    assert client.post(where, {"verdict": "released", "reason": "Known guests"}).status_code == 302
    assert [client.get(where).status_code, client.get(f"{queue}decide/?event=x").status_code] == [404, 404]
    client.post(f"{queue}decide/?event={waiting[2]}", {"verdict": "refused", "reason": "Nobody knows them"})
    assert list(HeldDecision.objects.order_by("pk").values_list("verdict", "points", "decided_by")) == [
        ("released", 1005, manager.pk), ("released", 2005, manager.pk), ("refused", 3005, manager.pk),
    ]  # fmt: skip
    assert held_panel(manager, NOW) is None
    said = client.get(f"/members/member/{guarded.member('C3').pk}/change/").content.decode()
    assert "Refused after review" in said
    assert "Held for review: Large order." in said
    assert "/why/?permission" not in client.get(queue).content.decode()
    client.force_login(cast["service"])
    assert "/why/?permission=rules.decide_heldevent" in client.get(queue).content.decode()
    assert client.get(where).status_code == 403
    client.force_login(cast["outsider"])
    assert client.get(where).status_code == 404
