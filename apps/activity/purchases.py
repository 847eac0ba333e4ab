"""Purchases read back as they were told, with their members: all of some days, or a sample where they are many."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import BooleanField, F, OuterRef, Q
from django.db.models.expressions import RawSQL

from apps.activity.incoming import IncomingEvent, IncomingLine
from apps.activity.models import Event, EventLine
from apps.core.timeouts import TookTooLong, given_up_after
from apps.members.facts import Birthday, MemberFacts
from apps.members.models import Member, MemberTag
from apps.orgs.models import Program

MOST = 5_000
"""Purchases read. A share of so many is known to between one and two in a hundred."""
SCANNED = 200_000
"""Rows looked through, nearly, in tables of any size."""
FEW = 1_000
"""A sample with fewer leads to another look, at the events of the units alone."""
LONGEST_STATEMENT = 0.3
"""Seconds; whoever is typing waits for three of them at most."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """`event` names no member; `member` is as conditions read them, without history."""

    event: IncomingEvent
    unit_id: int
    member: MemberFacts


def purchases_between(
    principal: Any, program: Program, units: Collection[int], first: date, last: date, *, members: bool, lines: bool
) -> list[Purchase] | None:
    """The purchases at `units` on the days from `first` to `last`, both included, that `principal` may see; the same
    sample each time where there are too many to read. None where it took too long.

    With `members`, only those of members whom `principal` may see, too; without, nobody is told. Without `lines`, the
    events have one line with the whole amount.
    """
    try:
        chosen = _sample(program, units, first, last)
        events = Event.objects.visible_to(principal).filter(_among("activity_event.id", chosen))
        if members:
            events = events.filter(member__in=Member.objects.visible_to(principal))
        with given_up_after(LONGEST_STATEMENT):
            known = events.order_by().annotate(**_MEMBER).values(*_TOLD, *_MEMBER) if members else events.values(*_TOLD)
            rows = list(known)
        told = _lines(chosen) if lines else {}
    except TookTooLong:
        return None
    return [_purchase(row, told.get(row["pk"]), _member(row) if members else NOBODY) for row in rows]


NOBODY = MemberFacts(0, "", date.min, {})
_TOLD = ("pk", "occurred_at", "day", "amount", "channel", "device", "attributes", "org_unit_id", "member_id")
_MEMBER = {
    "home_path": F("member__home_unit__path"),
    "joined_on": F("member__joined_on"),
    "their": F("member__attributes"),
    "birth_day": F("member__birth_day"),
    "birth_year": F("member__birth_year"),
    "was_brought": Q(member__brought_by__isnull=False),
    "tags": ArraySubquery(
        MemberTag.objects.filter(
            Q(until_on=None) | Q(until_on__gt=OuterRef("day")), member=OuterRef("member"), from_on__lte=OuterRef("day")
        ).values("tag")
    ),
}


def _sample(program: Program, units: Collection[int], first: date, last: date) -> list[int]:
    """The purchases by id. Raises TookTooLong."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [Event._meta.db_table])
        (rows,) = cursor.fetchone()
    asked = [program.pk, list(units), first, last]
    if rows <= SCANNED:
        return _ids("", asked)
    some = _ids("TABLESAMPLE SYSTEM (%s) REPEATABLE (0)", [100 * SCANNED / rows, *asked])
    if len(some) >= FEW:
        return some
    try:
        return _ids("", asked)
    except TookTooLong:
        return some


def _ids(sampled: str, parameters: list[Any]) -> list[int]:
    """Whole pages of the table are sampled; of what they hold, every n-th by a hash of its id, so that `MOST` remain."""
    with given_up_after(LONGEST_STATEMENT), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH found AS MATERIALIZED (
                SELECT id FROM activity_event {sampled}
                WHERE kind = 'purchase' AND program_id = %s AND org_unit_id = ANY(%s) AND day BETWEEN %s AND %s
            )
            SELECT id FROM found
            WHERE mod(hashint8(id)::bigint + 2147483648, ((SELECT count(*) FROM found) + {MOST - 1}) / {MOST}) = 0
            """,  # noqa: S608 -- of constants
            parameters,
        )
        return [pk for (pk,) in cursor]


def _among(column: str, chosen: list[int]) -> RawSQL:
    """As one array: the planner goes by its index, which it would not for a subquery."""
    return RawSQL(f"{column} = ANY(%s)", [chosen], output_field=BooleanField())  # noqa: S611 -- of constants


def _lines(chosen: list[int]) -> dict[int, list[IncomingLine]]:
    """Raises TookTooLong."""
    found: dict[int, list[IncomingLine]] = defaultdict(list)
    names = ("event_id", "line_no", "sku", "category", "quantity", "amount", "brand", "tax", "is_shipping")
    with given_up_after(LONGEST_STATEMENT):
        for event_id, *line in EventLine.objects.filter(_among("event_id", chosen)).order_by().values_list(*names):
            found[event_id].append(IncomingLine(*line))
    return found


def _member(row: Mapping[str, Any]) -> MemberFacts:
    birthday = Birthday(row["birth_day"], row["birth_year"], row["day"])
    return MemberFacts(
        row["member_id"], row["home_path"], row["joined_on"], row["their"], birthday=birthday, tags=tuple(row["tags"]),
        asked_on=row["day"], was_brought=row["was_brought"],
    )  # fmt: skip


def _purchase(row: Mapping[str, Any], lines: list[IncomingLine] | None, member: MemberFacts) -> Purchase:
    event = IncomingEvent(
        key="", kind=Event.Kind.PURCHASE, member_kind="", member_value="", occurred_at=row["occurred_at"],
        channel=row["channel"], device=row["device"], attributes=row["attributes"],
        lines=lines or [IncomingLine(1, "", "", Decimal(1), row["amount"] or Decimal(0))],
    )  # fmt: skip
    return Purchase(event, row["org_unit_id"], member)
