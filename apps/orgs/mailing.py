"""E-mail to people of the studio: in their language, with links to the studio's public address.

A letter goes out while a lock on the rows that it tells of is held, so that two workers do not send it twice; one that
is sent again after a crash carries the same Message-ID. Nothing here raises because a mail server fails: what could not
be sent stays for later.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.orgs.models import Notice, Staff
from apps.orgs.notices import Told, told

logger = logging.getLogger(__name__)

AT_ONCE = 200
MOST_IN_ONE = 20
LONGEST_WAIT_MINUTES = 6 * 60
GIVEN_UP_AFTER = timedelta(days=3)
"""What could not be sent for so long is no news: it stays in the bell."""


@dataclass(frozen=True)
class Linked:
    """What somebody is told, and the whole address that leads there."""

    told: Told
    link: str


class Unsent(Exception):
    """The mail server did not take a letter; the cause says why."""


class Postbox:
    """One connection to the mail server, made for the first letter. Where none can be made no other is tried."""

    def __init__(self) -> None:
        self.connection = get_connection()
        self.is_open = self.is_down = False

    def send(self, letter: EmailMultiAlternatives) -> None:
        """Raises Unsent."""
        if self.is_down:
            raise Unsent()
        try:
            if not self.is_open:
                self.is_down = True
                self.connection.open()
                self.is_open, self.is_down = True, False
            self.connection.send_messages([letter])
        except (SMTPException, OSError) as failure:
            self.close()
            logger.warning("The mail server took no letter: %s", type(failure).__name__)
            raise Unsent() from failure

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            try:
                self.connection.close()
            except (SMTPException, OSError):
                return


@contextmanager
def postbox() -> Iterator[Postbox]:
    """Closed at the end."""
    box = Postbox()
    try:
        yield box
    finally:
        box.close()


def has_address(person: Staff) -> bool:
    """Whether e-mail can reach somebody who still works here."""
    return person.is_active and bool(person.email)


@contextmanager
def in_language_of(person: Staff) -> Iterator[None]:
    """What is written within is in the person's own language; the studio's, where they chose none."""
    with translation.override(person.language or settings.LANGUAGE_CODE):
        yield


def absolute(path: str) -> str:
    """A page of the studio as a letter leads to it."""
    return f"{settings.STUDIO_URL.rstrip('/')}{path}"


def letter(person: Staff, name: str, subject: str, template: str, context: dict[str, Any]) -> EmailMultiAlternatives:
    """A letter in the language in force, as text and as HTML of the two templates `template`. `name` is its own for
    ever: a letter sent again has the same, by which mail programs know it."""
    context = {**context, "person": person, "subject": subject, "settings_link": absolute(reverse("notice_settings"))}
    headers = {
        "Message-ID": f"<{name}@{urlsplit(settings.STUDIO_URL).hostname}>",
        "Auto-Submitted": "auto-generated",
    }
    subject = " ".join(subject.split())
    text, html = (render_to_string(f"{template}.{kind}", context) for kind in ("txt", "html"))
    made = EmailMultiAlternatives(subject[:200], text.strip() + "\n", to=[person.email], headers=headers)
    made.attach_alternative(html, "text/html")
    return made


def mail(notices: Iterable[int], when: datetime) -> int:
    """Sends those of `notices` that are due to whoever is told at once; how many letters. Whoever has several waiting
    gets them in one."""
    people = Notice.objects.filter(pk__in=list(notices), mail_at__lte=when).values_list("person_id", flat=True)
    with postbox() as box:
        return sum(_mail(person, box, when) for person in sorted(set(people)))


def mail_due(when: datetime) -> int:
    """Sends what is due and was not sent, the oldest first; how many letters."""
    due = Notice.objects.filter(mail_at__lte=when).order_by("mail_at")
    return mail(due.values_list("pk", flat=True)[:AT_ONCE], when)


@transaction.atomic
def _mail(person_id: int, box: Postbox, when: datetime) -> bool:
    """One letter with everything that is due to one person. Locks the notices; others' are left to who holds them."""
    due = Notice.objects.select_for_update(skip_locked=True).filter(person=person_id, mail_at__lte=when)
    notices = list(due.order_by("pk"))
    person = Staff.objects.get(pk=person_id)
    is_sent = False
    fresh = [notice for notice in notices if notice.told_at > when - GIVEN_UP_AFTER and notice.read_at is None]
    if fresh and person.mails == Staff.Mails.AT_ONCE and has_address(person):
        try:
            box.send(_letter_of(person, fresh))
        except Unsent:
            _put_off(fresh, when)
        else:
            is_sent = True
            _finish(fresh, when)
        notices = [notice for notice in notices if notice not in fresh]
    _finish(notices, None)
    return is_sent


def _letter_of(person: Staff, notices: list[Notice]) -> EmailMultiAlternatives:
    with in_language_of(person):
        shown = notices[-MOST_IN_ONE:][::-1]
        said = [
            Linked(each, absolute(reverse("notice", args=[notice.pk])))
            for notice, each in zip(shown, told(person, shown), strict=True)
        ]
        count = len(notices)
        many = ngettext("%(count)d notice for you", "%(count)d notices for you", count) % {"count": count}
        context = {
            "said": said, "left_out": count - len(said), "all_link": absolute(reverse("notices")),
            "why": _("You are told at once by e-mail."),
        }  # fmt: skip
        subject = said[0].told.sentence if count == 1 else many
        return letter(person, f"notice-{notices[-1].pk}", subject, "orgs/mail", context)


def _put_off(notices: list[Notice], when: datetime) -> None:
    """Tried again later and later."""
    for notice in notices:
        wait = timedelta(minutes=min(2**notice.mail_tries, LONGEST_WAIT_MINUTES))
        notice.mail_tries, notice.mail_at = notice.mail_tries + 1, when + wait
    Notice.objects.bulk_update(notices, ["mail_tries", "mail_at"])


def _finish(notices: list[Notice], mailed_at: datetime | None) -> None:
    pks = [notice.pk for notice in notices]
    if pks:
        Notice.objects.filter(pk__in=pks).update(mail_at=None, mailed_at=mailed_at)
