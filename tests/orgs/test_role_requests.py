"""Giving a right passes the gate: a role, letting somebody in again, what an API client may do. Taking one away never
waits."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.approvals.errors import NotToThem, OwnWork
from apps.approvals.models import ApprovalRequest
from apps.approvals.services.asking import add_approver
from apps.approvals.services.sending import send
from apps.core.clock import now
from apps.orgs import services
from apps.orgs.duties import APART, conflicts
from apps.orgs.errors import OwnRoles
from apps.orgs.gate import ApprovalNeeded, NotWhatWasApproved, Subject
from apps.orgs.models import ApiClient, OrgUnit, Staff
from apps.orgs.querysets import units_worked_on
from apps.orgs.services import ClientAccess, RoleChange
from tests.approvals.conftest import WHEN, Desk, role, step
from tests.factories import Cast, CoffeeGroup, make_staff

pytestmark = pytest.mark.django_db

FINANCE_SAYS = {"bands": [{"name": "all", "when": {"all": []}, "steps": [step(role("finance"))]}]}


def roles_of(person: Staff) -> list[tuple[str, str]]:
    return [(role, unit.code) for role in ("marketing", "service") for unit in units_worked_on(person, role)]


def ask(desk: Desk, subject: Subject) -> ApprovalRequest:
    return send(desk.cast["administrator"], subject, reason="she moves", key=f"k{subject}"[:100], when=desk.when)


def test_without_a_policy_a_role_is_given_at_once(group: CoffeeGroup, cast: Cast) -> None:
    services.grant_role(cast.administrator, cast.shop, "service", group["S001"], when=WHEN)
    assert roles_of(cast.shop) == [("service", "S001")]
    assert not ApprovalRequest.objects.exists()


def test_a_policy_holds_a_role_until_others_have_said_yes(desk: Desk) -> None:
    desk.policy(FINANCE_SAYS, "EAST", RoleChange.code)
    shop, unit = desk.cast.shop, desk.group["S001"]
    with pytest.raises(ApprovalNeeded) as refused:
        services.grant_role(desk.cast.administrator, shop, "service", unit, when=WHEN)
    assert "Finance (finance)" in refused.value.sentence()
    request = ask(desk, RoleChange(person=shop.pk, role="service", unit=unit.pk))
    assert (request.state, roles_of(shop)) == ("open", [])
    assert desk.decide("finance", request).state == "done"
    assert roles_of(shop) == [("service", "S001")]
    history = shop.history.first()
    assert history is not None
    assert (history.history_change_reason, history.history_user) == (
        "role granted: service @ S001: she moves", desk.cast.administrator,
    )  # fmt: skip


def test_nobody_decides_on_a_role_for_themselves(desk: Desk) -> None:
    desk.policy(FINANCE_SAYS, "EAST", RoleChange.code)
    other = make_staff(desk.group["EAST"], ["finance"], username="other")
    finance = desk.cast.finance
    request = ask(desk, RoleChange(person=finance.pk, role="marketing", unit=desk.group["S001"].pk))
    assert [task.person for task in request.tasks.all()] == [other]
    with pytest.raises(OwnWork):
        desk.decide("finance", request)
    with pytest.raises(NotToThem):
        add_approver(desk.cast["administrator"], request.pk, finance, when=desk.when)
    assert desk.decide(other, request).state == "done"
    assert roles_of(finance) == [("marketing", "S001")]


def test_ones_own_roles_are_refused_however_they_are_asked_for(desk: Desk) -> None:
    desk.policy(FINANCE_SAYS, "EAST", RoleChange.code)
    administrator = desk.cast.administrator
    with pytest.raises(OwnRoles):
        services.grant_role(administrator, administrator, "service", desk.group["S001"], when=WHEN)
    with pytest.raises(OwnRoles):
        ask(desk, RoleChange(person=administrator.pk, role="service", unit=desk.group["S001"].pk))
    assert (ApprovalRequest.objects.count(), roles_of(administrator)) == (0, [])


def test_a_requester_who_lost_the_right_gives_nothing_any_more(desk: Desk) -> None:
    desk.policy(FINANCE_SAYS, "EAST", RoleChange.code)
    make_staff(desk.group["G"], ["administrator"])
    request = ask(desk, RoleChange(person=desk.cast.shop.pk, role="service", unit=desk.group["S001"].pk))
    services.revoke_role(None, desk.cast.administrator, "administrator", desk.group["EAST"])
    desk.decide("finance", request)
    found = ApprovalRequest.objects.get()
    assert (found.state, found.refusal["code"], roles_of(desk.cast.shop)) == ("open", "not_allowed", [])


def test_an_approval_is_for_that_role_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.policy(FINANCE_SAYS, "EAST", RoleChange.code)
    request = ask(desk, RoleChange(person=desk.cast.shop.pk, role="service", unit=desk.group["S001"].pk))

    def more(self: RoleChange, approval: Any, when: Any) -> Any:
        services.grant_role(
            approval.requester, desk.cast.shop, "marketing", desk.group["EAST"], when=when, approval=approval
        )

    monkeypatch.setattr(RoleChange, "carry_out", more)
    desk.decide("finance", request)
    assert ApprovalRequest.objects.get().refusal["code"] == NotWhatWasApproved.code
    assert roles_of(desk.cast.shop) == []


def test_taking_away_and_shutting_out_never_wait_but_letting_in_does(desk: Desk) -> None:
    desk.policy(FINANCE_SAYS, "EAST", RoleChange.code)
    administrator, service = desk.cast.administrator, desk.cast.service
    services.set_staff_active(service, False, actor=administrator)
    with pytest.raises(ApprovalNeeded):
        services.set_staff_active(Staff.objects.get(pk=service.pk), True, actor=administrator, when=WHEN)
    assert not Staff.objects.get(pk=service.pk).is_active
    desk.decide("finance", ask(desk, RoleChange(person=service.pk, unit=desk.group["EAST"].pk)))
    assert Staff.objects.get(pk=service.pk).is_active
    services.revoke_role(administrator, service, "service", desk.group["EAST"])
    assert roles_of(service) == []


def test_a_policy_asks_about_money_other_roles_and_roles_that_should_be_apart(desk: Desk) -> None:
    facts = lambda role, unit: RoleChange(  # noqa: E731
        person=desk.cast.service.pk, role=role, unit=desk.group[unit].pk
    ).facts(None, WHEN)
    assert facts("finance", "S001") == {
        "role": "finance", "lets_in": False, "changes_money": True, "opens_personal": False,
        "other_roles": ("service",), "conflict": True,
    }  # fmt: skip
    assert facts("finance", "S101")["conflict"] is False
    assert facts("vice_president", "S001")["changes_money"] is False
    conflict = {"field": "request.conflict", "op": "is_true"}
    desk.policy({"bands": [{"name": "apart", "when": conflict, "steps": [step(role("finance"))]}]}, "EAST", "orgs.role")
    services.grant_role(desk.cast.administrator, desk.cast.shop, "service", desk.group["S001"], when=WHEN)
    with pytest.raises(ApprovalNeeded):
        services.grant_role(desk.cast.administrator, desk.cast.service, "finance", desk.group["S001"], when=WHEN)


def test_roles_conflict_whichever_comes_first_and_only_where_they_meet() -> None:
    for one, other in APART:
        assert conflicts(one, "0001", [(other, "00010001")]) == [other]
        assert conflicts(other, "00010001", [(one, "0001")]) == [one]
        assert conflicts(one, "00010001", [(other, "00010002")]) == []


def test_the_staff_page_sends_a_held_role_as_a_request_and_shows_it_waiting(client: Client, desk: Desk) -> None:
    desk.policy(FINANCE_SAYS, "EAST", RoleChange.code)
    client.force_login(desk.cast.administrator, backend="apps.orgs.auth.RoleBackend")
    page = reverse("admin:orgs_staff_change", args=[desk.cast.shop.pk])
    grant = reverse("admin:orgs_staff_grant", args=[desk.cast.shop.pk])
    wanted = {"role": "service", "unit": desk.group["S001"].pk}
    asked = client.post(grant, wanted)
    assert (asked.status_code, ApprovalRequest.objects.count()) == (200, 0)
    assert "finance" in asked.content.decode()
    sent = {**wanted, "send_request": "1", "key": "one", "reason": "she moves"}
    assert client.post(grant, sent).status_code == 302
    assert client.post(grant, sent).status_code == 302
    request = ApprovalRequest.objects.get()
    assert (request.state, request.reason, request.requester) == ("open", "she moves", desk.cast.administrator)
    assert "Waiting for approval" in client.get(page).content.decode()
    assert roles_of(desk.cast.shop) == []


def test_more_scopes_of_an_api_client_wait_and_fewer_do_not(desk: Desk) -> None:
    integrator, unit = desk.cast.integrator, desk.group["EAST"]
    made: Any = {"code": "till", "name": "Till", "scopes": ["events:write"], "when": WHEN, "actor": integrator}
    client, _ = services.create_api_client(unit, **made)
    desk.policy(FINANCE_SAYS, "EAST", ClientAccess.code)
    with pytest.raises(ApprovalNeeded):
        services.create_api_client(unit, **{**made, "code": "other"})
    more = ["events:write", "points:redeem"]
    with pytest.raises(ApprovalNeeded):
        services.change_api_client(client, name="Till", scopes=more, actor=integrator, when=WHEN)
    services.change_api_client(client, name="Till 2", scopes=["events:write"], actor=integrator, when=WHEN)
    services.set_client_active(client, False, actor=integrator)
    client = ApiClient.objects.select_related("unit").get()
    with pytest.raises(ApprovalNeeded):
        services.set_client_active(client, True, actor=integrator, when=WHEN)
    request = ask(desk, services.access_of(client, "Till 3", more))
    desk.decide("finance", request)
    client.refresh_from_db()
    assert (client.name, client.scopes, client.is_active) == ("Till 3", more, True)


def test_a_new_client_that_was_approved_gets_its_key_from_whoever_keeps_it(desk: Desk) -> None:
    desk.policy(FINANCE_SAYS, "EAST", ClientAccess.code)
    subject = ClientAccess(name="Shop", client_code="shop", unit=desk.group["EAST"].pk, scopes=("events:write",))
    assert desk.decide("finance", ask(desk, subject)).state == "done"
    client = ApiClient.objects.select_related("unit").get(code="shop")
    key = services.rotate_key(client, actor=desk.cast.administrator)
    assert services.client_for_key(key, address="10.0.0.1", when=now()) == client


def test_the_client_page_asks_for_a_reason_and_sends_a_request(client: Client, desk: Desk) -> None:
    desk.policy(FINANCE_SAYS, "EAST", ClientAccess.code)
    client.force_login(desk.cast.integrator, backend="apps.orgs.auth.RoleBackend")
    add = reverse("admin:orgs_apiclient_add")
    wanted = {"name": "Till", "code": "till", "unit": desk.group["EAST"].pk, "scopes": ["events:write"], "reason": ""}
    answer = client.post(add, wanted)
    assert "This needs approval first" in answer.content.decode()
    assert client.post(add, {**wanted, "reason": "a new till"}).status_code == 302
    request = ApprovalRequest.objects.get()
    assert (request.kind, request.state, ApiClient.objects.count()) == ("orgs.client", "open", 0)
    assert OrgUnit.objects.get(pk=request.subject["unit"]).code == "EAST"
