"""Who is let in: keys, scopes, and how guessing is slowed (promise S8)."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core.clock import now
from apps.orgs import services
from apps.orgs.errors import TooManyTries
from apps.orgs.models import ApiClient
from tests.api.conftest import Caller, make_caller, purchase
from tests.factories import CoffeeGroup


def found(key: str, address: str = "203.0.113.5", minutes: int = 0) -> ApiClient | None:
    return services.client_for_key(key, address=address, when=now() + timedelta(minutes=minutes))


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dGlsbDpzZWNyZXQ=", "Token abc", "Bearer \x00\xff"])
def test_without_a_key_nothing_is_answered_but_how_to_show_one(shop: CoffeeGroup, header: str) -> None:
    answer = Caller().post("events", purchase(), **({"authorization": header} if header else {}))
    assert (answer.status_code, answer.told["code"]) == (401, "unknown_key")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_after_ten_wrong_keys_an_address_has_to_wait(till: Caller) -> None:
    answers = [Caller(f"studio_{number}").post("events") for number in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert answers[-1].told["code"] == "too_many_tries"
    assert 590 <= int(answers[-1].headers["Retry-After"]) <= 600


def test_who_guesses_does_not_get_in_with_a_right_key_either(group: CoffeeGroup) -> None:
    caller = make_caller(group)
    for number in range(10):
        assert found(f"studio_{number}") is None
    with pytest.raises(TooManyTries):
        found(caller.key)
    assert found(caller.key, "203.0.113.6") == caller.client
    assert found(caller.key, minutes=11) == caller.client


def test_a_till_that_called_from_there_before_is_not_locked_out(group: CoffeeGroup) -> None:
    caller = make_caller(group)
    assert found(caller.key) == caller.client
    for number in range(10):
        found(f"studio_{number}")
    assert found(caller.key) == caller.client


def test_a_client_remembers_fifty_addresses(group: CoffeeGroup) -> None:
    caller = make_caller(group)
    for number in range(60):
        found(caller.key, f"198.51.100.{number}")
    assert ApiClient.objects.get().seen_from == [f"198.51.100.{number}" for number in range(10, 60)]
    assert ApiClient.history.count() == 1


def test_a_new_key_ends_the_old_one_at_once(till: Caller) -> None:
    assert till.post("events", purchase()).status_code == 201
    till.key, old = services.rotate_key(till.client), till.key  # type: ignore[arg-type]
    assert Caller(old).post("events", purchase()).status_code == 401
    assert till.post("events", purchase()).status_code == 200


def test_a_key_does_what_its_scopes_say(shop: CoffeeGroup) -> None:
    caller = make_caller(shop, scopes=["members:read"])
    answer: Any = caller.post("events", purchase())
    assert (answer.status_code, answer.told["code"]) == (403, "scope_missing")
    assert "events:write" in answer.told["detail"]
