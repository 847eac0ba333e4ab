"""Pages: what the member list, a member's page and the cost report ask of the database, against bare SQL for the same."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from apps.members.models import Member
from apps.orgs.models import OrgUnit, Staff
from apps.reports.cost import cost_report
from apps.reports.questions import read_question
from apps.reports.services import fold_facts
from benchmarks import world as worlds
from benchmarks.measuring import PAIRS, Figure, agree
from benchmarks.tills import raw_connection
from benchmarks.world import NOW, World, settle
from tests.factories import make_staff

SQL = Path(__file__).parent / "sql"
REGION = "EAST-N"


@dataclass
class Asked:
    """What one page asked: its statements and the seconds they took."""

    statements: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def note(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - started
            self.statements.append(sql)


@contextmanager
def listening() -> Iterator[Asked]:
    asked = Asked()
    with connection.execute_wrapper(asked.note):
        yield asked


def admin_list(quick: bool) -> list[Figure]:
    """A regional manager looks through the list and opens members' pages."""
    members, pairs = (2_000, 1) if quick else (1_000_000, 4 * PAIRS)
    with worlds.world("few", 400) as world:
        visitor = browser(world)
        few = {name: len(open_page(visitor, address).statements) for name, address in addresses().items()}
    figures: list[Figure] = []
    with worlds.world("many", members) as world:
        visitor = browser(world)
        path = world.group[REGION].path
        for name, address in addresses().items():
            seen = [(open_page(visitor, address), bare(name, path)) for _ in range(pairs + 1)][1:]
            ratio = statistics.median(asked.seconds / limit for asked, limit in seen)
            number = max(len(asked.statements) for asked, _ in seen)
            mine, limit = (
                1000 * statistics.median(side) for side in zip(*((a.seconds, b) for a, b in seen), strict=True)
            )
            told = f"{mine:.1f} ms of the database, {limit:.1f} ms bare, {members:,} members"
            figures += [
                Figure(f"admin_list: {name}", ratio, 3, at_most=True, unit="×", seen=told),
                Figure(f"admin_list: {name}, queries", number, 12, at_most=True, unit=""),
                Figure(f"admin_list: {name}, queries more than on few", number - few[name], 0, at_most=True, unit=""),
            ]
    return figures


def browser(world: World) -> Client:
    """The manager of a region, signed in."""
    person = make_staff(world.group[REGION], ["regional_manager"], username="manager")
    visitor = Client(SERVER_NAME="localhost")
    visitor.force_login(person, backend="apps.orgs.auth.RoleBackend")
    return visitor


def addresses() -> dict[str, str]:
    """The list, and the page of a member of the region who has shopped."""
    shopper = Member.objects.filter(home_unit__path__startswith=OrgUnit.objects.get(code=REGION).path).order_by("pk")
    first = shopper.values_list("pk", flat=True)[0]
    return {
        "list": reverse("admin:members_member_changelist"),
        "page": reverse("admin:members_member_change", args=[first]),
    }


def open_page(visitor: Client, address: str) -> Asked:
    with listening() as asked:
        answer = visitor.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return asked


def bare(page: str, path: str) -> float:
    """Seconds that the page's rows take when asked for by hand."""
    statements = [part for part in (SQL / f"{page}.sql").read_text(encoding="utf-8").split(";\n") if part.strip()]
    with raw_connection() as raw:
        first = raw.execute(
            "SELECT min(m.id) FROM members_member m JOIN orgs_orgunit u ON u.id = home_unit_id WHERE path LIKE %s",
            [path + "%"],
        ).fetchone()
        values: dict[str, Any] = {"path": path + "%", "member": first[0] if first else None, "ids": []}
        started = time.perf_counter()
        for statement in statements:
            rows = raw.execute(statement, values).fetchall()
            values["ids"] = values["ids"] or [row[0] for row in rows]
        return time.perf_counter() - started


def report(quick: bool) -> list[Figure]:
    """The cost report of a company over a year, from three years of daily facts."""
    days, pairs = (40, 1) if quick else (1_095, 4 * PAIRS)
    with worlds.world("report", 400) as world:
        fold_facts(NOW)
        gather_facts(world, days)
        reader = make_staff(world.group["EAST"], ["finance"], username="reader")
        seen = [(ask_cost(reader), ask_facts(world)) for _ in range(pairs + 1)][1:]
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM reports_dailyfact")
            (facts,) = cursor.fetchone()
    for (_, mine), (_, theirs) in seen:
        agree("report", mine, theirs)
    ratio = statistics.median(mine / limit for (mine, _), (limit, _) in seen)
    told = f"{1000 * statistics.median(mine for (mine, _), _ in seen):.1f} ms of the database, {facts:,} facts"
    return [Figure("report", ratio, 2, at_most=True, unit="×", seen=told)]


def gather_facts(world: World, days: int) -> None:
    with connections["owner"].cursor() as cursor:
        values = {"program": world.group.east.pk, "type": world.group.point_types["east"].pk, "days": days}
        cursor.execute((SQL / "facts.sql").read_text(encoding="utf-8"), values)
    settle()


ASKED = {"program": "east", "from": "2024-01", "to": "2024-12"}


def ask_cost(reader: Staff) -> tuple[float, tuple[int, int]]:
    """Seconds of the database, and the entries and the cost of all that was given."""
    question, choices = read_question(reader, ASKED)
    assert question is not None
    with listening() as asked:
        found = cost_report(reader, question, choices.units)
    return asked.seconds, (found.total.entries, found.total.cost_micros["given"])


def ask_facts(world: World) -> tuple[float, tuple[int, int]]:
    """The same by hand, from the facts."""
    values = {"program": world.group.east.pk, "path": world.group["EAST"].path}
    with raw_connection() as raw:
        raw.execute("SELECT 1")
        started = time.perf_counter()
        rows = raw.execute((SQL / "cost.sql").read_text(encoding="utf-8"), values).fetchall()
        seconds = time.perf_counter() - started
    given = sum(row[6] for row in rows if row[3] == "earn")
    return seconds, (int(sum(row[4] for row in rows)), int(given))
