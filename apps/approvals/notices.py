"""What people are told about requests and absences: one sentence each, as far as they may read what it is about."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.approvals.models import ApprovalRequest, Delegation
from apps.approvals.showing import titles_of
from apps.core.addresses import address
from apps.core.formats import day, moment
from apps.orgs.gate import kinds
from apps.orgs.models import Notice, Staff
from apps.orgs.notices import Told, wording
from apps.orgs.querysets import zone_of

State = ApprovalRequest.State

SENTENCES = {
    "approvals.asked": gettext_lazy("Please decide: %(title)s"),
    "approvals.reminder": gettext_lazy("Still waiting for your decision: %(title)s"),
    "approvals.late": gettext_lazy("The deadline has passed, others are asked as well: %(title)s"),
    "approvals.lacks_people": gettext_lazy("Nobody can decide now, an administrator can name somebody: %(title)s"),
    "approvals.returned": gettext_lazy("Returned for change: %(title)s"),
    "approvals.rejected": gettext_lazy("Rejected: %(title)s"),
    "approvals.done": gettext_lazy("Approved and carried out: %(title)s"),
    "approvals.closed": gettext_lazy("Closed without effect: %(title)s"),
    "approvals.withdrawn": gettext_lazy("Withdrawn: %(title)s"),
    "approvals.taken_back": gettext_lazy("You need not decide any more, it was withdrawn: %(title)s"),
    "approvals.refused": gettext_lazy("Approved, but it could not be carried out: %(title)s"),
    "approvals.commented": gettext_lazy("A new comment: %(title)s"),
}
ASKING = ("approvals.asked", "approvals.reminder")
STANDS_IN = "approvals.stands_in"


@wording(*SENTENCES)
def of_requests(reader: Staff, notices: Sequence[Notice]) -> list[Told]:
    """A request that the reader may not read any more keeps its number and leads nowhere."""
    wanted = {notice.data["request"] for notice in notices}
    requests = ApprovalRequest.objects.visible_to(reader).select_related("unit").in_bulk(wanted)
    titles, zone = titles_of(requests.values()), zone_of(reader)
    said = []
    for notice in notices:
        pk = notice.data["request"]
        request = requests.get(pk)
        sentence = str(SENTENCES[notice.code]) % {"title": titles.get(pk, f"#{pk}")}
        if request is None:
            said.append(Told(sentence))
        else:
            page = address("approvals_approvalrequest_change", pk)
            said.append(Told(sentence, page, _more(request, notice.code in ASKING, zone)))
    return said


def _more(request: ApprovalRequest, is_asking: bool, zone: ZoneInfo) -> str:
    kind = kinds().get(request.kind)
    label = kind.label.in_language(get_language() or "en") if kind is not None else request.kind
    slots = {"kind": label, "unit": request.unit, "state": request.get_state_display()}
    if is_asking and request.state != State.OPEN:
        return _("%(kind)s, %(unit)s. No longer open: %(state)s.") % slots
    if is_asking and request.due_at is not None:
        return _("%(kind)s, %(unit)s. Due %(due)s.") % {**slots, "due": moment(request.due_at, zone)}
    return _("%(kind)s, %(unit)s.") % slots


@wording(STANDS_IN)
def of_absences(reader: Staff, notices: Sequence[Notice]) -> list[Told]:
    """Told to whoever stands in."""
    wanted = [notice.data["delegation"] for notice in notices]
    known = Delegation.objects.filter(delegate=reader).select_related("person__unit").in_bulk(wanted)
    return [_stands_in(known.get(pk)) for pk in wanted]


def _stands_in(absence: Delegation | None) -> Told:
    if absence is None:
        return Told(_("You need not stand in any more."))
    zone = zone_of(absence.person)
    slots = {
        "person": absence.person,
        "first": day(absence.starts_at, zone),
        "last": day(absence.ends_at - timedelta(seconds=1), zone),
    }
    page = address("approvals_delegation_mine")
    return Told(_("%(person)s is away from %(first)s to %(last)s: you decide in their place.") % slots, page)
