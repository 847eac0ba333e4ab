"""Publishing while events pour in: each is judged by the version that was in force when it happened."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event as Signal
from typing import Any

import pytest
from django.db import connection, transaction

from apps.core.clock import now
from apps.rules import services
from apps.rules.models import Outcome, RuleVersion
from tests.factories import make_group
from tests.processes import until
from tests.rules.conftest import PER_YUAN, PURCHASE, Till, make_till, purchase

pytestmark = pytest.mark.faults

TILLS = 3
VERSIONS = 3


def rate(points: int) -> dict[str, Any]:
    return {"condition": PURCHASE, "effects": [PER_YUAN | {"points": str(points)}], "limits": []}


def pour(till: Till, member: str, stop: Signal) -> int:
    """Sends one purchase after the other, each at the time it happens, until told to stop; how many."""
    sent = 0
    try:
        while not stop.is_set():
            instant = now()
            till.send(purchase("10", member=member, occurred_at=instant), when=instant)
            sent += 1
    finally:
        connection.close()
    return sent


def test_no_event_is_judged_by_another_version_than_that_of_its_time(committed: str) -> None:
    group = make_group()
    till = make_till(group, TILLS)
    start = now() - timedelta(days=1)
    version = services.create_rule(
        None, group.east, group["EAST"], code="yuan", name="Yuan", definition=rate(1), when=start
    )
    services.publish_version(None, version, starts_at=start, when=start)
    stop = Signal()
    with ThreadPoolExecutor(TILLS) as pool:
        pouring = [pool.submit(pour, till, f"C{number}", stop) for number in range(1, TILLS + 1)]
        try:
            for points in range(2, VERSIONS + 1):
                version = services.start_draft(None, version, when=now())
                version = services.save_draft(None, version, rate(points), when=now())
                version = services.publish_version(None, version, when=now())
                assert version.starts_at is not None
                while now() < version.starts_at + timedelta(milliseconds=300):
                    time.sleep(0.05)
        finally:
            stop.set()
        sent = sum(each.result() for each in pouring)
    periods = {row.number: (row.starts_at, row.ends_at) for row in RuleVersion.objects.all()}
    used = set()
    for outcome in Outcome.objects.select_related("event"):
        (award,) = outcome.answer["awards"]
        starts_at, ends_at = periods[award["version"]]
        assert starts_at <= outcome.event.occurred_at
        assert ends_at is None or outcome.event.occurred_at < ends_at
        assert award["points"] == 10 * award["version"]
        used.add(award["version"])
    assert Outcome.objects.count() == sent
    assert used == set(range(1, VERSIONS + 1))


def test_two_who_publish_one_draft_publish_it_once(committed: str) -> None:
    from apps.rules.errors import NotADraft

    group = make_group()
    version = services.create_rule(
        None, group.east, group["EAST"], code="yuan", name="Yuan", definition=rate(1), when=now()
    )

    def publish(_number: int) -> bool:
        try:
            services.publish_version(None, version, when=now())
        except NotADraft:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(publish, range(4))) == 1
    assert RuleVersion.objects.get().state == "published"


def test_publishing_waits_for_who_holds_the_programme_without_holding_its_rule(committed: str) -> None:
    """Catches a publication that locks its rule before the programme, where an import locks them the other way round."""
    group = make_group()
    stacking = {"group": "weekend", "take": "best", "order": 1}
    draft = services.create_rule(
        None, group.east, group["EAST"], code="yuan", name="Yuan", definition=rate(1) | {"stacking": stacking}, when=now()
    )  # fmt: skip

    def publish() -> RuleVersion:
        try:
            return services.publish_version(None, draft, when=now())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            services.locked_program(group.east.pk)
            publishing = other.submit(publish)
            until(somebody_waits)
            services.save_draft(None, draft, rate(2) | {"stacking": stacking}, when=now())
        assert publishing.result().definition == RuleVersion.objects.get().definition
    assert RuleVersion.objects.get().definition["effects"][0]["points"] == "2"


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])
