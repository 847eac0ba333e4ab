"""What rooms below this one ask of it: see `apps.orgs.desk`."""

from datetime import datetime

from apps.approvals.models import ApprovalRequest
from apps.approvals.reading import count_waiting, hats_of
from apps.approvals.services.sending import plan_of, send
from apps.approvals.showing import PlanShown, plan_shown, titles_of
from apps.orgs.desk import Waiting
from apps.orgs.gate import Subject
from apps.orgs.models import Staff

MOST = 20


class ApprovalDesk:
    """The desk of the studio."""

    plan_template = "approvals/plan.html"

    def plan(self, actor: Staff, subject: Subject, when: datetime) -> PlanShown:
        return plan_shown(plan_of(actor, subject, when))

    def send(self, actor: Staff, subject: Subject, *, reason: str, key: str, when: datetime) -> int:
        return send(actor, subject, reason=reason, key=key, when=when).pk

    def count_waiting(self, reader: Staff, when: datetime) -> int:
        if not reader.has_perm("approvals.view_approvalrequest"):
            return 0
        return count_waiting(reader, hats_of(reader, when))

    def waiting(self, reader: Staff, kind: str, about: str) -> list[Waiting]:
        open_ones = ApprovalRequest.objects.visible_to(reader).filter(
            kind=kind, about=about, state=ApprovalRequest.State.OPEN
        )
        found = list(open_ones.select_related("requester").order_by("-pk")[:MOST])
        titles = titles_of(found)
        return [
            Waiting(request.pk, titles[request.pk], str(request.requester or ""), request.sent_at) for request in found
        ]
