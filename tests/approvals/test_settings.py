"""What is set once and decides ever after: a policy may hold a programme's terms and the days that rules name."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.deciding import decide
from apps.core.clock import now
from apps.orgs.gate import ApprovalNeeded
from apps.orgs.models import Program, SpecialDay
from apps.orgs.services import ProgramTerms, SpecialDayDays, change_program, change_special_day, create_special_day
from tests.approvals.conftest import Desk, role, step

pytestmark = pytest.mark.django_db
HELD = {"bands": [{"name": "all", "when": {"all": []}, "steps": [step(role("vice_president"))]}]}
TERMS = {"name": "East Club", "allows_debt": "on", "grace_days": "30"}


def say_yes(desk: Desk, request: ApprovalRequest) -> ApprovalRequest:
    seal = request.seal(request.read_subject().effect(request.requester, now()))
    return decide(desk.cast["vice_president"], request.pk, "approved", seen=seal, when=now())


def send_form(desk: Desk, who: str, page: str, pk: int, **sent: Any) -> str:
    client = Client()
    client.force_login(desk.cast[who], backend="apps.orgs.auth.RoleBackend")
    answer = client.post(reverse(f"admin:orgs_{page}_change", args=[pk]), sent, follow=True)
    return answer.content.decode()


def test_nobody_switches_the_review_of_rules_off_alone_where_a_policy_holds_it(desk: Desk) -> None:
    east = desk.group.east
    change_program(east, reviews_rules=True)
    desk.policy(HELD, "G", ProgramTerms.code)
    with pytest.raises(ApprovalNeeded):
        change_program(east, reviews_rules=False, actor=desk.cast["administrator"], when=desk.when)
    change_program(east, name="East Club", actor=desk.cast["administrator"])
    held = send_form(desk, "administrator", "program", east.pk, **TERMS)
    assert "This needs approval first: Vice president" in held
    assert "Sent as a request." in send_form(desk, "administrator", "program", east.pk, **TERMS, reason="A pilot")
    request = ApprovalRequest.objects.get(kind=ProgramTerms.code)
    assert (request.facts["request.changes"], request.reason) == (["reviews_rules"], "A pilot")
    assert Program.objects.get(pk=east.pk).reviews_rules
    assert say_yes(desk, request).state == "done"
    assert not Program.objects.get(pk=east.pk).reviews_rules


def test_the_days_that_rules_name_do_not_grow_where_a_policy_holds_them(desk: Desk) -> None:
    eighth = {"kind": "each_month", "day": 8}
    day = create_special_day(desk.group.east, code="eighth", name="Eighth", days=eighth)
    desk.policy(HELD, "G", SpecialDayDays.code)
    weekly: Any = {"kind": "each_week", "weekday": 2}
    with pytest.raises(ApprovalNeeded):
        change_special_day(day, name="Tuesdays", days=weekly, actor=desk.cast["marketing"], when=desk.when)
    sent = {"name": "Tuesdays", "days_kind": "each_week", "weekday": "2"}
    assert "This needs approval first: Vice president" in send_form(desk, "marketing", "specialday", day.pk, **sent)
    assert SpecialDay.objects.get().name == "Eighth"
    assert "Sent as a request." in send_form(desk, "marketing", "specialday", day.pk, **sent, reason="More of them")
    assert (SpecialDay.objects.get().name, SpecialDay.objects.get().days) == ("Tuesdays", eighth)
    request = ApprovalRequest.objects.get(kind=SpecialDayDays.code)
    (line,) = request.asked_effect.lines
    assert SpecialDayDays.say(line, "en") == ["every month on day 8 → every Tuesday"]
    assert SpecialDayDays.say(line, "zh-hans") == ["每月8日 → 每周二"]
    assert say_yes(desk, request).state == "done"
    assert SpecialDay.objects.get().days == weekly
