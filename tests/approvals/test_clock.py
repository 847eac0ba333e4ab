"""What the clock does to requests that wait: working hours, reminders, wider circles, people who left. It never decides."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.approvals.absent import requests_with_other_people
from apps.approvals.models import ApprovalRequest, ApprovalStep, ApprovalTask, Decision, RequestNote
from apps.approvals.services.sending import send_again
from apps.approvals.services.waiting import escalate_due, remind_due, replace_absent
from apps.orgs.models import Notice, WorkingTime
from apps.orgs.services import change_staff, revoke_role, set_staff_active
from tests.approvals.conftest import WHEN, Desk, Gauge, person, role, step
from tests.factories import make_cast, make_group, make_staff

OFFICE = [["09:00", "12:00"], ["13:00", "18:00"]]
WEEK = {str(day): OFFICE for day in range(1, 6)}


def one_step(*parties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"bands": [{"name": "all", "when": {"all": []}, "steps": [step(*parties, **more)]}]}


def works(desk: Desk, hours: dict[str, Any], unit: str = "EAST") -> None:
    WorkingTime.objects.create(unit=desk.group[unit], hours=hours)


def asked_in(request: ApprovalRequest) -> list[str]:
    names = ApprovalTask.objects.filter(request=request, is_open=True).values_list("person__username", flat=True)
    return sorted(names)


def kinds_of(request: ApprovalRequest) -> list[str]:
    return list(RequestNote.objects.filter(request=request).order_by("pk").values_list("kind", flat=True))


def told(code: str) -> list[str]:
    notices = Notice.objects.filter(code=f"approvals.{code}").order_by("person__username")
    return list(notices.values_list("person__username", flat=True))


def shanghai(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def test_hours_do_not_run_over_the_weekend(desk: Desk) -> None:
    works(desk, {"week": WEEK})
    desk.policy(one_step(role("regional_manager"), hours=8, remind=4))
    desk.when = shanghai(5, 8, 16)  # a Friday
    path = desk.ask(5).path.get()
    assert path.due_at == shanghai(5, 11, 16)
    assert path.remind_at == shanghai(5, 11, 11)


def test_a_holiday_week_and_the_saturday_that_is_worked_for_it(desk: Desk) -> None:
    """National Day 2026: closed from the 1st to the 7th; Saturday the 10th is worked like a Wednesday."""
    closed = [{"first": "2026-10-01", "last": "2026-10-07"}]
    works(desk, {"week": WEEK, "closed": closed, "moved": [{"on": "2026-10-10", "as": 3}]})
    desk.policy(one_step(role("regional_manager"), hours=26))
    desk.when = shanghai(9, 30, 16)  # 2 hours are left, then the 8th, the 9th, and the Saturday
    assert desk.ask(5).path.get().due_at == shanghai(10, 10, 18)


def test_the_nearest_calendar_counts(desk: Desk) -> None:
    works(desk, {"week": WEEK})
    works(desk, {"week": {str(day): [["00:00", "24:00"]] for day in range(1, 8)}}, unit="EAST-N")
    desk.policy(one_step(role("regional_manager"), hours=8))
    desk.when = shanghai(5, 8, 16)
    assert desk.ask(5).path.get().due_at == shanghai(5, 9, 0)


def test_where_nobody_ever_works_there_is_no_deadline_and_the_story_says_so(desk: Desk) -> None:
    works(desk, {"week": {}})
    desk.policy(one_step(role("regional_manager"), hours=8, remind=4, escalate=[role("finance")["who"]]))
    request = desk.ask(5)
    path = request.path.get()
    assert (path.due_at, path.remind_at, request.due_at) == (None, None, None)
    assert RequestNote.objects.get(request=request, kind="step").data == {"number": 1, "no_deadline": True}
    desk.later(days=900)
    assert (escalate_due(desk.when), remind_due(desk.when)) == (0, 0)
    desk.decide("regional_manager", request)
    assert desk.level() == 5


def test_who_is_asked_is_reminded_once(desk: Desk) -> None:
    desk.policy(one_step(role("regional_manager"), hours=8, remind=4))
    request = desk.ask(5)
    desk.later(hours=3, minutes=59)
    assert remind_due(desk.when) == 0
    desk.later(minutes=1)
    assert (remind_due(desk.when), remind_due(desk.when)) == (1, 0)
    assert told("reminder") == ["regional_manager"]
    assert kinds_of(request) == ["sent", "reminded"]


def test_after_the_deadline_others_are_asked_as_well_and_nothing_is_approved(desk: Desk) -> None:
    desk.policy(one_step(role("regional_manager"), hours=8, escalate=[role("vice_president")["who"]]))
    request = desk.ask(5)
    desk.later(hours=7, minutes=59)
    assert escalate_due(desk.when) == 0
    desk.later(minutes=1)
    assert (escalate_due(desk.when), escalate_due(desk.when)) == (1, 0)
    assert asked_in(request) == ["regional_manager", "vice_president"]
    assert told("asked") == ["regional_manager", "vice_president"]
    assert told("late") == ["service"]
    assert not Decision.objects.exists()
    desk.later(days=900)
    escalate_due(desk.when)
    assert (ApprovalRequest.objects.get().state, desk.level()) == ("open", 0)
    desk.decide("vice_president", request)
    assert desk.level() == 5


def test_a_step_of_a_round_that_was_returned_waits_for_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither does it take the place of one that does."""
    monkeypatch.setattr("apps.approvals.services.waiting.AT_ONCE", 1)
    desk.policy(one_step(role("regional_manager"), hours=8, remind=4, escalate=[role("vice_president")["who"]]))
    again = desk.ask(5)
    desk.decide("regional_manager", again, "returned")
    desk.later(hours=20)
    send_again(desk.cast["service"], again.pk, Gauge(unit="EAST-N", size=6), reason="less", when=desk.when)
    desk.when -= timedelta(hours=10)
    other = desk.ask(7, name="b")
    desk.later(hours=10)
    assert (remind_due(desk.when), escalate_due(desk.when)) == (1, 1)
    assert kinds_of(again) == ["sent", "sent_again"]
    assert kinds_of(other) == ["sent", "reminded", "escalated"]


def test_only_what_changed_is_looked_at_again(desk: Desk) -> None:
    desk.policy(one_step(role("regional_manager"), role("finance")))
    requests = [desk.ask(5, name=str(n)) for n in range(3)]
    assert requests_with_other_people(10) == []
    second = make_staff(desk.group.units["EAST"], ["finance"], username="z.finance")
    assert requests_with_other_people(10) == []
    revoke_role(None, desk.cast.finance, "finance", desk.group["EAST"])
    assert requests_with_other_people(10) == [request.pk for request in requests]
    assert replace_absent(desk.when) == 3
    assert asked_in(requests[0]) == ["finance", "regional_manager", "z.finance"]
    with CaptureQueriesContext(connection) as asked:
        assert replace_absent(desk.when) == 0
    assert len(asked) == 1
    set_staff_active(second, False)
    assert len(requests_with_other_people(10)) == 3
    assert replace_absent(desk.when) == 0
    assert {step.lacks_people for step in ApprovalStep.objects.all()} == {True}
    assert requests_with_other_people(10) == []
    set_staff_active(second, True)
    replace_absent(desk.when)
    assert {step.lacks_people for step in ApprovalStep.objects.all()} == {False}
    assert requests_with_other_people(10) == []


@pytest.mark.parametrize("who", ["role", "person", "manager"])
def test_somebody_who_comes_later_is_asked_where_nobody_could_decide(desk: Desk, who: str) -> None:
    comer = make_staff(desk.group.units["EAST"], username="late.comer")
    party = {"role": role("integrator"), "person": person("late.comer"), "manager": {"who": {"kind": "manager"}}}[who]
    desk.policy(one_step(party))
    set_staff_active(comer, False)
    revoke_role(None, desk.cast.integrator, "integrator", desk.group["EAST"])
    request = desk.ask(5)
    assert (request.path.get().lacks_people, asked_in(request)) == (True, [])
    assert told("lacks_people") == ["service"]
    assert replace_absent(desk.when) == 0
    make_staff(desk.group.units["WEST"], ["integrator"])
    assert requests_with_other_people(10) == []
    set_staff_active(comer, True)
    desk.grant(comer, "integrator", "EAST")
    if who == "manager":
        service = desk.cast["service"]
        service.manager = comer
        service.save()
    assert replace_absent(desk.when) == 1
    assert (request.path.get().lacks_people, asked_in(request)) == (False, ["late.comer"])
    assert requests_with_other_people(10) == []
    assert kinds_of(request)[-1] == "transferred"


def test_who_asked_is_never_found_for_their_own_request(desk: Desk) -> None:
    desk.policy(one_step(role("service")))
    request = desk.ask(5)
    assert request.path.get().lacks_people
    assert requests_with_other_people(10) == []


def test_moving_home_changes_nobody_who_still_holds_the_role(desk: Desk) -> None:
    desk.policy(one_step(role("regional_manager")))
    desk.ask(5)
    change_staff(desk.cast.regional_manager, unit=desk.group["WEST"])
    assert requests_with_other_people(10) == []


@pytest.mark.faults
@pytest.mark.parametrize("run", [escalate_due, remind_due, replace_absent])
def test_runs_at_once_do_the_same_as_one(committed: str, run: Callable[[datetime], int]) -> None:
    group = make_group()
    desk = Desk(group, make_cast(group))
    desk.policy(one_step(role("regional_manager"), hours=8, remind=4, escalate=[role("vice_president")["who"]]))
    make_staff(group.units["EAST"], ["regional_manager"], username="above")
    requests = [desk.ask(5, name=str(n)) for n in range(20)]
    if run is replace_absent:
        revoke_role(None, desk.cast.regional_manager, "regional_manager", desk.group["EAST-N"])

    def work(_: int) -> int:
        try:
            return run(WHEN + timedelta(hours=9))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        done = sum(pool.map(work, range(6)))
    assert done + run(WHEN + timedelta(hours=9)) == 20
    added = {escalate_due: ("escalated", "vice_president"), replace_absent: ("transferred", "above")}.get(run)
    for request in requests:
        assert kinds_of(request) == ["sent", added[0] if added else "reminded"]
        assert asked_in(request) == sorted({"regional_manager", *(added[1:] if added else ())})
    assert not Decision.objects.exists()


def test_who_is_asked_after_the_deadline_stands_in_for_one_of_all_who_were_asked(desk: Desk) -> None:
    """Asking more people makes nothing slower: two of the three say yes, and one alone is not enough."""
    desk.policy(
        one_step(role("regional_manager", "all"), hours=8, escalate=[{"kind": "role", "role": "vice_president"}])
    )
    make_staff(desk.group["EAST-N"], ["regional_manager"])
    request = desk.ask(5)
    desk.later(days=1)
    assert escalate_due(desk.when) == 1
    desk.decide("vice_president", request)
    assert ApprovalRequest.objects.get(pk=request.pk).state == "open"
    desk.decide("regional_manager", request)
    assert ApprovalRequest.objects.get(pk=request.pk).state == "done"
