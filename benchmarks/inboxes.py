"""The inbox at 100,000 open requests: what its page asks of the database, against bare SQL for the same page."""

import re
import statistics
from pathlib import Path
from typing import Any

from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from apps.approvals.models import ApprovalRequest
from apps.orgs.models import Staff
from benchmarks import world as worlds
from benchmarks.measuring import PAIRS, Figure, agree
from benchmarks.pages import Page, open_page
from benchmarks.world import World, settle
from tests.factories import make_staff

SQL = Path(__file__).parent / "sql"
REGIONS = ("EAST-N", "EAST-S")
REQUESTERS = 20
PLACE = "EAST-N"
"""Where the reader manages; they stand in for whoever manages the other region."""


def inbox(quick: bool) -> list[Figure]:
    """A regional manager, who stands in for another one, opens the inbox: all that is open waits for them."""
    requests, turns = (2_000, 2) if quick else (100_000, 10 * PAIRS)
    address = reverse("admin:approvals_approvalrequest_inbox")
    with worlds.world("few", 400) as world:
        few = len(open_page(_browser(world, 100), address).asked)
    with worlds.world("many", 4_000) as world:
        visitor = _browser(world, requests)
        open_page(visitor, address)
        page, bare = open_page(visitor, address), Page(_by_hand(visitor, world))
        agree("inbox", _listed(visitor, address), _found(bare))
        seen = [(page.again(), bare.again()) for _ in range(turns)]
    ratio = statistics.median(mine / limit for mine, limit in seen)
    mine, limit = (1000 * statistics.median(side) for side in zip(*seen, strict=True))
    told = f"{mine:.2f} ms of the database, {limit:.2f} ms bare, {requests:,} open requests"
    return [
        Figure("inbox", ratio, 3, at_most=True, unit="×", seen=told),
        Figure("inbox: queries", len(page.asked), 12, at_most=True, unit=""),
        Figure("inbox: queries more than on few", len(page.asked) - few, 0, at_most=True, unit=""),
    ]


def _browser(world: World, requests: int) -> Client:
    """The manager of a region, signed in, and as many requests that wait as are over."""
    people = {
        place: make_staff(world.group[place], ["regional_manager"], username=f"manager {place}") for place in REGIONS
    }
    asks = [make_staff(world.group["EAST"], ["service"], username=f"service {n}").pk for n in range(REQUESTERS)]
    values = {
        "requests": requests,
        "kind": world.group.point_types["east"].pk,
        "asks": asks,
        "north": people["EAST-N"].pk,
        "south": people["EAST-S"].pk,
        "at": world.group["EAST-N"].path,
    }
    with connections["owner"].cursor() as cursor:
        cursor.execute((SQL / "requests.sql").read_text(encoding="utf-8"), values)
    settle()
    visitor = Client(SERVER_NAME="localhost")
    visitor.force_login(people[PLACE], backend="apps.orgs.auth.RoleBackend")
    return visitor


def _by_hand(visitor: Client, world: World) -> list[tuple[str, Any]]:
    """Who asks, and the page's rows with all that stands round them, as one would ask for them by hand."""
    reader = Staff.objects.get(username=f"manager {PLACE}")
    newest = ApprovalRequest.objects.filter(state="open").order_by("-pk")[:51]
    values = {
        "session": visitor.session.session_key,
        "person": reader.pk,
        "path": world.group[PLACE].path + "%",
        "members": [int(about.removeprefix("member:")) for about in newest.values_list("about", flat=True)],
    }
    text = "".join((SQL / f"{name}.sql").read_text(encoding="utf-8") for name in ("who", "inbox"))
    return [(statement, values) for statement in text.split(";\n") if statement.strip()]


def _listed(visitor: Client, address: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'data-id="(\d+)"', visitor.get(address).content.decode())]


def _found(bare: Page) -> list[int]:
    """The ids that the statement by hand finds: that of the page is the one before the last."""
    with connection.cursor() as cursor:
        cursor.execute(*bare.asked[-2])
        return [row[0] for row in cursor.fetchall()][:50]
