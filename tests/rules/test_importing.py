"""Files of events: exact points, each bad row refused by line, column and reason, and no job lost or done twice."""

import csv
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from apps.activity.models import Event, EventLine, ImportChunk, ImportFault, ImportJob, ImportRow
from apps.core.errors import NotAllowed
from apps.core.supervisor import WORKER
from apps.members.crypto import lookup_hash
from apps.members.models import Identifier, Member
from apps.members.services import enrol_many
from apps.orgs.models import Program
from apps.orgs.services import revoke_role
from apps.points.checking import differences
from apps.points.models import Entry
from apps.rules import importing
from apps.rules.importing import cancel, run_import, start_import, start_upload
from tests import databases
from tests.factories import Cast, CoffeeGroup, make_group
from tests.processes import environment, running, until
from tests.rules.conftest import FIXTURES, publish
from tests.rules.test_pipeline import digest

CDNOW = Path(settings.BASE_DIR) / ".." / "shared" / "data" / "cdnow_purchases.csv"
LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def bring_in(group: CoffeeGroup, path: Path, *, preset: str = "", enrols: bool = True) -> ImportJob:
    job = start_import(None, path, group.east, preset=preset, enrols=enrols, when=NOW)
    return run_import(job.pk, clock=lambda: NOW)


def written(tmp_path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "events.csv"
    path.write_text("\n".join(["event_key,kind,member,occurred_at,store,sku,amount", *lines, ""]), encoding=encoding)
    return path


def result(job: ImportJob) -> tuple[int, int, int, int, int]:
    return job.events_new, job.events_repeated, job.rows_refused, job.members_enrolled, job.points


def faults(job: ImportJob) -> list[tuple[int, str, str, str]]:
    return list(job.faults.order_by("line", "column").values_list("line", "column", "code", "value"))


# -- good files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["events_small.csv", "events_small_gb18030.csv"])
def test_rows_of_one_key_make_one_event_in_either_encoding(group: CoffeeGroup, name: str) -> None:
    publish(group)
    job = bring_in(group, FIXTURES / name)
    assert (job.state, job.rows, job.rows_done) == ("done", 7, 7)
    # 32.00 + 18.50, 44.00, 128.90 less ⌊128 × 28.90 / 128.90⌋ = 28, and nothing for 0.00.
    assert result(job) == (6, 0, 0, 4, 50 + 44 + 128 - 28)
    order = Event.objects.get(key="E-1001")
    assert (order.amount, order.lines.count()) == (Decimal("50.5"), 2)
    assert order.occurred_at == datetime(2026, 3, 2, 0, 15, tzinfo=UTC)
    assert Event.objects.get(key="E-1002").attributes == {"coupon": "春日"}
    assert differences() == []


def test_the_same_file_again_posts_nothing(group: CoffeeGroup) -> None:
    publish(group)
    bring_in(group, FIXTURES / "events_small.csv")
    before = digest()
    assert result(bring_in(group, FIXTURES / "events_small_gb18030.csv")) == (0, 6, 0, 0, 0)
    assert digest() == before


def test_the_command_says_that_a_second_import_posts_nothing(group: CoffeeGroup, capsys: Any) -> None:
    publish(group)
    path = str(FIXTURES / "events_small.csv")
    for said in ("6 new events, 0 known before", "nothing was posted"):
        with pytest.raises(SystemExit) as left:
            call_command("import_events", path, "--program", "east", "--enrol")
        assert (left.value.code, said in capsys.readouterr().out) == (0, True)


def test_cdnow_rows_without_an_order_number_are_told_apart_by_their_place_in_the_day(group: CoffeeGroup) -> None:
    publish(group, starts_at=LONG_AGO)
    Program.objects.update(currency="USD")
    job = bring_in(group, FIXTURES / "cdnow_like.csv", preset="cdnow")
    assert result(job) == (116, 0, 0, 60, 4270)
    assert Event.objects.filter(amount=0).count() == 6
    assert result(bring_in(group, FIXTURES / "cdnow_like.csv", preset="cdnow")) == (0, 116, 0, 0, 0)


def test_the_whole_cdnow_file_gives_exact_points_once(group: CoffeeGroup) -> None:
    if not CDNOW.exists():
        pytest.skip("The CDNOW records are not on this machine; their story is told with a sample of our own only.")
    publish(group, starts_at=LONG_AGO)
    Program.objects.update(currency="USD")
    with CDNOW.open() as text:
        floors = [int(Decimal(row["amount_usd"])) for row in csv.DictReader(text)]
    job = bring_in(group, CDNOW, preset="cdnow")
    assert (job.rows, job.state) == (69_659, "done")
    assert result(job) == (69_659, 0, 0, 23_570, sum(floors))
    assert (len(floors), Member.objects.count(), sum(floors)) == (69_659, 23_570, 2_453_159)
    assert differences() == []


# -- bad files -------------------------------------------------------------------------------------------------

FAULTY = [
    (3, "occurred_at", "not_a_date", "三月二日"),
    (4, "amount", "not_a_number", "三十二元"),
    (5, "store", "unknown_store", "S999"),
    (6, "member", "unknown_member", ""),
    (7, "event_key", "other_row_refused", "F-06"),
    (8, "occurred_at", "lines_disagree", "2026-03-09T12:15:00"),
    (9, "member", "missing", ""),
    (10, "currency", "other_currency", "USD"),
    (11, "refund_of", "unknown_purchase", "F-99"),
    (12, "amount", "negative", "-5.00"),
    (14, "", "too_many_cells", ""),
    (15, "occurred_at", "in_the_future", "2099-03-02T10:15:00+00:00"),
    (16, "store", "unknown_store", "S101"),
    (17, "amount", "not_a_number", "不是数"),
]


def enrol(group: CoffeeGroup, *cards: str) -> None:
    enrol_many([("card", card, group.units["S001"].pk, NOW.date()) for card in cards], when=NOW)


def test_each_bad_row_is_refused_by_line_column_and_reason_and_the_good_ones_are_kept(group: CoffeeGroup) -> None:
    publish(group)
    enrol(group, "7001")
    job = bring_in(group, FIXTURES / "events_faulty.csv", enrols=False)
    assert faults(job) == FAULTY
    assert result(job) == (2, 0, 14, 0, 64)
    assert sorted(Event.objects.values_list("key", flat=True)) == ["F-01", "F-11"]
    # A text that looks like a formula is a text.
    assert Event.objects.get(key="F-11").attributes == {"备注": '=HYPERLINK("http://example.com")'}
    assert differences() == []


def test_nobody_is_enrolled_by_a_row_that_is_refused(group: CoffeeGroup, tmp_path: Path) -> None:
    rows = (
        "a,purchase,9001,2026-03-01,S999,,5", "b,refund,9002,2026-03-01,S001,,5", "c,purchase,9003,2026-03-02,S001,,5",
        "d,purchase,9003,2026-03-01,S999,,5",
    )  # fmt: skip
    job = bring_in(group, written(tmp_path, *rows))
    assert (job.members_enrolled, job.rows_refused) == (1, 3)
    assert Member.objects.get().joined_on.isoformat() == "2026-03-02"
    assert Identifier.objects.get().value_hash == lookup_hash("card", "9003")


def test_one_key_with_two_members_is_refused_whole(group: CoffeeGroup, tmp_path: Path) -> None:
    path = written(tmp_path, "a,purchase,1,2026-03-01,S001,X,5", "a,purchase,2,2026-03-01,S001,Y,5")
    assert faults(bring_in(group, path)) == [(2, "member", "lines_disagree", ""), (3, "member", "lines_disagree", "")]
    assert Event.objects.count() == 0


def test_a_known_key_with_other_content_is_refused_and_changes_nothing(group: CoffeeGroup, tmp_path: Path) -> None:
    publish(group)
    bring_in(group, written(tmp_path, "a,purchase,1,2026-03-01,S001,X,5"))
    before = digest()
    job = bring_in(group, written(tmp_path, "a,purchase,1,2026-03-01,S001,X,6"))
    assert faults(job) == [(2, "event_key", "key_reused", "a")]
    assert digest() == before


def test_what_no_column_can_hold_is_refused_and_not_run_into(group: CoffeeGroup, tmp_path: Path) -> None:
    rows = [
        "\0a,purchase,1,2026-03-01,S001,X,5",
        "b,purchase,1,2026-03-01,S001,X,99999999999",
        *(f"c,purchase,1,2026-03-01,S001,{number},9999999999" for number in range(2)),
        "d,purchase,1,2026-03-01,S001,X,\0",
        "e,purchase,1,2026-03-01,S001,X,1e9999",
    ]
    job = bring_in(group, written(tmp_path, *rows))
    assert [(line, column, code) for line, column, code, _ in faults(job)] == [
        (2, "event_key", "control_character"),
        (3, "amount", "too_large"),
        (4, "amount", "too_large"),
        (5, "event_key", "other_row_refused"),
        (6, "amount", "not_a_number"),
        (7, "amount", "too_large"),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xef\xbb\xbf", "empty"),
        (b"event_key,kind,member,occurred_at\n", "empty"),
        (b"event_key,kind,member\n1,purchase,2\n", "columns_missing"),
        (b"event_key,kind,member,occurred_at,kind\n1,purchase,2,2026-03-01,x\n", "columns_twice"),
        (b"\x89PNG\r\n\x1a\n\xff\x80", "encoding"),
        (b"\x00\x01\x02", "not_csv"),
        (b"PK\x03\x04 something", "workbook"),
        ("event_key,kind,member,occurred_at\n".encode("utf-16"), "encoding"),
        (b'event_key,kind,member,occurred_at\n1,"pur"chase,2,3\n', "not_csv"),
        (b'event_key,kind,member,occurred_at\n1,"' + b"x" * 200_000 + b'",2,3\n', "not_csv"),
        (b",".join(b"c%d" % number for number in range(200)) + b"\n", "too_many_columns"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    group: CoffeeGroup, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    job = bring_in(group, path)
    assert (job.state, job.refusal["reason"]) == ("refused", reason)
    assert (ImportRow.objects.count(), ImportChunk.objects.count(), Event.objects.count()) == (0, 0, 0)


def test_limits_are_held_before_anything_is_read(
    group: CoffeeGroup, tmp_path: Path, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MOST_ROWS", 2)
    rows = [f"{number},check_in,1,2026-03-01,S001,," for number in range(3)]
    assert bring_in(group, written(tmp_path, *rows)).refusal == {"reason": "too_many_rows", "most": "2"}
    (tmp_path / "empty.csv").touch()
    with pytest.raises(importing.FileRefused) as refused:
        bring_in(group, tmp_path / "empty.csv")
    assert refused.value.data["reason"] == "empty"
    monkeypatch.setattr(importing, "LARGEST_MB", 0)
    with pytest.raises(importing.FileRefused) as refused:
        bring_in(group, FIXTURES / "events_small.csv")
    assert (refused.value.data["reason"], ImportJob.objects.count()) == ("too_large", 1)
    assert len(list((uploads / "imports").iterdir())) == 1


# -- personal data ---------------------------------------------------------------------------------------------


def test_rows_name_members_only_under_encryption_and_the_file_goes(
    group: CoffeeGroup, tmp_path: Path, uploads: Path, django_capture_on_commit_callbacks: Any
) -> None:
    path = written(tmp_path, "a,purchase,13812345678,2026-03-01,S999,X,5", "b,purchase,13812345678,x,S001,X,5")
    with django_capture_on_commit_callbacks(execute=True):
        job = bring_in(group, path)
    assert list((uploads / "imports").iterdir()) == []
    assert ImportRow.objects.filter(job=job, chunk=None).count() == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(r::text, '') FROM activity_importrow r")
        assert b"13812345678".hex() not in cursor.fetchone()[0]
    assert "13812345678" not in str(list(ImportFault.objects.values()))


# -- rights, and ends ------------------------------------------------------------------------------------------


def test_only_who_may_import_here_starts_and_cancels(cast: Cast, group: CoffeeGroup) -> None:
    path = FIXTURES / "events_small.csv"
    for persona in ("finance", "outsider"):
        with pytest.raises(NotAllowed):
            start_import(cast[persona], path, group.east, when=NOW)
    assert ImportJob.objects.count() == 0
    job = start_import(cast["integrator"], path, group.east, when=NOW)
    with pytest.raises(NotAllowed):
        cancel(cast["outsider"], job.pk, when=NOW)
    assert cancel(cast["marketing"], job.pk, when=NOW).state == "cancelled"
    assert run_import(job.pk, clock=lambda: NOW).state == "cancelled"
    assert Event.objects.count() == 0


def test_a_right_taken_away_stops_the_job(cast: Cast, group: CoffeeGroup) -> None:
    job = start_import(cast["integrator"], FIXTURES / "events_small.csv", group.east, enrols=True, when=NOW)
    importing.stage(job.pk, when=NOW)
    revoke_role(None, cast["integrator"], "integrator", group["EAST"])
    job = run_import(job.pk, clock=lambda: NOW)
    assert (job.state, job.refusal) == ("cancelled", {"reason": "not_allowed"})
    assert (Event.objects.count(), ImportRow.objects.count()) == (0, 0)


def test_a_cancelled_job_keeps_what_was_taken(group: CoffeeGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK_ROWS", 2)
    job = start_import(None, FIXTURES / "events_small.csv", group.east, enrols=True, when=NOW)
    importing.stage(job.pk, when=NOW)
    while not Event.objects.exists():  # which rows a chunk has depends on the installation's key
        assert importing.run_chunk(job.pk, when=NOW)
    job = cancel(None, job.pk, when=NOW + timedelta(seconds=1))
    assert (job.state, Event.objects.exists(), ImportRow.objects.count()) == ("cancelled", True, 0)
    assert not importing.run_chunk(job.pk, when=NOW)


def test_the_file_of_an_unfinished_job_goes_on_with_it(group: CoffeeGroup) -> None:
    first = start_import(None, FIXTURES / "events_small.csv", group.east, when=NOW)
    assert start_import(None, FIXTURES / "events_small.csv", group.east, when=NOW).pk == first.pk
    assert start_import(None, FIXTURES / "events_small.csv", group.east, enrols=True, when=NOW).pk != first.pk


# -- processes -------------------------------------------------------------------------------------------------


def long_file(tmp_path: Path, events: int = 1_500) -> Path:
    """Events of 200 members over many chunks, refunds and bad rows among them."""
    start, rows = datetime(2026, 1, 1), []
    for number in range(events):
        member, at = 5000 + number % 200, start + timedelta(minutes=17 * number)
        if number % 10 == 9:
            rows.append(f"e{number},refund,{member},{at.isoformat()},S001,A,1.50,e{number - 200}")
        else:
            rows.append(
                f"e{number},purchase,{member},{at.isoformat()},{'S00' if number % 97 else 'X'}1,A,{number % 90}.99,"
            )
    path = tmp_path / "long.csv"
    path.write_text("\n".join(["event_key,kind,member,occurred_at,store,sku,amount,refund_of", *rows, ""]))
    return path


def whole_digest() -> tuple:
    by_name = dict(Identifier.objects.values_list("member_id", "masked"))
    tables = digest()
    return (
        *tables[:3],
        sorted((by_name[row[0]], *row[1:]) for row in tables[3]),
        tables[4],
        sorted(ImportFault.objects.values_list("line", "column", "code", "value")),
        sorted(EventLine.objects.values_list("event__key", "line_no", "amount")),
        sorted(map(str, ImportJob.objects.values_list("rows", "rows_done", "events_new", "rows_refused", "points"))),
    )


def importer(path: Path) -> subprocess.Popen:
    """The command as a process of its own, with chunks of a hundred rows."""
    code = (
        "import django; django.setup()\n"
        "from apps.rules import importing\nfrom django.core.management import call_command\n"
        "importing.CHUNK_ROWS = 100\n"
        f"call_command('import_events', {str(path)!r}, '--program', 'east', '--enrol')\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, env=environment(), stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def tell_the_story(path: Path) -> tuple:
    """What an import without any interruption makes of the file."""
    with databases.scratch("whole"):
        group = make_group()
        publish(group)
        bring_in(group, path)
        return whole_digest()


def test_a_job_killed_again_and_again_goes_on_to_the_same_tables(committed: str, tmp_path: Path) -> None:
    path = long_file(tmp_path)
    expected = tell_the_story(path)
    publish(make_group())
    said = ""
    for rows in (0, 300, 900):
        process = importer(path)
        until(ImportJob.objects.filter(rows_done__gte=rows).exists)
        process.kill()
        said += process.communicate()[1]
    last = importer(path)
    said += last.communicate()[1]
    assert last.returncode == 1, said  # some rows are at fault
    assert "Going on after" in said
    assert "rows," in said
    assert "a second," in said
    assert whole_digest() == expected
    assert differences() == []


def test_two_workers_on_one_job_make_the_same_tables(
    committed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = long_file(tmp_path)
    expected = tell_the_story(path)
    group = make_group()
    publish(group)
    monkeypatch.setattr(importing, "CHUNK_ROWS", 100)
    job = start_import(None, path, group.east, enrols=True, when=NOW)

    def work(_number: int) -> None:
        run_import(job.pk, clock=lambda: NOW)
        connection.close()

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(work, range(2)))
    assert whole_digest() == expected
    assert differences() == []


def test_the_workers_do_an_upload_to_its_end(committed: str, uploads: Path) -> None:
    group = make_group()
    publish(group)
    with (FIXTURES / "events_small.csv").open("rb") as content:
        job = start_upload(None, content, "events_small.csv", group.east, enrols=True, when=NOW)
    with running(*WORKER):
        until(lambda: ImportJob.objects.filter(pk=job.pk, state="done").exists(), 40)
    job.refresh_from_db()
    assert result(job) == (6, 0, 0, 4, 194)
    assert Entry.objects.count() > 0
    assert list((uploads / "imports").iterdir()) == []
