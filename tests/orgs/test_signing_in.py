"""Promise S8: guessing is slowed and nobody is locked out by others; the second step; sessions that end."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connections
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.core.errors import LoyaltyError, NotAllowed
from apps.orgs import services
from apps.orgs.devices import COOKIE
from apps.orgs.errors import NoSecondStep, TooManyTries, WrongPassword
from apps.orgs.models import SignInTry, Staff
from apps.orgs.services import Visitor
from tests.factories import Cast, CoffeeGroup, make_cast, make_group

PASSWORD = "cold brew at dawn"
WHEN = datetime(2026, 5, 4, 12, tzinfo=UTC)
HERE = Visitor("203.0.113.9")


@pytest.fixture
def person(cast: Cast) -> Staff:
    services.set_password(cast.finance, PASSWORD)
    return cast["finance"]


def guess(name: str, visitor: Visitor, when: datetime = WHEN, password: str = "wrong") -> str:
    """The code of the refusal; empty when the guess was right."""
    try:
        services.staff_for_password(name, password, visitor, when)
    except LoyaltyError as refusal:
        return refusal.code
    finally:
        connections.close_all()
    return ""


@pytest.mark.parametrize("target", ["account", "address"])
def test_sixteen_at_once_get_ten_guesses_in_all(committed: str, target: str) -> None:
    make_cast(make_group())
    pairs = [
        ("finance", Visitor(f"203.0.113.{number}")) if target == "account" else (f"person{number}", HERE)
        for number in range(40)
    ]
    with ThreadPoolExecutor(16) as threads:
        found = Counter(threads.map(lambda pair: guess(*pair), pairs))
    assert found == {"wrong_password": 10, "too_many_tries": 30}


def test_who_guesses_elsewhere_does_not_lock_the_owner_out(committed: str) -> None:
    person = make_cast(make_group()).finance
    services.set_password(person, PASSWORD)
    assert [guess("finance", Visitor(f"198.51.100.{number}")) for number in range(11)][-1] == "too_many_tries"
    assert guess("finance", Visitor("203.0.113.9"), password=PASSWORD) == "too_many_tries"
    assert guess("finance", Visitor("203.0.113.9", device="known"), password=PASSWORD) == ""


def test_a_known_device_gets_ten_guesses_of_its_own(person: Staff) -> None:
    known = Visitor("203.0.113.9", device="known")
    found = [_code(lambda: services.staff_for_password("finance", "wrong", known, WHEN)) for _ in range(12)]
    assert found == ["wrong_password"] * 10 + ["too_many_tries"] * 2


def test_the_wait_is_told_in_words_and_ends(person: Staff) -> None:
    for second in range(10):
        with pytest.raises(WrongPassword):
            services.staff_for_password("finance", "wrong", HERE, WHEN + timedelta(seconds=second))
    with pytest.raises(TooManyTries) as refused:
        services.staff_for_password("finance", PASSWORD, HERE, WHEN + timedelta(seconds=90))
    assert refused.value.sentence() == "Too many wrong tries. Try again in 9 minutes."
    assert services.staff_for_password("FINANCE".lower(), PASSWORD, HERE, WHEN + timedelta(minutes=10)) == person


def test_a_right_password_is_no_guess_and_names_are_not_kept(person: Staff) -> None:
    for _ in range(20):
        services.staff_for_password("finance", PASSWORD, HERE, WHEN)
    assert not SignInTry.objects.exists()
    assert _code(lambda: services.staff_for_password("finance", "wrong", HERE, WHEN)) == "wrong_password"
    assert {row.counter for row in SignInTry.objects.all()}.isdisjoint({"finance", HERE.address})


def test_one_household_of_ipv6_is_one_address(person: Staff) -> None:
    found = [
        _code(lambda number=number: services.staff_for_password(f"name{number}", "x", Visitor(f"2001:db8::{number}"), WHEN))
        for number in range(1, 12)
    ]  # fmt: skip
    assert found[-1] == "too_many_tries"


def test_known_unknown_and_shut_out_names_answer_alike(person: Staff, cast: Cast, monkeypatch: Any) -> None:
    services.set_password(cast.auditor, PASSWORD)
    services.set_staff_active(cast.auditor, False)
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(self: Any, password: str, salt: str) -> Any:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    pages = set()
    for name, password in (("finance", "wrong"), ("nobody here", "wrong"), ("auditor", PASSWORD)):
        hashed.clear()
        answer = Client().post("/login/", {"username": name, "password": password})
        assert answer.status_code == 200
        assert len(hashed) == 1
        body = answer.content.decode().replace(name, "NAME")
        pages.add(re.sub(r'(csrfmiddlewaretoken" value=")[^"]*', r"\1", body))
    assert len(pages) == 1


def test_too_many_tries_answer_429_and_say_when(person: Staff) -> None:
    client = Client()
    for _ in range(10):
        client.post("/login/", {"username": "finance", "password": "wrong"})
    answer = client.post("/login/", {"username": "finance", "password": PASSWORD})
    assert answer.status_code == 429
    assert 590 <= int(answer.headers["Retry-After"]) <= 600
    assert "Too many wrong tries. Try again in 10 minutes." in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_signing_in_marks_the_device_for_that_name_alone(person: Staff, cast: Cast) -> None:
    client = Client()
    client.post("/login/", {"username": "finance", "password": PASSWORD})
    mark = client.cookies[COOKIE]
    assert mark["httponly"]
    assert mark["samesite"] == "Lax"
    client.logout()
    client.cookies[COOKIE] = mark.value
    for _ in range(10):
        Client().post("/login/", {"username": "finance", "password": "wrong"})
    assert client.post("/login/", {"username": "auditor", "password": "wrong"}).status_code == 429
    assert client.post("/login/", {"username": "finance", "password": PASSWORD}).status_code == 302


def test_signing_in_leads_on_to_pages_of_ours_only_and_changes_the_session(person: Staff) -> None:
    for wanted, leads_to in (
        ("/orgs/staff/", "/orgs/staff/"),
        ("https://elsewhere.example/", "/"),
        ("//x.example", "/"),
    ):
        client = Client()
        client.cookies["sessionid"] = "planted"
        answer = client.post("/login/", {"username": "finance", "password": PASSWORD, "next": wanted})
        assert answer.headers["Location"] == leads_to
        assert client.cookies["sessionid"].value != "planted"


def test_a_new_password_ends_the_other_sessions(person: Staff) -> None:
    one, other = signed_in(), signed_in()
    wanted = {"present": PASSWORD, "new_password1": "flat white at noon", "new_password2": "flat white at noon"}
    assert one.post("/password_change/", {**wanted, "present": "wrong"}).status_code == 200
    assert other.get("/").status_code == 200
    assert one.post("/password_change/", wanted).status_code == 302
    assert one.get("/").status_code == 200
    assert other.get("/").headers["Location"] == "/login/?next=/"
    assert person.history.first().history_change_reason == "password set"


def test_the_second_step_is_turned_on_asked_for_and_turned_off(person: Staff) -> None:
    client = signed_in()
    client.post("/two-step/begin/")
    assert client.get("/two-step/").content.decode().count("<svg") == 1
    assert b"does not fit" in client.post("/two-step/confirm/", {"code": "000000x"}).content
    page = client.post("/two-step/confirm/", {"code": code_of(person)}).content.decode()
    codes = re.findall(r"<li>(\w{8})</li>", page)
    assert len(set(codes)) == 10
    assert person.history.first().history_change_reason == "second step on"

    fresh = Client()
    answer = fresh.post("/login/", {"username": "finance", "password": PASSWORD, "next": "/two-step/"})
    assert answer.headers["Location"] == "/login/second-step/?next=%2Ftwo-step%2F"
    assert fresh.get("/").status_code == 302
    used = code_of(person)
    assert fresh.post("/login/second-step/", {"code": used}).status_code == 200, (
        "the code that was confirmed is used up"
    )
    answer = fresh.post("/login/second-step/", {"code": codes[0].upper(), "next": "/two-step/"})
    assert answer.headers["Location"] == "/two-step/"
    assert fresh.get("/two-step/").status_code == 200

    again = Client()
    again.post("/login/", {"username": "finance", "password": PASSWORD})
    assert b"does not fit" in again.post("/login/second-step/", {"code": codes[0]}).content
    assert again.post("/login/second-step/", {"code": codes[1]}).status_code == 302

    assert b"not your present password" in again.post("/two-step/off/", {"password": "wrong"}).content
    assert again.post("/two-step/off/", {"password": PASSWORD}).status_code == 302
    assert Client().post("/login/", {"username": "finance", "password": PASSWORD}).headers["Location"] == "/"
    assert person.history.first().history_change_reason == "second step off"


def test_codes_are_guessed_ten_times_at_most(person: Staff) -> None:
    with_second_step(person)
    client = Client()
    client.post("/login/", {"username": "finance", "password": PASSWORD})
    found = [client.post("/login/second-step/", {"code": f"{number:06d}"}).status_code for number in range(11)]
    assert found == [200] * 10 + [429]


def test_the_second_page_opens_to_nobody_without_the_password(person: Staff) -> None:
    with_second_step(person)
    assert Client().get("/login/second-step/").headers["Location"] == "/login/"
    client = Client()
    client.post("/login/", {"username": "finance", "password": PASSWORD})
    services.set_password(person, "flat white at noon")
    assert client.get("/login/second-step/").headers["Location"] == "/login/"


def test_an_administrator_resets_the_second_step_within_reach(person: Staff, cast: Cast, group: CoffeeGroup) -> None:
    with_second_step(person)
    with pytest.raises(NotAllowed):
        services.reset_second_step(person, actor=cast.outsider)
    assert services.has_second_step(person)
    client = Client()
    client.force_login(cast.administrator, backend="apps.orgs.auth.RoleBackend")
    page = reverse("admin:orgs_staff_second_step", args=[person.pk])
    assert client.post(page).status_code == 302
    assert not services.has_second_step(person)
    row = person.history.first()
    assert (row.history_change_reason, row.history_user) == ("second step reset", cast.administrator)
    with pytest.raises(NoSecondStep):
        services.reset_second_step(person, actor=cast.administrator)


def signed_in() -> Client:
    client = Client()
    client.post("/login/", {"username": "finance", "password": PASSWORD})
    return client


def with_second_step(person: Staff) -> list[str]:
    services.begin_second_step(person)
    return services.confirm_second_step(person, code_of(person))


def code_of(person: Staff) -> str:
    """What the person's app shows now."""
    return f"{totp(TOTPDevice.objects.get(user=person).bin_key):06d}"


def _code(run: Any) -> str:
    try:
        run()
    except LoyaltyError as refusal:
        return refusal.code
    return ""
