"""Whatever goes wrong is told as a problem, with nothing of our insides in it."""

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError

from apps.activity.models import Event
from tests.api.conftest import Caller, purchase


def is_problem(answer: Any, status: int, code: str) -> bool:
    told = answer.told
    assert (answer.status_code, told["code"], told["status"]) == (status, code, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(told) == {"type", "title", "status", "detail", "code", "errors"}
    assert told["type"] == f"urn:loyalty-studio:problem:{code}"
    return True


@pytest.mark.parametrize(
    "body",
    [
        "{", "", " ", "\ufeff{}", "[" * 30_000, "[" * 30 + "]" * 30, '{"a":' * 900 + "1" + "}" * 900, "NaN", "Infinity",
        '{"key":1,"key":2}', "1e999999999999999999999", '{"a":1e400000}', '{"a":0e-999999999}', "9" * 5_000,
        b"\xff\xfe{}", '{"a":"\\ud800"', "null,",
    ],
    ids=range(17),
)  # fmt: skip
@pytest.mark.parametrize("path", ["events", "events/batch", "members", "redemptions"])
def test_what_is_no_json_of_ours_is_refused(till: Caller, path: str, body: str) -> None:
    answer = till.post(path, body)
    if body == "":
        assert is_problem(answer, 422, "invalid")
    else:
        assert is_problem(answer, 400, "not_json")
    assert not Event.objects.exists()


def test_only_json_is_taken(till: Caller) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        assert is_problem(till.post("events", purchase(), content_type=kind), 415, "wrong_media_type")
    assert till.post("events", purchase(), content_type="application/json; charset=utf-8").status_code == 201


def test_a_body_of_more_than_two_megabytes_is_not_read(till: Caller) -> None:
    body = purchase(attributes={"note": "x" * (2 * 1024 * 1024)})
    assert is_problem(till.post("events", body), 413, "too_large")


@pytest.mark.parametrize("path", ["", "nothing", "members/x", "members/-1", "members/1/", "events/", "redemptions/1"])
def test_an_address_that_is_none_is_told_so(till: Caller, path: str) -> None:
    for caller in (till, Caller()):
        assert is_problem(caller.get(path), 404, "not_found")
        assert is_problem(caller.post(path, {}), 404, "not_found")


@pytest.mark.parametrize("pk", ["0", "99999999999999999999999999", "9" * 5_000])
def test_a_number_beyond_all_numbers_is_no_member(till: Caller, pk: str) -> None:
    assert till.get(f"members/{pk}").status_code == 404
    assert till.post(f"redemptions/{pk}/capture").status_code == 404


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[2J", "\ud800"])
@pytest.mark.parametrize(
    "make",
    [
        lambda text: ("events", purchase(key=text)),
        lambda text: ("events", purchase(attributes={"note": text})),
        lambda text: ("events", purchase(member=text)),
        lambda text: ("members", {"identifiers": [{"value": text}]}),
        lambda text: ("members", {"identifiers": [{"value": "C9"}], "name": text}),
        lambda text: ("members", {"identifiers": [{"value": "C9"}], "attributes": {text: text}}),
        lambda text: ("members", {"identifiers": [{"value": "C9"}], "home_unit": text}),
        lambda text: ("redemptions", {"member": {"value": "C1"}, "points": 1, "reason": text}),
        lambda text: ("redemptions", {"member": {"value": "C1"}, "points": 1, "store": text}),
    ],
)
def test_characters_that_are_no_text_are_refused(
    till: Caller, make: Callable[[str], tuple[str, Any]], text: str
) -> None:
    path, body = make(text)
    answer = till.post(path, json.dumps(body), idempotency_key="k")
    assert is_problem(answer, 400 if text == "\ud800" else 422, answer.told["code"])


@pytest.mark.parametrize("key", ["", "x" * 121, "a b", "ключ", "a\x00"])
def test_an_idempotency_key_is_a_short_plain_text(till: Caller, key: str) -> None:
    answer = till.post("members", {"identifiers": [{"value": "C9"}]}, idempotency_key=key)
    assert is_problem(answer, 422, "invalid")
    assert answer.told["errors"][0]["field"] == "Idempotency-Key"


def test_a_failure_of_ours_tells_nothing_of_our_insides(till: Caller) -> None:
    with patch("apps.rules.api.process", side_effect=RuntimeError("secret of the house")):
        answer = till.post("events", purchase())
    assert is_problem(answer, 500, "failed")
    assert b"secret" not in answer.content


def test_a_database_that_does_not_answer_is_told_as_passing(till: Caller) -> None:
    with patch("apps.rules.api.process", side_effect=OperationalError("server closed the connection")):
        answer = till.post("events", purchase())
    assert is_problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert till.post("events", purchase()).status_code == 201


def test_answers_are_kept_by_nobody(till: Caller) -> None:
    for answer in (till.post("events", purchase()), till.get("nothing"), Caller().get("members/1")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
