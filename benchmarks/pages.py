"""Pages: what the member list, a member's page and the cost report ask of the database, against bare SQL for the same."""

import statistics
import time
from collections.abc import Callable
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
class Page:
    """What a page asked of the database: its statements with their values."""

    asked: list[tuple[str, Any]] = field(default_factory=list)

    def note(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.asked.append((sql, params))
        return execute(sql, params, many, context)

    def again(self) -> float:
        """Seconds that the same statements take, one after the other and without the page around them."""
        with connection.cursor() as cursor:
            started = time.perf_counter()
            for sql, params in self.asked:
                cursor.execute(sql, params)
                cursor.fetchall()
            return time.perf_counter() - started


def open_page(visitor: Client, address: str) -> Page:
    page = Page()
    with connection.execute_wrapper(page.note):
        answer = visitor.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return page


MOST_QUERIES = {"list": 12, "page": 15}


def admin_list(quick: bool) -> list[Figure]:
    """A regional manager looks through the list and opens a member's page."""
    members, turns = (2_000, 2) if quick else (1_000_000, 10 * PAIRS)
    with worlds.world("few", 400) as world:
        visitor = browser(world)
        few = {name: len(open_page(visitor, address).asked) for name, address in addresses().items()}
    figures: list[Figure] = []
    with worlds.world("many", members) as world:
        visitor = browser(world)
        for name, address in addresses().items():
            page = open_page(visitor, address)
            page = open_page(visitor, address)
            bare = Page(by_hand(name, visitor, world))
            seen = [(page.again(), bare.again()) for _ in range(turns)]
            ratio = statistics.median(mine / limit for mine, limit in seen)
            mine, limit = (1000 * statistics.median(side) for side in zip(*seen, strict=True))
            told = f"{mine:.2f} ms of the database, {limit:.2f} ms bare, {members:,} members"
            more = len(page.asked) - few[name]
            figures += [
                Figure(f"admin_list: {name}", ratio, 3, at_most=True, unit="×", seen=told),
                Figure(f"admin_list: {name}, queries", len(page.asked), MOST_QUERIES[name], at_most=True, unit=""),
                Figure(f"admin_list: {name}, queries more than on few", more, 0, at_most=True, unit=""),
            ]
    return figures


def browser(world: World) -> Client:
    """The manager of a region, signed in."""
    person = make_staff(world.group[REGION], ["regional_manager"], username="manager")
    visitor = Client(SERVER_NAME="localhost")
    visitor.force_login(person, backend="apps.orgs.auth.RoleBackend")
    return visitor


def first_shopper() -> int:
    """A member of the region who has shopped."""
    region = Member.objects.filter(home_unit__path__startswith=OrgUnit.objects.get(code=REGION).path)
    return region.order_by("pk").values_list("pk", flat=True)[0]


def addresses() -> dict[str, str]:
    return {
        "list": reverse("admin:members_member_changelist"),
        "page": reverse("admin:members_member_change", args=[first_shopper()]),
    }


def by_hand(page: str, visitor: Client, world: World) -> list[tuple[str, Any]]:
    """Who asks, and the page's rows, as one would ask for them by hand."""
    path = world.group[REGION].path + "%"
    newest = Member.objects.filter(home_unit__path__startswith=path[:-1]).order_by("-pk")
    values = {
        "session": visitor.session.session_key,
        "person": Staff.objects.get(username="manager").pk,
        "path": path,
        "member": first_shopper(),
        "ids": list(newest.values_list("pk", flat=True)[:50]),
    }
    text = "".join((SQL / f"{name}.sql").read_text(encoding="utf-8") for name in ("who", page))
    return [(statement, values) for statement in text.split(";\n") if statement.strip()]


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
    page = Page()
    with connection.execute_wrapper(page.note):
        found = cost_report(reader, question, choices.units)
    return page.again(), (found.total.entries, found.total.cost_micros["given"])


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
