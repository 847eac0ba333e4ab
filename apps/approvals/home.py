"""What the home page says about requests: what waits for the person, and what they asked for."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from apps.approvals.models import ApprovalRequest, ApprovalTask
from apps.approvals.reading import MOST_COUNTED, UNSETTLED, hats_of, longest_waiting
from apps.approvals.showing import titles_of
from apps.core.addresses import address
from apps.core.home import Empty, Link, Panel, Row, section
from apps.orgs.jobs import jobs_held
from apps.orgs.models import Persona

SHOWN = 6
NAMED = 3
DECIDING = {Persona.REGIONAL_MANAGER, Persona.VICE_PRESIDENT, Persona.MARKETING_HEAD}
"""Jobs whose first question is what waits for them: they read that nothing does."""
State = ApprovalRequest.State
Tag = tuple[str, str]


@section(order=1, permission="approvals.view_approvalrequest")
def to_decide(person: Any, when: datetime) -> Panel | None:
    """What waits for the person's decision, the oldest first. Two queries, and one for the names in titles."""
    requests, count = longest_waiting(person, hats_of(person, when), SHOWN)
    if not requests:
        if not jobs_held(person) & DECIDING or person.is_superuser:
            return None
        return Panel(_("To decide"), empty=Empty(_("Nothing waits for your decision.")))
    titles = titles_of(requests)
    rows = tuple(_waiting_row(request, titles[request.pk], when) for request in requests)
    counted = f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count)
    inbox = Link(_("All %(count)s") % {"count": counted}, address("approvals_approvalrequest_inbox"))
    return Panel(_("To decide"), rows=rows, more=inbox)


def _waiting_row(request: ApprovalRequest, title: str, when: datetime) -> Row:
    age = _("Waits for %(age)s, %(unit)s") % {"age": timesince(request.sent_at, when), "unit": request.unit}
    words, tone = _late(request, when)
    return Row(title, _page(request), age, tag=words, tone=tone)


def _late(request: ApprovalRequest, when: datetime) -> Tag:
    is_late = request.due_at is not None and request.due_at <= when
    return (_("Late"), "bad") if is_late else ("", "")


@section(order=5, permission="approvals.view_approvalrequest")
def own_requests(person: Any, when: datetime) -> Panel | None:
    """What the person asked for and is not settled: with whom it waits, or that it came back. Two queries, and one
    for the names in titles."""
    own = ApprovalRequest.objects.filter(requester=person, steps__gt=0, state__in=UNSETTLED).select_related("unit")
    requests = list(own.order_by("-pk")[:SHOWN])
    if not requests:
        return None
    titles, names = titles_of(requests), _waited_for(requests)
    rows = tuple(_own_row(request, titles[request.pk], names[request.pk], when) for request in requests)
    inbox = address("approvals_approvalrequest_inbox")
    return Panel(_("Your requests"), rows=rows, more=Link(_("All of yours"), f"{inbox}?tab=mine" if inbox else ""))


def _waited_for(requests: list[ApprovalRequest]) -> dict[int, list[str]]:
    """The names of those whose decision is awaited, by request."""
    tasks = ApprovalTask.objects.filter(request__in=requests, is_open=True, is_absent=False).select_related("person")
    names: dict[int, dict[int, str]] = defaultdict(dict)
    for task in tasks.order_by("pk"):
        names[task.request_id][task.person_id] = str(task.person)
    return {request.pk: list(names[request.pk].values()) for request in requests}


def _own_row(request: ApprovalRequest, title: str, names: list[str], when: datetime) -> Row:
    if request.state == State.RETURNED:
        said = _("Change it and send it again, or withdraw it.")
        return Row(title, _page(request), said, tag=_("Returned for change"), tone="warn")
    if request.refusal:
        return Row(title, _page(request), tag=_("Could not be carried out"), tone="bad")
    slots = {"age": timesince(request.sent_at, when), "names": _listed(names)}
    said = (
        _("With %(names)s for %(age)s") % slots if names else _("Nobody can decide: an administrator names somebody.")
    )
    words, tone = _late(request, when)
    return Row(title, _page(request), said, tag=words, tone=tone)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + ("…" if len(names) > NAMED else "")


def _page(request: ApprovalRequest) -> str:
    return address("approvals_approvalrequest_change", request.pk)
