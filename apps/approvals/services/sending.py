"""Sending a request: the road it takes and the people on it are settled now and kept with it.

What a policy lets through is carried out at once, and leaves a request that is done: it counts for what comes after.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Sum
from django.db.models.functions import Abs

from apps.approvals.catalogue import WINDOW_DAYS, plain
from apps.approvals.definition import Named, Party, Step
from apps.approvals.errors import NotToThem, NotYours, PolicyRefuses, ReasonNeeded, RequestKeyReused, RequestOver
from apps.approvals.models import ApprovalRequest, ApprovalStep, ApprovalTask, RequestNote
from apps.approvals.people import Asked, directory
from apps.approvals.routing import Road, policy_in_force, road_of
from apps.approvals.services.filing import File, keep_files
from apps.approvals.services.notes import kept, note
from apps.approvals.services.steps import locked_request, move_on
from apps.approvals.words import path_in_words
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.orgs.gate import ApprovalNeeded, Effect, Subject
from apps.orgs.jobs import jobs_held
from apps.orgs.models import OrgUnit, Staff
from apps.orgs.querysets import working_time_of
from apps.orgs.working_time import parse_working_hours

State = ApprovalRequest.State
Kind = RequestNote.Kind
COUNTED = (State.OPEN, State.DONE)
"""What counts as asked for: not what was withdrawn, returned or rejected."""


@dataclass(frozen=True)
class Planned:
    """A step with the people behind each of its parties."""

    step: Step
    people: tuple[tuple[Asked, ...], ...]


@dataclass(frozen=True)
class Plan:
    """What would happen to a request that is sent now: the same is shown before, and pinned when it is sent."""

    subject: Subject
    unit: OrgUnit
    facts: dict[str, Any]
    effect: Effect
    road: Road
    together: tuple[int, ...]
    steps: tuple[Planned, ...]
    excluded: frozenset[int] = frozenset()

    @property
    def is_free(self) -> bool:
        return self.road.is_free and not self.steps


def plan_of(
    actor: Staff | None,
    subject: Subject,
    when: datetime,
    *,
    also: Collection[Staff] = (),
    again: int | None = None,
    with_effect: bool = True,
) -> Plan:
    """The road of `subject` if `actor` sent it now, `also` asked first; `again` is the request that it would replace.

    A constant number of queries. Raises SubjectGone.
    """
    unit = subject.place()
    facts = {f"request.{name}": plain(value) for name, value in subject.facts(actor, when).items()}
    totals, together = _summed(subject, facts, when, again)
    facts |= _common(actor, subject, unit, totals, when, again)
    version = policy_in_force(subject.code, unit)
    units = dict(OrgUnit.objects.values_list("code", "path")) if version is not None else {}
    road = road_of(version, facts, totals, units)
    steps = list(road.band.steps) if road.band is not None else []
    if also:
        steps.insert(0, Step(parties=tuple(Party(who=Named(person=person.username)) for person in also)))
    parties = [party for step in steps for party in step.parties]
    excluded = subject.excluded() if parties else frozenset()
    known = directory(unit, actor, [party.who for party in parties], excluded) if parties else None
    planned = tuple(
        Planned(step, tuple(tuple(known.people(party)) if known else () for party in step.parties)) for step in steps
    )
    effect = subject.effect(actor, when) if with_effect else Effect(())
    return Plan(subject, unit, facts, effect, road, together if road.is_longer else (), planned, excluded)


@in_transaction
def send(
    actor: Staff,
    subject: Subject,
    *,
    reason: str,
    key: str,
    when: datetime,
    also: Collection[Staff] = (),
    files: Sequence[File] = (),
) -> ApprovalRequest:
    """The request: open, with the people of its path asked; or done, where no policy asks anybody.

    `also` are people whom the requester asks besides, before all others; `files` are its evidence, also where it is
    carried out at once. The same key again answers the first request. Raises ReasonNeeded, PolicyRefuses, SubjectGone,
    NotAllowed, RequestKeyReused, NotToThem, EvidenceRefused, what the subject's `require_ready` raises, and what
    carrying out refuses.
    """
    reason = kept(reason, 1000)
    if not reason:
        raise ReasonNeeded()
    lock_together(subject, actor)
    earlier = ApprovalRequest.objects.filter(key=key).first()
    if earlier is not None:
        if (earlier.kind, earlier.subject, earlier.requester_id) != (subject.code, subject.to_json(), actor.pk):
            raise RequestKeyReused()
        return earlier
    require(actor, subject.permission, subject.place().path)
    subject.require_ready(actor, also, when)
    plan = plan_of(actor, subject, when, also=also)
    _refuse_unforeseen(plan)
    _refuse_unaskable(plan, actor, also)
    request = _request(plan, actor, reason, key, when)
    request.save()
    keep_files(request, actor, files, when)
    _begin(request, plan, when, Kind.SENT)
    return request


@in_transaction
def send_again(
    actor: Staff,
    request_id: int,
    subject: Subject,
    *,
    reason: str,
    when: datetime,
    also: Collection[Staff] = (),
    files: Sequence[File] = (),
) -> ApprovalRequest:
    """What was returned, changed and sent again: another round, on the road that the policy of now says.

    Raises RequestOver, NotYours, ReasonNeeded, PolicyRefuses, SubjectGone, NotAllowed, NotToThem, EvidenceRefused, and
    what the subject's `require_ready` raises.
    """
    reason = kept(reason, 1000)
    if not reason:
        raise ReasonNeeded()
    lock_together(subject, actor)
    request = locked_request(request_id)
    if request.requester_id != actor.pk or request.kind != subject.code:
        raise NotYours()
    if request.state != State.RETURNED:
        raise RequestOver(state=request.get_state_display())
    require(actor, subject.permission, subject.place().path)
    subject.require_ready(actor, also, when)
    plan = plan_of(actor, subject, when, also=also, again=request.pk)
    _refuse_unforeseen(plan)
    _refuse_unaskable(plan, actor, also)
    fresh = _request(plan, actor, reason, request.key, when)
    for name in (
        "unit", "about", "subject", "title", "facts", "amount", "reason", "needed", "steps", "policy_version", "band", "together",
        "excluded", "asked_on", "asked_hash", "sent_at", "state", "step", "closed_at",
    ):  # fmt: skip
        setattr(request, name, getattr(fresh, name))
    request.round += 1
    request.refusal = {}
    request.save()
    keep_files(request, actor, files, when)
    _begin(request, plan, when, Kind.SENT_AGAIN)
    return request


@in_transaction
def keep_gate(subject: Subject, actor: Staff | None, reason: str, when: datetime) -> None:
    """What a verb that is called directly asks: may it go on. Where a policy lets it, that it was done is kept.

    Raises ApprovalNeeded, PolicyRefuses, SubjectGone.
    """
    if policy_in_force(subject.code, subject.place()) is None:
        return
    lock_together(subject, actor)
    plan = plan_of(actor, subject, when, with_effect=False)
    _refuse_unforeseen(plan)
    if not plan.is_free:
        raise ApprovalNeeded(path=path_in_words(plan.steps))
    request = _request(plan, actor, kept(reason, 1000), f"direct:{uuid4()}", when)
    request.state, request.closed_at = State.DONE, when
    request.save()
    note(request, Kind.AT_ONCE, actor, when)


def lock_together(subject: Subject, actor: Staff | None) -> None:
    """Requests that are counted together are sent one after the other: a total is read under this lock."""
    named = {f"{subject.code} {subject.about()}", f"{subject.code} by {actor.pk if actor else 0}"}
    with connection.cursor() as cursor:
        for name in sorted(named):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 4))", [name])


def _refuse_unforeseen(plan: Plan) -> None:
    if plan.road.is_refused and plan.road.version is not None:
        raise PolicyRefuses(unit=str(plan.road.version.policy.unit))


def _refuse_unaskable(plan: Plan, actor: Staff, also: Collection[Staff]) -> None:
    """Nobody is named who asks themselves, may not decide or cannot sign in."""
    for person in also:
        if person.pk in {actor.pk, *plan.excluded} or not person.is_active:
            raise NotToThem(person=str(person))


def _request(plan: Plan, actor: Staff | None, reason: str, key: str, when: datetime) -> ApprovalRequest:
    subject, band = plan.subject, plan.road.band
    least = sum(planned.step.least for planned in plan.steps)
    return ApprovalRequest(
        kind=subject.code, unit=plan.unit, about=subject.about(), subject=subject.to_json(), title=asdict(subject.title()),
        facts=plan.facts, amount=subject.amount(), reason=reason, requester=actor, key=key,
        state=State.OPEN, step=1, steps=len(plan.steps), needed=least,
        policy_version=plan.road.version, band=band.name if band is not None else "", together=list(plan.together),
        excluded=sorted(plan.excluded), asked_on=plan.effect.to_json(), asked_hash=plan.effect.digest(), created_at=when, sent_at=when,
    )  # fmt: skip


def _begin(request: ApprovalRequest, plan: Plan, when: datetime, kind: str) -> None:
    """Pins the steps and their people, and opens the first; with no step, carries out."""
    note(request, kind, request.requester, when, data={"band": request.band, "together": request.together})
    steps = [
        ApprovalStep(
            request=request, round=request.round, number=number, definition=planned.step.model_dump(mode="json")
        )
        for number, planned in enumerate(plan.steps, 1)
    ]
    ApprovalStep.objects.bulk_create(steps)
    ApprovalTask.objects.bulk_create(
        step.task(party, asked.person, asked.why, when, role=asked.role, is_open=False)
        for step, planned in zip(steps, plan.steps, strict=True)
        for party, people in enumerate(planned.people)
        for asked in people
    )  # fmt: skip
    move_on(request, when)


def _summed(
    subject: Subject, facts: dict[str, Any], when: datetime, again: int | None
) -> tuple[dict[str, Any], tuple[int, ...]]:
    """The facts that add up, with what was asked for about the same thing in the same direction; and the others' ids."""
    amount = subject.amount()
    if not subject.adds_up or amount is None:
        return {}, ()
    others = _counted(subject, amount, when, again).filter(about=subject.about())
    found = list(others.order_by("pk").values_list("pk", "facts"))
    totals = {}
    for name in subject.adds_up:
        values = [row.get(name) for _, row in found] + [facts.get(name)]
        numbers = [value for value in values if value is not None]
        is_whole = all(isinstance(value, int) for value in numbers)
        totals[name] = sum(numbers) if is_whole else plain(sum(Decimal(str(value)) for value in numbers))
    return totals, tuple(pk for pk, _ in found)


def _counted(subject: Subject, amount: int | None, when: datetime, again: int | None) -> Any:
    """Requests of that kind, in that direction, sent within the window that ends with `when`."""
    since = when - timedelta(days=WINDOW_DAYS)
    counted = ApprovalRequest.objects.filter(kind=subject.code, state__in=COUNTED, sent_at__gt=since)
    if again is not None:
        counted = counted.exclude(pk=again)
    if amount is None:
        return counted
    return counted.filter(amount__gt=0) if amount > 0 else counted.filter(amount__lt=0)


def _common(
    actor: Staff | None, subject: Subject, unit: OrgUnit, totals: dict[str, Any], when: datetime, again: int | None
) -> dict[str, Any]:
    """The facts that every request has, this one counted in."""
    amount = subject.amount()
    own = _counted(subject, amount, when, again).filter(requester=actor)
    sums = own.aggregate(requests=Count("pk"), total=Sum(Abs("amount")))
    time = working_time_of(unit)
    facts: dict[str, Any] = {
        "request.unit": unit.path,
        "request.outside_hours": time is not None
        and not parse_working_hours(time.hours).works_at(when, ZoneInfo(time.time_zone)),
        "requester.unit": actor.unit.path if actor is not None and actor.unit is not None else None,
        "requester.roles": sorted(jobs_held(actor)) if actor is not None else [],
        "requester.requests": sums["requests"] + 1,
    }
    if subject.adds_up:
        first = subject.adds_up[0]
        facts["request.total"] = totals.get(first)
        facts["requester.total"] = int(sums["total"] or 0) + abs(amount or 0)
    return facts
