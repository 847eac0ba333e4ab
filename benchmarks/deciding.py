"""Small requests decided on at once from the inbox: what each asks of the database, the first and the last of many."""

import time
from typing import Any

from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.approvals.services.policies import create_policy, publish_policy
from apps.approvals.services.sending import send
from apps.core.clock import now
from apps.members.models import Member
from apps.points.models import Posting
from apps.points.services.adjusting import Adjustment
from benchmarks import world as worlds
from benchmarks.measuring import Figure, agree
from benchmarks.pages import Page
from benchmarks.world import World
from tests.factories import make_staff

EACH = 42
POINTS = 150
MANAGER = {"parties": [{"who": {"kind": "role", "role": "regional_manager"}, "need": "any"}]}
ALL = {"bands": [{"name": "All", "when": {"all": []}, "steps": [MANAGER]}]}


def deciding(quick: bool) -> list[Figure]:
    """A regional manager approves requests of one kind, a page of the inbox at a time."""
    requests, at_once = (60, 30) if quick else (1_000, 100)
    with worlds.world("deciding", requests) as world:
        visitor, chosen = _asked(world, requests)
        began = time.perf_counter()
        pages = [chosen[first : first + at_once] for first in range(0, requests, at_once)]
        turns = [_approve(visitor, page) // at_once for page in pages]
        seconds = time.perf_counter() - began
        agree("deciding", Posting.objects.filter(kind="adjust", points=POINTS).count(), requests)
    told = f"{requests:,} requests in {seconds:.1f} s, {at_once} at once, the page included"
    return [
        Figure("deciding", turns[0], EACH, at_most=True, unit="statements", seen=told),
        Figure("deciding: the last against the first", turns[-1] - turns[0], 0, at_most=True, unit=""),
    ]


def _asked(world: World, requests: int) -> tuple[Client, list[str]]:
    """The manager, signed in, and what the inbox offers them of each request."""
    unit, kind = world.group["EAST"], world.group.point_types["east"].pk
    publish_policy(None, create_policy(None, unit, Adjustment.code, definition=ALL, when=now()), when=now())
    service, manager = make_staff(unit, ["service"]), make_staff(unit, ["regional_manager"])
    chosen = []
    for number, member in enumerate(Member.objects.order_by("pk").values_list("pk", flat=True)[:requests]):
        subject: Any = Adjustment(member=member, point_type=kind, points=POINTS)
        request = send(service, subject, reason="A till was down", key=f"deciding:{number}", when=now())
        chosen.append(f"{request.pk}:{request.asked_seal}")
    visitor = Client(SERVER_NAME="localhost")
    visitor.force_login(manager, backend="apps.orgs.auth.RoleBackend")
    return visitor, chosen


def _approve(visitor: Client, chosen: list[str]) -> int:
    """How many statements it took."""
    page = Page()
    with connection.execute_wrapper(page.note):
        visitor.post(reverse("admin:approvals_approvalrequest_bulk"), {"chosen": chosen, "verdict": "approved"})
    return len(page.asked)
