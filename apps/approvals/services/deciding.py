"""Deciding: one person, once, on what they saw, while they are asked."""

from datetime import datetime

from django.db import transaction

from apps.approvals import voting
from apps.approvals.errors import (
    CommentNeeded,
    DecidedAlready,
    EffectChanged,
    MovedElsewhere,
    NotAsked,
    NotYours,
    OwnRequest,
    OwnWork,
    RequestOver,
)
from apps.approvals.models import ApprovalRequest, ApprovalStep, Decision, RequestNote
from apps.approvals.people import still_asked, stood_in_for
from apps.approvals.services.notes import kept, note
from apps.approvals.services.steps import (
    close,
    close_without_effect,
    decided_in,
    fill_up,
    locked_request,
    move_on,
    open_step_of,
    refused_when_carried_out,
    standing,
    tell,
)
from apps.core.errors import LoyaltyError
from apps.core.transactions import in_transaction
from apps.orgs.gate import SubjectGone
from apps.orgs.models import OrgUnit, Staff

State = ApprovalRequest.State
Verdict = Decision.Verdict


class _Refused(Exception):
    """Carries a refusal of the subject's verb out of the transaction that it undoes."""

    def __init__(self, refusal: LoyaltyError) -> None:
        super().__init__()
        self.refusal = refusal


@in_transaction
def decide(
    actor: Staff,
    request_id: int,
    verdict: str,
    *,
    seen: str | None = None,
    comment: str = "",
    when: datetime,
    within: str | None = None,
) -> ApprovalRequest:
    """The request after the decision of `actor`, or of whom they stand in for.

    `seen` is the seal of the effect that they were shown; a yes needs it. The last yes carries the subject out in
    this transaction; what refuses it undoes that yes, stays with the request as its `refusal`, and the request stays
    open. `within` narrows the decision to requests of that kind. Raises RequestOver, OwnRequest, OwnWork, DecidedAlready,
    NotAsked, EffectChanged, MovedElsewhere, CommentNeeded.
    """
    try:
        with transaction.atomic():
            return _decide(actor, request_id, Verdict(verdict), seen, kept(comment, 1000), when, within)
    except _Refused as undone:
        return refused_when_carried_out(request_id, undone.refusal, when)


def _decide(
    actor: Staff, request_id: int, verdict: str, seen: str | None, comment: str, when: datetime, within: str | None
) -> ApprovalRequest:
    request = locked_request(request_id)
    if request.state != State.OPEN or within not in (None, request.kind):
        raise RequestOver(state=request.get_state_display())
    step = open_step_of(request)
    hat = hat_of(actor, request, step, when)
    if verdict != Verdict.APPROVED and not comment:
        raise CommentNeeded()
    try:
        subject = request.read_subject()
        place, effect = subject.place(), subject.effect(request.requester, when)
    except SubjectGone as gone:
        close_without_effect(request, gone, when)
        return request
    if verdict == Verdict.APPROVED:
        _require_at(place, request, step, hat)
        if seen != request.seal(effect):
            raise EffectChanged()
    Decision.objects.create(
        request=request, round=request.round, step=step, person=actor, hat=hat, verdict=verdict, comment=comment,
        saw=effect.to_json(), saw_hash=effect.digest(), has_changed=effect.digest() != request.asked_hash,
        decided_at=when,
    )  # fmt: skip
    request.refusal = {}
    step.tasks.filter(person__in={actor.pk, hat.pk}).update(is_open=False)
    _count(request, step, verdict, when)
    return request


def _require_at(place: OrgUnit, request: ApprovalRequest, step: ApprovalStep, hat: Staff) -> None:
    """Who is asked as a role holds it where the subject is now, too. Raises MovedElsewhere."""
    asked = step.tasks.filter(person=hat, is_open=True)
    if place.pk != request.unit_id and not still_asked(asked, place):
        raise MovedElsewhere(unit=str(place))


def _count(request: ApprovalRequest, step: ApprovalStep, verdict: str, when: datetime) -> None:
    """What follows from the decisions of the step, this one included. Saves the request."""
    if verdict == Verdict.RETURNED:
        request.tasks.filter(is_open=True).update(is_open=False)
        request.state, request.step, request.due_at = State.RETURNED, 0, None
        request.save()
        tell(request, "approvals.returned", [request.requester_id], when)
        return
    parties, yes, no = standing(request, step)
    if voting.is_rejected(parties, yes, no):
        close(request, State.REJECTED, when)
    elif voting.has_passed(parties, yes):
        step.passed_at, step.lacks_people = when, False
        step.save()
        step.tasks.filter(is_open=True).update(is_open=False)
        try:
            move_on(request, when)
        except LoyaltyError as refusal:
            raise _Refused(refusal) from refusal
    else:
        fill_up(request, step, when)
        step.save()
        request.save()


def hat_of(actor: Staff, request: ApprovalRequest, step: ApprovalStep, when: datetime) -> Staff:
    """In whose place `actor` decides: their own first. Raises OwnRequest, OwnWork, DecidedAlready, NotAsked."""
    if request.requester_id == actor.pk:
        raise OwnRequest()
    if actor.pk in request.excluded:
        raise OwnWork()
    used = decided_in(request)
    if actor.pk in used:
        raise DecidedAlready()
    may = {task.person_id for task in still_asked(step.tasks.filter(is_open=True), request.unit)}
    may -= {request.requester_id, *request.excluded}
    hats = [actor.pk, *stood_in_for(actor, request.kind, when)]
    free = [hat for hat in hats if hat in may and hat not in used]
    if not free or not Staff.objects.filter(pk=actor.pk, is_active=True).exists():
        if any(hat in may and hat in used for hat in hats):
            raise DecidedAlready()
        names = Staff.objects.filter(pk__in=may - used).order_by("username")[:5]
        raise NotAsked(who=", ".join(str(person) for person in names))
    return actor if free[0] == actor.pk else Staff.objects.get(pk=free[0])


@in_transaction
def withdraw(actor: Staff, request_id: int, *, comment: str = "", when: datetime) -> ApprovalRequest:
    """The request taken back by who sent it. Raises RequestOver, NotYours."""
    request = locked_request(request_id)
    if request.requester_id != actor.pk:
        raise NotYours()
    if request.state not in (State.OPEN, State.RETURNED):
        raise RequestOver(state=request.get_state_display())
    asked = list(request.tasks.filter(is_open=True).values_list("person_id", flat=True))
    close(request, State.WITHDRAWN, when)
    note(request, RequestNote.Kind.WITHDRAWN, actor, when, comment)
    tell(request, "approvals.taken_back", asked, when)
    return request
