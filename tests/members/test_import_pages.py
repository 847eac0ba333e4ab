"""Files of members on their pages: what is shown masked, what is refused in words, what leaves as a file and comes back."""

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.members.importing import services
from apps.members.importing.mapping import ColumnMapping
from apps.members.importing.models import ImportMapping, MemberImport
from apps.members.models import Look, Member
from apps.points.models import Account
from apps.points.services import adjust
from tests.browser.legacy import legacy_file
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import WHEN

ADD, LIST = reverse("admin:members_memberimport_add"), reverse("admin:members_memberimport_changelist")


def page_of(job: MemberImport, name: str = "change") -> str:
    return reverse(f"admin:members_memberimport_{name}", args=[job.pk])


@pytest.fixture
def job(group: CoffeeGroup, cast: Cast) -> MemberImport:
    content = io.BytesIO(legacy_file())
    return services.bring(cast.integrator, content, "old.csv", group.east, source="old cards", when=WHEN)


def checked(job: MemberImport, **changes: Any) -> MemberImport:
    services.map_columns(
        None, job.pk, ColumnMapping.model_validate(job.mapping), source="old cards", when=WHEN, **changes
    )
    return services.check(job.pk, when=WHEN)


def sent_columns(job: MemberImport, **changes: Any) -> dict[str, Any]:
    """The form of the columns as the page shows it."""
    form = {"match_1": "card", "mode": "good", "source": "old cards", "mobiles_only": "on", "points-earned": "import"}
    for place, column in enumerate(job.mapping["columns"]):
        form[f"target-{place}"] = column["target"]
        if column["is_required"]:
            form[f"required-{place}"] = "on"
    return form | changes


def text_of(answer: HttpResponse) -> str:
    return answer.content.decode()


def test_a_brought_file_leads_to_its_columns_and_a_faulty_one_says_why_at_its_field(
    browse: Any, group: CoffeeGroup
) -> None:
    page = browse("integrator")
    told = {"program": group.east.pk, "source": "old cards"}
    empty = page.post(ADD, told | {"file": io.BytesIO(b"\n")})
    assert empty.context_data["adminform"].form.errors == {"file": ["The file is empty."]}
    broken = page.post(ADD, told | {"file": io.BytesIO(b"card,phone\nC1,138\0\n")})
    (said,) = broken.context_data["adminform"].form.errors["file"]
    assert said == "Row 2 holds a NUL, which no text does: the export was damaged, or is no text."
    assert not MemberImport.objects.exists()
    answer = page.post(ADD, told | {"file": io.BytesIO(legacy_file())})
    assert answer.headers["Location"] == page_of(MemberImport.objects.get(), "columns")


def test_nobody_is_named_in_clear_while_columns_are_mapped(browse: Any, job: MemberImport) -> None:
    page = text_of(browse("integrator").get(page_of(job, "columns")))
    assert "138****1000" in page
    assert "王**" in page
    for personal in ("13800001000", "王明", "LM00000", "1960-01-10"):
        assert personal not in page


def test_what_the_columns_mean_is_kept_with_its_values_and_remembered(browse: Any, job: MemberImport) -> None:
    form = sent_columns(job, **{
        "text-6": ["旧城店", "Station"], "meaning-6": ["S003", ""], "stated-rows": "60", "points-cost": "0.02",
        "points-expires_on": "2027-12-31",
    })  # fmt: skip
    answer = browse("integrator").post(page_of(job, "columns"), form)
    assert answer.headers["Location"] == page_of(job)
    job.refresh_from_db()
    assert (job.state, job.stated) == ("checking", {"rows": 60})
    assert job.mapping["columns"][6]["values"] == {"旧城店": "S003"}
    assert job.mapping["parts"] == {
        "points": {"earned": "import", "cost_micros": 20_000, "expires_on": "2027-12-31"}
    }  # fmt: skip
    assert ImportMapping.objects.get().document == job.mapping
    assert services.check(job.pk, when=WHEN).counts == {"new": 58, "question": 1, "refused": 2}


def test_two_columns_of_one_meaning_are_refused_in_words(browse: Any, job: MemberImport) -> None:
    answer = browse("integrator").post(page_of(job, "columns"), sent_columns(job, **{"target-1": "identifier:phone"}))
    assert "Phone is read from more than one column." in text_of(answer)
    job.refresh_from_db()
    assert job.state == "new"


def test_a_file_is_read_as_somebody_says(browse: Any, job: MemberImport) -> None:
    page = browse("integrator")
    page.post(page_of(job, "layout"), {"encoding": "gb18030", "delimiter": ";", "header_row": 1})
    job.refresh_from_db()
    assert job.layout["columns"] == ["山海旧卡系统导出"]
    page.post(page_of(job, "layout"), {"encoding": "gb18030", "delimiter": ",", "header_row": 99})
    job.refresh_from_db()
    assert job.layout["header_row"] == 1


def test_the_refused_rows_leave_on_record_and_come_back_alone(
    browse: Any, job: MemberImport, group: CoffeeGroup
) -> None:
    job = checked(job)
    answer = browse("integrator").get(page_of(job, "refused"))
    content = b"".join(answer.streaming_content)
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0] == ["#row", "#reason", *job.layout["columns"]]
    assert [(line[0], line[1]) for line in rows[1:]] == [
        ("10", "A spreadsheet cut the phone number to 1.38E+10: its last digits are lost"),
        ("15", "The phone number stands in an earlier row too"),
        ("23", "There is no such store: 旧城店"), ("24", "There is no such store: 旧城店"),
        ("63", "This row adds up the others"),
    ]  # fmt: skip
    assert Look.objects.get(kind="export").what == "refused rows of old.csv"
    services.start(None, job.pk, when=WHEN)
    services.run(job.pk, clock=lambda: WHEN)
    assert Member.objects.count() == 56

    corrected = content.replace(b"1.38E+10", b"13900000001").replace("旧城店".encode(), b"S003")
    again = services.bring(None, io.BytesIO(corrected), "again.csv", group.east, source="old cards", when=WHEN)
    assert [column["target"] for column in again.mapping["columns"][:3]] == ["", "", "identifier:card"]
    again = checked(again)
    # The phone number of the earlier row names a member by now: the later row is about that one.
    assert again.counts == {"new": 3, "changed": 1, "refused": 1}
    assert set(again.staged.get(state="refused").findings) == {"total_row"}


def test_totals_that_disagree_hold_the_file_and_say_so(browse: Any, job: MemberImport) -> None:
    job = checked(job, stated={"rows": 61})
    page = browse("integrator")
    assert "The sender states 61 for Number of rows, the file holds 60." in text_of(page.get(page_of(job)))
    page.post(page_of(job, "start"))
    job.refresh_from_db()
    assert job.state == "checked"


def test_the_page_of_a_file_asks_as_many_queries_for_one_row_as_for_fifty(
    browse: Any, job: MemberImport, group: CoffeeGroup
) -> None:
    small = b"card,phone\nC1,13700000001\n"
    one = checked(services.bring(None, io.BytesIO(small), "one.csv", group.east, when=WHEN))
    many, page = checked(job), browse("finance")

    def asked(file: MemberImport) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert page.get(page_of(file) + "?state=new").status_code == 200
        return len(queries)

    asked(one)
    assert asked(many) <= asked(one) + 3


@pytest.fixture
def chinese(browse: Any) -> Any:
    page = browse("finance")
    page.cookies["django_language"] = "zh-hans"
    return page


def test_finance_reads_it_in_chinese_and_decides_nothing(chinese: Any, job: MemberImport) -> None:
    job = checked(job)
    page = text_of(chinese.get(page_of(job) + "?state=question"))
    assert "没有这个门店：旧城店" in page
    assert "增加的积分负债" in page
    assert chinese.post(page_of(job, "decide"), {"code": "x"}).status_code == 403
    assert chinese.get(page_of(job, "refused")).status_code == 403


def test_taking_back_wants_a_reason_and_says_beforehand_who_stays(browse: Any, job: MemberImport) -> None:
    job = checked(job)
    services.start(None, job.pk, when=WHEN)
    services.run(job.pk, clock=lambda: WHEN)
    account = Account.objects.filter(balance__gt=50).order_by("pk")[0]
    adjust(None, account.member_id, account.point_type_id, -20, reason="spent", key="spent", when=WHEN)
    page = browse("integrator")
    answer = page.get(page_of(job, "take_back"))
    assert answer.context_data["staying"] == 1
    assert "Give a reason." in text_of(page.post(page_of(job, "take_back"), {"reason": " "}))
    job.refresh_from_db()
    assert job.state == "done"
    page.post(page_of(job, "take_back"), {"reason": "last year's export"})
    job = services.run(job.pk, clock=lambda: WHEN)
    assert job.totals["back"] == {"points": 23_680, "points_lost": 20, "gone": 55, "restored": 0, "stayed": 1}
    assert "Points spent meanwhile, which are lost" in text_of(page.get(page_of(job)))


def test_what_is_remembered_of_a_source_is_deleted_once_no_file_is_on_its_way(browse: Any, job: MemberImport) -> None:
    checked(job)
    mapping, page = ImportMapping.objects.get(), browse("integrator")
    address, delete = (
        reverse(f"admin:members_importmapping_{name}", args=[mapping.pk]) for name in ("change", "delete")
    )
    assert f'href="{page_of(job)}">old.csv</a>' in text_of(page.get(address))
    answer = page.post(delete, {"post": "yes"}, follow=True)
    assert "Files on their way are read by it: “old.csv”." in text_of(answer)
    assert ImportMapping.objects.exists()
    services.cancel(None, job.pk, when=WHEN)
    assert "No file that is on its way." in text_of(page.get(address))
    assert browse("marketing").post(delete, {"post": "yes"}).status_code == 403
    browse("integrator").post(delete, {"post": "yes"})
    assert not ImportMapping.objects.exists()
    assert [row.history_user.username for row in ImportMapping.history.filter(history_type="-")] == ["integrator"]
