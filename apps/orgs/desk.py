"""The desk where rooms below `approvals` send requests: that room supplies it, through `set_desk`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from apps.core.addresses import address
from apps.orgs.gate import Subject
from apps.orgs.models import Staff


@dataclass(frozen=True)
class Waiting:
    """A request that waits for a decision."""

    id: int
    title: str
    requester: str
    sent_at: datetime

    @property
    def address(self) -> str:
        """Its page; empty where no room offers one."""
        return address("approvals_approvalrequest_change", self.id)


class Desk(Protocol):
    plan_template: str
    """Shows what `plan` answers, under the name `plan`."""

    def plan(self, actor: Staff, subject: Subject, when: datetime) -> Any:
        """What sending would do and who would have to say yes; its `is_free` says whether nobody. Raises SubjectGone."""

    def send(self, actor: Staff, subject: Subject, *, reason: str, key: str, when: datetime) -> int:
        """Sends the request; its id. Raises what sending refuses with."""

    def waiting(self, reader: Staff, kind: str, about: str) -> list[Waiting]:
        """Requests of that kind about one thing that are open, as far as `reader` may see them."""

    def count_waiting(self, reader: Staff, when: datetime) -> int:
        """How many requests wait for `reader` to decide, counted up to 100."""


_desk: list[Desk] = []


def set_desk(desk: Desk) -> None:
    """Called once, by the room that keeps the requests."""
    _desk[:] = [desk]


def plan_of(actor: Staff, subject: Subject, when: datetime) -> tuple[str, Any]:
    """A template, and what it shows under the name `plan`: who would have to say yes first."""
    return _desk[0].plan_template, _desk[0].plan(actor, subject, when)


def send_request(actor: Staff, subject: Subject, *, reason: str, key: str, when: datetime) -> int:
    """The id of the request, which is open or, where no policy asks anybody, done. Raises what sending refuses with."""
    return _desk[0].send(actor, subject, reason=reason, key=key, when=when)


def count_waiting(reader: Staff, when: datetime) -> int:
    return _desk[0].count_waiting(reader, when) if _desk else 0


def waiting_about(reader: Staff, kind: str, about: str) -> list[Waiting]:
    return _desk[0].waiting(reader, kind, about) if _desk else []
