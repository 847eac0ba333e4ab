"""The daily e-mail of whoever wants one: what waits for them, and what became of what they asked for. Sent in their own
morning, once a day that is worked; a day on which there is nothing to say brings none."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.approvals.models import ApprovalRequest, Decision
from apps.approvals.reading import hats_of, longest_waiting
from apps.approvals.showing import titles_of
from apps.core.addresses import address
from apps.core.clock import local_day
from apps.orgs.mailing import Linked, Postbox, Unsent, absolute, in_language_of, letter, postbox
from apps.orgs.models import Digest, OrgUnit, Staff
from apps.orgs.notices import Told
from apps.orgs.querysets import working_time_of, zones_of
from apps.orgs.working_time import parse_working_hours

MORNING = 8
"""The hour from which on it is sent, by the receiver's clock."""
SHOWN = 10
MOST_DECIDED = 20
LONGEST = timedelta(days=7)
"""Nothing older than this is news."""
State = ApprovalRequest.State
SETTLED = (State.DONE, State.REJECTED, State.CLOSED)


def send_due(when: datetime) -> int:
    """Sends what is due this hour; how many letters."""
    wanting = Staff.objects.filter(mails=Staff.Mails.DAILY, is_active=True).exclude(email="")
    people = list(wanting.select_related("unit").order_by("pk"))
    zones, closed = zones_of(people), _closed(people, when)
    with postbox() as box:
        return sum(
            _send(person, local_day(when, zones[person.pk]), box, when)
            for person in people
            if when.astimezone(zones[person.pk]).hour >= MORNING and person.pk not in closed
        )


def _closed(people: Iterable[Staff], when: datetime) -> set[int]:
    """Ids of those for whom today is no working day. One query for each unit that somebody belongs to."""
    by_unit: dict[int, tuple[OrgUnit, set[int]]] = {}
    for person in people:
        if person.unit is not None:
            by_unit.setdefault(person.unit.pk, (person.unit, set()))[1].add(person.pk)
    closed = set[int]()
    for unit, belonging in by_unit.values():
        time = working_time_of(unit)
        hours = parse_working_hours(time.hours) if time is not None else None
        if time is not None and hours is not None and not hours.is_empty:
            today = local_day(when, ZoneInfo(time.time_zone))
            closed |= belonging if not hours.spans_on(today) else set()
    return closed


@transaction.atomic
def _send(person: Staff, day: date, box: Postbox, when: datetime) -> bool:
    """The letter of `day`, unless it was sent or another worker is at it. What cannot be sent is tried in an hour."""
    yesterday = {"day": day - timedelta(days=1), "made_at": when - timedelta(days=1)}
    Digest.objects.get_or_create(person=person, defaults=yesterday)
    due = Digest.objects.select_for_update(skip_locked=True).filter(person=person, day__lt=day).first()
    if due is None:
        return False
    with in_language_of(person):
        made = _letter(person, day, max(due.made_at, when - LONGEST), when)
    if made is not None:
        try:
            box.send(made)
        except Unsent:
            return False
    due.day, due.made_at = day, when
    due.save()
    return made is not None


@dataclass(frozen=True)
class _Said:
    """What a letter is made of."""

    waiting: list[Linked]
    waiting_count: int
    decided: list[Linked]


def _letter(person: Staff, day: date, since: datetime, when: datetime) -> EmailMultiAlternatives | None:
    said = _said(person, since, when)
    if not said.waiting and not said.decided:
        return None
    count = said.waiting_count
    subject = _("What became of your requests")
    if count:
        subject = ngettext("%(count)d request waits for you", "%(count)d requests wait for you", count) % {
            "count": count
        }
    context = {
        "waiting": said.waiting, "decided": said.decided, "waiting_count": count,
        "left_out": count - len(said.waiting), "why": _("You get this e-mail once a day."),
        "all_link": absolute(address("approvals_approvalrequest_inbox") or reverse("admin:index")),
    }  # fmt: skip
    return letter(person, f"digest-{person.pk}-{day.isoformat()}", subject, "approvals/digest", context)


def _said(person: Staff, since: datetime, when: datetime) -> _Said:
    waiting, count = longest_waiting(person, hats_of(person, when), SHOWN)
    own = ApprovalRequest.objects.visible_to(person).filter(requester=person, steps__gt=0).select_related("unit")
    returned = Decision.objects.filter(verdict=Decision.Verdict.RETURNED, decided_at__gt=since, decided_at__lte=when)
    settled = Q(state__in=SETTLED, closed_at__gt=since, closed_at__lte=when)
    back = Q(state=State.RETURNED, pk__in=returned.values("request"))
    decided = list(own.filter(settled | back).order_by("-pk")[:MOST_DECIDED])
    titles = titles_of([*waiting, *decided])
    ages = {request.pk: _age(request, when) for request in waiting}
    states = {request.pk: request.get_state_display() for request in decided}
    return _Said(_linked(waiting, titles, ages), count, _linked(decided, titles, states))


def _age(request: ApprovalRequest, when: datetime) -> str:
    slots = {"unit": request.unit, "age": timesince(request.sent_at, when)}
    if request.due_at is not None and request.due_at <= when:
        return _("%(unit)s. Waits for %(age)s, past its deadline.") % slots
    return _("%(unit)s. Waits for %(age)s.") % slots


def _linked(requests: Iterable[ApprovalRequest], titles: dict[int, str], more: dict[int, str]) -> list[Linked]:
    return [
        Linked(
            Told(titles[request.pk], more=more[request.pk]),
            absolute(address("approvals_approvalrequest_change", request.pk) or reverse("admin:index")),
        )
        for request in requests
    ]
