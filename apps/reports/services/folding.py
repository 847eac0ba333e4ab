"""Folding: each entry of the ledger is added to the daily facts exactly once.

An entry carries the transaction that wrote it, and the watermark is a snapshot: which transactions had ended. A fold
adds what ended since, so that an entry which is committed late is met by a later fold, and one that stays open for
long keeps nothing else waiting. Facts and watermark change in one transaction under the watermark's lock: two folds
at once work one after the other, and one that is killed has done nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from apps.core.transactions import in_transaction
from apps.reports.models import DailyFact, Watermark

NAME = "ledger"
NOTHING = "1:1:"
"""The snapshot in which no transaction has ended."""


@dataclass(frozen=True)
class Folded:
    """How many entries a fold added, and whether it made all facts again."""

    entries: int
    is_rebuilt: bool


@in_transaction
def fold_facts(when: datetime, *, rebuild: bool = False) -> Folded:
    """Folds what is new; everything again with `rebuild`, or where the facts came from another cluster."""
    cluster = _value("SELECT system_identifier FROM pg_control_system()")
    Watermark.objects.bulk_create([Watermark(name=NAME, snapshot=NOTHING, cluster=cluster)], ignore_conflicts=True)
    mark = Watermark.objects.select_for_update(no_key=True).get(name=NAME)
    is_rebuilt = rebuild or mark.cluster != cluster
    if is_rebuilt:
        DailyFact.objects.all().delete()
        mark.snapshot, mark.cluster = NOTHING, cluster
    # Asked under the lock: what it names as ended is visible to the next statement.
    ended = _value("SELECT reports_ended()::text")
    entries = _value("SELECT reports_fold(%s::pg_snapshot, %s::pg_snapshot)", mark.snapshot, ended)
    mark.snapshot, mark.folded_at = ended, when
    mark.save()
    return Folded(entries, is_rebuilt)


def _value(statement: str, *parameters: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]
