"""What the clock does to requests that wait: reminds, widens the circle after the deadline, replaces who left.

It never decides. Each row is taken with its request locked, rows that others hold are left for the next run, so two
runs at once do the same as one.
"""

from collections.abc import Callable
from datetime import datetime

from django.db.models import F, QuerySet

from apps.approvals.absent import requests_with_other_people
from apps.approvals.models import ApprovalRequest, ApprovalStep, ApprovalTask, RequestNote
from apps.approvals.people import still_asked
from apps.approvals.services.notes import note
from apps.approvals.services.steps import fill_up, open_step_of, tell, widen, with_delegates
from apps.core.transactions import in_transaction

AT_ONCE = 500
State = ApprovalRequest.State
Kind = RequestNote.Kind


def escalate_due(when: datetime) -> int:
    """Asks the people of `escalate` as well where the deadline of a step has passed; how many requests."""
    due = ApprovalStep.objects.filter(due_at__lte=when, escalated_at=None, passed_at=None, opened_at__isnull=False)
    return _each(due, _escalate, when)


def remind_due(when: datetime) -> int:
    """Reminds whoever is asked and has not decided; how many requests."""
    due = ApprovalStep.objects.filter(remind_at__lte=when, passed_at=None)
    return _each(due, _remind, when)


def replace_absent(when: datetime) -> int:
    """Asks others where those who are asked left or lost the role; how many requests found somebody new."""
    return sum(_run(request, _replace, when) for request in requests_with_other_people(AT_ONCE))


def replace_in(request_id: int, when: datetime) -> bool:
    """`replace_absent`, for one request; whether it found somebody new."""
    return _run(request_id, _replace, when)


def _each(due: "QuerySet[ApprovalStep]", act: Callable[..., bool], when: datetime) -> int:
    # A step of an earlier round, which was returned, waits for nobody.
    due = due.filter(request__state=State.OPEN, round=F("request__round"), number=F("request__step"))
    waiting = due.order_by("pk").values_list("request_id", flat=True)
    return sum(_run(request, act, when) for request in list(waiting[:AT_ONCE]))


@in_transaction
def _run(request_id: int, act: Callable[..., bool], when: datetime) -> bool:
    rows = ApprovalRequest.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    request = rows.select_related("unit", "requester").filter(pk=request_id, state=State.OPEN).first()
    if request is None:
        return False
    step = open_step_of(request)
    done = act(request, step, when)
    step.save()
    return done


def _escalate(request: ApprovalRequest, step: ApprovalStep, when: datetime) -> bool:
    if step.due_at is None or step.due_at > when or step.escalated_at is not None:
        return False
    step.escalated_at = when
    added = widen(request, step, step.read().escalate, ApprovalTask.Why.ESCALATION, when)
    fill_up(request, step, when)
    note(request, Kind.ESCALATED, None, when, data={"number": step.number, "to": [person.pk for person in added]})
    new = [person.pk for person in added]
    tell(request, "approvals.asked", with_delegates(new, request.kind, when), when)
    tell(request, "approvals.late", [request.requester_id], when)
    return True


def _remind(request: ApprovalRequest, step: ApprovalStep, when: datetime) -> bool:
    if step.remind_at is None or step.remind_at > when:
        return False
    step.remind_at = None
    asked = list(step.tasks.filter(is_open=True).values_list("person_id", flat=True))
    note(request, Kind.REMINDED, None, when, data={"number": step.number, "to": asked})
    tell(request, "approvals.reminder", with_delegates(asked, request.kind, when), when)
    return True


def _replace(request: ApprovalRequest, step: ApprovalStep, when: datetime) -> bool:
    asked = list(step.tasks.filter(is_open=True))
    _remember_absent(asked, still_asked(asked, request.unit))
    if not fill_up(request, step, when):
        return False
    open_now = step.tasks.filter(is_open=True).values_list("person_id", flat=True)
    added = set(open_now) - {task.person_id for task in asked}
    note(request, Kind.TRANSFERRED, None, when, data={"number": step.number, "to": sorted(added)})
    tell(request, "approvals.asked", with_delegates(added, request.kind, when), when)
    return True


def _remember_absent(asked: list[ApprovalTask], present: list[ApprovalTask]) -> None:
    """What `requests_with_other_people` compares with next time."""
    for task in asked:
        task.is_absent = task not in present
    ApprovalTask.objects.bulk_update(asked, ["is_absent"])
