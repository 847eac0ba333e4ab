"""Facts hold each entry exactly once, however commits interleave, folds race, and processes die."""

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.points.checking import differences
from apps.points.models import Entry
from apps.reports.models import DailyFact, Movement, Watermark
from apps.reports.services import fold_facts
from tests.factories import make_group
from tests.points.conftest import Purse, make_purse

pytestmark = pytest.mark.faults

WHEN = datetime(2026, 5, 4, 12, tzinfo=UTC)
keys = count(1)
FIGURES = ("entries", "points", "pending_points", "cost_micros")


@pytest.fixture
def purse(committed: str) -> Purse:
    return make_purse(make_group())


class Writer:
    """A connection that writes entries by hand, so that its transaction may stay open for as long as we like."""

    def __init__(self, purse: Purse) -> None:
        config = connections["default"].settings_dict
        self.link = psycopg.connect(
            host=config["HOST"] or None, port=config["PORT"] or None, user=config["USER"] or None,
            password=config["PASSWORD"] or None, dbname=config["NAME"],
        )  # fmt: skip
        self.purse = purse

    def write(self, key: str, day: date, kind: str, points: int) -> None:
        account, unit = self.purse.account_id, self.purse.group["S001"].pk
        member, program = self.purse.member.pk, self.purse.group.east.pk
        posting = self.link.execute(
            "INSERT INTO points_posting (key, account_id, member_id, org_unit_id, kind, points, pending_points, reason,"
            " day, posted_at) VALUES (%s, %s, %s, %s, %s, %s, 0, '', %s, %s) RETURNING id",
            [key, account, member, unit, kind, points, day, WHEN],
        ).fetchone()
        assert posting is not None
        self.link.execute(
            "INSERT INTO points_entry (posting_id, account_id, member_id, kind, points, pending_points, cost_micros,"
            " program_id, org_unit_id, day, posted_at) VALUES (%s, %s, %s, %s, %s, 0, %s, %s, %s, %s, %s)",
            [posting[0], account, member, kind, points, points * 10_000, program, unit, day, WHEN],
        )


def sums(rows: Any, *, entry: bool = False) -> Counter[tuple[Any, ...]]:
    """What `rows` add up to, by day, kind and figure."""
    found: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        for figure in FIGURES:
            found[row.day, row.kind, figure] += 1 if entry and figure == "entries" else getattr(row, figure)
    return found


def assert_facts_are_true() -> None:
    ledger = sums(Entry.objects.all(), entry=True)
    assert sums(Movement.objects.all()) == ledger
    assert [each for each in differences() if each.check.startswith("fact_")] == []


def folded_entries() -> int:
    return sum(DailyFact.objects.values_list("entries", flat=True))


def test_what_is_not_folded_yet_is_counted_all_the_same(purse: Purse) -> None:
    purse.give(100)
    assert folded_entries() == 0
    assert_facts_are_true()
    assert fold_facts(WHEN).entries == 1
    purse.redeem(30)
    assert folded_entries() == 1
    assert_facts_are_true()
    assert fold_facts(WHEN).entries == 1
    assert fold_facts(WHEN).entries == 0
    assert list(DailyFact.objects.order_by("points").values_list("kind", "entries", "points", "cost_micros")) == [
        ("redeem", 1, -30, -300_000),
        ("adjust", 1, 100, 1_000_000),
    ]
    assert_facts_are_true()


def test_an_entry_that_commits_late_is_met_by_a_later_fold(purse: Purse) -> None:
    late = Writer(purse)
    late.write("late", WHEN.date(), "earn", 7)
    purse.give(100)
    assert fold_facts(WHEN).entries == 1
    assert_facts_are_true()
    late.link.commit()
    assert_facts_are_true()
    assert fold_facts(WHEN).entries == 1
    late.link.close()
    assert_facts_are_true()


def test_eight_folds_at_once_fold_each_entry_once(purse: Purse) -> None:

    def fold(_: int) -> int:
        try:
            return sum(fold_facts(WHEN).entries for _ in range(5))
        finally:
            connection.close()

    def give(_: int) -> int:
        try:
            for _ in range(10):
                purse.give(1)
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        folds, gifts = pool.map(fold, range(8)), pool.map(give, range(2))
        list(gifts)
        total = sum(folds)
    assert total + fold_facts(WHEN).entries == folded_entries() == 20
    assert_facts_are_true()


def test_a_fold_leaves_alone_what_its_own_transaction_wrote(purse: Purse) -> None:
    with transaction.atomic():
        purse.give(100)
        assert fold_facts(WHEN).entries == 0
        purse.give(50)
        assert_facts_are_true()
    assert_facts_are_true()
    assert fold_facts(WHEN).entries == 2
    assert_facts_are_true()


KILLED = """
import os, signal, sys
import django
django.setup()
from django.db import connections, transaction
from apps.core.clock import now
from apps.reports.services import fold_facts
for alias in connections:
    connections[alias].settings_dict["NAME"] = sys.argv[1]
with transaction.atomic():
    assert fold_facts(now()).entries == 2
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_fold_that_is_killed_has_done_nothing(committed: str, purse: Purse) -> None:
    purse.give(100)
    purse.give(50)
    died = subprocess.run([sys.executable, "-c", KILLED, committed], capture_output=True, text=True, timeout=60)
    assert died.returncode == -9, died.stderr
    assert folded_entries() == 0
    assert fold_facts(WHEN).entries == 2
    assert_facts_are_true()


def test_facts_of_another_cluster_are_not_believed(purse: Purse) -> None:
    purse.give(100)
    fold_facts(WHEN)
    # As after a restore elsewhere: its transactions have higher numbers than any of ours.
    Watermark.objects.update(cluster=1, snapshot=f"{10**15}:{10**15}:")
    purse.give(50)
    assert_facts_are_true()
    folded = fold_facts(WHEN)
    assert (folded.entries, folded.is_rebuilt) == (2, True)
    assert_facts_are_true()


def test_a_rebuild_makes_wrong_facts_right(purse: Purse) -> None:
    purse.give(100)
    fold_facts(WHEN)
    DailyFact.objects.update(points=101)
    assert [(each.check, each.stated, each.found) for each in differences()] == [
        ("fact_points_are_sum_of_entries", 101, 100)
    ]
    assert fold_facts(WHEN, rebuild=True).entries == 1
    assert_facts_are_true()


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("write"), st.integers(0, 2), st.dates(date(2026, 1, 30), date(2026, 2, 2)),
            st.sampled_from(["earn", "redeem", "expire"]), st.integers(-9, 9),
        ),
        st.tuples(st.sampled_from(["commit", "rollback"]), st.integers(0, 2)),
        st.tuples(st.sampled_from(["fold", "rebuild"])),
    ),
    min_size=5,
    max_size=25,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_facts_and_the_unfolded_rest_are_always_the_ledger(purse: Purse, sequence: list[tuple[Any, ...]]) -> None:
    """The history of one example is the past of the next."""
    writers = [Writer(purse) for _ in range(3)]
    for step in sequence:
        if step[0] == "write":
            writers[step[1]].write(f"k{next(keys)}", *step[2:])
        elif step[0] in ("commit", "rollback"):
            getattr(writers[step[1]].link, step[0])()
        else:
            fold_facts(WHEN, rebuild=step[0] == "rebuild")
        assert sums(Movement.objects.all()) == sums(Entry.objects.all(), entry=True)
    for writer in writers:
        writer.link.close()
    fold_facts(WHEN)
    assert folded_entries() == Entry.objects.count()
    assert_facts_are_true()
