"""Whatever is sent, nothing breaks: an answer, or a problem that says what is wrong."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Caller, purchase

EVERY = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

TEXTS = st.sampled_from(["", " ", "C1", "S001", "purchase", "refund", "2026-03-01T04:00:00Z", "9" * 60, "-1", "1e-30",
                         "积分", "=1+1", "x" * 300, "2026-13-01", "0001-01-01T00:00:00+14:00", "1e400"])  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS | st.text(st.characters(codec="utf-8"), max_size=20)
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
WHOLE: dict[str, Any] = {
    "events": purchase(order_no="1", channel="till", device="d", currency="CNY", attributes={"a": 1}, refund_of=None),
    "events/batch": {"events": [purchase()]},
    "members": {"identifiers": [{"kind": "card", "value": "C9"}], "name": "A", "birth_on": "1990-05-04",
                "joined_on": "2026-01-01", "home_unit": "S001", "attributes": {"a": 1}},
    "redemptions": {"member": {"kind": "card", "value": "C1"}, "points": 1, "store": "S001", "minutes": 5,
                    "point_type": "points", "reason": "r"},
}  # fmt: skip


@st.composite
def bodies(draw: st.DrawFn, path: str) -> Any:
    """A good body with up to three of its parts replaced by anything, left out or added to."""
    body = orjson.loads(orjson.dumps(WHOLE[path]))
    for _ in range(draw(st.integers(1, 3))):
        place: Any = body
        while isinstance(place, dict | list) and place:
            names = list(place) if isinstance(place, dict) else range(len(place))
            name = draw(st.sampled_from(list(names)))
            if not isinstance(place[name], dict | list) or draw(st.booleans()):
                if isinstance(place, dict) and draw(st.booleans()) and draw(st.booleans()):
                    place.pop(name)
                else:
                    place[name] = draw(ANYTHING)
                break
            place = place[name]
    return body


def is_answered(answer: Any) -> None:
    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.told["code"]


@pytest.mark.parametrize("path", sorted(WHOLE))
def test_no_body_breaks_a_call(till: Caller, path: str) -> None:
    @EVERY
    @given(bodies(path), st.uuids())
    def run(body: Any, key: Any) -> None:
        is_answered(till.post(path, body, idempotency_key=str(key)))

    run()


@pytest.mark.parametrize("path", sorted(WHOLE))
def test_no_bytes_break_a_call(till: Caller, path: str) -> None:
    whole = orjson.dumps(WHOLE[path])
    cut = st.tuples(st.integers(0, len(whole)), st.integers(0, 4), st.binary(max_size=6))

    @EVERY
    @given(st.binary(max_size=40) | cut.map(lambda c: whole[: c[0]] + c[2] + whole[c[0] + c[1] :]), st.uuids())
    def run(body: bytes, key: Any) -> None:
        is_answered(till.post(path, body, idempotency_key=str(key)))

    run()


def test_no_change_of_a_member_breaks(till: Caller) -> None:
    member = till.post("members", WHOLE["members"]).told["id"]

    @EVERY
    @given(st.dictionaries(st.sampled_from(["name", "birth_on", "home_unit", "attributes", "x"]), ANYTHING, max_size=4))
    def run(body: Any) -> None:
        is_answered(till.patch(f"members/{member}", body))

    run()


@EVERY
@given(query=st.text(st.characters(codec="utf-8"), max_size=30))
def test_no_query_breaks_a_search(till: Caller, query: str) -> None:
    is_answered(till.get(f"members?identifier={quote(query)}"))
    is_answered(till.get(f"members/1/entries?before={quote(query)}&limit={quote(query)}"))


@EVERY
@given(
    amount=st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from([Decimal("0E-999999"), Decimal("1E+999999")])
)
def test_no_number_breaks_an_event(till: Caller, amount: Decimal) -> None:
    for written in (f'"{amount}"', str(amount)):
        line = b'{"amount":%s}' % written.encode()
        body = orjson.dumps(purchase(key=written, attributes={})).replace(
            b'"quantity":1', b'"quantity":%s' % written.encode()
        )
        is_answered(till.post("events", body))
        is_answered(till.post("events", body.replace(b'"amount":"32.80"', line[1:-1])))
        is_answered(till.post("events", body.replace(b'"attributes":{}', b'"attributes":{"a":%s}' % written.encode())))
