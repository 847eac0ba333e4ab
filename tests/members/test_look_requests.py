"""A look at personal data passes the gate: for how long, for what, and how often one looks is a policy's to judge."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.sending import send
from apps.members import services
from apps.members.errors import MinutesOutOfRange
from apps.members.models import Look, Member
from apps.members.services.looking import PersonalLook
from apps.orgs.gate import ApprovalNeeded
from apps.orgs.models import Notice
from apps.orgs.services import create_api_client, revoke_role
from tests.approvals.conftest import Desk, role, step
from tests.members.conftest import NAME

pytestmark = pytest.mark.django_db

LONG = {"field": "request.minutes", "op": "gt", "value": 10}
LONG_ONES = {"bands": [{"name": "long", "when": LONG, "steps": [step(role("regional_manager"))]}]}


def ask(desk: Desk, member: Member, minutes: int = 60) -> ApprovalRequest:
    subject = PersonalLook(member=member.pk, minutes=minutes, purpose="complaint")
    return send(desk.cast["service"], subject, reason="case 7", key=f"look {minutes}", when=desk.when)


def test_a_short_look_is_open_at_once_and_a_long_one_waits(desk: Desk, wang: Member) -> None:
    desk.policy(LONG_ONES, "EAST", PersonalLook.code)
    look: Any = {"reason": "call", "when": desk.when}
    assert services.reveal(desk.cast["service"], wang.pk, **look).until == desk.when + timedelta(minutes=10)
    with pytest.raises(ApprovalNeeded) as refused:
        services.reveal(desk.cast["service"], wang.pk, **look, minutes=11)
    assert "Regional manager (regional_manager)" in refused.value.sentence()
    assert Look.objects.count() == 1


def test_the_last_yes_opens_the_look_for_the_requester_from_then_on(desk: Desk, wang: Member) -> None:
    desk.policy(LONG_ONES, "EAST", PersonalLook.code)
    request = ask(desk, wang)
    assert services.open_look(desk.cast["service"], wang, when=desk.when) is None
    desk.later(hours=3)
    assert desk.decide("regional_manager", request).state == "done"
    look = Look.objects.get()
    assert (look.actor, look.reason, look.until) == (desk.cast.service, "case 7", desk.when + timedelta(minutes=60))
    last = desk.when + timedelta(minutes=60) - timedelta(microseconds=1)
    shown = services.open_look(desk.cast["service"], wang, when=last)
    assert shown is not None
    assert shown.name == NAME
    assert services.open_look(desk.cast["service"], wang, when=desk.when + timedelta(minutes=60)) is None
    assert services.open_look(desk.cast["regional_manager"], wang, when=desk.when) is None
    assert Notice.objects.filter(person=desk.cast.service, code="approvals.done").count() == 1


def test_a_requester_who_may_not_look_any_more_sees_nothing(desk: Desk, wang: Member) -> None:
    desk.policy(LONG_ONES, "EAST", PersonalLook.code)
    request = ask(desk, wang)
    revoke_role(None, desk.cast.service, "service", desk.group["EAST"])
    desk.decide("regional_manager", request)
    assert ApprovalRequest.objects.get().refusal["code"] == "no_such_member"
    assert not Look.objects.exists()


def test_a_policy_asks_how_often_how_much_and_what_for(desk: Desk, wang: Member) -> None:
    services.reveal(desk.cast["service"], wang.pk, reason="call", when=desk.when)
    subject = PersonalLook(member=wang.pk, minutes=30, purpose="fraud")
    expected = {"minutes": 30, "purpose": "fraud", "identifiers": 3, "looks": 1}
    assert subject.facts(desk.cast["service"], desk.when) == expected
    assert subject.facts(None, desk.when) == {**expected, "looks": 0}


@pytest.mark.parametrize("minutes", [-1, 0, 9, 1_441])
def test_minutes_have_a_least_and_a_most(desk: Desk, wang: Member, minutes: int) -> None:
    with pytest.raises(MinutesOutOfRange):
        services.reveal(desk.cast["service"], wang.pk, reason="call", when=desk.when, minutes=minutes)
    with pytest.raises(MinutesOutOfRange):
        ask(desk, wang, minutes)
    assert (Look.objects.count(), ApprovalRequest.objects.count()) == (0, 0)


def test_an_api_client_is_held_like_a_person(desk: Desk, wang: Member) -> None:
    desk.policy(
        {"bands": [{"name": "all", "when": {"all": []}, "steps": [step(role("finance"))]}]}, "EAST", "members.look"
    )
    scopes = ["members:read", "members:personal"]
    made: Any = create_api_client(desk.group["EAST"], code="erp", name="ERP", scopes=scopes, when=desk.when)
    with pytest.raises(ApprovalNeeded):
        services.reveal(made[0], wang.pk, reason="API erp", when=desk.when)
    assert not Look.objects.exists()


def test_the_members_page_says_who_decides_and_sends_the_request(client: Client, desk: Desk, wang: Member) -> None:
    desk.policy(LONG_ONES, "EAST", PersonalLook.code)
    client.force_login(desk.cast.service, backend="apps.orgs.auth.RoleBackend")
    page, door = (reverse(f"admin:members_member_{name}", args=[wang.pk]) for name in ("change", "reveal"))
    wanted = {"reason": "case 7", "purpose": "complaint", "minutes": "60"}
    asked = client.post(door, wanted)
    assert (asked.status_code, ApprovalRequest.objects.count(), Look.objects.count()) == (200, 0, 0)
    assert "regional_manager" in asked.content.decode()
    assert client.post(door, {**wanted, "send_request": "1", "key": "one"}).status_code == 302
    request = ApprovalRequest.objects.get()
    assert (request.state, request.reason, request.facts["request.minutes"]) == ("open", "case 7", 60)
    assert "Waiting for approval" in client.get(page).content.decode()
    assert client.post(door, {"reason": "call", "minutes": "10"}).status_code == 302
    assert NAME in client.get(page).content.decode()
