"""What people are told: in the bell at once, by e-mail after the transaction. Rooms register the words of their codes.

    @wording("approvals.asked", "approvals.late")
    def of_requests(reader: Staff, notices: Sequence[Notice]) -> list[Told]: ...

A notice keeps what it is about, never its text: it is written in the language of whoever reads it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from apps.core.work import after_commit
from apps.orgs.models import Notice, Staff

MOST_COUNTED = 100


@dataclass(frozen=True, slots=True)
class Told:
    """A notice in the language in force: one sentence, what more there is to say, and the page it leads to."""

    sentence: str
    address: str = ""
    more: str = ""


Wording = Callable[[Staff, Sequence[Notice]], Sequence[Told]]
_wordings: dict[str, Wording] = {}


def wording(*codes: str) -> Callable[[Wording], Wording]:
    """Registers the words of notices of these codes: all that one page shows are worded by one call, so that it can
    read what they are about at once, as far as the reader may see it."""

    def keep(words: Wording) -> Wording:
        _wordings.update(dict.fromkeys(codes, words))
        return words

    return keep


def told(reader: Staff, notices: Iterable[Notice]) -> list[Told]:
    """What each of the notices says to `reader`; one of a code that no room knows any more says its name."""
    notices = list(notices)
    said: dict[int, Told] = {}
    of_words: dict[Wording, list[Notice]] = defaultdict(list)
    for notice in notices:
        of_words[_wordings.get(notice.code, _by_name)].append(notice)
    for words, those in of_words.items():
        said |= {notice.pk: each for notice, each in zip(those, words(reader, those), strict=True)}
    return [said[notice.pk] for notice in notices]


def _by_name(reader: Staff, notices: Sequence[Notice]) -> list[Told]:
    return [Told(notice.code) for notice in notices]


def notify(people: Iterable[int], code: str, data: dict[str, Any], when: datetime) -> list[Notice]:
    """Tells each of `people`, once each, within the present transaction. Two statements."""
    rows = [
        Notice(person_id=person, code=code, data=data, told_at=when, mail_at=when) for person in sorted(set(people))
    ]
    if rows:
        Notice.objects.bulk_create(rows)
        after_commit("apps.orgs.tasks.mail_notices", *[row.pk for row in rows])
    return rows


def own_notices(person: Staff) -> "QuerySet[Notice]":
    """What `person` was told, the latest first; nobody reads what others were told."""
    return Notice.objects.visible_to(person).filter(person=person).order_by("-pk")


def unread_count(person: Staff) -> int:
    """How many `person` has not read; MOST_COUNTED stands for that many and more."""
    return own_notices(person).filter(read_at=None).order_by()[:MOST_COUNTED].count()


def read_notice(person: Staff, pk: int, when: datetime) -> Notice | None:
    """The notice of `person`, read from now on; None where they were told nothing of that number."""
    own_notices(person).filter(pk=pk, read_at=None).update(read_at=when)
    return own_notices(person).filter(pk=pk).first()


def read_all(person: Staff, upto: int, when: datetime) -> int:
    """Everything that `person` was told up to the notice `upto` is read; how many were not."""
    return own_notices(person).filter(read_at=None, pk__lte=upto).update(read_at=when)
