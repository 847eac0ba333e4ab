"""Files of adjustments: read, checked row by row, asked for as one request, posted all or nothing."""

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.deciding import decide
from apps.approvals.services.filing import File
from apps.core.errors import NotAllowed
from apps.core.reading import FileRefused
from apps.members.models import Look, Member
from apps.members.services import create_member
from apps.orgs.gate import ApprovalNeeded
from apps.orgs.services import grant_role
from apps.points import services
from apps.points.batch_file import read_file
from apps.points.checking import differences
from apps.points.errors import BatchHasFaults, BatchOver, EvidenceNeeded
from apps.points.models import Account, AdjustmentBatch, AdjustmentRow, Lot, Posting
from apps.points.services.batches import (
    ask_batch,
    discard_batch,
    failing_of,
    per_unit,
    post_batch,
    refused_rows,
    stage_batch,
    subject_of,
)
from apps.points.services.reasons import create_reason
from tests.approvals.conftest import role, step
from tests.factories import Cast, CoffeeGroup
from tests.points.test_requests import PDF, hold_at

pytestmark = pytest.mark.django_db
WHEN = datetime(2026, 5, 4, 2, tzinfo=UTC)
BY_TWO = {
    "bands": [
        {"name": "One large", "when": {"field": "request.largest", "op": "ge", "value": 1000},
         "steps": [step(role("regional_manager")), step(role("finance"))]},
        {"name": "Many", "when": {"field": "request.points", "op": "ge", "value": 500}, "steps": [step(role("finance"))]},
    ],
    "otherwise": "at_once",
}  # fmt: skip


@pytest.fixture
def members(group: CoffeeGroup) -> dict[str, Member]:
    """C1 and C2 of Lakeside, C3 of the Station, C4 of the Harbour in the south, C9 of the other company."""
    places = {"C1": "S001", "C2": "S001", "C3": "S002", "C4": "S003", "C9": "S101"}
    return {
        card: create_member(None, group[place], identifiers=[("card", card)], joined_on=date(2025, 1, 1), when=WHEN)
        for card, place in places.items()
    }


def stage(group: CoffeeGroup, actor: Any, text: str | bytes, name: str = "many.csv") -> AdjustmentBatch:
    content = text if isinstance(text, bytes) else text.encode()
    return stage_batch(actor, io.BytesIO(content), name, group.east, when=WHEN)


def faults(batch: AdjustmentBatch) -> dict[int, str]:
    return dict(batch.staged.order_by("line").values_list("line", "fault"))


def balances() -> dict[int, int]:
    return dict(Account.objects.values_list("member_id", "balance"))


GOOD = "member,points,note\nC1,300,opening\nC2,200,\nC3,100,\n"


def test_a_good_file_is_counted_and_belongs_to_the_nearest_unit_above_everybody(
    group: CoffeeGroup, cast: Cast, members: dict[str, Member]
) -> None:
    batch = stage(group, cast["service"], GOOD)
    assert faults(batch) == {2: "", 3: "", 4: ""}
    assert (batch.rows, batch.rows_refused, batch.members, batch.units) == (3, 0, 3, 2)
    assert (batch.added, batch.taken, batch.largest, batch.cost_micros) == (600, 0, 300, 6_000_000)
    assert batch.unit == group["EAST-N"]
    assert [(each.unit, each.rows, each.added) for each in per_unit(batch)] == [
        ("Lakeside", 2, 500), ("Station", 1, 100),
    ]  # fmt: skip
    assert stage(group, cast["service"], "member,points\nC1,1\nC4,1\n").unit == group["EAST"]
    assert stage(group, cast["service"], "member,points\nC1,1\n").unit == group["S001"]
    look = Look.objects.order_by("pk")[0]
    assert (look.kind, look.what, look.found, look.actor) == ("search", "many.csv: 3", 3, cast.service)


def test_every_row_says_what_is_wrong_with_it(group: CoffeeGroup, cast: Cast, members: dict[str, Member]) -> None:
    create_reason(group.east, code="gift", name="Gift", direction="add")
    services.adjust(None, members["C4"].pk, group.point_types["east"].pk, 50, reason="x", key="k", when=WHEN)
    Member.objects.filter(pk=members["C3"].pk).update(state="closed")
    rows = [
        "C1,10,points,gift", "C9,10,points,gift", "C0,10,points,gift", "C3,10,points,gift", "C2,10,miles,gift",
        "C2,1.5,points,gift", "C2,0,points,gift", "C2,10,points,", "C2,10,points,none", "C2,-10,points,gift",
        "C4,-51,points,", ",10,points,gift", "C1,10,,gift", "C2,9999999999,points,gift",
    ]  # fmt: skip
    batch = stage(group, cast["service"], "\n".join(["member,points,point_type,reason_code", *rows]))
    assert list(faults(batch).values()) == [
        "duplicate", "unknown_member", "unknown_member", "member_closed", "point_type", "not_whole", "zero",
        "reason_needed", "reason_code", "reason_code", "not_enough", "no_member", "duplicate", "too_many",
    ]  # fmt: skip
    assert (batch.rows, batch.rows_refused, batch.added, batch.members) == (14, 14, 0, 0)


def test_who_reaches_a_region_meets_nobody_beyond_it(
    group: CoffeeGroup, cast: Cast, members: dict[str, Member]
) -> None:
    text = f"member_id,points\n{members['C1'].pk},1\n{members['C4'].pk},1\n"
    assert list(faults(stage(group, cast["regional_manager"], text)).values()) == ["", "unknown_member"]
    for stranger in ("finance", "outsider"):
        with pytest.raises(NotAllowed):
            stage(group, cast[stranger], text)


def test_a_file_without_a_good_row_stays_with_who_brought_it(
    group: CoffeeGroup, cast: Cast, members: dict[str, Member]
) -> None:
    batch = stage(group, cast["regional_manager"], "member,points\nC4,1\n")
    assert (batch.rows_refused, batch.unit) == (1, group["EAST-N"])


def test_two_regions_of_one_person_take_two_files(group: CoffeeGroup, cast: Cast, members: dict[str, Member]) -> None:
    grant_role(None, cast.regional_manager, "regional_manager", group["EAST-S"])
    batch = stage(group, cast["regional_manager"], "member,points\nC1,1\nC4,1\nC3,1\n")
    assert list(faults(batch).values()) == ["", "elsewhere", ""]
    assert batch.unit == group["EAST-N"]


@pytest.mark.parametrize(
    "content",
    [
        "会员;积分;备注\nC1;300;开业\nC2;−200;\n".encode("gb18030"),
        "\ufeffIdentifier\tPoints\tNote\nC1\t300\t开业\nC2\t'-200\t\n".encode(),
        '标识类型,号码,积分,备注,#ours\n卡,C1,300,开业,x\n会员卡,C2,"-200",,y\n'.encode(),
    ],
)
def test_files_are_read_as_people_save_them(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    rows = list(read_file(path))
    assert [(row.kind, row.value, row.points, row.cells.get("note"), row.fault) for row in rows] == [
        ("card", "C1", 300, "开业", ""), ("card", "C2", -200, "", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"), (b"member,points\n", "empty"), (b"PK\x03\x04x", "workbook"), (b"member\nC1\n", "columns_missing"),
        (b"points\n1\n", "columns_missing"), (b"member,points,Points\nC1,1,1\n", "columns_twice"),
        (b"member,points\n\xff\xff,1\n", "encoding"), (b'member,points\n"C1,1\n', "not_csv"),
        (b"member,points\n" + b"C1,1\n" * 100_001, "too_many_rows"), (b"x" * ((20 << 20) + 1), "too_large"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_leaves_nothing(group: CoffeeGroup, cast: Cast, content: bytes, reason: str) -> None:
    with pytest.raises(FileRefused) as refused:
        stage(group, cast["service"], content)
    assert (refused.value.data["reason"], AdjustmentBatch.objects.count()) == (reason, 0)


def test_refused_rows_come_back_as_a_file_that_can_be_brought_again(
    group: CoffeeGroup, cast: Cast, members: dict[str, Member]
) -> None:
    batch = stage(group, cast["service"], "member,points,note\nC1,1.5,=x\nC2,5,\n")
    header, rows = refused_rows(cast["service"], batch)
    assert list(rows) == [[2, "The points are not a whole number.", "", "C1", "", "", "1.5", "", "=x"]]
    assert header[:2] == ["#line", "#reason"]
    assert Look.objects.order_by("-pk")[0].kind == "export"
    with pytest.raises(BatchHasFaults):
        ask_batch(cast["service"], batch, reason="x", key="b", when=WHEN)
    discard_batch(cast["service"], batch.pk)
    assert (AdjustmentBatch.objects.count(), AdjustmentRow.objects.count()) == (0, 0)


def test_without_a_policy_all_rows_are_posted_at_once_under_keys_of_their_own(
    group: CoffeeGroup, cast: Cast, members: dict[str, Member]
) -> None:
    kind = group.point_types["east"].pk
    services.adjust(None, members["C2"].pk, kind, 500, reason="x", key="k", when=WHEN)
    batch = stage(group, cast["service"], "member,points,note\nC1,300,opening\nC2,-200,\nC3,100,\n")
    request = ask_batch(cast["service"], batch, reason="Opening", key="b", when=WHEN)
    assert (request.state, request.amount, request.told) == ("done", 600, {"points": 200, "rows": 3})
    assert balances() == {members["C1"].pk: 300, members["C2"].pk: 300, members["C3"].pk: 100}
    posted = Posting.objects.filter(key__startswith=f"approval:{request.pk}:").order_by("key")
    assert [(each.key, each.points, each.reason, each.kind, each.actor) for each in posted] == [
        (f"approval:{request.pk}:2", 300, "Opening · opening", "adjust", cast.service),
        (f"approval:{request.pk}:3", -200, "Opening", "adjust", cast.service),
        (f"approval:{request.pk}:4", 100, "Opening", "adjust", cast.service),
    ]
    assert ask_batch(cast["service"], batch, reason="Opening", key="b", when=WHEN) == request
    with pytest.raises(BatchOver):
        ask_batch(cast["service"], AdjustmentBatch.objects.get(), reason="Opening", key="c", when=WHEN)
    assert differences() == []


def test_one_large_row_is_seen_in_a_file_of_small_ones_and_takes_its_road(
    group: CoffeeGroup, cast: Cast, members: dict[str, Member]
) -> None:
    hold_at(group, BY_TWO, "points.bulk")
    batch = stage(group, cast["service"], "member,points\nC1,6000\nC2,1\nC3,1\n")
    with pytest.raises(ApprovalNeeded):
        post_batch(cast["service"], batch.pk, reason="x", key="direct", when=WHEN)
    request = ask_batch(cast["service"], batch, reason="x", key="b", when=WHEN)
    assert (request.band, request.facts["request.flags"], request.unit) == ("One large", ["one_large"], group["EAST-N"])
    for by in ("regional_manager", "finance"):
        assert balances() == {}
        seen = request.seal(request.read_subject().effect(request.requester, WHEN))
        decide(cast[by], request.pk, "approved", seen=seen, when=WHEN)
    assert balances() == {members["C1"].pk: 6000, members["C2"].pk: 1, members["C3"].pk: 1}
    assert differences() == []


def test_two_files_of_one_person_add_up(group: CoffeeGroup, cast: Cast, members: dict[str, Member]) -> None:
    hold_at(group, BY_TWO, "points.bulk")
    first, second = (stage(group, cast["service"], f"member,points\nC1,{points}\n") for points in (300, 301))
    assert ask_batch(cast["service"], first, reason="x", key="a", when=WHEN).state == "done"
    request = ask_batch(cast["service"], second, reason="x", key="b", when=WHEN)
    assert (request.state, request.band, len(request.together)) == ("open", "Many", 1)


def test_a_row_that_fails_at_the_end_stops_all_of_them(
    group: CoffeeGroup, cast: Cast, members: dict[str, Member]
) -> None:
    kind = group.point_types["east"].pk
    services.adjust(None, members["C2"].pk, kind, 700, reason="x", key="k", when=WHEN)
    hold_at(group, BY_TWO, "points.bulk")
    batch = stage(group, cast["service"], "member,points\nC1,300\nC2,-700\n")
    request = ask_batch(cast["service"], batch, reason="x", key="b", when=WHEN)
    account = Account.objects.get(member=members["C2"])
    services.redeem(None, account.pk, 1, key="r", unit=group["S001"], when=WHEN)
    effect = request.read_subject().effect(request.requester, WHEN)
    assert effect.obstacle == "1 row of the file would be refused, so none is posted."
    assert failing_of(batch.pk, WHEN) == {"not_enough": 1}
    decide(cast["finance"], request.pk, "approved", seen=request.seal(effect), when=WHEN)
    request.refresh_from_db()
    assert (request.state, request.refusal["code"]) == ("open", "batch_has_faults")
    assert balances() == {members["C2"].pk: 699}
    assert differences() == []


def test_what_expires_meanwhile_cannot_be_taken(group: CoffeeGroup, cast: Cast, members: dict[str, Member]) -> None:
    kind = group.point_types["east"]
    kind.expiry = {"kind": "after_days", "days": 10}
    kind.save()
    services.adjust(None, members["C1"].pk, kind.pk, 50, reason="x", key="k", when=WHEN)
    batch = stage(group, cast["service"], "member,points\nC1,-50\n")
    assert failing_of(batch.pk, WHEN) == {}
    assert failing_of(batch.pk, WHEN + timedelta(days=11)) == {"not_enough": 1}


def test_what_was_sent_never_changes(group: CoffeeGroup, cast: Cast, members: dict[str, Member]) -> None:
    hold_at(group, BY_TWO, "points.bulk")
    batch = stage(group, cast["service"], "member,points\nC1,600\n")
    ask_batch(cast["service"], batch, reason="x", key="b", when=WHEN)
    row = batch.staged.get()
    assert (bytes(row.cipher), row.value_hash) == (b"", None)
    other = stage(group, cast["service"], "member,points\nC2,600\n").staged.get()
    changes: list[tuple[str, list[Any]]] = [
        ("UPDATE points_adjustmentrow SET points = 9000 WHERE id = %s", [row.pk]),
        ("UPDATE points_adjustmentrow SET batch_id = %s, line = 9 WHERE id = %s", [batch.pk, other.pk]),
        ("DELETE FROM points_adjustmentrow WHERE id = %s", [row.pk]),
        ("INSERT INTO points_adjustmentrow (batch_id, line, kind, point_code, points, reason_code, note, cipher, fault)"
         " VALUES (%s, 9, '', '', 1, '', '', '', '')", [batch.pk]),
        ("UPDATE points_adjustmentbatch SET added = 1 WHERE id = %s", [batch.pk]),
        ("UPDATE points_adjustmentbatch SET state = 'draft' WHERE id = %s", [batch.pk]),
    ]  # fmt: skip
    for statement, values in changes:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    with pytest.raises(BatchOver):
        discard_batch(cast["service"], batch.pk)
    assert batch.staged.get().points == 600


def test_returned_files_are_replaced_by_another(group: CoffeeGroup, cast: Cast, members: dict[str, Member]) -> None:
    hold_at(group, BY_TWO, "points.bulk")
    batch = stage(group, cast["service"], "member,points\nC1,6000\n")
    request = ask_batch(cast["service"], batch, reason="x", key="b", when=WHEN)
    decide(cast["regional_manager"], request.pk, "returned", comment="less", when=WHEN)
    smaller = stage(group, cast["service"], "member,points\nC1,600\n")
    again = ask_batch(cast["service"], smaller, reason="less", key="c", again=request.pk, when=WHEN)
    assert (again.pk, again.round, again.band) == (request.pk, 2, "Many")
    assert subject_of(smaller).to_json() == again.subject


def test_evidence_is_asked_for_once_for_the_file(group: CoffeeGroup, cast: Cast, members: dict[str, Member]) -> None:
    create_reason(group.east, code="till", name="Wrong till", needs_evidence=True)
    batch = stage(group, cast["service"], "member,points,reason_code\nC1,6,till\n")
    with pytest.raises(EvidenceNeeded):
        ask_batch(cast["service"], batch, reason="x", key="b", when=WHEN)
    with pytest.raises(EvidenceNeeded):
        post_batch(cast["service"], batch.pk, reason="x", key="direct", when=WHEN)
    files = [PDF, File("list.csv", b"a,b")]
    assert ask_batch(cast["service"], batch, reason="x", key="b", files=files, when=WHEN).state == "done"


def test_five_thousand_rows_take_no_more_statements_than_five(group: CoffeeGroup, cast: Cast) -> None:
    def posted(first: int, last: int) -> int:
        Member.objects.bulk_create(
            Member(pk=pk, home_unit=group["S001"], joined_on=date(2026, 1, 1), created_at=WHEN)
            for pk in range(first, last)
        )
        batch = stage(
            group, cast["service"], "\n".join(["member_id,points", *(f"{pk},7" for pk in range(first, last))])
        )
        assert batch.rows_refused == 0
        with CaptureQueriesContext(connection) as asked:
            ask_batch(cast["service"], batch, reason="x", key=f"b{first}", when=WHEN)
        return len(asked)

    few, many = posted(100_000, 100_005), posted(200_000, 205_000)
    assert (many, Lot.objects.count(), Account.objects.filter(balance=7).count()) == (few, 5005, 5005)
    assert differences() == []


# The pages.


def test_a_file_is_brought_read_and_sent_through_the_pages(
    client: Client, group: CoffeeGroup, cast: Cast, members: dict[str, Member]
) -> None:
    hold_at(group, BY_TWO, "points.bulk")
    client.force_login(cast["service"], backend="apps.orgs.auth.RoleBackend")
    add = reverse("admin:points_adjustmentbatch_add")

    def bring(text: str) -> Any:
        sent = {"file": SimpleUploadedFile("many.csv", text.encode()), "program": group.east.pk}
        return client.post(add, sent, follow=True)

    faulty = bring("member,points\nC1,1.5\nC2,5\n").content.decode()
    assert "The points are not a whole number." in faulty
    assert "correct the refused rows" in faulty
    assert "this is an excel workbook" in bring("PK\x03\x04").content.decode().lower()
    page = bring("member,points\nC1,600\n")
    batch = AdjustmentBatch.objects.order_by("-pk")[0]
    send = reverse("admin:points_adjustmentbatch_send", args=[batch.pk])
    assert send in page.content.decode()
    form = client.get(send)
    assert "finance" in form.content.decode()
    key = form.context_data["form"]["key"].value()  # type: ignore[attr-defined]
    for _ in range(2):
        answer = client.post(send, {"key": key, "reason": "Opening"}, follow=True)
        assert "Sent to finance." in answer.content.decode()
    assert ApprovalRequest.objects.get().state == "open"
