"""A file of members whose worker is killed again and again comes to the same tables; two workers make no more of it than one."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from apps.members.importing import services, staging, taking
from apps.members.importing.mapping import ColumnMapping
from apps.members.importing.models import MemberImport
from apps.members.models import Identifier, Member, MemberChange
from apps.points.checking import differences
from apps.points.models import Account, Entry, Lot
from tests import databases
from tests.factories import CoffeeGroup, make_group
from tests.processes import environment, until

pytestmark = pytest.mark.faults
WHEN = datetime(2026, 11, 30, 4, tzinfo=UTC)
ROWS = 3_000


def long_file(folder: Path) -> Path:
    path = folder / "members.csv"
    rows = (f"C{n},Wang {n},138{n:08d},S00{1 + n % 3},{n % 90}" for n in range(ROWS))
    path.write_text(
        "card,name,phone,store,points\n" + "\n".join(rows) + "\nC0,again,13900000000,S001,1\n", encoding="utf-8"
    )
    return path


def tables() -> Any:
    """What came of the file, whatever the ids."""
    cards = dict(Identifier.objects.filter(kind="card").values_list("member_id", "value_hash"))
    named = {pk: bytes(card) for pk, card in cards.items()}
    return (
        sorted((named[pk], unit, name) for pk, unit, name in Member.objects.values_list("pk", "home_unit__code", "masked_name")),
        sorted((named[pk], balance, earned) for pk, balance, earned in Account.objects.values_list("member_id", "balance", "earned_total")),
        Identifier.objects.count(), MemberChange.objects.count(), Lot.objects.count(), Entry.objects.count(),
        MemberImport.objects.get().counts,
    )  # fmt: skip


def command(path: Path) -> subprocess.Popen[str]:
    """The command as a process of its own, with blocks of two hundred rows."""
    code = (
        "import django; django.setup()\n"
        "from apps.members.importing import staging, taking\nfrom django.core.management import call_command\n"
        "staging.BLOCK = taking.CHUNK = 200\n"
        f"call_command('import_members', {str(path)!r}, '--program', 'east')\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, env=environment(), stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def whole(path: Path) -> Any:
    """What it comes to without any interruption."""
    with databases.scratch("whole"):
        brought(make_group(), path)
        services.run(MemberImport.objects.get().pk, clock=lambda: WHEN)
        services.start(None, MemberImport.objects.get().pk, when=WHEN)
        services.run(MemberImport.objects.get().pk, clock=lambda: WHEN)
        return tables()


def brought(group: CoffeeGroup, path: Path) -> MemberImport:
    with path.open("rb") as content:
        job = services.bring(None, content, path.name, group.east, when=WHEN)
    return services.map_columns(None, job.pk, ColumnMapping.model_validate(job.mapping), when=WHEN)


def test_a_file_whose_worker_is_killed_goes_on_to_the_same_tables(committed: str, tmp_path: Path) -> None:
    path = long_file(tmp_path)
    expected = whole(path)
    make_group()
    said = ""
    for reached in ({"rows_read__gte": 400}, {"rows_done__gte": 400}, {"rows_done__gte": 1_600}):
        process = command(path)
        until(MemberImport.objects.filter(**reached).exists)
        process.kill()
        said += process.communicate()[1]
    last = command(path)
    said += last.communicate()[1]
    assert last.returncode == 1, said  # one row stands twice
    assert "Going on after" in said
    assert tables() == expected
    assert expected[-1] == {"new": ROWS, "question": 1}
    assert differences() == []


def test_two_workers_make_no_more_of_a_file_than_one(
    committed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = long_file(tmp_path)
    expected = whole(path)
    monkeypatch.setattr(staging, "BLOCK", 200)
    monkeypatch.setattr(taking, "CHUNK", 200)
    job = brought(make_group(), path)

    def work(_number: int) -> None:
        services.run(job.pk, clock=lambda: WHEN)
        connection.close()

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(work, range(2)))
        job.refresh_from_db()
        assert job.state == MemberImport.State.CHECKED
        services.start(None, job.pk, when=WHEN)
        list(workers.map(work, range(2)))
    assert tables() == expected
    assert differences() == []
