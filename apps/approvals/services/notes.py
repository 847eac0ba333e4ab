"""The story of a request, line by line."""

from datetime import datetime
from typing import Any

from apps.approvals.models import ApprovalRequest, RequestNote
from apps.orgs.models import Staff


def kept(text: str, most: int) -> str:
    """What somebody typed, as it is kept: no longer than `most`, without what the database cannot hold."""
    return text.replace("\0", "").strip()[:most]


def note(
    request: ApprovalRequest,
    kind: str,
    person: Staff | None,
    when: datetime,
    text: str = "",
    data: dict[str, Any] | None = None,
) -> RequestNote:
    """A line more; None is the studio itself."""
    return RequestNote.objects.create(
        request=request,
        round=request.round,
        kind=kind,
        person=person,
        text=kept(text, 2000),
        data=data or {},
        noted_at=when,
    )
