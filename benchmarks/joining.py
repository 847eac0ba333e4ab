"""Members of another system: a whole file through the import, against the same rows by hand."""

import random
import resource
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

from django.conf import settings
from django.db import connection

from apps.members.importing import services
from apps.members.importing.mapping import ColumnMapping
from apps.members.models import Identifier, Member, MemberImport
from apps.points.models import Account
from benchmarks.measuring import Figure, agree
from benchmarks.tills import raw_connection
from benchmarks.world import settle
from tests import databases
from tests.factories import CoffeeGroup, make_group

SQL = Path(__file__).parent / "sql"
NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
HEADER = "card,name,gender,phone,birthday,joined,store,level,points\n"
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗", "伟芳娜敏静丽强磊军洋勇艳杰涛明超秀霞平刚桂英华玉萍红"
WORKERS = 2
MOST_MB = 300
"""Above an idle process, for each worker."""


def import_members(quick: bool) -> list[Figure]:
    """One file each: every row checked and encrypted, its opening points in the ledger, a line of history for each member."""
    rows = 500 if quick else 1_000_000
    with databases.scratch("joining"):
        group = make_group()
        settle()
        file = Path(settings.DATA_DIR) / "members_benchmark.csv"
        with file.open("w", encoding="utf-8") as content:
            content.writelines(lines("A", rows))
        idle = peak_mb()
        product, times = by_import(group, file)
        held = peak_mb() - idle
        known = Member.objects.count(), Identifier.objects.count()
        agree("import_members: points", Account.objects.count() > 0, True)
        again, _ = by_import(group, file)
        file.unlink()
        agree("import_members: again", (Member.objects.count(), Identifier.objects.count()), known)
        settle()
        limit = by_hand(lines("B", rows))
        agree("import_members", known, (Member.objects.count() - known[0], Identifier.objects.count() - known[1]))
    said = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in times.items())
    return [
        Figure(
            "import_members",
            100 * limit / product,
            30,
            seen=f"{rows / product:,.0f}/s of {rows / limit:,.0f}/s; {said}",
        ),
        Figure(
            "import_members: again", 100 * again / product, 100, at_most=True, seen=f"{again:.0f} s of {product:.0f} s"
        ),
        Figure("import_members: memory", held, MOST_MB, at_most=True, unit="MB"),
    ]


def lines(prefix: str, rows: int) -> Iterator[str]:
    """Members as an old card system exports them; the same for the same prefix."""
    draw = random.Random(prefix)  # noqa: S311 -- the same file every time
    first = "3" if prefix == "A" else "5"
    yield HEADER
    for number in range(rows):
        name = draw.choice(SURNAMES) + "".join(draw.choices(GIVEN, k=draw.choice((1, 2))))
        born = date(1950, 1, 1) + timedelta(days=draw.randrange(20_000))
        joined = date(2012, 1, 1) + timedelta(days=draw.randrange(5_000))
        yield (
            f"{prefix}{number:09d},{name},{draw.choice('男女')},1{first}{number:09d},{born},{joined},"
            f"S00{draw.randrange(1, 4)},{draw.choice(('普卡', '银卡', '金卡'))},{draw.randrange(2_000)}\n"
        )


def by_import(group: CoffeeGroup, file: Path) -> tuple[float, dict[str, float]]:
    """How long it took, in seconds, and what of it was which. By as many workers as the studio starts."""
    started = time.perf_counter()
    with file.open("rb") as content:
        job = services.bring(None, content, "members.csv", group.east, when=NOW)
    services.map_columns(None, job.pk, ColumnMapping.model_validate(job.mapping), when=NOW)
    work_at(job.pk)
    checked = time.perf_counter()
    services.start(None, job.pk, when=NOW)
    work_at(job.pk)
    job.refresh_from_db()
    agree("import_members: state", job.state, MemberImport.State.DONE)
    ended = time.perf_counter()
    return ended - started, {"checked in": checked - started, "taken in": ended - checked}


def work_at(job: int) -> None:
    connection.close()
    workers = [
        get_context("fork").Process(target=services.run, args=(job,), kwargs={"clock": noon}) for _ in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def noon() -> datetime:
    return NOW


def by_hand(rows: Iterator[str]) -> float:
    """COPY, check, insert; in seconds."""
    content = "".join(rows).encode()
    started = time.perf_counter()
    with raw_connection() as raw, raw.transaction():
        raw.execute(
            "CREATE TEMP TABLE incoming (number bigint GENERATED ALWAYS AS IDENTITY, card text, name text, gender text,"
            " phone text, birthday text, joined text, store text, level text, points text) ON COMMIT DROP"
        )
        columns = HEADER.strip()
        with raw.cursor().copy(f"COPY incoming ({columns}) FROM STDIN (FORMAT csv, HEADER)") as copy:
            copy.write(content)
        raw.execute("ANALYZE incoming")
        raw.execute((SQL / "members.sql").read_text(encoding="utf-8"))
    return time.perf_counter() - started


def peak_mb() -> float:
    """The most memory that this process ever held, or a worker of it."""
    connection.ensure_connection()
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
