"""Evidence: files kept with a request, each checked when it comes in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from apps.approvals.errors import EvidenceRefused
from apps.approvals.evidence import MOST_FILES, type_of
from apps.approvals.models import ApprovalRequest, Evidence, RequestNote
from apps.approvals.services.notes import note
from apps.orgs.models import Staff


@dataclass(frozen=True, slots=True)
class File:
    """A file on its way in."""

    name: str
    content: bytes


def keep_file(request: ApprovalRequest, person: Staff, file: File, when: datetime) -> Evidence:
    """The file as evidence of the request, with its line in the story. Raises EvidenceRefused."""
    if request.evidence.count() >= MOST_FILES:
        raise EvidenceRefused(why="count")
    content_type = type_of(file.name, file.content)
    kept: Evidence = Evidence.objects.create(
        request=request, name=file.name[-120:], content_type=content_type, size=len(file.content),
        digest=sha256(file.content).hexdigest(), content=file.content, person=person, added_at=when,
    )  # fmt: skip
    note(
        request, RequestNote.Kind.EVIDENCE, person, when,
        data={"name": kept.name, "evidence": kept.pk, "digest": kept.digest},
    )  # fmt: skip
    return kept


def keep_files(request: ApprovalRequest, person: Staff, files: Iterable[File], when: datetime) -> None:
    """Those of `files` that the request does not have yet. Raises EvidenceRefused."""
    for file in files:
        if not request.evidence.filter(digest=sha256(file.content).hexdigest()).exists():
            keep_file(request, person, file, when)
