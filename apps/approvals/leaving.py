"""What hangs on a person in this room, and how it is handed on when they leave."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from apps.approvals.models import ApprovalRequest, ApprovalTask, Delegation
from apps.approvals.services.waiting import replace_in
from apps.orgs.leaving import Hanging, hands_on, hanging
from apps.orgs.models import Staff

State = ApprovalRequest.State


@hanging(order=10)
def work(person: Staff, reader: Staff, when: datetime) -> Iterable[Hanging]:
    """Three queries."""
    tasks = ApprovalTask.objects.filter(person=person, is_open=True, request__state=State.OPEN)
    yield Hanging(
        _("Requests that wait for this person's decision"),
        tasks.values("request").distinct().count(),
        _("Others of the same role are asked in their place, where there are any."),
    )
    yield Hanging(
        _("Requests of their own that are not decided"),
        ApprovalRequest.objects.filter(requester=person, state__in=[State.OPEN, State.RETURNED]).count(),
        _("They stay open, and can only be rejected: who left may ask for nothing."),
    )
    delegations = Delegation.objects.filter(ends_at__gt=when, ended_at=None)
    yield Hanging(
        _("Times in which somebody stands in for them, or they for somebody"),
        (delegations.filter(person=person) | delegations.filter(delegate=person)).count(),
        _("Who left stands in for nobody, and nobody stands in for them."),
    )


@hands_on
def hand_on_tasks(person: Staff, when: datetime) -> int:
    """Asks others where `person` is asked; how many requests found somebody new."""
    asked = ApprovalTask.objects.filter(person=person, is_open=True, request__state=State.OPEN)
    return sum(replace_in(request, when) for request in sorted(set(asked.values_list("request_id", flat=True))))
