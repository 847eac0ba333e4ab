"""All that there is to know for deciding on one request, for one reader: what it would do now and what differs from what
was sent, whether the reader may decide and why not, who else can and why, and what came before.

A constant number of statements, whatever happened before.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.approvals import voting
from apps.approvals.definition import Band
from apps.approvals.errors import NotAsked
from apps.approvals.models import ApprovalRequest, ApprovalStep, Decision, Evidence, RequestNote
from apps.approvals.people import in_force, still_asked, where_held
from apps.approvals.scope import has_part
from apps.approvals.services.asking import DIRECT
from apps.approvals.services.deciding import hat_of
from apps.approvals.services.steps import decided_in, open_step_of, standing
from apps.approvals.showing import (
    VERDICT_TONES,
    EffectRow,
    StepShown,
    band_of,
    effect_rows,
    path_shown,
    titles_of,
    why_asked,
)
from apps.approvals.words import band_sentence
from apps.core.errors import LoyaltyError
from apps.core.scope import reach_of
from apps.orgs.gate import Effect, Subject, SubjectGone, kinds
from apps.orgs.models import OrgUnit, Staff
from apps.orgs.querysets import paths_above, program_of, working_time_of

State = ApprovalRequest.State
Kind = RequestNote.Kind
STATE_TONES = {
    State.OPEN: "warn", State.RETURNED: "warn", State.DONE: "good", State.REJECTED: "bad", State.CLOSED: "bad",
    State.WITHDRAWN: "",
}  # fmt: skip
HISTORY_DAYS = 90
MOST_CASES = 5
LOOKED_THROUGH = 2_000
"""Similar cases are looked for among the latest so many of a kind: the work has an end."""


@dataclass(frozen=True)
class Case:
    """Another request, in one line."""

    request: ApprovalRequest
    title: str
    tone: str

    @property
    def outcome(self) -> str:
        return str(self.request.get_state_display())


@dataclass(frozen=True)
class Standing:
    """Whether the reader may decide: in whose place, or why not."""

    hat: Staff | None = None
    is_own_hat: bool = True
    is_last: bool = False
    """Whether their yes would carry it out."""
    why_not: str = ""


@dataclass(frozen=True)
class Decider:
    """Somebody who can decide now, and why."""

    name: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """A line of the story."""

    at: datetime
    who: str
    what: str
    text: str = ""
    tone: str = ""
    is_comment: bool = False


@dataclass(frozen=True)
class Dossier:
    """A request as its page shows it."""

    request: ApprovalRequest
    title: str
    kind: str
    """Its label."""
    icon: str
    address: str
    rows: list[EffectRow]
    seal: str
    """Of the effect in `rows`: what the reader decides on."""
    has_changed: bool
    obstacle: str
    is_gone: bool
    refusal: str
    state_tone: str
    is_late: bool
    band: Band | None
    policy: str
    path: tuple[StepShown, ...]
    standing: Standing
    deciders: list[Decider]
    may: frozenset[str]
    """Of decide, transfer, attach, withdraw, again."""
    evidence: list[Evidence]
    story: list[Told]
    together: list[Case]
    earlier: list[Case]
    requesters: list[Case]
    outcomes: list[tuple[str, int, str]]
    similar: list[Case]
    is_watching: bool
    zone: str
    """The time zone of the people there."""

    @property
    def approve_words(self) -> str:
        """What the button does."""
        if self.has_changed:
            return _("Approve with these changes")
        return _("Approve and carry out") if self.standing.is_last else _("Approve")


def dossier_of(reader: Staff, request: ApprovalRequest, when: datetime) -> Dossier:
    """`request` with `unit`, `requester` and `policy_version` loaded."""
    subject = _subject(request)
    effect = _effect(subject, request, when)
    asked = request.asked_effect
    shown = effect if effect is not None else asked
    kind = kinds().get(request.kind)
    cases = _Cases(reader, request, when)
    step = open_step_of(request) if request.state == State.OPEN else None
    place = _standing(reader, request, step, when) if step is not None else Standing()
    titles = titles_of([request, *cases.all])
    band = band_of(request)
    return Dossier(
        request=request,
        title=titles[request.pk],
        kind=kind.label.in_language(get_language() or "en") if kind is not None else request.kind,
        icon=kind.icon if kind is not None else "task_alt",
        address=_address(subject),
        rows=effect_rows(kind, shown, asked if effect is not None else None) if kind is not None else [],
        seal=request.seal(shown),
        has_changed=effect is not None and effect.digest() != request.asked_hash,
        obstacle=shown.obstacle,
        is_gone=effect is None and request.state in (State.OPEN, State.RETURNED),
        refusal=request.refusal.get("zh-hans" if (get_language() or "").startswith("zh") else "en", ""),
        state_tone=STATE_TONES[State(request.state)],
        is_late=step is not None and request.due_at is not None and request.due_at <= when,
        band=band,
        policy=_policy(request, band),
        path=path_shown(request, when),
        standing=place,
        deciders=_deciders(request, step, when) if step is not None else [],
        may=_may(reader, request, place),
        evidence=list(request.evidence.defer("content").select_related("person").order_by("pk")),
        story=_story(request),
        together=cases.shown(cases.together, titles),
        earlier=cases.shown(cases.earlier, titles),
        requesters=cases.shown(cases.requesters, titles),
        outcomes=cases.outcomes,
        similar=cases.shown(cases.similar, titles),
        is_watching=request.watchers.filter(person=reader).exists(),
        zone=zone_of(request.unit),
    )


def _subject(request: ApprovalRequest) -> Subject | None:
    try:
        return request.read_subject()
    except SubjectGone:
        return None


def _address(subject: Subject | None) -> str:
    try:
        return subject.address() if subject is not None else ""
    except SubjectGone:
        return ""


def _effect(subject: Subject | None, request: ApprovalRequest, when: datetime) -> Effect | None:
    """What carrying it out would do now; None where it is over, or what it is about is gone."""
    if subject is None or request.state not in (State.OPEN, State.RETURNED):
        return None
    try:
        return subject.effect(request.requester, when)
    except SubjectGone:
        return None


def zone_of(unit: OrgUnit) -> str:
    """The name of the time zone in which the people of `unit` work. Two queries at most."""
    place = working_time_of(unit) or program_of(unit)
    return place.time_zone if place is not None else "UTC"


def _policy(request: ApprovalRequest, band: Band | None) -> str:
    if band is None or request.kind not in kinds():
        return ""
    names = dict(OrgUnit.objects.filter(path__in=paths_above(request.unit.path)).values_list("code", "name"))
    return band_sentence(request.kind, band, get_language() or "en", names)


def _standing(reader: Staff, request: ApprovalRequest, step: ApprovalStep, when: datetime) -> Standing:
    try:
        hat = hat_of(reader, request, step, when)
    except NotAsked as refusal:
        return Standing(why_not=_why_not_asked(reader, request, step, refusal))
    except LoyaltyError as refusal:
        return Standing(why_not=refusal.sentence())
    parties, yes, _no = standing(request, step)
    is_last = step.number == request.steps and voting.has_passed(parties, yes | {hat.pk})
    return Standing(hat, hat.pk == reader.pk, is_last)


def _why_not_asked(reader: Staff, request: ApprovalRequest, step: ApprovalStep, refusal: NotAsked) -> str:
    tasks = request.tasks.select_related("step").filter(person=reader, step__round=request.round)
    known = list(tasks.order_by("step__number", "is_off"))
    here = [task for task in known if task.step_id == step.pk]
    if any(task.is_open and task.role for task in here):
        role = why_asked(here[0].why, here[0].role)
        return _("You were asked as %(role)s, and do not hold that role here any more.") % {"role": role}
    if here and all(task.is_off for task in here):
        return _("You have handed this on. %(others)s") % {"others": refusal.sentence()}
    later = [task.step.number for task in known if task.step.number > step.number]
    if later:
        return _("You are asked in step %(number)s, when the steps before it have passed.") % {"number": later[0]}
    if known and not here:
        return _("Your step has passed: others have said yes in it.")
    return refusal.sentence()


def _deciders(request: ApprovalRequest, step: ApprovalStep, when: datetime) -> list[Decider]:
    """Who can decide now, and whoever stands in for one of them."""
    used = decided_in(request) | {request.requester_id, *request.excluded}
    tasks = still_asked(step.tasks.filter(is_open=True).select_related("person").order_by("pk"), request.unit)
    tasks = [task for task in tasks if task.person_id not in used]
    held = where_held(tasks, request.unit)
    reasons: dict[Staff, list[str]] = {}
    for task in tasks:
        why = why_asked(task.why, task.role, held.get((task.role, task.person_id)))
        if why not in reasons.setdefault(task.person, []):
            reasons[task.person].append(why)
    stands_in = in_force(when).filter(person__in=reasons).exclude(delegate__in=used).filter(delegate__is_active=True)
    for row in stands_in.select_related("person", "delegate").order_by("pk"):
        if not row.kinds or request.kind in row.kinds:
            reasons.setdefault(row.delegate, []).append(_("stands in for %(person)s") % {"person": row.person})
    return [Decider(str(person), tuple(why)) for person, why in reasons.items()]


def _may(reader: Staff, request: ApprovalRequest, place: Standing) -> frozenset[str]:
    is_own = request.requester_id == reader.pk
    directs = not is_own and reach_of(reader, DIRECT).covers(request.unit.path)
    is_open = request.state == State.OPEN
    allowed = {
        "decide": place.hat is not None,
        "transfer": is_open and (place.hat is not None or directs),
        "attach": request.state in (State.OPEN, State.RETURNED) and has_part(reader, request),
        "withdraw": is_own and request.state in (State.OPEN, State.RETURNED),
        "again": is_own and request.state == State.RETURNED,
    }
    return frozenset(name for name, is_allowed in allowed.items() if is_allowed)


def askable(reader: Staff, request: ApprovalRequest) -> "QuerySet[Staff]":
    """Who may be named for the open step: people whom `reader` sees, or who hold a role here or above; nobody who sent
    it, has decided or is asked already."""
    from_here = OrgUnit.objects.filter(path__in=paths_above(request.unit.path)).values_list("pk", flat=True)
    holders = Q(
        userobjectpermission__content_type__app_label="orgs", userobjectpermission__content_type__model="orgunit",
        userobjectpermission__object_pk__in=[str(pk) for pk in from_here],
    )  # fmt: skip
    holding = Staff.objects.filter(holders).values("pk")
    seen = Staff.objects.visible_to(reader).values("pk")
    step = request.path.filter(round=request.round, number=request.step).first()
    asked = step.tasks.filter(is_off=False).values_list("person_id", flat=True) if step is not None else ()
    without = {reader.pk, request.requester_id, *request.excluded, *asked, *decided_in(request)} - {None}
    people: QuerySet[Staff] = Staff.objects.filter(Q(pk__in=holding) | Q(pk__in=seen), is_active=True)
    return people.exclude(pk__in=without).order_by("username")


# The story.


def _story(request: ApprovalRequest) -> list[Told]:
    """Everything that was said and done, the oldest first. Three queries."""
    notes = list(request.notes.select_related("person").order_by("pk"))
    decisions = list(request.decisions.select_related("person", "hat").order_by("pk"))
    named = Staff.objects.in_bulk({pk for each in notes for pk in _named(each)})
    lines = [_noted(each, named) for each in notes if each.kind != Kind.STEP] + [_decided(each) for each in decisions]
    return sorted(lines, key=lambda line: line.at)


def _named(each: RequestNote) -> Collection[int]:
    to = each.data.get("to", [])
    return to if isinstance(to, list) else [to]


def _noted(each: RequestNote, named: dict[int, Staff]) -> Told:
    who = str(each.person) if each.person is not None else _("the studio")
    people = ", ".join(str(named[pk]) for pk in _named(each) if pk in named)
    what = str(each.get_kind_display())
    text = each.text
    if people:
        what = _("%(what)s: %(people)s") % {"what": what, "people": people}
    if each.kind == Kind.EVIDENCE:
        text = str(each.data.get("name", ""))
    if each.kind in (Kind.REFUSED, Kind.CLOSED):
        text = str(each.data.get("zh-hans" if (get_language() or "").startswith("zh") else "en", ""))
    return Told(each.noted_at, who, what, text, is_comment=each.kind == Kind.COMMENT)


def _decided(each: Decision) -> Told:
    who = str(each.person)
    if each.person_id != each.hat_id:
        who = _("%(person)s for %(hat)s") % {"person": each.person, "hat": each.hat}
    verdict = Decision.Verdict(each.verdict)
    what = str(verdict.label)
    if each.has_changed and verdict == Decision.Verdict.APPROVED:
        what = _("Approved with what had changed since it was sent")
    return Told(each.decided_at, who, what, each.comment, VERDICT_TONES[verdict], bool(each.comment))


# What came before.


@dataclass
class _Cases:
    """Other requests, as far as the reader may see them: six queries."""

    reader: Staff
    request: ApprovalRequest
    when: datetime
    together: list[ApprovalRequest] = field(init=False)
    earlier: list[ApprovalRequest] = field(init=False)
    requesters: list[ApprovalRequest] = field(init=False)
    similar: list[ApprovalRequest] = field(init=False)
    outcomes: list[tuple[str, int, str]] = field(init=False)

    def __post_init__(self) -> None:
        request = self.request
        self.together = self._first(self._others().filter(pk__in=request.together), len(request.together))
        self.earlier = self._first(self._others().filter(kind=request.kind, about=request.about))
        sent = self._others().filter(requester=request.requester_id, steps__gt=0)
        self.requesters = self._first(sent) if request.requester_id else []
        self.outcomes = self._outcomes(sent) if request.requester_id else []
        self.similar = self._similar()

    @property
    def all(self) -> list[ApprovalRequest]:
        return [*self.together, *self.earlier, *self.requesters, *self.similar]

    def shown(self, requests: Iterable[ApprovalRequest], titles: dict[int, str]) -> list[Case]:
        return [Case(each, titles[each.pk], STATE_TONES[State(each.state)]) for each in requests]

    def _others(self) -> Any:
        return ApprovalRequest.objects.visible_to(self.reader).exclude(pk=self.request.pk)

    def _first(self, rows: Any, count: int = MOST_CASES) -> list[ApprovalRequest]:
        return list(rows.select_related("requester").order_by("-pk")[:count]) if count else []

    def _outcomes(self, sent: Any) -> list[tuple[str, int, str]]:
        since = self.when - timedelta(days=HISTORY_DAYS)
        rows = sent.filter(sent_at__gt=since).order_by().values_list("state").annotate(count=Count("pk"))
        counts = dict(rows)
        return [(str(state.label), counts[state], STATE_TONES[state]) for state in State if state in counts]

    def _similar(self) -> list[ApprovalRequest]:
        """Of the same kind and direction, half to half as much again, that are over."""
        amount = self.request.amount
        if not amount:
            return []
        recent = ApprovalRequest.objects.filter(kind=self.request.kind, pk__lt=self.request.pk).order_by("-pk")
        bounds = sorted((amount * 0.5, amount * 1.5))
        over = self._others().filter(pk__in=recent.values("pk")[:LOOKED_THROUGH], closed_at__isnull=False)
        return self._first(over.filter(amount__gte=bounds[0], amount__lte=bounds[1]))
