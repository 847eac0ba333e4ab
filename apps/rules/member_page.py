"""A member's timeline, newest first: events with the reason of each award, and what else moved points."""

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
from apps.members.page import Asked, Block, block
from apps.orgs.models import OrgUnit
from apps.points.models import Account, Posting, PostingKind
from apps.rules.explain import Reason, reasons, units_named, why_not
from apps.rules.models import Outcome, RuleVersion

PAGE = 20
ADJUST = "points.adjust_points"
REVERSIBLE = (PostingKind.EARN, PostingKind.REDEEM, PostingKind.ADJUST)
EVENT, POSTING = "e", "p"
"""At one instant movements stand above events."""


@dataclass
class Item:
    """One line of the timeline."""

    at: datetime
    sort: str
    pk: int
    title: str
    place: str
    zone: str
    points: int | None = None
    pending: bool = False
    amount: Any = None
    currency: str = ""
    detail: str = ""
    reasons: list[Reason] = field(default_factory=list)
    not_given: list[str] = field(default_factory=list)
    reversals: list[tuple[int, str]] = field(default_factory=list)
    """Points that may be reversed, and where."""

    @property
    def key(self) -> tuple[datetime, str, int]:
        return self.at, self.sort, self.pk


@dataclass(frozen=True)
class Timeline:
    items: list[Item]
    older: str
    is_first_page: bool


def timeline_of(person: Any, member_id: int, before: tuple[datetime, str, int] | None) -> tuple[list[Item], bool]:
    """A page of the timeline, and whether there is more. Eight queries, however long the history."""
    accounts = list(Account.objects.filter(member=member_id).values_list("pk", flat=True))
    events = _older(Event.objects.visible_to(person).filter(member=member_id), "occurred_at", EVENT, before)
    events = events.select_related("org_unit", "program").order_by("-occurred_at", "-pk")[: PAGE + 1]
    # What an event moved stands under the event.
    postings = Posting.objects.visible_to(person).filter(account__in=accounts, event__isnull=True)
    postings = _older(postings, "posted_at", POSTING, before)
    postings = postings.select_related("org_unit", "actor", "account__point_type__program")
    items = [_of_event(event) for event in events]
    items += [_of_posting(posting) for posting in postings.order_by("-posted_at", "-pk")[: PAGE + 1]]
    items.sort(key=lambda item: item.key, reverse=True)
    shown = items[:PAGE]
    _explain(person, shown)
    return shown, len(items) > PAGE


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
        detail=_("Order %(number)s") % {"number": event.order_no} if event.order_no else "",
    )  # fmt: skip


def kind_in_words(kind: str) -> str:
    """A kind of event as people read it; custom kinds as they are."""
    return str(dict(Event.Kind.choices).get(kind, kind))


def _of_posting(posting: Posting) -> Item:
    who = (posting.actor.get_full_name() or posting.actor.get_username()) if posting.actor else ""
    reason = _("“%(reason)s”, %(person)s") % {"reason": posting.reason, "person": who}
    return Item(
        posting.posted_at, POSTING, posting.pk, str(PostingKind(posting.kind).label), str(posting.org_unit),
        posting.account.point_type.program.time_zone,
        points=posting.points + posting.pending_points if posting.kind != PostingKind.RELEASE else posting.points,
        detail=reason if posting.reason and who else posting.reason or who,
    )  # fmt: skip


def _explain(person: Any, items: list[Item]) -> None:
    """Adds to events what they came to, and why. Three queries."""
    by_event = {item.pk: item for item in items if item.sort == EVENT}
    outcomes = dict(Outcome.objects.filter(event__in=by_event).values_list("event_id", "answer"))
    named = {
        version
        for answer in outcomes.values()
        for version in (
            *(award.get("version_id") for award in answer.get("awards") or ()),
            *(pair[0] for pair in answer.get("skipped") or ()),
        )
        if version
    }
    versions = RuleVersion.objects.visible_to(person).filter(pk__in=named)
    found = {version.pk: version for version in versions.select_related("rule")}
    definitions = {pk: version.definition for pk, version in found.items()}
    names = {
        pk: _("%(rule)s, version %(number)s") % {"rule": version.rule.name, "number": version.number}
        for pk, version in found.items()
    }
    codes = units_named(definitions.values())
    units = dict(OrgUnit.objects.filter(code__in=codes).values_list("code", "name")) if codes else {}
    for pk, answer in outcomes.items():
        item = by_event[pk]
        item.reasons = reasons(answer, definitions, item.currency, units)
        item.not_given = why_not(answer.get("skipped"), names, definitions, units)
        item.points = sum(reason.points for reason in item.reasons)


def _offer_reversals(person: Any, items: list[Item]) -> None:
    """Adds where to reverse what an item earned, spent or adjusted and nobody has reversed. One query."""
    by_event = {item.pk: item for item in items if item.sort == EVENT}
    by_posting = {item.pk: item for item in items if item.sort == POSTING}
    own = Posting.objects.visible_to(person, ADJUST).filter(Q(event__in=by_event) | Q(pk__in=by_posting))
    reversed_already = Posting.objects.filter(reverses=OuterRef("pk"), kind=PostingKind.REVERSE)
    for posting in own.filter(~Exists(reversed_already), kind__in=REVERSIBLE).order_by("pk"):
        item = by_posting.get(posting.pk) or by_event[posting.event_id or 0]
        where = address("points_posting_reverse", posting.pk)
        item.reversals.append((posting.points + posting.pending_points, where))


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


@block(order=20, permission="activity.view_event")
def timeline(asked: Asked) -> Block:
    before = _cursor(asked.query.get("before", ""))
    items, has_more = timeline_of(asked.person, asked.member.pk, before)
    if asked.person.has_perm(ADJUST, asked.member):
        _offer_reversals(asked.person, items)
    older = ""
    if has_more:
        last = items[-1]
        older = "?" + urlencode({"before": f"{last.at.astimezone(UTC).isoformat()},{last.sort},{last.pk}"})
    return Block(_("Timeline"), "rules/member_timeline.html", Timeline(items, older, before is None))
