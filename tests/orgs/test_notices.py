"""What people are told: in the bell, by e-mail as they chose, in their language, once, and nobody else."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.orgs.mailing import mail, mail_due
from apps.orgs.models import Notice, Staff
from apps.orgs.notices import Told, notify, wording
from apps.orgs.services import change_staff, set_staff_active
from config.env import Environment
from tests.factories import Cast, make_cast, make_group
from tests.mailboxes import Mailbox, mail_server

WHEN = datetime(2026, 5, 4, 2, tzinfo=UTC)
CHINESE = "有一项申请等待您审批"


@wording("test.greeting", "test.parting")
def words(reader: Staff, notices: Sequence[Notice]) -> list[Told]:
    from django.utils.translation import get_language

    said = CHINESE if get_language() == "zh-hans" else "A request waits"
    return [Told(f"{said} {notice.data['n']}", "/orgs/program/", "More") for notice in notices]


@pytest.fixture
def box(settings: Any) -> Iterator[Mailbox]:
    with mail_server() as box:
        read = Environment({"MAIL_URL": f"smtp://127.0.0.1:{box.port}"}).mail("MAIL_URL")
        assert read is not None
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.STUDIO_URL = "https://studio.example.com"
        for name, value in read.items():
            setattr(settings, name, value)
        yield box


def reached(person: Staff, **values: str) -> Staff:
    """The person, with an address."""
    return change_staff(person, **{"email": f"{person.username}@example.com", **values})


def tell(*people: Staff, code: str = "test.greeting", n: int = 1, when: datetime = WHEN) -> list[int]:
    return [notice.pk for notice in notify([person.pk for person in people], code, {"n": n}, when)]


def signed_in(person: Staff) -> Client:
    client = Client()
    client.force_login(person, backend="apps.orgs.auth.RoleBackend")
    return client


def texts_of(letter: Any) -> tuple[str, str]:
    parts = {
        part.get_content_type(): part.get_content().replace("\r\n", "\n")
        for part in letter.walk()
        if not part.is_multipart()
    }
    return parts["text/plain"], parts["text/html"]


def test_a_letter_comes_by_smtp_in_the_readers_language_with_a_link_to_the_studio(cast: Cast, box: Mailbox) -> None:
    reached(cast.finance, language="zh-hans")
    (pk,) = tell(cast.finance)
    assert mail([pk], WHEN) == 1
    (letter,) = box.letters
    assert (letter["To"], letter["Subject"]) == ("finance@example.com", f"{CHINESE} 1")
    assert letter["Message-ID"] == f"<notice-{pk}@studio.example.com>"
    text, html = texts_of(letter)
    for said in (text, html):
        assert f"{CHINESE} 1" in said
        assert f"https://studio.example.com/notices/{pk}/" in said
        assert "https://studio.example.com/notices/settings/" in said
    assert "您选择了立即接收邮件" in text
    notice = Notice.objects.get(pk=pk)
    assert (notice.mailed_at, notice.mail_at) == (WHEN, None)


def test_without_a_server_letters_are_files(cast: Cast, settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    reached(cast.finance)
    assert mail(tell(cast.finance), WHEN) == 1
    (file,) = (tmp_path / "mail").iterdir()
    text = file.read_text()
    assert "To: finance@example.com" in text
    assert "Subject: A request waits 1" in text


def test_what_is_mailed_twice_comes_once_and_what_waits_together_comes_in_one(cast: Cast, box: Mailbox) -> None:
    reached(cast.finance)
    reached(cast.service)
    pks = tell(cast.finance, cast.service) + tell(cast.finance, n=2)
    assert (mail(pks, WHEN), mail(pks, WHEN), mail_due(WHEN)) == (2, 0, 0)
    by_address = {letter["To"]: letter for letter in box.letters}
    assert by_address["finance@example.com"]["Subject"] == "2 notices for you"
    text, _ = texts_of(by_address["finance@example.com"])
    assert text.index("A request waits 2") < text.index("A request waits 1")
    assert box.connections == 1


def test_a_long_letter_says_how_many_more_there_are(cast: Cast, box: Mailbox) -> None:
    reached(cast.finance)
    for n in range(23):
        tell(cast.finance, n=n)
    assert mail_due(WHEN) == 1
    text, _ = texts_of(box.letters[0])
    assert text.count("A request waits") == 20
    assert "3 more are in the studio:\nhttps://studio.example.com/notices/" in text


@pytest.mark.parametrize("change", ["daily", "never", "no address", "left", "read"])
def test_who_wants_no_letter_or_cannot_get_one_gets_none(cast: Cast, box: Mailbox, change: str) -> None:
    person = reached(cast.finance, mails=change if change in Staff.Mails.values else "at_once")
    (pk,) = tell(person)
    if change == "no address":
        reached(person, email="")
    elif change == "left":
        set_staff_active(person, False)
    elif change == "read":
        signed_in(cast.finance).get(f"/notices/{pk}/")
    assert mail([pk], WHEN) == 0
    assert box.connections == 0
    notice = Notice.objects.get(pk=pk)
    assert (notice.mailed_at, notice.mail_at) == (None, None)


def test_what_the_server_refuses_is_sent_later_and_later_and_given_up_after_three_days(
    cast: Cast, box: Mailbox
) -> None:
    box.refuses = True
    reached(cast.finance)
    (pk,) = tell(cast.finance)
    waits, when = [], WHEN
    for _ in range(4):
        assert mail_due(when) == 0
        notice = Notice.objects.get(pk=pk)
        assert notice.mail_at is not None
        waits.append(int((notice.mail_at - when).total_seconds() / 60))
        assert mail_due(notice.mail_at - timedelta(seconds=1)) == 0
        when = notice.mail_at
    assert waits == [1, 2, 4, 8]
    box.refuses = False
    assert mail_due(when) == 1
    (pk,) = tell(cast.finance)
    assert mail_due(WHEN + timedelta(days=3)) == 0
    assert Notice.objects.get(pk=pk).mail_at is None


def test_a_server_that_is_away_is_asked_once_and_everything_waits(cast: Cast, box: Mailbox, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    people = [reached(cast.finance), reached(cast.service), reached(cast.auditor)]
    assert mail(tell(*people), WHEN) == 0
    assert set(Notice.objects.values_list("mail_tries", "mail_at")) == {(1, WHEN + timedelta(minutes=1))}


@pytest.mark.faults
def test_two_workers_at_once_send_one_letter(committed: str, box: Mailbox) -> None:
    cast = make_cast(make_group())
    reached(cast.finance)
    pks = tell(cast.finance)

    def work(_: int) -> int:
        try:
            return mail(pks, WHEN)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(work, range(6))) == 1
    assert len(box.letters) == 1


def test_the_bell_counts_what_is_unread_in_one_statement_of_its_own(cast: Cast) -> None:
    for n in range(3):
        tell(cast.finance, n=n)
    client = signed_in(cast.finance)
    inbox = {
        "address": "/approvals/approvalrequest/inbox/", "count": 0, "shown": "0", "label": "0 wait for your decision",
    }  # fmt: skip
    told = {"unread": 3, "shown": "3", "label": "Notices, 3 unread", "inbox": inbox}
    assert client.get("/notices/unread/").json() == told
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get("/notices/unread/")
    assert len([each for each in asked if "orgs_notice" in each["sql"]]) == 1
    Notice.objects.bulk_create(
        Notice(person=cast.finance, code="test.greeting", data={"n": 0}, told_at=WHEN) for _ in range(200)
    )
    inbox |= {"label": "0 项申请等待您审批"}
    assert client.get("/notices/unread/", headers={"Accept-Language": "zh-hans"}).json() == {
        "unread": 100, "shown": "99+", "label": "通知，超过 99 条未读", "inbox": inbox,
    }  # fmt: skip


def test_opening_a_notice_reads_it_and_leads_to_what_it_is_about(cast: Cast) -> None:
    (pk, other) = tell(cast.finance) + tell(cast.finance)
    client = signed_in(cast.finance)
    answer = client.get(f"/notices/{pk}/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/orgs/program/")
    assert Notice.objects.get(pk=pk).read_at is not None
    assert Notice.objects.get(pk=other).read_at is None


def test_nobody_reads_what_others_were_told(cast: Cast) -> None:
    (pk,) = tell(cast.finance, n=77)
    for persona in ("auditor", "administrator", "outsider"):
        client = signed_in(cast[persona])
        assert client.get(f"/notices/{pk}/").status_code == 404
        assert b"A request waits 77" not in client.get("/notices/").content
        assert b"A request waits 77" not in client.get("/notices/latest/").content
        client.post("/notices/read/", {"upto": str(pk)})
    assert Notice.objects.get(pk=pk).read_at is None


def test_marking_all_as_read_leaves_what_came_since(cast: Cast) -> None:
    first, second, third = (tell(cast.finance, n=n)[0] for n in range(3))
    signed_in(cast.finance).post("/notices/read/", {"upto": str(second)})
    assert set(Notice.objects.filter(read_at=None).values_list("pk", flat=True)) == {third}
    assert first


def test_the_page_of_all_notices_is_walked_by_key(cast: Cast) -> None:
    for n in range(35):
        tell(cast.finance, n=n)
    client = signed_in(cast.finance)
    first = client.get("/notices/")
    assert [each.notice.data["n"] for each in first.context["shown"]] == list(range(34, 4, -1))
    with CaptureQueriesContext(connection) as asked:
        second = client.get(f"/notices/{first.context['older']}")
    assert [each.notice.data["n"] for each in second.context["shown"]] == [4, 3, 2, 1, 0]
    assert second.context["older"] == ""
    assert len([each for each in asked if "orgs_notice" in each["sql"]]) == 1


def test_everybody_chooses_how_they_are_told(cast: Cast) -> None:
    client = signed_in(cast.shop)
    answer = client.post("/notices/settings/", {"mails": "daily", "language": "zh-hans"})
    assert (answer.status_code, answer.cookies["django_language"].value) == (302, "zh-hans")
    shop = cast["shop"]
    assert (shop.mails, shop.language) == ("daily", "zh-hans")
    assert client.post("/notices/settings/", {"mails": "hourly"}).status_code == 200
    assert cast["shop"].mails == "daily"


def test_a_code_that_no_room_knows_says_its_name(cast: Cast) -> None:
    tell(cast.finance, code="gone.away")
    assert b"gone.away" in signed_in(cast.finance).get("/notices/latest/").content
