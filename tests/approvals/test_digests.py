"""The daily e-mail: in the receiver's morning and language, once a day, and none where there is nothing to say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.approvals.services.digests import send_due
from apps.orgs.models import Digest, Staff, WorkingTime
from apps.orgs.services import change_staff
from tests.approvals.conftest import BANDS, Desk
from tests.mailboxes import Mailbox, mail_server
from tests.orgs.test_notices import texts_of

MORNING = datetime(2026, 5, 5, 0, 1, tzinfo=UTC)
"""Tuesday, 8:01 in Shanghai."""


@pytest.fixture
def box(settings: Any) -> Iterator[Mailbox]:
    with mail_server() as box:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        settings.STUDIO_URL = "https://studio.example.com"
        yield box


def daily(person: Staff, **values: str) -> Staff:
    return change_staff(person, mails="daily", email=f"{person.username}@example.com", **values)


def test_it_says_what_waits_and_what_became_of_ones_own(desk: Desk, box: Mailbox) -> None:
    desk.policy(BANDS)
    daily(desk.cast.regional_manager, language="zh-hans")
    daily(desk.cast.service)
    daily(desk.cast.auditor)
    for n in range(12):
        desk.ask(1200 + n, name=f"n{n}")
        desk.later(minutes=1)
    rejected, returned = desk.ask(3000, name="x"), desk.ask(4000, name="y")
    desk.decide("regional_manager", rejected, "rejected")
    desk.decide("regional_manager", returned, "returned")
    assert send_due(MORNING) == 2
    by_address = {letter["To"]: letter for letter in box.letters}
    manager = by_address["regional_manager@example.com"]
    assert manager["Subject"] == "有 12 项申请等待您审批"
    text, html = texts_of(manager)
    assert [size for size in range(1200, 1212) if f"+{size} EAST-N" in text] == list(range(1200, 1210))
    assert "还有 2 项，请在此查看" in text
    assert "+1200 EAST-N" in html
    service, _ = texts_of(by_address["service@example.com"])
    assert "+3000 EAST-N\nRejected" in service
    assert "+4000 EAST-N\nReturned for change" in service
    assert "+1200" not in service


@pytest.mark.parametrize(
    ("when", "sent"),
    [
        (datetime(2026, 5, 4, 23, 59, tzinfo=UTC), 0),  # 7:59 in Shanghai
        (datetime(2026, 5, 5, 0, 0, tzinfo=UTC), 1),
        (datetime(2026, 5, 5, 9, 0, tzinfo=UTC), 1),  # the studio stood still in the morning
    ],
)
def test_it_is_sent_from_eight_in_the_morning_on(desk: Desk, box: Mailbox, when: datetime, sent: int) -> None:
    desk.policy(BANDS)
    daily(desk.cast.regional_manager)
    desk.ask(1200)
    Digest.objects.create(person=desk.cast.regional_manager, day=datetime(2026, 5, 4, tzinfo=UTC), made_at=desk.when)
    assert send_due(when) == sent


def test_the_morning_is_that_of_the_persons_own_working_time(desk: Desk, box: Mailbox) -> None:
    desk.policy(BANDS)
    WorkingTime.objects.create(unit=desk.group["EAST"], time_zone="Europe/Berlin", hours={"week": {}})
    daily(desk.cast.regional_manager)
    desk.ask(1200)
    assert send_due(MORNING) == 0
    assert send_due(datetime(2026, 5, 5, 6, 1, tzinfo=UTC)) == 1


def test_it_comes_once_a_day_and_says_what_is_new_since_the_last(desk: Desk, box: Mailbox) -> None:
    desk.policy(BANDS)
    daily(desk.cast.service)
    request = desk.ask(1200)
    desk.decide("regional_manager", request)
    assert [send_due(MORNING.replace(hour=hour)) for hour in (0, 1, 2)] == [1, 0, 0]
    assert send_due(MORNING.replace(day=6)) == 0
    assert Digest.objects.get().day.isoformat() == "2026-05-06"
    assert box.letters[0]["Message-ID"] == f"<digest-{desk.cast.service.pk}-2026-05-05@studio.example.com>"


def test_what_waits_is_told_again_on_the_next_day_and_not_the_same_day(desk: Desk, box: Mailbox) -> None:
    desk.policy(BANDS)
    daily(desk.cast.regional_manager)
    desk.ask(1200)
    assert [send_due(MORNING.replace(hour=hour)) for hour in (0, 1, 2)] == [1, 0, 0]
    assert [send_due(MORNING.replace(day=6, hour=hour)) for hour in (0, 1)] == [1, 0]


def test_a_server_that_fails_is_asked_again_an_hour_later(desk: Desk, box: Mailbox) -> None:
    desk.policy(BANDS)
    daily(desk.cast.regional_manager)
    desk.ask(1200)
    box.refuses = True
    assert send_due(MORNING) == 0
    box.refuses = False
    assert send_due(MORNING.replace(hour=1)) == 1


def test_only_who_wants_it_daily_gets_it(desk: Desk, box: Mailbox) -> None:
    desk.policy(BANDS)
    daily(desk.cast.regional_manager)
    desk.ask(1200)
    for change in ({"mails": "at_once"}, {"mails": "never"}, {"mails": "daily", "email": ""}):
        change_staff(desk.cast.regional_manager, **change)
        assert send_due(MORNING) == 0
    assert not Digest.objects.exists()


def test_none_is_sent_on_a_day_that_is_closed_and_the_next_one_tells_of_it(desk: Desk, box: Mailbox) -> None:
    desk.policy(BANDS)
    daily(desk.cast.regional_manager)
    WorkingTime.objects.create(
        unit=desk.group["EAST"], time_zone="Asia/Shanghai",
        hours={
            "week": {str(day): [["09:00", "18:00"]] for day in range(1, 6)},
            "closed": [{"first": "2026-05-01", "last": "2026-05-05"}], "moved": [],
        },
    )  # fmt: skip
    desk.ask(1200)
    assert [send_due(MORNING), len(box.letters)] == [0, 0]
    assert send_due(MORNING + timedelta(days=1)) == 1
    assert "+1200" in texts_of(box.letters[0])[0]
    assert send_due(MORNING + timedelta(days=4)) == 0
    assert send_due(MORNING + timedelta(days=6)) == 1
