"""Enrolling, changing, naming and closing members: who may, what is refused and what the history says."""

from collections.abc import Callable
from datetime import date, timedelta
from importlib import import_module
from threading import Barrier, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, connections

from apps.core.errors import LoyaltyError
from apps.members import services
from apps.members.models import Identifier, Member, MemberChange
from apps.members.services.reading import birthday_of, name_of, value_of
from apps.orgs.services import create_api_client
from tests.factories import Cast, CoffeeGroup, make_group
from tests.members.conftest import BORN, CARD, EMAIL, NAME, PHONE, WHEN


def refused(verb: Callable[[], Any]) -> tuple[str, str | None]:
    with pytest.raises(LoyaltyError) as caught:
        verb()
    return caught.value.code, caught.value.field


def history(member: Member) -> list[tuple[Any, str, list[tuple[str, Any, Any]]]]:
    rows = MemberChange.objects.filter(member=member).order_by("pk")
    return [
        (row.actor or row.client, row.kind, [(each["field"], each["old"], each["new"]) for each in row.changes])
        for row in rows
    ]


def test_a_member_is_kept_encrypted_and_shown_masked(wang: Member) -> None:
    row = Member.objects.get(pk=wang.pk)
    assert (name_of(row), birthday_of(row), row.masked_name, row.joined_on) == (NAME, BORN, "王**", date(2026, 1, 5))
    identifiers = Identifier.objects.filter(member=wang).order_by("kind")
    assert [(each.kind, value_of(each), each.masked) for each in identifiers] == [
        ("card", CARD, "****2345"), ("email", EMAIL, "x***@example.com"), ("phone", PHONE, "138****1234"),
    ]  # fmt: skip
    assert history(wang) == [
        (None, "+", [
            ("identifier:phone", None, "138****1234"), ("identifier:email", None, "x***@example.com"),
            ("identifier:card", None, "****2345"),
        ]),
    ]  # fmt: skip


def test_service_enrols_in_its_company_and_nowhere_else(group: CoffeeGroup, cast: Cast) -> None:
    def enrol(persona: str, unit: str) -> Member:
        return services.create_member(cast[persona], group[unit], identifiers=[("card", "N1")], when=WHEN)

    for persona, unit in (("service", "S101"), ("marketing", "S001"), ("auditor", "S001"), ("outsider", "S001")):
        assert refused(lambda persona=persona, unit=unit: enrol(persona, unit)) == ("not_allowed", None)
    assert not Member.objects.exists()
    assert enrol("service", "S001").joined_on == date(2026, 5, 4)


def test_the_first_day_is_the_programmes(group: CoffeeGroup) -> None:
    """At 20:00 UTC it is tomorrow in Shanghai."""
    late = WHEN.replace(hour=20)
    member = services.create_member(None, group["S001"], identifiers=[("card", "N1")], when=late)
    assert member.joined_on == date(2026, 5, 5)
    services.create_member(None, group["S001"], identifiers=[("card", "N2")], joined_on=date(2026, 5, 5), when=late)


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"identifiers": []}, ("identifier_missing", "identifiers")),
        ({"identifiers": [("phone", "12")]}, ("identifier_malformed", "phone")),
        ({"identifiers": [("PHONE", "12")]}, ("unknown_identifier_kind", "kind")),
        ({"identifiers": [("card", "N1"), ("card", "n 1")]}, ("identifier_taken", "card")),
        ({"identifiers": [("phone", "+86 " + PHONE)]}, ("identifier_taken", "phone")),
        ({"name": "x" * 121}, ("name_malformed", "name")),
        ({"name": "a\nb"}, ("name_malformed", "name")),
        ({"birth_on": date(1899, 12, 31)}, ("birthday_impossible", "birth_on")),
        ({"birth_on": date(2026, 5, 5)}, ("birthday_impossible", "birth_on")),
        ({"joined_on": date(2026, 5, 5)}, ("joined_in_future", "joined_on")),
        ({"attributes": {"": 1}}, ("attributes_malformed", "attributes")),
        ({"attributes": {"a": {"b": 1}}}, ("attributes_malformed", "attributes")),
        ({"attributes": {"a": ["x", 1]}}, ("attributes_malformed", "attributes")),
        ({"attributes": {"a": ["x"] * 51}}, ("attributes_malformed", "attributes")),
        ({"attributes": {"a": "x" * 501}}, ("attributes_malformed", "attributes")),
        ({"attributes": {"a": float("nan")}}, ("attributes_malformed", "attributes")),
        ({"attributes": {str(n): n for n in range(51)}}, ("attributes_malformed", "attributes")),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    group: CoffeeGroup, wang: Member, given: dict[str, Any], refusal: tuple[str, str]
) -> None:
    values = {"identifiers": [("card", "N1")], **given}
    assert refused(lambda: services.create_member(None, group["S001"], when=WHEN, **values)) == refusal
    assert (Member.objects.count(), Identifier.objects.count(), MemberChange.objects.count()) == (1, 3, 1)


def test_a_taken_identifier_does_not_tell_whose_it_is(group: CoffeeGroup, cast: Cast, wang: Member) -> None:
    with pytest.raises(LoyaltyError) as caught:
        services.create_member(cast["outsider"], group["S101"], identifiers=[("phone", PHONE)], when=WHEN)
    assert caught.value.sentence() == "This phone number already names a member of the group."
    assert caught.value.data == {"kind": "phone"}


def test_particulars_change_and_the_history_shows_them_masked(group: CoffeeGroup, cast: Cast, wang: Member) -> None:
    service = cast["service"]
    services.change_member(
        service, wang.pk, name=" 李雷 ", birth_on=None, home_unit=group["S003"], attributes={"level": 4, "vip": True},
        when=WHEN,
    )  # fmt: skip
    row = Member.objects.get(pk=wang.pk)
    assert (name_of(row), birthday_of(row), row.home_unit.code) == ("李雷", None, "S003")
    assert history(wang)[1:] == [
        (service, "~", [
            ("name", "王**", "李**"), ("birth_on", "****", None),
            ("home_unit", str(group["S001"].pk), str(group["S003"].pk)),
            ("attributes:level", "3", "4"), ("attributes:vip", None, "True"),
        ]),
    ]  # fmt: skip


def plain_birthday(member: Member) -> tuple[int | None, int | None]:
    row = Member.objects.get(pk=member.pk)
    return row.birth_day, row.birth_year


def test_what_conditions_ask_of_a_birthday_is_set_and_cleared_with_it(wang: Member) -> None:
    assert plain_birthday(wang) == (BORN.month * 100 + BORN.day, BORN.year)
    services.change_member(None, wang.pk, birth_on=date(1996, 2, 29), when=WHEN)
    assert plain_birthday(wang) == (229, 1996)
    services.change_member(None, wang.pk, birth_on=None, when=WHEN)
    assert plain_birthday(wang) == (None, None)


def test_birthdays_from_before_are_read_when_the_studio_is_upgraded(wang: Member) -> None:
    Member.objects.update(birth_day=None, birth_year=None)
    fill = import_module("apps.members.migrations.0006_fill_birthdays").fill
    fill(apps, SimpleNamespace(connection=connection))
    assert plain_birthday(wang) == (BORN.month * 100 + BORN.day, BORN.year)


def test_a_change_of_nothing_leaves_no_line(wang: Member) -> None:
    services.change_member(None, wang.pk, name=NAME, birth_on=BORN, attributes={"level": 3}, when=WHEN)
    services.reopen_member(None, wang.pk, reason="never left", when=WHEN)
    assert len(history(wang)) == 1


def test_who_may_not_change_a_member_changes_nothing(group: CoffeeGroup, cast: Cast, wang: Member) -> None:
    verbs: list[Callable[[Any], Any]] = [
        lambda actor: services.change_member(actor, wang.pk, name="X", when=WHEN),
        lambda actor: services.add_identifier(actor, wang.pk, "card", "N1", when=WHEN),
        lambda actor: services.remove_identifier(actor, wang.pk, wang.identifiers.all()[0].pk, when=WHEN),
        lambda actor: services.close_member(actor, wang.pk, reason="asked", when=WHEN),
    ]
    for verb in verbs:
        for persona, code in (("outsider", "no_such_member"), ("shop", "no_such_member"), ("auditor", "not_allowed"),
                              ("marketing", "not_allowed")):  # fmt: skip
            assert refused(lambda verb=verb, persona=persona: verb(cast[persona]))[0] == code
    assert refused(lambda: services.change_member(None, 987_654, name="X", when=WHEN)) == ("no_such_member", "member")
    assert len(history(wang)) == 1


def test_nobody_moves_a_member_to_where_they_may_not_change_members(
    group: CoffeeGroup, cast: Cast, wang: Member
) -> None:
    move = lambda: services.change_member(cast["service"], wang.pk, home_unit=group["S101"], when=WHEN)  # noqa: E731
    assert refused(move) == ("not_allowed", None)
    assert Member.objects.get(pk=wang.pk).home_unit == group["S001"]


def test_identifiers_come_and_go_and_the_last_one_stays(cast: Cast, wang: Member) -> None:
    service = cast["service"]
    added = services.add_identifier(service, wang.pk, "wechat", "oX-77889900", when=WHEN)
    assert refused(lambda: services.add_identifier(service, wang.pk, "card", "c 00012345", when=WHEN)) == (
        "identifier_taken", "card",
    )  # fmt: skip
    assert refused(lambda: services.remove_identifier(service, wang.pk, 987_654, when=WHEN))[0] == "no_such_identifier"
    for identifier in wang.identifiers.exclude(pk=added.pk):
        services.remove_identifier(service, wang.pk, identifier.pk, when=WHEN)
    assert refused(lambda: services.remove_identifier(service, wang.pk, added.pk, when=WHEN))[0] == "identifier_missing"
    assert [changes for _, _, changes in history(wang)[1:]] == [
        [("identifier:wechat", None, "****9900")], [("identifier:phone", "138****1234", None)],
        [("identifier:email", "x***@example.com", None)], [("identifier:card", "****2345", None)],
    ]  # fmt: skip


def test_a_freed_identifier_may_name_somebody_else(group: CoffeeGroup, wang: Member) -> None:
    services.remove_identifier(None, wang.pk, wang.identifiers.get(kind="phone").pk, when=WHEN)
    other = services.create_member(None, group["S101"], identifiers=[("phone", PHONE)], when=WHEN)
    assert services.find_by_identifier(None, "phone", PHONE) == other


def test_a_member_leaves_and_comes_back_for_a_reason(cast: Cast, wang: Member) -> None:
    service = cast["service"]
    assert refused(lambda: services.close_member(service, wang.pk, reason=" ", when=WHEN)) == (
        "reason_missing", "reason",
    )  # fmt: skip
    assert services.close_member(service, wang.pk, reason="moved abroad", when=WHEN).state == "closed"
    assert services.reopen_member(service, wang.pk, reason="came back", when=WHEN).state == "active"
    rows = MemberChange.objects.filter(member=wang).order_by("pk")[1:]
    assert [(row.reason, row.changes[0]["new"]) for row in rows] == [
        ("moved abroad", "closed"), ("came back", "active"),
    ]  # fmt: skip


def test_an_api_client_enrols_within_its_unit_and_stands_in_the_history(group: CoffeeGroup) -> None:
    made: Any = create_api_client(group["EAST-N"], code="shop", name="Shop", scopes=["members:write"], when=WHEN)
    client = made[0]
    member = services.create_member(client, group["S002"], identifiers=[("card", "N1")], when=WHEN)
    assert history(member)[0][0] == client
    outside = lambda: services.create_member(client, group["S003"], identifiers=[("card", "N2")], when=WHEN)  # noqa: E731
    assert refused(outside) == ("not_allowed", None)


@pytest.mark.faults
def test_of_two_who_enrol_the_same_phone_at_once_exactly_one_wins(committed: str) -> None:
    group = make_group()
    start, results = Barrier(8), []

    def enrol(number: int) -> None:
        unit = group["S001"]
        start.wait()
        try:
            if number % 2:
                results.append(services.enrol_many([("phone", PHONE, unit.pk, date(2026, 1, 1))], when=WHEN))
            else:
                services.create_member(None, unit, identifiers=[("phone", PHONE)], when=WHEN)
                results.append(1)
        except LoyaltyError as refusal:
            results.append(0 if refusal.code == "identifier_taken" else -1)
        finally:
            connections.close_all()

    threads = [Thread(target=enrol, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0] * 7 + [1]
    assert (Member.objects.count(), Identifier.objects.count()) == (1, 1)


def test_many_are_enrolled_in_one_statement(group: CoffeeGroup, django_assert_num_queries: Any) -> None:
    rows = [("card", f"{number}", group["S001"].pk, date(2026, 1, 1)) for number in range(300)]
    with django_assert_num_queries(3):  # with its savepoint
        assert services.enrol_many(rows, when=WHEN + timedelta(days=1)) == 300
    assert services.enrol_many(rows, when=WHEN) == 0
