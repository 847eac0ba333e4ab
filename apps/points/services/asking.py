"""Asking for something about points: what would be refused anyway is refused before anybody is asked."""

from collections.abc import Callable, Sequence
from datetime import datetime

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.filing import File
from apps.approvals.services.sending import lock_together, send, send_again
from apps.core.transactions import in_transaction
from apps.orgs.gate import Subject
from apps.orgs.models import Staff
from apps.points.errors import NotPossibleNow


@in_transaction
def ask(
    actor: Staff,
    subject: Subject,
    *,
    reason: str,
    key: str,
    when: datetime,
    files: Sequence[File] = (),
    again: int | None = None,
    check: Callable[[bool], None] = lambda has_evidence: None,
) -> ApprovalRequest:
    """The request for `subject` with its evidence, or what it answered before under `key`; `again` is the returned one
    that is changed and sent again. `check` is told whether there is evidence, and raises what the form must mend.

    Raises NotPossibleNow, and what `check`, `send` and `send_again` raise.
    """
    lock_together(subject, actor)
    if again is None and ApprovalRequest.objects.filter(key=key).exists():
        return send(actor, subject, reason=reason, key=key, when=when)
    earlier = ApprovalRequest.objects.filter(pk=again or 0, evidence__isnull=False)
    check(bool(files) or earlier.exists())
    effect = subject.effect(actor, when)
    if effect.obstacle:
        raise NotPossibleNow(why=effect.obstacle)
    if again is not None:
        return send_again(actor, again, subject, reason=reason, when=when, files=files)
    return send(actor, subject, reason=reason, key=key, when=when, files=files)
