"""Files of members while somebody does something else with the same members, on connections of their own."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from apps.approvals.services import policies
from apps.members import services as members
from apps.members.importing import services
from apps.members.importing.mapping import ColumnMapping
from apps.members.importing.models import MemberImport
from apps.members.merging.services import merge
from apps.members.models import Member
from apps.members.services.reading import value_of
from apps.orgs.gate import ApprovalNeeded, NotWhatWasApproved
from tests.approvals.conftest import role, step
from tests.factories import CoffeeGroup, make_cast, make_group
from tests.processes import until

pytestmark = pytest.mark.faults
WHEN = datetime(2026, 11, 30, 4, tzinfo=UTC)


def checked(group: CoffeeGroup, text: str, actor: Any = None) -> MemberImport:
    job = services.bring(actor, io.BytesIO(f"card,name,phone,store\n{text}".encode()), "old.csv", group.east, when=WHEN)
    services.map_columns(actor, job.pk, ColumnMapping.model_validate(job.mapping), when=WHEN)
    return services.check(job.pk, when=WHEN)


def waits() -> bool:
    """Whether some other connection waits for a lock. Within a transaction activity is read once, unless it is asked anew."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def meanwhile(first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """What `second` comes to, which began while `first` was not yet committed and had to wait for it."""

    def alone() -> Any:
        try:
            return second()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            begun = pool.submit(alone)
            until(waits)
        return begun.result(timeout=30)


def test_what_a_file_brings_goes_to_the_member_that_a_merge_just_leaves(committed: str) -> None:
    """The mistake: it is looked up who was merged before it is waited for who is just being merged."""
    group = make_group()
    kept, gone = (
        members.create_member(None, group["S001"], identifiers=[("card", card)], name="Wang", when=WHEN)
        for card in ("C1", "C2")
    )
    job = checked(group, "C2,Wang,13812345678,S001\n")
    services.start(None, job.pk, when=WHEN)
    meanwhile(
        lambda: merge(None, kept.pk, gone.pk, reason="one person", when=WHEN),
        lambda: services.run(job.pk, clock=lambda: WHEN),
    )
    assert {value_of(each) for each in kept.identifiers.all()} == {"C1", "C2", "13812345678"}
    assert not gone.identifiers.exists()


def test_who_has_just_begun_to_live_does_not_go_with_their_file(committed: str) -> None:
    """The mistake: it is asked who has a life since before it is waited for who is just getting one."""
    group = make_group()
    job = checked(group, "C1,Wang,13812345678,S001\n")
    services.start(None, job.pk, when=WHEN)
    services.run(job.pk, clock=lambda: WHEN)
    services.start_back(None, job.pk, reason="the wrong file", when=WHEN)
    member = Member.objects.get()
    job = meanwhile(
        lambda: members.change_member(None, member.pk, name="Wang Wei", when=WHEN),
        lambda: services.run(job.pk, clock=lambda: WHEN),
    )
    member.refresh_from_db()
    assert (member.state, member.identifiers.count(), job.totals["back"]["stayed"]) == ("active", 2, 1)


def test_a_decision_made_while_the_file_is_let_through_stops_it(committed: str) -> None:
    """The mistake: the gate lets a file through that brings nothing, and it is taken in with what was decided meanwhile."""
    group = make_group()
    actor = make_cast(group).integrator
    always = {"field": "request.new", "op": "ge", "value": 2}
    bands = [{"name": "Two", "when": always, "steps": [step(role("finance"))]}]
    says = {"bands": bands, "otherwise": "at_once"}
    draft = policies.create_policy(None, group["EAST"], "members.import", definition=says, when=WHEN)
    policies.publish_policy(None, draft, when=WHEN)
    job = checked(group, "C1,Wang,13812345678,S001\nC2,Li,13912345678,Nowhere\n", actor)
    with pytest.raises(NotWhatWasApproved):
        meanwhile(
            lambda: services.decide(actor, job.pk, "store_unknown", "Nowhere", "S001", when=WHEN),
            lambda: services.start(actor, job.pk, when=WHEN),
        )
    with pytest.raises(ApprovalNeeded):
        services.start(actor, job.pk, when=WHEN)
