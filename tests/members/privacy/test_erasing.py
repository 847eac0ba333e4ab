"""Erasure with proof (P3): nothing of the person is left in tables or files, the books balance, and they do not come back."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.utils import DatabaseError

from apps.approvals.services.sending import send
from apps.core.errors import NotAllowed
from apps.core.models import PromisedTask
from apps.members import services
from apps.members.errors import NoSuchMember, ReasonMissing
from apps.members.importing import services as importing
from apps.members.importing.mapping import ColumnMapping
from apps.members.models import BlockedIdentifier, Erasure, Member, MemberChange, MemberImport
from apps.members.personal import Personal
from apps.members.privacy import holdings
from apps.members.privacy.blocks import lift_block
from apps.members.privacy.erasing import MemberErasure, erase
from apps.members.privacy.errors import ErasureHindered, IdentifierBlocked, MemberErased, NothingBlocked, PointsRemain
from apps.orgs.gate import ApprovalNeeded, SubjectGone
from apps.points.checking import differences
from apps.points.models import Account, Posting
from apps.points.services import adjust, hold
from apps.points.services.reversing import Reversal, ask_reversal, reverse
from tests.api.conftest import make_caller
from tests.approvals.conftest import Desk, role, step
from tests.factories import CoffeeGroup
from tests.members.conftest import PHONE, WHEN
from tests.members.privacy.planting import CANARY, Planted, plant
from tests.members.privacy.walking import traces_in_files, traces_in_tables

LATER = WHEN + timedelta(days=30)


@pytest.fixture
def planted(desk: Desk, tmp_path: Path, settings: Any, django_capture_on_commit_callbacks: Any) -> Planted:
    settings.MEDIA_ROOT = tmp_path
    with django_capture_on_commit_callbacks(execute=True):
        return plant(desk, tmp_path)


def test_nothing_of_an_erased_person_is_found_anywhere(
    planted: Planted, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    before = traces_in_tables(CANARY)
    tables = {each.partition(":")[0].partition(".")[0] for each in before}
    assert tables >= {
        "members_member", "members_identifier", "members_memberchange", "members_look", "members_memberrow",
        "members_rowidentifier", "activity_event", "activity_importrow", "points_posting", "points_hold",
        "points_adjustmentrow", "approvals_approvalrequest", "approvals_decision", "approvals_requestnote",
        "approvals_evidence", "rules_helddecision", "rules_outcome", "orgs_keptanswer",
    }  # fmt: skip
    assert len(traces_in_files(CANARY, tmp_path)) == 2
    actor = planted.desk.cast["service"]
    with django_capture_on_commit_callbacks(execute=True):
        erasure = erase(actor, planted.member.pk, why="asked", forfeits=True, when=LATER)
    assert traces_in_tables(CANARY) == []
    assert traces_in_files(CANARY, tmp_path) == []
    assert differences() == []
    assert [each for task in PromisedTask.objects.all() for each in task.args if not isinstance(each, int)] == []
    lines = {line.relation: (line.went, line.stayed) for line in erasure.lines.all()}
    assert lines["members_identifier"] == (4, 0)
    assert lines["members_member"] == (1, 1)
    assert lines["approvals_evidence"] == (1, 1)
    assert lines["activity_event"] == (2, 2)
    planted.uploaded.refresh_from_db()
    planted.waiting.refresh_from_db()
    assert (planted.uploaded.state, planted.waiting.state) == (MemberImport.State.CANCELLED, MemberImport.State.CHECKED)
    assert planted.waiting.counts == {"left": 1, "new": 1}


def test_a_table_that_is_left_out_is_found(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistake: a room forgets a table, another its door."""
    kept = [each for each in holdings.holdings() if each.relation != "activity_importrow"]
    monkeypatch.setattr(holdings, "holdings", lambda: kept)
    doors = [each for each in holdings.doors() if each.__module__ != "apps.points.held"]
    monkeypatch.setattr(holdings, "doors", lambda: doors)
    erase(None, planted.member.pk, why="asked", forfeits=True, when=LATER)
    assert {each.partition(":")[0].partition(".")[0] for each in traces_in_tables(CANARY)} == {
        "activity_importrow", "points_posting", "points_adjustmentrow",
    }  # fmt: skip


def by_hand(statement: str) -> None:
    """Runs it as the application might, with the door said to be open."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('studio.door', 'erasure', true)")
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE points_posting SET reason = '' WHERE member_id = {0}",
        "UPDATE members_look SET reason = '-' WHERE member_id = {0}",
        "UPDATE activity_event SET attributes = '{{}}' WHERE member_id = {0}",
        "SELECT members_blank({0}, '{{}}')",
        "SELECT points_blank({0}, '{{}}')",
        "SELECT activity_blank({0}, '{{}}')",
        "SELECT rules_blank({0})",
    ],
)
def test_the_doors_open_for_nothing_but_an_erasure(wang: Member, statement: str) -> None:
    """Not for a setting that anybody may make, and not without a certificate of the same transaction."""
    with pytest.raises(DatabaseError, match=r"permission denied|is not being erased"):
        by_hand(statement.format(wang.pk))


def test_a_file_that_was_sent_stays_as_it_is_for_whoever_says_there_is_a_door(planted: Planted) -> None:
    sent = "SELECT id FROM points_adjustmentbatch WHERE state = 'posted'"
    with pytest.raises(DatabaseError, match="batch that was sent"):
        by_hand(f"UPDATE points_adjustmentrow SET points = 9 WHERE batch_id IN ({sent})")


def test_every_model_that_stands_to_personal_data_has_a_holding() -> None:
    told = {each.model for each in holdings.holdings()}
    classified = [model for model in apps.get_models() if isinstance(getattr(model, "personal", None), Personal)]
    assert len(classified) > 25
    assert sorted(model._meta.label for model in classified if model not in told) == []
    silent = [each.relation for each in holdings.holdings() if each.erase is None and each.stays is None]
    assert silent == []


def test_what_remains_must_be_forfeited_and_the_books_say_so(desk: Desk, wang: Member) -> None:
    kind = desk.group.point_types["east"]
    adjust(None, wang.pk, kind.pk, 120, reason="gift", key="a", when=WHEN)
    actor = desk.cast["service"]
    with pytest.raises(PointsRemain) as refused:
        erase(actor, wang.pk, why="asked", when=LATER)
    assert refused.value.sentence() == (
        "This member still has 120 points. Let them be spent first, or say that they are forfeited."
    )
    wang.refresh_from_db()
    assert (wang.state, wang.identifiers.count(), Erasure.objects.count()) == ("active", 3, 0)
    erase(actor, wang.pk, why="asked", forfeits=True, when=LATER)
    last = Posting.objects.latest("pk")
    assert (last.kind, last.points, last.reason, last.actor) == (
        "adjust", -120, "Forfeited when the member was erased", actor,
    )  # fmt: skip
    assert Account.objects.get().balance == 0
    assert differences() == []


def test_what_is_under_way_stands_in_the_way(desk: Desk, wang: Member) -> None:
    kind = desk.group.point_types["east"]
    adjust(None, wang.pk, kind.pk, 120, reason="gift", key="a", when=WHEN)
    hold(None, Account.objects.get().pk, 20, key="till", unit=desk.group["S001"], when=WHEN)
    with pytest.raises(ErasureHindered, match=r"^20 points are held for a redemption"):
        erase(None, wang.pk, why="order", forfeits=True, when=WHEN)
    assert Member.objects.get(pk=wang.pk).state == "active"
    assert not BlockedIdentifier.objects.exists()


def test_a_policy_holds_it_and_the_last_yes_erases(desk: Desk, wang: Member) -> None:
    """The request that did it keeps no words either; it goes on naming the member by number."""
    bands = [{"name": "All", "when": {"all": []}, "steps": [step(role("regional_manager"))]}]
    desk.policy({"bands": bands, "otherwise": "at_once"}, "EAST", MemberErasure.code)
    with pytest.raises(ApprovalNeeded):
        erase(desk.cast["service"], wang.pk, why="asked", when=LATER)
    subject = MemberErasure(member=wang.pk, why="asked")
    request = send(desk.cast["service"], subject, reason="王小明本人来电要求", key="erase", when=desk.when)
    desk.decide("regional_manager", request, comment="王小明")
    request.refresh_from_db()
    assert (request.state, request.reason, request.decisions.get().comment) == ("done", "—", "—")
    assert request.subject == {"member": wang.pk, "why": "asked", "forfeits": False}
    assert str(Member.objects.get(pk=wang.pk)) == f"Erased member #{wang.pk}"


def test_who_was_erased_comes_back_by_no_door(desk: Desk, wang: Member) -> None:
    erase(None, wang.pk, why="asked", when=LATER)
    unit, told = desk.group["S001"], {"identifiers": [("phone", "138 1234 1234")], "when": LATER}
    other = services.create_member(None, unit, identifiers=[("card", "C2")], when=LATER)
    for door in (
        lambda: services.create_member(None, unit, **told),
        lambda: services.add_identifier(None, other.pk, "phone", PHONE, when=LATER),
    ):
        with pytest.raises(IdentifierBlocked):
            door()
    caller = make_caller(desk.group)
    answer = caller.post("members", {"identifiers": [{"kind": "phone", "value": PHONE}], "home_unit": "S001"})
    assert (answer.status_code, answer.told["code"]) == (409, "identifier_blocked")
    assert services.enrol_many([("phone", PHONE, unit.pk, LATER.date())], when=LATER) == 0
    job = importing.bring(
        None, io.BytesIO(f"card,phone\nC7,+86 {PHONE}\nC8,13900000000\n".encode()), "x.csv", desk.group.east, when=LATER
    )
    importing.map_columns(None, job.pk, ColumnMapping.model_validate(job.mapping), when=LATER)
    job = importing.check(job.pk, when=LATER)
    assert job.counts == {"refused": 1, "new": 1}
    assert job.staged.get(number=2).findings == {"erased": ""}
    assert Member.objects.filter(identifiers__isnull=False).count() == 1


def test_nothing_more_is_done_to_somebody_who_was_erased(desk: Desk, wang: Member) -> None:
    erase(None, wang.pk, why="retention", when=LATER)
    for verb in (
        lambda: services.change_member(None, wang.pk, name="王小明", when=LATER),
        lambda: services.reopen_member(None, wang.pk, reason="back", when=LATER),
        lambda: services.add_identifier(None, wang.pk, "card", "C9", when=LATER),
        lambda: erase(None, wang.pk, why="asked", when=LATER),
    ):
        with pytest.raises(MemberErased):
            verb()
    with pytest.raises(SubjectGone):
        adjust(None, wang.pk, desk.group.point_types["east"].pk, 5, reason="gift", key="a", when=LATER)
    history = [(each.reason, each.changes) for each in MemberChange.objects.filter(member=wang).order_by("pk")]
    assert history == [("", []), ("", [{"field": "state", "old": "active", "new": "removed"}])]


def test_only_who_may_erases_and_only_within_their_reach(desk: Desk, wang: Member) -> None:
    with pytest.raises(NotAllowed):
        erase(desk.cast["marketing"], wang.pk, why="asked", when=LATER)
    with pytest.raises(NoSuchMember):
        erase(desk.cast["outsider"], wang.pk, why="asked", when=LATER)
    assert Member.objects.get(pk=wang.pk).state == "active"


def test_what_was_forfeited_is_given_back_to_nobody(desk: Desk, group: CoffeeGroup, wang: Member) -> None:
    adjust(None, wang.pk, group.point_types["east"].pk, 120, reason="gift", key="a", when=WHEN)
    erase(None, wang.pk, why="asked", forfeits=True, when=LATER)
    forfeited = Posting.objects.get(member=wang, points=-120)
    with pytest.raises(MemberErased):
        reverse(None, forfeited.pk, reason="back", key="b", when=LATER)
    asked = Reversal(posting=forfeited.pk, points=-120)
    with pytest.raises(MemberErased):
        ask_reversal(desk.cast["service"], asked, reason="back", key="c", when=LATER)
    assert not Posting.objects.filter(reverses=forfeited).exists()


def test_a_block_is_lifted_for_a_reason_when_they_come_themselves(desk: Desk, wang: Member) -> None:
    erase(None, wang.pk, why="asked", when=LATER)
    actor = desk.cast["service"]
    with pytest.raises(ReasonMissing):
        lift_block(actor, "phone", PHONE, reason=" ", when=LATER)
    with pytest.raises(NothingBlocked):
        lift_block(actor, "phone", "13900000000", reason="came back", when=LATER)
    with pytest.raises(NotAllowed):
        lift_block(desk.cast["marketing"], "phone", PHONE, reason="came back", when=LATER)
    lifted = lift_block(actor, "phone", "+86 138 1234 1234", reason="came back", when=LATER)
    assert (lifted.actor, lifted.lifted_at, lifted.reason) == (actor, LATER, "came back")
    assert BlockedIdentifier.objects.filter(lifted_at=None).count() == 2
    again = services.create_member(None, desk.group["S001"], identifiers=[("phone", PHONE)], when=LATER)
    assert again.pk != wang.pk
    erase(None, again.pk, why="asked", when=LATER)
    assert BlockedIdentifier.objects.filter(lifted_at=None).count() == 3


def test_a_file_is_held_against_those_who_were_erased_in_one_pass(db: None) -> None:
    """Rows just written are unknown to the planner: row by row, thirty thousand of them took hours."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT proconfig FROM pg_proc WHERE proname = 'members_import_blocked'")
        (settings,) = cursor.fetchone()
    assert "enable_nestloop=off" in settings
