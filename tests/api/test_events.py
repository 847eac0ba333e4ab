"""Events over the API, as worked examples."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.activity.models import Event
from apps.points.models import Account, Posting
from apps.rules.codes.spelling import code_of
from tests.api.conftest import Caller, make_caller, purchase, refund
from tests.factories import CoffeeGroup
from tests.rules.codes import made
from tests.rules.conftest import START, publish
from tests.rules.test_progress import carrying, fixed, gathers


def test_a_purchase_is_answered_with_its_points_and_why(till: Caller) -> None:
    answer = till.post("events", purchase("32.80"))
    event = Event.objects.get()
    assert (answer.status_code, event.source.code) == (201, "api:till-east")
    assert answer.told == {
        "event": event.pk,
        "key": "p1",
        "status": "processed",
        "awards": [
            {
                "rule": event.program.rules.get().code,
                "version": 1,
                "point_type": "points",
                "points": 32,
                "state": "settled",
                "why": (
                    "¥32.80 at 1 point for each ¥1 is 32 points, rounded down. "
                    "It held that the event is a purchase."
                ),
                "reason": {
                    "code": "per_amount", "points": 32, "amount": "32.80", "rate": "1", "per": "1.00",
                    "rounding": "ROUND_DOWN",
                },
            }
        ],
        "released": [],
        "progress": [],
        "balance": {"point_type": "points", "available": 32, "pending": 0, "debt": 0},
        "tier": None,
    }  # fmt: skip


def test_reasons_and_refusals_come_in_the_language_asked_for(till: Caller) -> None:
    answer = till.post("events", purchase(), accept_language="zh-CN,zh;q=0.9")
    assert "事件类型为消费" in answer.told["awards"][0]["why"]
    refused = till.post("events", purchase(key="p2", colour="red"), accept_language="zh-hans")
    assert (refused.status_code, refused.headers["Content-Language"]) == (422, "zh-hans")
    assert refused.told["errors"] == [{"field": "colour", "code": "unknown_field", "detail": "没有这个字段。"}]


def test_the_same_key_again_is_answered_with_the_same_body(till: Caller) -> None:
    first = till.post("events", purchase())
    again = till.post("events", purchase())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content
    assert Posting.objects.count() == 1


def test_the_same_key_with_other_content_is_a_conflict(till: Caller) -> None:
    till.post("events", purchase("10"))
    answer = till.post("events", purchase("11"))
    assert (answer.status_code, answer.told["code"]) == (409, "key_reused")
    assert answer.told["errors"][0]["field"] == "key"
    assert Account.objects.get().balance == 10


def test_keys_of_two_clients_do_not_meet(shop: CoffeeGroup, till: Caller) -> None:
    other = make_caller(shop, "EAST", code="shop")
    assert till.post("events", purchase("10")).status_code == 201
    assert other.post("events", purchase("11")).status_code == 201


def test_a_refund_takes_back_and_says_so(till: Caller) -> None:
    till.post("events", purchase("100"))
    answer = till.post("events", refund("p1", "25"))
    [award] = answer.told["awards"]
    assert (answer.status_code, award["points"], award["state"]) == (201, -25, "clawback")
    assert award["why"].startswith("¥25.00 of ¥100.00 were given back")
    assert answer.told["balance"]["available"] == 75


def test_a_code_is_redeemed_and_guessing_is_told_to_wait(shop: CoffeeGroup, till: Caller) -> None:
    _batch, (code, *_rest) = made(shop)
    event = {"key": "c1", "kind": "code", "member": {"value": "C1"}, "occurred_at": "2026-03-01T12:00:00+08:00"}
    first, again = (till.post("events", event | {"attributes": {"code": code.lower()}}) for _ in range(2))
    assert (first.status_code, again.status_code, first.told == again.told) == (201, 200, True)
    answers = [till.post("events", event | {"key": f"g{n}", "attributes": {"code": code_of(n)}}) for n in range(11)]
    assert [answer.told["code"] for answer in answers] == ["unknown_code"] * 10 + ["too_many_tries"]
    assert [error["field"] for error in answers[0].told["errors"]] == ["attributes.code"]
    assert (answers[-1].status_code, 590 < int(answers[-1].headers["Retry-After"]) <= 600) == (429, True)


def test_a_batch_answers_in_order_and_a_bad_event_refuses_itself_alone(till: Caller) -> None:
    till.post("events", purchase("5", key="before"))
    events = [
        purchase("10", key="a"),
        purchase("10", key="b", lines=[]),
        purchase("5", key="before"),
        purchase("6", key="before"),
        "no event",
        purchase("10", key="c", store="S101"),
        refund("a", "10", key="d"),
        purchase("1", key="e", member="C2"),
    ]
    answer = till.post("events/batch", {"events": events})
    assert answer.status_code == 200
    found = [(one["key"], one["status"], one.get("repeated"), one.get("code")) for one in answer.told["results"]]
    assert found == [
        ("a", "processed", False, None),
        ("b", "refused", None, "invalid"),
        ("before", "processed", True, None),
        ("before", "refused", None, "key_reused"),
        (None, "refused", None, "invalid"),
        ("c", "refused", None, "unknown_store"),
        ("d", "processed", False, None),
        ("e", "processed", False, None),
    ]
    assert answer.told["results"][1]["errors"] == [
        {"field": "lines", "code": "missing", "detail": "A value is needed here."}
    ]
    assert sorted(Account.objects.values_list("balance", flat=True)) == [1, 5]


def test_a_batch_is_a_list_of_up_to_a_thousand(till: Caller) -> None:
    for body, field, code in (
        ({"events": [{}] * 1001}, "events", "too_many"),
        ({"events": {}}, "events", "not_a_list"),
        ({}, "events", "missing"),
        ({"events": [], "when": 1}, "when", "unknown_field"),
        ([], "", "not_an_object"),
    ):
        answer = till.post("events/batch", body)
        assert (answer.status_code, answer.told["errors"][0]["field"]) == (422, field)
        assert answer.told["errors"][0]["code"] == code
    assert till.post("events/batch", {"events": []}).told == {"results": []}


def test_every_fault_is_told_at_once(till: Caller) -> None:
    body = purchase("-1", kind="Purchase!", currency="yuan", colour="red", occurred_at="2026-02-30T10:00:00+08:00")
    del body["key"]
    answer = till.post("events", body)
    assert (answer.status_code, answer.told["code"]) == (422, "invalid")
    assert {(each["field"], each["code"]) for each in answer.told["errors"]} == {
        ("key", "missing"), ("kind", "not_a_kind"), ("currency", "too_long"), ("currency", "not_a_currency"),
        ("colour", "unknown_field"),
        ("occurred_at", "not_a_date"), ("lines.0.amount", "negative"),
    }  # fmt: skip
    assert not Event.objects.exists()


def test_a_store_of_another_company_is_unknown(shop: CoffeeGroup, till: Caller) -> None:
    for caller in (till, make_caller(shop, "S002", code="till-s002")):
        far = caller.post("events", purchase(store="S101"))
        none = caller.post("events", purchase(store="S999"))
        assert (far.status_code, far.content) == (422, none.content)
        assert far.told["code"] == "unknown_store"
    assert make_caller(shop, "S002", code="s2").post("events", purchase()).told["code"] == "unknown_store"


def test_without_a_store_the_event_happens_at_the_clients_unit(shop: CoffeeGroup) -> None:
    body = purchase()
    del body["store"]
    assert make_caller(shop, "S002").post("events", body).status_code == 201
    assert Event.objects.get().org_unit.code == "S002"


def test_an_answer_is_told_as_before_when_the_rule_is_gone(shop: CoffeeGroup, till: Caller) -> None:
    version = publish(shop, ends_at=START + timedelta(days=1))
    first = till.post("events", purchase())
    version.state = "retired"
    version.save()
    again = till.post("events", purchase())
    assert len(again.told["awards"]) == 2
    assert again.content == first.content


def test_numbers_are_taken_exactly(till: Caller) -> None:
    body = b'{"key":"p1","kind":"purchase","member":{"value":"C1"},"occurred_at":"2026-03-01T04:00:00Z","store":"S001",'
    answer = till.post("events", body + b'"lines":[{"amount":0.3},{"amount":0.6},{"amount":0.1}]}')
    assert answer.told["balance"]["available"] == 1
    assert Event.objects.get().amount == Decimal(1)


@pytest.mark.parametrize("path", ["events", "events/batch"])
def test_only_post_is_taken(till: Caller, path: str) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = till.call(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert answer.told["code"] == "method_not_allowed"


def test_how_far_a_goal_is_is_told_with_the_event_and_again(shop: CoffeeGroup, till: Caller) -> None:
    rule = publish(shop, fixed(50), carrying(), accumulator=gathers("amount", "100", fires="step")).rule.code
    first = till.post("events", purchase("70.5"))
    assert first.told["progress"] == [{"rule": rule, "done": "70.5", "goal": "100", "reached": 0}]
    assert till.post("events", purchase("70.5")).content == first.content
    second = till.post("events", purchase("130", key="p2"))
    assert second.told["progress"] == [{"rule": rule, "done": "0.5", "goal": "100", "reached": 2}]
