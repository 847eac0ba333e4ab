"""Promises P1 and P2: nobody sees personal data in clear, or finds a member by it, without leaving a row."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from apps.members import services
from apps.members.models import Identifier, Look, Member
from apps.members.services.looking import SHOWN_FOR
from apps.orgs.services import create_api_client, revoke_role
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import BORN, CARD, EMAIL, NAME, PHONE, WHEN
from tests.members.test_services import refused


def rows() -> list[tuple[Any, ...]]:
    looks = Look.objects.order_by("pk").select_related("actor", "client", "unit")
    return [(str(each.actor or each.client), each.kind, each.unit.code, each.member_id, each.what) for each in looks]


def test_a_reveal_shows_everything_for_ten_minutes_and_is_on_record(cast: Cast, wang: Member) -> None:
    shown = services.reveal(cast["service"], wang.pk, reason=" caller asks for her card ", when=WHEN)
    assert (shown.name, shown.birth_on, shown.until) == (NAME, BORN, WHEN + timedelta(minutes=10))
    assert [(each.kind, each.value) for each in shown.identifiers] == [
        ("card", CARD), ("email", EMAIL), ("phone", PHONE),
    ]  # fmt: skip
    assert rows() == [("service", "reveal", "S001", wang.pk, "name, birth_on, card, email, phone")]
    look = Look.objects.get()
    assert (look.reason, look.until) == ("caller asks for her card", shown.until)


def test_a_look_is_open_for_its_person_until_its_time_is_over(cast: Cast, wang: Member) -> None:
    services.reveal(cast["service"], wang.pk, reason="call", when=WHEN)
    last = WHEN + SHOWN_FOR - timedelta(microseconds=1)
    assert services.open_look(cast["service"], wang, when=last) is not None
    assert services.open_look(cast["service"], wang, when=WHEN + SHOWN_FOR) is None
    assert services.open_look(cast["regional_manager"], wang, when=last) is None
    assert len(rows()) == 1


def test_a_right_taken_away_closes_an_open_look(group: CoffeeGroup, cast: Cast, wang: Member) -> None:
    services.reveal(cast["service"], wang.pk, reason="call", when=WHEN)
    revoke_role(None, cast.service, "service", group["EAST"])
    assert services.open_look(cast["service"], wang, when=WHEN) is None


def test_who_may_not_look_sees_nothing(cast: Cast, wang: Member) -> None:
    asked: list[tuple[str, str]] = [
        ("marketing", "not_allowed"), ("auditor", "not_allowed"), ("regional_manager", "not_allowed"),
        ("outsider", "no_such_member"), ("shop", "no_such_member"), ("administrator", "no_such_member"),
    ]  # fmt: skip
    for persona, code in asked:
        reveal = lambda persona=persona: services.reveal(cast[persona], wang.pk, reason="curious", when=WHEN)  # noqa: E731
        assert refused(reveal)[0] == code
    blank = lambda: services.reveal(cast["service"], wang.pk, reason="  ", when=WHEN)  # noqa: E731
    assert refused(blank) == ("reason_missing", "reason")
    assert rows() == []


def test_a_value_that_was_tampered_with_is_refused(cast: Cast, wang: Member) -> None:
    phone, card = (wang.identifiers.get(kind=kind) for kind in ("phone", "card"))
    Identifier.objects.filter(pk=card.pk).update(value_cipher=phone.value_cipher)
    reveal = lambda: services.reveal(cast["service"], wang.pk, reason="call", when=WHEN)  # noqa: E731
    assert refused(reveal) == ("personal_data_unreadable", None)


@pytest.mark.parametrize(
    ("kind", "value", "what"),
    [("phone", "+86 138 1234 1234", "phone 138****1234"), ("email", EMAIL.upper(), "email x***@example.com"),
     ("card", "c00012345", "card ****2345")],
)  # fmt: skip
def test_a_search_by_identifier_finds_whom_it_names_and_is_on_record(
    cast: Cast, wang: Member, kind: str, value: str, what: str
) -> None:
    assert services.find_by_identifier(cast["service"], kind, value) == wang
    assert services.find_by_identifier(cast["outsider"], kind, value) is None
    assert services.find_by_identifier(cast["service"], "external", value) is None
    assert rows() == [
        ("service", "search", "S001", wang.pk, what), ("outsider", "search", "WEST", None, what),
        ("service", "search", "EAST", None, what.replace(kind, "external", 1)),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["wang@example.com", "Phone", "a\0b", "", "13812341234"])
def test_what_is_no_kind_is_not_searched_for(cast: Cast, wang: Member, kind: str) -> None:
    assert services.find_by_identifier(cast["service"], kind, PHONE) is None
    assert rows() == []


def test_an_api_client_leaves_rows_too(group: CoffeeGroup, wang: Member) -> None:
    scopes = ["members:read", "members:personal"]
    made: Any = create_api_client(group["EAST"], code="erp", name="ERP", scopes=scopes, when=WHEN)
    client = made[0]
    assert services.find_by_identifier(client, "card", CARD) == wang
    assert services.reveal(client, wang.pk, reason="GET members", when=WHEN).name == NAME
    assert [row[:3] for row in rows()] == [("ERP", "search", "S001"), ("ERP", "reveal", "S001")]
    blind: Any = create_api_client(group["EAST"], code="till", name="Till", scopes=["members:read"], when=WHEN)
    assert refused(lambda: services.reveal(blind[0], wang.pk, reason="x", when=WHEN))[0] == "not_allowed"


def test_nobody_removes_or_changes_a_look(cast: Cast, wang: Member) -> None:
    services.reveal(cast["service"], wang.pk, reason="call", when=WHEN)
    ways: list[Callable[[], Any]] = [
        lambda: Look.objects.update(reason="other"), lambda: Look.objects.all().delete(),
        lambda: connection.cursor().execute("TRUNCATE members_look"),
        lambda: connection.cursor().execute("DELETE FROM members_memberchange"),
    ]  # fmt: skip
    for way in ways:
        with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic():
            way()
    assert Look.objects.get().reason == "call"


def test_the_auditor_reads_the_looks_of_the_group(group: CoffeeGroup, cast: Cast, wang: Member) -> None:
    services.reveal(cast["service"], wang.pk, reason="call", when=WHEN)
    services.record_export(cast["outsider"], "all members")
    assert Look.objects.visible_to(cast["auditor"]).count() == 2
    assert Look.objects.visible_to(cast["service"]).count() == 0


def test_the_auditor_reads_in_words_what_was_searched_for_and_taken_away(browse: Any, cast: Cast, wang: Member) -> None:
    service = browse("service")
    service.get("/members/member/", {"q": CARD})
    service.get("/members/member/", {"q": NAME[:2]})
    service.get("/members/member/export/", {"state__exact": "active", "format": "csv"})
    service.get(f"/members/member/{wang.pk}/timeline/file/")
    service.post(f"/members/erasure/member/{wang.pk}/own-data/", {"purpose": "asked", "language": "en"})
    auditor = browse("auditor")
    listed = auditor.get("/members/look/").content.decode()
    for said in (
        "Members · State: Active · File: CSV",
        "Timeline<",
        "Own data as a file",
        f"****{CARD[-4:]}",
        "part of a name",
    ):
        assert said in listed
    newest = Look.objects.latest("pk")
    assert f"Export of members #{newest.pk}" in auditor.get(f"/members/look/{newest.pk}/change/").content.decode()
    told = auditor.get(f"/members/member/{wang.pk}/change/", {"source": "look"}).content.decode()
    assert told.count("Timeline taken as a file") == 1
    assert "Search by identifier" in told
    assert "Own data as a file" in told
