"""Bringing others in: a word, evidence, somebody else to decide, somebody who stands in, somebody who follows."""

from datetime import datetime

from apps.approvals.definition import Named
from apps.approvals.errors import (
    CommentNeeded,
    DelegationOver,
    NotToThem,
    OwnDelegate,
    RequestOver,
    StandsInOnly,
)
from apps.approvals.models import ApprovalRequest, ApprovalStep, ApprovalTask, Delegation, Evidence, RequestNote, Watch
from apps.approvals.scope import has_part
from apps.approvals.services.deciding import hat_of
from apps.approvals.services.filing import File, keep_file
from apps.approvals.services.notes import kept, note
from apps.approvals.services.steps import decided_in, fill_up, locked_request, open_step_of, tell, with_delegates
from apps.core.errors import NotAllowed
from apps.core.scope import reach_of
from apps.core.transactions import in_transaction
from apps.orgs.models import Staff
from apps.orgs.services.actors import signed
from apps.orgs.services.people import locked_staff

DIRECT = "approvals.direct_approvalrequest"
State = ApprovalRequest.State
Kind = RequestNote.Kind
Why = ApprovalTask.Why


@in_transaction
def comment(actor: Staff, request_id: int, text: str, *, when: datetime) -> RequestNote:
    """A word in the story, for whoever reads the request. Raises CommentNeeded, NotAllowed."""
    request = _readable(actor, locked_request(request_id))
    if not kept(text, 2000):
        raise CommentNeeded()
    said = note(request, Kind.COMMENT, actor, when, text)
    asked = request.tasks.filter(is_open=True).values_list("person_id", flat=True)
    tell(request, "approvals.commented", {*asked, request.requester_id} - {actor.pk}, when)
    return said


@in_transaction
def attach(actor: Staff, request_id: int, name: str, content: bytes, *, when: datetime) -> Evidence:
    """A file to the request, as long as it is open or returned, by whoever has a part in it.

    Raises EvidenceRefused, RequestOver, NotAllowed.
    """
    request = _readable(actor, locked_request(request_id))
    if not has_part(actor, request):
        raise NotAllowed(permission="approvals.add_evidence")
    if request.state not in (State.OPEN, State.RETURNED):
        raise RequestOver(state=request.get_state_display())
    return keep_file(request, actor, File(name, content), when)


@in_transaction
def transfer(actor: Staff, request_id: int, person: Staff, *, text: str = "", when: datetime) -> ApprovalRequest:
    """Has `person` decide in the place of `actor`, who is asked now; an administrator names somebody for anybody.

    Raises RequestOver, NotAsked, NotToThem, OwnRequest, DecidedAlready, StandsInOnly.
    """
    request, step = _open(request_id)
    _require_askable(request, step, person, actor)
    if _directs(actor, request):
        parties = range(len(step.read().parties))
    else:
        hat = hat_of(actor, request, step, when)
        if hat.pk != actor.pk:
            raise StandsInOnly(person=str(hat))
        own = step.tasks.filter(person=hat, is_open=True)
        parties = list(own.values_list("party", flat=True))  # type: ignore[assignment]
        own.update(is_open=False, is_off=True)
    # Whoever handed it on may get it back.
    ApprovalTask.objects.bulk_create(
        [step.task(party, person, Why.TRANSFER, when) for party in parties],
        update_conflicts=True, unique_fields=["step", "party", "person"],
        update_fields=["why", "role", "is_open", "is_off", "asked_at"],
    )  # fmt: skip
    fill_up(request, step, when)
    step.save()
    note(request, Kind.TRANSFERRED, actor, when, text, {"to": person.pk, "number": step.number})
    tell(request, "approvals.asked", with_delegates([person.pk], request.kind, when), when)
    return request


@in_transaction
def add_approver(actor: Staff, request_id: int, person: Staff, *, text: str = "", when: datetime) -> ApprovalRequest:
    """Has `person` say yes as well before the open step passes; asked by whoever may decide in it.

    Raises RequestOver, NotAsked, NotToThem, OwnRequest, DecidedAlready.
    """
    request, step = _open(request_id)
    _require_askable(request, step, person, actor)
    if not _directs(actor, request):
        hat_of(actor, request, step, when)
    definition = step.read().model_dump(mode="json")
    definition["parties"].append({"who": Named(person=person.username).model_dump(), "need": "any"})
    step.definition = definition
    step.task(len(definition["parties"]) - 1, person, Why.ADDED, when).save()
    request.needed += 1
    fill_up(request, step, when)
    step.save()
    request.save()
    note(request, Kind.ADDED, actor, when, text, {"to": person.pk, "number": step.number})
    tell(request, "approvals.asked", with_delegates([person.pk], request.kind, when), when)
    return request


@in_transaction
def watch(actor: Staff, request_id: int, is_watching: bool) -> None:
    """Has `actor` told of what becomes of the request, or no more. Raises NotAllowed."""
    request = _readable(actor, ApprovalRequest.objects.select_related("unit").get(pk=request_id))
    if is_watching:
        Watch.objects.get_or_create(request=request, person=actor)
    else:
        Watch.objects.filter(request=request, person=actor).delete()


@in_transaction
def delegate(
    actor: Staff,
    person: Staff,
    to: Staff,
    *,
    starts_at: datetime,
    ends_at: datetime,
    kinds: tuple[str, ...] = (),
    reason: str = "",
    when: datetime,
) -> Delegation:
    """Has `to` stand in for `person` from `starts_at` until `ends_at`, excluded: oneself, or whom `actor` may change.

    Raises OwnDelegate, DelegationOver, NotToThem, NotAllowed, BeyondReach.
    """
    require_own(actor, person)
    if to.pk == person.pk:
        raise OwnDelegate()
    if starts_at >= ends_at or ends_at <= when:
        raise DelegationOver()
    if not to.is_active:
        raise NotToThem(person=str(to))
    row = Delegation(
        person=person, delegate=to, starts_at=starts_at, ends_at=ends_at, kinds=sorted(kinds), reason=reason.strip()
    )
    signed(row, actor).save()
    return row


@in_transaction
def end_delegation(actor: Staff, delegation: Delegation, *, when: datetime) -> Delegation:
    """Nobody stands in any more, from now on. Raises NotAllowed, BeyondReach."""
    row = Delegation.objects.select_for_update(of=("self",)).select_related("person__unit").get(pk=delegation.pk)
    require_own(actor, row.person)
    if row.ended_at is None:
        row.ended_at = when
        signed(row, actor).save()
    return row


def require_own(actor: Staff, person: Staff) -> None:
    """Whoever says who decides for a person can act as them: oneself, or who reaches every unit that they work on.

    Raises NotAllowed, BeyondReach.
    """
    locked_staff(person, actor, own_allowed=True)


def _open(request_id: int) -> tuple[ApprovalRequest, ApprovalStep]:
    request = locked_request(request_id)
    if request.state != State.OPEN:
        raise RequestOver(state=request.get_state_display())
    return request, open_step_of(request)


def _readable(actor: Staff, request: ApprovalRequest) -> ApprovalRequest:
    if not ApprovalRequest.objects.visible_to(actor).filter(pk=request.pk).exists():
        raise NotAllowed(permission="approvals.view_approvalrequest")
    return request


def _directs(actor: Staff, request: ApprovalRequest) -> bool:
    """Whether `actor` names people for requests that wait, and this one is not their own."""
    return request.requester_id != actor.pk and reach_of(actor, DIRECT).covers(request.unit.path)


def _require_askable(request: ApprovalRequest, step: ApprovalStep, person: Staff, actor: Staff) -> None:
    is_asked = step.tasks.filter(person=person, is_off=False).exists()
    is_one_of_them = person.pk in {actor.pk, request.requester_id, *request.excluded} | decided_in(request)
    if is_asked or is_one_of_them or not person.is_active:
        raise NotToThem(person=str(person))
