"""What happens between two decisions: a step opens for its people, passes, or lacks people; after the last one the
subject is carried out."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import translation

from apps.approvals import voting
from apps.approvals.definition import Party, Who
from apps.approvals.models import ApprovalRequest, ApprovalStep, ApprovalTask, Decision, RequestNote
from apps.approvals.people import directory, in_force, still_asked
from apps.approvals.services.notes import note
from apps.core.errors import LoyaltyError
from apps.orgs.gate import Approval, SubjectGone
from apps.orgs.models import OrgUnit, Staff
from apps.orgs.notices import notify
from apps.orgs.querysets import working_time_of
from apps.orgs.working_time import parse_working_hours

State = ApprovalRequest.State
Kind = RequestNote.Kind
Verdict = Decision.Verdict


def locked_request(pk: int) -> ApprovalRequest:
    """The request, locked: what is done to one is done one after the other, and nothing else is locked before it but
    what is counted together."""
    requests = ApprovalRequest.objects.select_for_update(no_key=True, of=("self",))
    return requests.select_related("unit", "requester", "policy_version").get(pk=pk)


def open_step_of(request: ApprovalRequest) -> ApprovalStep:
    """The step that is being decided."""
    return request.path.get(round=request.round, number=request.step)


def move_on(request: ApprovalRequest, when: datetime) -> None:
    """Opens the first step that has not passed; after the last one carries the subject out. Saves the request."""
    step = request.path.filter(round=request.round, passed_at=None).order_by("number").first()
    if step is None:
        carry_out(request, when)
        return
    request.state, request.step = State.OPEN, step.number
    open_step(request, step, when)
    request.save()


def open_step(request: ApprovalRequest, step: ApprovalStep, when: datetime) -> None:
    """Asks the people of the step, and others in the place of those who cannot decide any more."""
    definition = step.read()
    step.opened_at = when
    step.due_at = deadline(request.unit, definition.hours, when)
    step.remind_at = deadline(request.unit, definition.remind, when)
    request.due_at = step.due_at
    if definition.hours and step.due_at is None:
        note(request, Kind.STEP, None, when, data={"number": step.number, "no_deadline": True})
    step.tasks.filter(is_off=False).update(is_open=True)
    fill_up(request, step, when)
    step.save()
    asked = step.tasks.filter(is_open=True).values_list("person_id", flat=True)
    tell(request, "approvals.asked", with_delegates(asked, request.kind, when), when)


def fill_up(request: ApprovalRequest, step: ApprovalStep, when: datetime) -> bool:
    """Asks more people where those who are asked cannot be enough any more; whether somebody new is asked.

    Whoever left, lost the role or has decided already is made good by others of the same role, at the nearest unit
    where it is held. Where there are none the step lacks people, which is said and not forgotten.
    """
    parties, yes, no = standing(request, step)
    if voting.can_pass(parties, yes, no, frozenset()):
        step.lacks_people = False
        return False
    definition = step.read()
    known = directory(request.unit, request.requester, [party.who for party in definition.parties], request.excluded)
    decided = decided_in(request)
    asked = set(step.tasks.values_list("party", "person_id"))
    added = []
    for number, party in enumerate(definition.parties):
        taken = decided | {person for where, person in asked if where == number}
        added += [step.task(number, each.person, each.why, when, role=each.role) for each in known.people(party, taken)]
    ApprovalTask.objects.bulk_create(added)
    parties, yes, no = standing(request, step)
    lacks = not voting.can_pass(parties, yes, no, frozenset())
    if lacks and not step.lacks_people:
        note(request, Kind.LACKS_PEOPLE, None, when, data={"number": step.number})
        tell(request, "approvals.lacks_people", [request.requester_id], when)
    step.lacks_people = lacks
    return bool(added)


def decided_in(request: ApprovalRequest) -> set[int]:
    """Everybody who has decided in this round, and those in whose place it was."""
    pairs = request.decisions.filter(round=request.round).values_list("person_id", "hat_id")
    return {person for pair in pairs for person in pair}


def standing(request: ApprovalRequest, step: ApprovalStep) -> tuple[list[voting.Party], set[int], set[int]]:
    """The parties with those who may still decide or have, and who said yes and no in this step."""
    definition = step.read()
    tasks = list(step.tasks.all())
    decided = list(
        request.decisions.filter(round=request.round).values_list("step_id", "hat_id", "person_id", "verdict")
    )
    here = {hat for where, hat, _, _ in decided if where == step.pk}
    used = {person for _, *pair, _ in decided for person in pair} - here
    may = {(task.party, task.person_id) for task in still_asked(tasks, request.unit)}
    parties = []
    for number, party in enumerate(definition.parties):
        counted = [
            task
            for task in tasks
            if task.party == number
            and (task.person_id in here or (number, task.person_id) in may)
            and task.person_id not in used
            and task.person_id not in {request.requester_id, *request.excluded}
        ]
        late = sum(task.why == ApprovalTask.Why.ESCALATION for task in counted)
        parties.append(voting.Party(party.need, frozenset(task.person_id for task in counted), late))
    yes = {hat for where, hat, _, verdict in decided if where == step.pk and verdict == Verdict.APPROVED}
    no = {hat for where, hat, _, verdict in decided if where == step.pk and verdict == Verdict.REJECTED}
    return parties, yes, no


def carry_out(request: ApprovalRequest, when: datetime) -> None:
    """Does what was asked for, in this transaction. Raises what the subject's verb refuses with."""
    subject = request.read_subject()
    approval = Approval(request.pk, subject, request.requester, request.reason)
    done = subject.carry_out(approval, when)
    # Carrying out may have blanked the words of requests, this one's too: what is blank stays blank.
    request.refresh_from_db(fields=["reason"])
    request.told = dict(done.told)
    close(request, State.DONE, when)
    note(request, Kind.DONE, None, when, data=dict(done.told))


def close(request: ApprovalRequest, state: str, when: datetime) -> None:
    """The request is over, and nobody is asked any more. Saves it."""
    request.state, request.closed_at, request.step, request.due_at = state, when, 0, None
    request.tasks.filter(is_open=True).update(is_open=False)
    request.save()
    if request.steps and request.requester_id is not None and state != State.WITHDRAWN:
        tell(request, f"approvals.{state}", [request.requester_id], when)


def close_without_effect(request: ApprovalRequest, refusal: LoyaltyError, when: datetime) -> None:
    """What it is about is gone: the request says so and is over."""
    request.refusal = in_both_languages(refusal)
    close(request, State.CLOSED, when)
    note(request, Kind.CLOSED, None, when, data=request.refusal)


def in_both_languages(refusal: LoyaltyError) -> dict[str, Any]:
    """A refusal as a request keeps it: its code and its sentence in each language."""
    said: dict[str, Any] = {"code": refusal.code}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            said[language] = refusal.sentence()
    return said


def refused_when_carried_out(request_id: int, refusal: LoyaltyError, when: datetime) -> ApprovalRequest:
    """The last yes was undone with all that it did: the request says why, and stays to be decided on. Locks it."""
    request = locked_request(request_id)
    if isinstance(refusal, SubjectGone):
        close_without_effect(request, refusal, when)
        return request
    request.refusal = in_both_languages(refusal)
    request.save()
    note(request, Kind.REFUSED, None, when, data=request.refusal)
    tell(request, "approvals.refused", [request.requester_id], when)
    return request


def deadline(unit: OrgUnit, hours: int | None, when: datetime) -> datetime | None:
    """When `hours` hours of working time will have gone by; None without hours, or where nobody ever works."""
    if not hours:
        return None
    time = working_time_of(unit)
    if time is None:
        return when + timedelta(hours=hours)
    return parse_working_hours(time.hours).after(when, hours, ZoneInfo(time.time_zone))


def with_delegates(people: Iterable[int], kind: str, when: datetime) -> set[int]:
    """`people`, and whoever stands in for one of them on requests of `kind`. One query."""
    asked = set(people)
    rows = in_force(when).filter(person__in=asked).values_list("delegate_id", "kinds")
    return asked | {delegate for delegate, kinds in rows if not kinds or kind in kinds}


def tell(request: ApprovalRequest, code: str, people: Iterable[int | None], when: datetime) -> None:
    """Notices about the request; nobody is told of what nobody asked for."""
    told = {person for person in people if person is not None}
    if code != "approvals.asked":
        told |= set(request.watchers.values_list("person_id", flat=True))
    notify(told, code, {"request": request.pk, "kind": request.kind}, when)


def widen(request: ApprovalRequest, step: ApprovalStep, whos: Iterable[Who], why: str, when: datetime) -> list[Staff]:
    """Asks the people of `whos` in every party of the step as well; those who are new."""
    whos = list(whos)
    known = directory(request.unit, request.requester, whos, request.excluded)
    decided = decided_in(request)
    asked = set(step.tasks.values_list("party", "person_id"))
    definition = step.read()
    added: dict[tuple[int, int], ApprovalTask] = {}
    for who in whos:
        for each in known.people(Party(who=who), decided):
            for number in range(len(definition.parties)):
                if (number, each.person.pk) not in asked:
                    added[number, each.person.pk] = step.task(number, each.person, why, when, role=each.role)
    ApprovalTask.objects.bulk_create(added.values())
    return list({task.person_id: task.person for task in added.values()}.values())
