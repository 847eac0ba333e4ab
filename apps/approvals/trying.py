"""A policy tried before it is in force: on a request that is made up, and on those that people have sent.

Nothing is written. Past requests are read set by set, judged in memory, and their people found in a few queries,
however many requests and units there are.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from apps.approvals.catalogue import WINDOW_DAYS, catalogue_of, plain
from apps.approvals.definition import Band, Definition, ManagerOf, Named, OfRole, Party, Step, Who
from apps.approvals.models import ApprovalRequest, Policy
from apps.approvals.people import Directory, directory, holders_of
from apps.approvals.routing import Bands
from apps.approvals.services.sending import COUNTED, Planned
from apps.conditions.types import Type, WrongValue, read_value
from apps.conditions.words import Words
from apps.orgs.gate import kind_called
from apps.orgs.models import OrgUnit, Staff
from apps.orgs.querysets import paths_above

DAYS = 90
MOST = 10_000
UNKNOWN_UNIT = Words("There is no such org unit.", "没有这个组织单元。")
WRONG_CHOICE = Words("This is none of the choices.", "这不在可选范围内。")


class WrongFacts(ValueError):
    """What was written of a made-up request and cannot be: the words of each, by field."""

    def __init__(self, faults: dict[str, Words]) -> None:
        super().__init__(", ".join(faults))
        self.faults = faults


def read_facts(kind: str, written: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, Any]:
    """Facts as requests keep them, from what a form sent by field: texts, or lists of tags; what is empty is not known.

    Raises WrongFacts.
    """
    facts: dict[str, Any] = {}
    faults: dict[str, Words] = {}
    for each in catalogue_of(kind).fields:
        value = written.get(each.name)
        if value in (None, "", []):
            continue
        known = {code for code, _ in each.choices} if each.is_closed else None
        try:
            match each.type:
                case Type.BOOLEAN:
                    facts[each.name] = str(value) == "true"
                case Type.TAGS:
                    tags = value if isinstance(value, list) else [value]
                    facts[each.name] = [str(read_value(Type.TAGS, tag)) for tag in tags]
                case Type.UNIT:
                    facts[each.name] = units.get(str(value))
                case _:
                    facts[each.name] = plain(read_value(each.type, value))
        except WrongValue as wrong:
            faults[each.name] = wrong.words
            continue
        if each.type is Type.UNIT and facts[each.name] is None:
            faults[each.name] = UNKNOWN_UNIT
        asked = facts[each.name] if isinstance(facts[each.name], list) else [facts[each.name]]
        if known is not None and not known.issuperset(asked):
            faults[each.name] = WRONG_CHOICE
    if faults:
        raise WrongFacts(faults)
    return facts


@dataclass(frozen=True)
class Trial:
    """What a definition says of one made-up request: the band, and its steps with the people of today."""

    number: int | None
    band: Band | None
    is_refused: bool
    steps: tuple[Planned, ...]


def try_facts(
    kind: str, definition: Definition, facts: Mapping[str, Any], unit: OrgUnit, requester: Staff | None
) -> Trial:
    """The road of a request with these facts at `unit`, sent by `requester`. Five queries at most."""
    units = dict(OrgUnit.objects.values_list("code", "path"))
    band = Bands(kind, definition, units).first({"request.unit": unit.path, **facts})
    steps = band.steps if band is not None else ()
    parties = [party for step in steps for party in step.parties]
    known = directory(unit, requester, [party.who for party in parties]) if parties else None
    planned = tuple(Planned(step, tuple(tuple(known.people(each)) for each in step.parties)) for step in steps if known)
    number = definition.bands.index(band) if band is not None else None
    return Trial(number, band, band is None and definition.otherwise == "refused", planned)


# Past requests.


@dataclass(frozen=True, slots=True)
class Way:
    """What a definition does with a request: `band` by its name; its steps, none where it is carried out at once."""

    band: str
    steps: tuple[Step, ...] = ()
    is_refused: bool = False

    @property
    def is_free(self) -> bool:
        return not self.steps and not self.is_refused

    def leads_as(self, other: "Way") -> bool:
        """Whether the same people are asked, in the same order."""
        return self.is_refused == other.is_refused and _asked(self.steps) == _asked(other.steps)


def _asked(steps: Iterable[Step]) -> list[list[Party]]:
    return [list(step.parties) for step in steps]


@dataclass(frozen=True, slots=True)
class Changed:
    """A past request that would have gone another road."""

    request: int
    unit: int
    before: Way
    after: Way


@dataclass(frozen=True, slots=True)
class Decider:
    """A person or a party of a step, and on how many of the requests they would have been asked."""

    who: Who
    requests: int
    people: tuple[tuple[Staff, int], ...]
    lacking: int
    """On how many of them there are not enough people."""


@dataclass
class Past:
    """What a draft would have done with past requests, against what is in force."""

    looked_at: int = 0
    is_capped: bool = False
    since: datetime | None = None
    roads: Counter[tuple[Way, Way]] = field(default_factory=Counter)
    """How many went which way, before and after."""
    changed: list[Changed] = field(default_factory=list)
    deciders: list[Decider] = field(default_factory=list)

    def total(self, which: str) -> int:
        """`held`: were free, would wait; `freed`: the reverse; `refused`: would be refused now; `accepted`: no more."""
        tests: dict[str, Callable[[Way, Way], bool]] = {
            "held": lambda before, after: before.is_free and bool(after.steps),
            "freed": lambda before, after: not before.is_free and after.is_free,
            "refused": lambda before, after: not before.is_refused and after.is_refused,
            "accepted": lambda before, after: before.is_refused and not after.is_refused,
        }
        return sum(number for (before, after), number in self.roads.items() if tests[which](before, after))

    @property
    def other_roads(self) -> int:
        """How many would have gone another road."""
        return sum(number for (before, after), number in self.roads.items() if not before.leads_as(after))


def try_past(policy: Policy, draft: Definition, when: datetime, *, most: int = MOST) -> Past:
    """The requests of the policy's kind and place of the last 90 days, under `draft` and under what is in force there.

    A constant number of queries.
    """
    since = when - timedelta(days=DAYS)
    rows = list(
        _requests(policy, since - timedelta(days=WINDOW_DAYS)).order_by("-pk").values_list(*COLUMNS)[: most + 1]
    )
    past = Past(is_capped=len(rows) > most, since=since)
    sent = [_Sent(*row) for row in reversed(rows[:most])]
    units = dict(OrgUnit.objects.values_list("code", "path"))
    in_force = policy.versions.filter(state="published").first() if policy.is_active else None
    now, then = (
        Bands(policy.kind, each, units) for each in (draft, Definition.model_validate(in_force.definition))
    ) if in_force is not None else (Bands(policy.kind, draft, units), _above(policy, units))  # fmt: skip
    asked: dict[Asking, Counter[Who]] = defaultdict(Counter)
    needed: dict[Who, int] = {}
    for each, totals in _with_totals(policy.kind, sent):
        if each.sent_at < since:
            continue
        before, after = (_way(bands, each.facts, totals) for bands in (then, now))
        past.looked_at += 1
        past.roads[before, after] += 1
        if not before.leads_as(after):
            past.changed.append(Changed(each.pk, each.unit, before, after))
        for party in {party.who: party for step in after.steps for party in step.parties}.values():
            asked[each.unit, each.requester, tuple(each.excluded)][party.who] += 1
            needed[party.who] = max(party.least, needed.get(party.who, 1))
    past.changed.reverse()
    past.deciders = _deciders(asked, needed)
    return past


Asking = tuple[int, int | None, tuple[int, ...]]
"""The unit of a request, who sent it, and who else may not decide."""
COLUMNS = ("pk", "unit_id", "requester_id", "about", "amount", "state", "facts", "sent_at", "excluded")


@dataclass(frozen=True, slots=True)
class _Sent:
    pk: int
    unit: int
    requester: int | None
    about: str
    amount: int | None
    state: str
    facts: dict[str, Any]
    sent_at: datetime
    excluded: list[int]


def _requests(policy: Policy, since: datetime) -> "QuerySet[ApprovalRequest]":
    """The requests that the policy is for: at its unit and below, but for where units further down have their own."""
    sent = ApprovalRequest.objects.filter(kind=policy.kind, sent_at__gte=since)
    sent = sent.filter(unit__path__startswith=policy.unit.path)
    others = Policy.objects.filter(kind=policy.kind, is_active=True, versions__state="published")
    for path in others.exclude(pk=policy.pk).values_list("unit__path", flat=True):
        if path.startswith(policy.unit.path):
            sent = sent.exclude(unit__path__startswith=path)
    return sent


def _above(policy: Policy, units: Mapping[str, str]) -> Bands | None:
    """What is in force at the policy's unit while it has nothing in force itself; None where nobody is asked."""
    others = Policy.objects.filter(kind=policy.kind, is_active=True, unit__path__in=paths_above(policy.unit.path)[:-1])
    for other in others.order_by("-unit__depth"):
        version = other.versions.filter(state="published").first()
        if version is not None:
            return Bands(policy.kind, Definition.model_validate(version.definition), units)
    return None


def _way(bands: Bands | None, facts: Mapping[str, Any], totals: Mapping[str, Any]) -> Way:
    if bands is None:
        return Way("")
    band, is_refused, _ = bands.road(facts, totals)
    return Way(band.name if band is not None else "", band.steps if band is not None else (), is_refused)


def _with_totals(kind: str, sent: Sequence[_Sent]) -> Iterator[tuple[_Sent, dict[str, Any]]]:
    """Each with what adds up about the same thing in the same direction within 30 days, itself counted in. `sent` goes by
    time."""
    names = kind_called(kind).adds_up
    before: dict[tuple[str, bool], list[_Sent]] = defaultdict(list)
    for each in sent:
        if not names or each.amount is None:
            yield each, {}
            continue
        others = before[each.about, each.amount > 0]
        others[:] = [other for other in others if other.sent_at > each.sent_at - timedelta(days=WINDOW_DAYS)]
        totals = {name: _sum(row.facts.get(name) for row in (*others, each)) for name in names}
        if each.facts.get("request.total") is not None:
            totals[names[0]] = each.facts["request.total"]  # as it was counted then, whatever became of the others
        yield each, totals
        if each.state in COUNTED:
            others.append(each)


def _sum(values: Iterable[Any]) -> Any:
    known = [value for value in values if value is not None]
    if all(isinstance(value, int) for value in known):
        return sum(known)
    return plain(sum(Decimal(str(value)) for value in known))


def _deciders(asked: Mapping[Asking, Counter[Who]], needed: Mapping[Who, int]) -> list[Decider]:
    """Everybody who would have been asked today, by party. Six queries at most."""
    totals: Counter[Who] = Counter()
    people: dict[Who, Counter[int]] = defaultdict(Counter)
    lacking: Counter[Who] = Counter()
    known: dict[int, Staff] = {}
    for whos, found in zip(asked.values(), _directories(asked), strict=True):
        for who, number in whos.items():
            totals[who] += number
            persons = found.people(Party(who=who, need=needed[who] if isinstance(who, OfRole) else "any"))
            lacking[who] += number if len(persons) < needed[who] else 0
            for each in persons:
                known[each.person.pk] = each.person
                people[who][each.person.pk] += number
    return [
        Decider(who, number, tuple((known[pk], times) for pk, times in people[who].most_common()), lacking[who])
        for who, number in totals.most_common()
    ]


def _directories(asked: Mapping[Asking, Collection[Who]]) -> Iterator[Directory]:
    """The people of each place and requester, in the order of `asked`: the same as `directory`, for all at once."""
    whos = {who for each in asked.values() for who in each}
    units = {unit.pk: unit for unit in OrgUnit.objects.all()}
    by_path = {unit.path: unit for unit in units.values()}
    holders = holders_of({who.role for who in whos if isinstance(who, OfRole)}, units.values())
    names = {who.person for who in whos if isinstance(who, Named)}
    named = {person.username: person for person in Staff.objects.filter(username__in=names, is_active=True)}
    needs_manager = any(isinstance(who, ManagerOf) for who in whos)
    ids = {requester for _, requester, _ in asked if requester is not None}
    requesters = {person.pk: person for person in _requesters(ids, needs_manager)}
    for unit, requester, excluded in asked:
        levels = tuple(by_path[path] for path in reversed(paths_above(units[unit].path)))
        yield Directory(requesters.get(requester or 0), levels, holders, named, frozenset(excluded))


def _requesters(ids: Collection[int], with_managers: bool) -> "QuerySet[Staff]":
    people: QuerySet[Staff] = Staff.objects.filter(pk__in=ids)
    return people.select_related("manager") if with_managers else people
