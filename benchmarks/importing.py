"""The import of the real CDNOW purchases, end to end: reading, enrolling, awarding."""

import time
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

from django.conf import settings
from django.db.models import Sum

from apps.activity.models import ImportJob
from apps.core.clock import now
from apps.points.models import Account
from apps.rules.importing import run_import, start_import
from apps.rules.models import Rule, RuleVersion
from benchmarks.measuring import CannotMeasure, Figure, agree
from tests import databases
from tests.factories import CoffeeGroup, make_group

FILE = Path("shared/data/cdnow_purchases.csv")
SOME = 2_000
START = datetime(1996, 1, 1, tzinfo=UTC)


def import_cdnow(quick: bool) -> list[Figure]:
    """All purchases under the rule "1 point per dollar, rounded down"."""
    found = next((above / FILE for above in settings.BASE_DIR.parents if (above / FILE).exists()), None)
    if found is None:
        raise CannotMeasure(f"It needs {FILE} in a folder above the project's.")
    with databases.scratch("cdnow"):
        lines = found.read_text(encoding="utf-8").splitlines(keepends=True)[: SOME + 1 if quick else None]
        file = Path(settings.DATA_DIR) / "cdnow_benchmark.csv"
        file.write_text("".join(lines), encoding="utf-8")
        group = make_group()
        one_point_per_dollar(group)
        started = time.perf_counter()
        job = start_import(None, file, group.east, preset="cdnow", enrols=True, when=now())
        job = run_import(job.pk, clock=now)
        seconds = time.perf_counter() - started
        file.unlink()
        agree(
            "import_cdnow", (job.state, job.events_new, points_in_all()), (ImportJob.State.DONE, *expected(lines[1:]))
        )
    seen = f"{len(lines) - 1:,} rows, {job.members_enrolled:,} members in {seconds:.1f} s"
    return [Figure("import_cdnow", (len(lines) - 1) / seconds, None, unit="rows/s", seen=seen)]


def one_point_per_dollar(group: CoffeeGroup) -> None:
    rule = Rule.objects.create(program=group.east, unit=group.units["EAST"], code="one", name="One", created_at=START)
    effect = {"effect": "points_per_amount", "point_type": "points", "points": "1", "per": "1.00", "rounding": "down"}
    RuleVersion.objects.create(
        rule=rule,
        number=1,
        state="published",
        definition={
            "condition": {"all": [{"field": "event.kind", "op": "eq", "value": "purchase"}]},
            "effects": [effect | {"lines": None}],
            "limits": [],
        },
        starts_at=START,
        created_at=START,
        published_at=START,
    )


def expected(lines: list[str]) -> tuple[int, int]:
    """How many purchases a file holds, and what they earn in all."""
    amounts = [Decimal(line.rpartition(",")[2].strip()) for line in lines]
    return len(amounts), sum(int(amount.to_integral_value(ROUND_FLOOR)) for amount in amounts)


def points_in_all() -> int:
    return Account.objects.aggregate(total=Sum("balance"))["total"] or 0
