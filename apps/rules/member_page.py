"""A member's timeline, newest first: events with the reason of each award, and what else moved points."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.activity.models import Event
from apps.core.addresses import address
from apps.core.scope import ScopedQuerySet
from apps.members.fields import attribute_fields
from apps.members.page import Action, Asked, Block, action, block
from apps.members.querysets import definitions_of
from apps.orgs.models import OrgUnit, SpecialDay
from apps.points.member_page import accounts_on
from apps.points.models import Account, Posting, PostingKind
from apps.rules.codes.reading import prize_in_words
from apps.rules.codes.services import REDEEM
from apps.rules.explain import Reason, progress, reasons, releases, special_days_named, units_named, why_not
from apps.rules.member_goals import in_force
from apps.rules.models import HeldDecision, HeldEvent, RuleVersion
from apps.rules.sentences import Names

PAGE = 20
ADJUST = "points.adjust_points"
REVERSIBLE = (PostingKind.EARN, PostingKind.REDEEM, PostingKind.ADJUST)
EVENT, POSTING = "e", "p"
"""At one instant movements stand above events."""


@dataclass(frozen=True)
class Moved:
    """Points of one type; `name` says which, where the member has several in that programme."""

    points: int
    name: str


@dataclass(frozen=True)
class Tag:
    text: str
    tone: str


@dataclass
class Item:
    """One line of the timeline."""

    at: datetime
    sort: str
    pk: int
    title: str
    place: str
    zone: str
    moved: list[Moved] = field(default_factory=list)
    amount: Any = None
    currency: str = ""
    detail: str = ""
    reasons: list[tuple[Moved, Reason]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    progress: list[str] = field(default_factory=list)
    not_given: list[str] = field(default_factory=list)
    held: Tag | None = None
    """Where an event stands that was held for review."""
    reversals: list[tuple[Moved, str]] = field(default_factory=list)
    """What may be reversed, and where."""

    @property
    def key(self) -> tuple[datetime, str, int]:
        return self.at, self.sort, self.pk


@dataclass(frozen=True)
class Timeline:
    items: list[Item]
    older: str
    is_first_page: bool


class Purses:
    """A member's accounts by their id, and what to call points of a type where there are several."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.by_id = {account.pk: account for account in accounts}
        types = [account.point_type for account in self.by_id.values()]
        many = Counter(each.program_id for each in types)
        self.names = {(each.program_id, each.code): each.name for each in types if many[each.program_id] > 1}

    def moved(self, points: int, program_id: int, code: str) -> Moved:
        return Moved(points, self.names.get((program_id, code), ""))

    def moved_by(self, posting: Posting) -> Moved:
        kind = self.by_id[posting.account_id].point_type
        # What is released was counted when it was earned, so that only what became spendable is told.
        pending = 0 if posting.kind == PostingKind.RELEASE else posting.pending_points
        return self.moved(posting.points + pending, kind.program_id, kind.code)


def timeline_of(asked: Asked, before: tuple[datetime, str, int] | None) -> tuple[list[Item], bool]:
    """A page of the timeline, and whether there is more. Four queries and the accounts, however long the history."""
    purses = Purses(asked.once(accounts_on))
    events = _older(Event.objects.visible_to(asked.person).filter(member=asked.member), "occurred_at", EVENT, before)
    events = events.select_related("org_unit", "program", "outcome", "held_event__decision").order_by(
        "-occurred_at", "-pk"
    )
    page = {event.pk: event for event in events[: PAGE + 1]}
    postings = _postings(asked.person, purses.by_id, page, before)
    items = [_of_event(event) for event in page.values()]
    # What an event moved stands under the event.
    items += [_of_posting(posting, purses) for posting in postings if posting.event_id is None]
    items.sort(key=lambda item: item.key, reverse=True)
    shown = items[:PAGE]
    _explain(asked, {item.pk: item for item in shown if item.sort == EVENT}, page, purses)
    if asked.person.has_perm(ADJUST, asked.member):
        _offer_reversals(shown, postings, purses)
    return shown, len(items) > PAGE


def _postings(
    person: Any, accounts: Iterable[int], events: Iterable[int], before: tuple[datetime, str, int] | None
) -> list[Any]:
    """A page of the movements that no event made, and what the `events` moved."""
    postings = Posting.objects.visible_to(person).filter(account__in=list(accounts))
    own = _older(postings.filter(event__isnull=True), "posted_at", POSTING, before)
    newest = own.order_by("-posted_at", "-pk").values("pk")[: PAGE + 1]
    reversed_already = Posting.objects.filter(reverses=OuterRef("pk"), kind=PostingKind.REVERSE)
    shown = postings.filter(Q(event__in=list(events)) | Q(pk__in=newest)).annotate(is_reversed=Exists(reversed_already))
    return list(shown.select_related("org_unit", "actor").order_by("pk"))


def _older(rows: ScopedQuerySet, instant: str, sort: str, before: tuple[datetime, str, int] | None) -> ScopedQuerySet:
    if before is None:
        return rows
    at, other, pk = before
    earlier = Q(**{f"{instant}__lt": at})
    if sort < other:
        earlier |= Q(**{instant: at})
    elif sort == other:
        earlier |= Q(**{instant: at, "pk__lt": pk})
    return rows.filter(earlier)


def _of_event(event: Event) -> Item:
    return Item(
        event.occurred_at, EVENT, event.pk, kind_in_words(event.kind), str(event.org_unit), event.program.time_zone,
        amount=event.amount, currency=event.program.currency,
        detail=_detail(event), held=_held(event.held_event) if hasattr(event, "held_event") else None,
    )  # fmt: skip


def _detail(event: Event) -> str:
    """The number of an order; of a code its batch and what it drew."""
    if event.kind == Event.Kind.CODE:
        told = {"batch": event.attributes.get("code_batch", ""), "prize": event.attributes.get("prize", "")}
        return _("%(batch)s: %(prize)s") % {**told, "prize": prize_in_words(told["prize"])}
    return _("Order %(number)s") % {"number": event.order_no} if event.order_no else ""


def _held(held: HeldEvent) -> Tag:
    if not hasattr(held, "decision"):
        return Tag(_("Held for review"), "warn")
    if held.decision.verdict == HeldDecision.Verdict.RELEASED:
        return Tag(_("Released after review"), "good")
    return Tag(_("Refused after review"), "bad")


def kind_in_words(kind: str) -> str:
    """A kind of event as people read it; custom kinds as they are."""
    return str(dict(Event.Kind.choices).get(kind, kind))


def _of_posting(posting: Posting, purses: Purses) -> Item:
    who = (posting.actor.get_full_name() or posting.actor.get_username()) if posting.actor else ""
    reason = _("“%(reason)s”, %(person)s") % {"reason": posting.reason, "person": who}
    kind = purses.by_id[posting.account_id].point_type
    return Item(
        posting.posted_at, POSTING, posting.pk, _act_in_words(posting.kind, kind.name), str(posting.org_unit),
        kind.program.time_zone,
        moved=[purses.moved_by(posting)], detail=reason if posting.reason and who else posting.reason or who,
    )  # fmt: skip


def _act_in_words(kind: str, point_type: str) -> str:
    """What a movement was; of what happens by itself, what it means for the points."""
    if kind == PostingKind.RELEASE:
        return _("Pending points became spendable: %(point_type)s") % {"point_type": point_type}
    if kind == PostingKind.EXPIRE:
        return _("Points expired: %(point_type)s") % {"point_type": point_type}
    return str(PostingKind(kind).label)


def _explain(asked: Asked, items: Mapping[int, Item], events: Mapping[int, Event], purses: Purses) -> None:
    """Adds to events what they came to, and why. Two queries, and one where versions no longer in force are named."""
    answers = {pk: events[pk].outcome.answer for pk in items if hasattr(events[pk], "outcome")}
    judging = {pk: _judging(answer) for pk, answer in answers.items()}
    named_versions = {pk for versions in judging.values() for pk in versions}
    found = {version.pk: version for version in asked.once(in_force) if version.pk in named_versions}
    if older := named_versions - found.keys():
        seen = RuleVersion.objects.visible_to(asked.person).filter(pk__in=older).select_related("rule__overrides")
        found |= {version.pk: version for version in seen}
    instead = {
        pk: _("%(rule)s: “%(own)s” stands in its place.")
        % {"rule": version.rule.overrides.name, "own": version.rule.name}
        for pk, version in found.items()
        if version.rule.overrides is not None
    }
    definitions = {pk: version.definition for pk, version in found.items()}
    names = {
        pk: _("%(rule)s, version %(number)s") % {"rule": version.rule.name, "number": version.number}
        for pk, version in found.items()
    }
    codes = units_named(definitions.values())
    units = dict(OrgUnit.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}
    days: dict[int, dict[str, str]] = {}
    if codes := special_days_named(definitions.values()):
        for day in SpecialDay.objects.filter(
            code__in=codes, program__in={version.rule.program_id for version in found.values()}
        ):
            days.setdefault(day.program_id, {})[day.code] = day.name
    attributes = attribute_fields(definitions_of(asked.member))
    for pk, answer in answers.items():
        item, program_id = items[pk], events[pk].program_id
        named = Names(units=units, special_days=days.get(program_id, {}), attributes=attributes)
        why = reasons(answer, definitions, item.currency, named)
        item.reasons = [(purses.moved(reason.points, program_id, reason.point_type), reason) for reason in why]
        item.released = releases(answer, names)
        item.progress = progress(answer, item.currency)
        item.not_given = why_not(answer.get("skipped"), names, definitions, named)
        item.not_given += dict.fromkeys(instead[each] for each in judging[pk] if each in instead)
        sums = Counter[str]()
        for moved, _reason in item.reasons:
            sums[moved.name] += moved.points
        item.moved = [Moved(points, name) for name, points in sums.items()] or [Moved(0, "")]


def _judging(answer: Mapping[str, Any]) -> list[int]:
    """The versions that an answer tells of, whether they gave points or not."""
    told = [each.get("version_id") for part in ("awards", "released") for each in answer.get(part) or ()]
    return [version for version in (*told, *(pair[0] for pair in answer.get("skipped") or ())) if version]


def _offer_reversals(items: Iterable[Item], postings: Iterable[Any], purses: Purses) -> None:
    """Adds where to reverse what an item earned, spent or adjusted and nobody has reversed. Who may adjust points of
    a member may reverse what any store gave them."""
    by_key = {(item.sort, item.pk): item for item in items}
    for posting in postings:
        item = by_key.get((EVENT, posting.event_id) if posting.event_id else (POSTING, posting.pk))
        if item is not None and posting.kind in REVERSIBLE and not posting.is_reversed:
            item.reversals.append((purses.moved_by(posting), address("points_posting_reverse", posting.pk)))


def _cursor(text: str) -> tuple[datetime, str, int] | None:
    """`2026-05-04T12:00:00+00:00,e,17`, as the link to older lines says it; None for anything else."""
    parts = text.split(",")
    try:
        at = parse_datetime(parts[0]) if len(parts) == 3 else None
    except ValueError:
        at = None
    if at is None or parts[1] not in (EVENT, POSTING) or not (parts[2].isdecimal() and len(parts[2]) < 19):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC), parts[1], int(parts[2])


@action(order=20, permission=REDEEM)
def redeeming(asked: Asked) -> Action:
    return Action(_("Redeem a code"), address("rules_codebatch_redeem", asked.member.pk), "qr_code_2")


@block(order=20, permission="activity.view_event")
def timeline(asked: Asked) -> Block:
    before = _cursor(asked.query.get("before", ""))
    items, has_more = timeline_of(asked, before)
    older = ""
    if has_more:
        last = items[-1]
        older = "?" + urlencode({"before": f"{last.at.astimezone(UTC).isoformat()},{last.sort},{last.pk}"})
    return Block(_("Timeline"), "rules/member_timeline.html", Timeline(items, older, before is None))
