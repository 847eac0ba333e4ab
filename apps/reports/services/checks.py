"""Checks of the ledger: what they found is kept, for finance and auditors to read."""

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from apps.core.errors import NotAllowed
from apps.core.scope import reach_of
from apps.points.checking import Difference, differences, promises
from apps.points.models import Account, Entry, Hold, Lot, Posting
from apps.reports.models import DailyFact, LedgerCheck, LedgerDifference
from apps.rules.models import Counter, UnitCounter

PERMISSION = "reports.check_ledger"
UNIT_OF: dict[str, tuple[type, str]] = {
    "account": (Account, "member__home_unit"),
    "lot": (Lot, "org_unit"),
    "posting": (Posting, "org_unit"),
    "entry": (Entry, "org_unit"),
    "hold": (Hold, "org_unit"),
    "fact": (DailyFact, "org_unit"),
    "counter": (Counter, "member__home_unit"),
    "unitcounter": (UnitCounter, "unit"),
}
"""By the first word of a promise: the rows it is about, and where they live."""

KEPT = 1_000
"""Rows kept of one check: beyond that the ledger needs a person, who asks the command."""


def require_checking(actor: Any) -> None:
    """Raises NotAllowed unless `actor` may check the ledger; None is the studio itself."""
    if actor is not None and reach_of(actor, PERMISSION).is_empty:
        raise NotAllowed(permission=PERMISSION)


def check_ledger(actor: Any, when: datetime) -> int:
    """Holds every promise against the tables and keeps what differs; returns how many rows do. Raises NotAllowed."""
    require_checking(actor)
    started = time.perf_counter()
    found = differences()
    seconds = Decimal(f"{time.perf_counter() - started:.2f}")
    with transaction.atomic():
        check = LedgerCheck.objects.create(
            checked_at=when, checked_by=actor, seconds=seconds, promises=promises(), differences_found=len(found)
        )
        kept = found[:KEPT]
        units = _units(kept)
        LedgerDifference.objects.bulk_create(
            LedgerDifference(
                check_run=check,
                org_unit_id=units.get((_subject(each), each.row_id)),
                promise=each.check,
                row_id=each.row_id,
                stated=each.stated,
                found=each.found,
            )
            for each in kept
        )
    return len(found)


def _subject(difference: Difference) -> str:
    return difference.check.partition("_")[0]


def _units(found: Sequence[Difference]) -> dict[tuple[str, int], int]:
    """The unit of each row that differs, one statement a kind of row."""
    rows: dict[str, set[int]] = defaultdict(set)
    for each in found:
        rows[_subject(each)].add(each.row_id)
    units: dict[tuple[str, int], int] = {}
    for subject, ids in rows.items():
        model, unit = UNIT_OF[subject]
        pairs = model._default_manager.filter(pk__in=ids).values_list("pk", unit)  # type: ignore[attr-defined]
        units |= {(subject, pk): unit_id for pk, unit_id in pairs}
    return units
