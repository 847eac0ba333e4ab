"""How effects, plans and paths read to a person, in the language in force. Templates: `approvals/{effect,plan,path}.html`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.approvals.catalogue import ROLES
from apps.approvals.definition import Band, Definition
from apps.approvals.models import ApprovalRequest, ApprovalStep, ApprovalTask, Decision
from apps.approvals.people import still_asked, where_held
from apps.approvals.services.sending import Plan, Planned
from apps.approvals.words import band_sentence, step_in_words
from apps.conditions.words import Words
from apps.core.formats import money, number
from apps.orgs.gate import Effect, Line, Plain, Subject, SubjectGone, in_one_line
from apps.orgs.models import OrgUnit, Staff

NONE = "–"


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One line of an effect, in words. `was` and `was_after` are what it said when it was sent, where that differs."""

    label: str
    before: str
    after: str
    is_number: bool
    changes: bool
    differs: bool = False
    was_before: str = ""
    was_after: str = ""
    sentences: tuple[str, ...] = ()
    """What the line says in the place of two values."""


def effect_rows(kind: type[Subject], effect: Effect, asked: Effect | None = None) -> list[EffectRow]:
    """The lines in words; with `asked`, each held against what the requester was shown."""
    gone = {now.code if now else was.code: was for was, now in (asked.differences(effect) if asked else ()) if was}
    differing = {line.code for pair in (asked.differences(effect) if asked else ()) for line in pair if line}
    return [_row(kind, line, line.code in differing, gone.get(line.code)) for line in effect.lines]


def _row(kind: type[Subject], line: Line, differs: bool, was: Line | None) -> EffectRow:
    words = kind.labels.get(line.code)
    label = words.in_language(get_language() or "en") if words is not None else line.code
    if line.shape == "own":
        said = tuple(kind.say(line, get_language() or "en"))
        return EffectRow(label, "", "", False, line.before != line.after, differs, sentences=said)
    before, after = (_in_words(kind, line.shape, value) for value in (line.before, line.after))
    was_before = _in_words(kind, was.shape, was.before) if was is not None else ""
    was_after = _in_words(kind, was.shape, was.after) if was is not None else ""
    is_number = line.shape in ("points", "number", "money")
    return EffectRow(label, before, after, is_number, line.before != line.after, differs, was_before, was_after)


def _in_words(kind: type[Subject], shape: str, value: Plain) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    match shape:
        case "points" | "number":
            return number(Decimal(str(value)))
        case "money":
            currency, amount = str(value).split(" ")
            return money(Decimal(amount), currency)
        case "day":
            return date_format(date.fromisoformat(str(value)), "DATE_FORMAT")
        case "moment":
            return date_format(datetime.fromisoformat(str(value)), "DATETIME_FORMAT")
        case "words":
            words = kind.labels.get(str(value))
            return words.in_language(get_language() or "en") if words is not None else str(value)
    return str(value)


@dataclass(frozen=True, slots=True)
class PersonShown:
    """One person on a path, and as what: “Regional manager at East North”."""

    name: str
    why: str = ""
    verdict: str = ""
    comment: str = ""
    at: datetime | None = None
    tone: str = ""
    person: int | None = None


@dataclass(frozen=True, slots=True)
class StepShown:
    """One step of a path. `state` is one of later, now, passed, stopped."""

    number: int
    words: str
    people: tuple[PersonShown, ...]
    state: str = "later"
    opened_at: datetime | None = None
    due_at: datetime | None = None
    passed_at: datetime | None = None
    is_late: bool = False
    lacks_people: bool = False


@dataclass(frozen=True, slots=True)
class PlanShown:
    """What sending would do: for `approvals/plan.html`."""

    rows: list[EffectRow]
    obstacle: str
    is_free: bool
    is_refused: bool
    steps: tuple[StepShown, ...]
    band: str
    why: str
    sentence: str
    together: tuple[int, ...]


def plan_shown(plan: Plan) -> PlanShown:
    """The plan in words, with everybody's name. One query."""
    language = get_language() or "en"
    names = dict(OrgUnit.objects.values_list("code", "name")) if plan.road.band is not None else {}
    steps = planned_shown(plan.steps)
    band = plan.road.band
    return PlanShown(
        effect_rows(type(plan.subject), plan.effect), plan.effect.obstacle, plan.is_free, plan.road.is_refused, steps,
        band.name if band else "", band.why if band else "",
        band_sentence(plan.subject.code, band, language, names) if band else "", plan.together,
    )  # fmt: skip


def planned_shown(steps: Iterable[Planned]) -> tuple[StepShown, ...]:
    """The steps of a path that nobody has begun, with everybody's name."""
    language = get_language() or "en"
    return tuple(
        StepShown(
            number,
            step_in_words(planned.step, language, _names(planned.people)),
            _people(planned.people),
            lacks_people=_lacks(planned),
        )
        for number, planned in enumerate(steps, 1)
    )


def _lacks(planned: Any) -> bool:
    pairs = zip(planned.step.parties, planned.people, strict=True)
    return any(len(people) < party.least for party, people in pairs)


def _names(parties: Iterable[Any]) -> dict[str, str]:
    """What people are called, by the name they sign in with."""
    return {asked.person.username: str(asked.person) for people in parties for asked in people}


def _people(parties: Iterable[Any]) -> tuple[PersonShown, ...]:
    known: dict[int, PersonShown] = {}
    for asked in (each for people in parties for each in people):
        known.setdefault(asked.person.pk, PersonShown(str(asked.person), why_asked(asked.why, asked.role, asked.unit)))
    return tuple(known.values())


def why_asked(why: str, role: str = "", unit: OrgUnit | None = None) -> str:
    """As what somebody is asked, in words."""
    if role:
        label = ROLES[role].in_language(get_language() or "en")
        if unit is not None:
            return _("%(role)s at %(unit)s") % {"role": label, "unit": unit}
        return label
    return str(ApprovalTask.Why(why).label)


VERDICT_TONES = {
    Decision.Verdict.APPROVED: "good",
    Decision.Verdict.REJECTED: "bad",
    Decision.Verdict.RETURNED: "warn",
}


def path_shown(request: ApprovalRequest, when: datetime) -> tuple[StepShown, ...]:
    """The path of a request's present round: who was asked, who has decided, who is awaited. Seven queries or eight."""
    language = get_language() or "en"
    steps = request.path.filter(round=request.round).order_by("number")
    tasks = ApprovalTask.objects.select_related("person").order_by("pk")
    decisions = Decision.objects.select_related("person", "hat").order_by("pk")
    found = list(steps.prefetch_related(Prefetch("tasks", tasks), Prefetch("decisions", decisions)))
    held = where_held([task for step in found for task in step.tasks.all()], request.unit)
    return tuple(_step_shown(request, step, held, language, when) for step in found)


Held = dict[tuple[str, int], OrgUnit]


def _step_shown(request: ApprovalRequest, step: ApprovalStep, held: Held, language: str, when: datetime) -> StepShown:
    definition = step.read()
    decided = {decision.hat_id: decision for decision in step.decisions.all()}
    is_now = request.state == ApprovalRequest.State.OPEN and request.step == step.number
    tasks = list(step.tasks.all())
    names = {task.person.username: str(task.person) for task in tasks}
    may = {task.person_id for task in still_asked(tasks, request.unit)} if is_now else {t.person_id for t in tasks}
    people: dict[int, PersonShown] = {}
    for task in tasks:
        if task.person_id in decided or task.person_id in may:
            people.setdefault(task.person_id, _person_shown(task, held, decided.get(task.person_id)))
    state = "passed" if step.passed_at else "now" if is_now else "later"
    if state == "later" and step.decisions.all():
        state = "stopped"
    return StepShown(
        step.number, step_in_words(definition, language, names), tuple(people.values()), state, step.opened_at, step.due_at,
        step.passed_at, is_now and step.due_at is not None and step.due_at <= when, is_now and step.lacks_people,
    )  # fmt: skip


def _person_shown(task: ApprovalTask, held: Held, decision: Decision | None) -> PersonShown:
    why = why_asked(task.why, task.role, held.get((task.role, task.person_id)))
    if decision is None:
        return PersonShown(str(task.person), why, person=task.person_id)
    name = str(decision.person)
    if decision.person_id != decision.hat_id:
        name = _("%(person)s for %(hat)s") % {"person": decision.person, "hat": decision.hat}
    label = str(Decision.Verdict(decision.verdict).label)
    tone = VERDICT_TONES[Decision.Verdict(decision.verdict)]
    return PersonShown(name, why, label, decision.comment, decision.decided_at, tone, decision.person_id)


def band_of(request: ApprovalRequest) -> Band | None:
    """The band that the request was sent under."""
    if request.policy_version is None:
        return None
    bands = Definition.model_validate(request.policy_version.definition).bands
    return next((band for band in bands if band.name == request.band), None)


def title_of(request: ApprovalRequest) -> str:
    """The request in one line; its number where its subject is gone."""
    return titles_of([request])[request.pk]


def titles_of(requests: Iterable[ApprovalRequest]) -> dict[int, str]:
    """Each request in one line, in the language in force. One query, whatever the kinds among them."""
    return in_one_line({request.pk: (_title(request), request.about) for request in requests}, get_language() or "en")


def _title(request: ApprovalRequest) -> Words:
    """As it was when it was sent; what was sent before titles were kept is asked for its own."""
    if request.title:
        return Words(**request.title)
    try:
        return request.read_subject().title()
    except SubjectGone:
        return Words(f"#{request.pk}", f"#{request.pk}")


def waited_for(request: ApprovalRequest) -> list[Staff]:
    """Whose decision is awaited now. Three queries."""
    tasks = request.tasks.filter(is_open=True).select_related("person").order_by("pk")
    return list({task.person_id: task.person for task in still_asked(tasks, request.unit)}.values())
