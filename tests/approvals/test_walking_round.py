"""Promise S4: approvals cannot be walked round. Each test is one way that somebody might try; the last ones go round the
services, straight at the tables."""

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from apps.approvals.errors import (
    DecidedAlready,
    EffectChanged,
    MovedElsewhere,
    NotAsked,
    NotToThem,
    OwnDelegate,
    OwnRequest,
    RequestKeyReused,
    RequestOver,
    StandsInOnly,
)
from apps.approvals.models import ApprovalRequest, ApprovalTask, Decision, PolicyVersion, RequestNote
from apps.approvals.services.asking import add_approver, delegate, end_delegation, transfer
from apps.approvals.services.deciding import decide, withdraw
from apps.approvals.services.sending import send_again
from apps.approvals.services.waiting import escalate_due
from apps.core.errors import LoyaltyError, NotAllowed
from apps.orgs import gate
from apps.orgs.errors import BeyondReach
from apps.orgs.gate import Approval, ApprovalNeeded, NotWhatWasApproved
from apps.orgs.models import OrgUnit
from apps.orgs.services import revoke_role, set_staff_active
from tests.approvals.conftest import BANDS, Desk, Gauge, level_of, person, raise_gauge, role, step
from tests.factories import make_cast, make_group, make_staff
from tests.processes import environment

TWO = {
    "bands": [{"name": "two", "when": {"all": []}, "steps": [step(role("regional_manager")), step(role("finance"))]}]
}


class _OtherShape(Gauge):
    colour: str


def stand_in(desk: Desk, name: str, other: str) -> None:
    who = desk.cast[name]
    delegate(
        who, who, desk.cast[other], starts_at=desk.when, ends_at=desk.when + timedelta(days=7), when=desk.when
    )  # fmt: skip


@pytest.mark.django_db
class TestThroughTheServices:
    def test_not_as_somebodys_delegate_for_what_one_asked_oneself(self, desk: Desk) -> None:
        desk.policy(TWO)
        request = desk.ask(5, by="service")
        stand_in(desk, "regional_manager", "service")
        with pytest.raises(OwnRequest):
            desk.decide("service", request)

    def test_not_through_a_delegate_of_the_requester(self, desk: Desk) -> None:
        desk.policy(TWO)
        desk.grant(desk.cast.service, "regional_manager", "EAST-N")
        request = desk.ask(5, by="service")
        stand_in(desk, "service", "marketing")
        with pytest.raises(NotAsked):
            desk.decide("marketing", request)

    def test_nobody_stands_in_for_themselves(self, desk: Desk) -> None:
        with pytest.raises(OwnDelegate):
            stand_in(desk, "finance", "finance")

    def test_not_twice_once_in_ones_own_name_and_once_in_anothers(self, desk: Desk) -> None:
        desk.policy(TWO)
        stand_in(desk, "finance", "regional_manager")
        request = desk.ask(5)
        desk.decide("regional_manager", request)
        with pytest.raises(DecidedAlready):
            desk.decide("regional_manager", request)
        desk.decide("finance", request)
        assert desk.level() == 5

    def test_a_delegate_decides_once_and_then_the_absent_person_does_not(self, desk: Desk) -> None:
        desk.policy({"bands": [{"name": "all", "when": {"all": []}, "steps": [step(role("finance", "all"))]}]})
        second = make_staff(desk.group.units["EAST"], ["finance"])
        stand_in(desk, "finance", "marketing")
        request = desk.ask(5)
        desk.decide("marketing", request)
        assert Decision.objects.get().hat == desk.cast.finance
        with pytest.raises(DecidedAlready):
            desk.decide("finance", request)
        desk.decide(second, request)
        assert desk.level() == 5

    def test_a_delegation_that_ended_is_worth_nothing(self, desk: Desk) -> None:
        desk.policy(TWO)
        request = desk.ask(5)
        stand_in(desk, "regional_manager", "marketing")
        end_delegation(desk.cast["regional_manager"], desk.cast.regional_manager.delegations.get(), when=desk.when)
        with pytest.raises(NotAsked):
            desk.decide("marketing", request)

    def test_delegations_do_not_pass_on(self, desk: Desk) -> None:
        desk.policy(TWO)
        stand_in(desk, "regional_manager", "marketing")
        stand_in(desk, "marketing", "auditor")
        with pytest.raises(NotAsked):
            desk.decide("auditor", desk.ask(5))

    def test_a_deputy_hands_nothing_on(self, desk: Desk) -> None:
        """Else one person with two hats would fill both seats: their own, and another's with whom they like."""
        desk.policy({"bands": [{"name": "two", "when": {"all": []}, "steps": [step(role("finance", 2))]}]})
        second = make_staff(desk.group.units["EAST"], ["finance"])
        stand_in(desk, "finance", "marketing")
        request = desk.ask(5)
        with pytest.raises(StandsInOnly):
            transfer(desk.cast["marketing"], request.pk, desk.cast["auditor"], when=desk.when)
        assert set(request.tasks.values_list("person", flat=True)) == {desk.cast.finance.pk, second.pk}

    def test_not_out_of_turn(self, desk: Desk) -> None:
        desk.policy(TWO)
        with pytest.raises(NotAsked):
            desk.decide("finance", desk.ask(5))

    def test_not_by_somebody_of_the_same_role_elsewhere(self, desk: Desk) -> None:
        desk.policy(TWO)
        with pytest.raises(NotAsked):
            desk.decide("outsider", desk.ask(5))

    def test_not_after_the_role_is_gone_or_the_person(self, desk: Desk) -> None:
        desk.policy(TWO)
        request = desk.ask(5)
        revoke_role(None, desk.cast.regional_manager, "regional_manager", desk.group["EAST-N"])
        with pytest.raises(NotAsked):
            desk.decide("regional_manager", request)
        desk.grant(desk.cast.regional_manager, "regional_manager", "EAST-N")
        set_staff_active(desk.cast.regional_manager, False)
        with pytest.raises(NotAsked):
            desk.decide("regional_manager", request)

    def test_not_on_what_was_seen_before_it_changed(self, desk: Desk) -> None:
        desk.policy(TWO)
        request = desk.ask(5)
        OrgUnit.objects.filter(code="EAST-N").update(name="EAST-N 7")
        with pytest.raises(EffectChanged):
            desk.decide("regional_manager", request, seen=request.asked_seal)

    def test_a_yes_without_having_seen_anything_is_none(self, desk: Desk) -> None:
        desk.policy(TWO)
        with pytest.raises(EffectChanged):
            desk.decide("regional_manager", desk.ask(5), seen=None)

    def test_a_new_policy_does_not_shorten_the_road_of_what_waits(self, desk: Desk) -> None:
        desk.policy(TWO)
        request = desk.ask(5)
        desk.policy({"bands": [], "otherwise": "at_once"})
        desk.decide("regional_manager", request)
        assert (ApprovalRequest.objects.get(pk=request.pk).state, desk.level()) == ("open", 0)

    def test_an_approval_is_for_one_thing_alone(self, desk: Desk) -> None:
        desk.policy(BANDS)
        small, large = Gauge(unit="EAST-N", size=1), Gauge(unit="EAST-N", size=9000)
        approval = Approval(1, small, desk.cast.service, "because")
        with pytest.raises(NotWhatWasApproved):
            raise_gauge(desk.cast.service, large, desk.when, approval)

    def test_not_in_parts_by_two_people(self, desk: Desk) -> None:
        desk.policy(BANDS)
        desk.grant(desk.cast.marketing, "service", "EAST")
        assert desk.ask(900, by="service").state == "done"
        assert desk.ask(900, by="marketing").state == "open"

    def test_not_by_the_verb_while_a_request_waits(self, desk: Desk) -> None:
        desk.policy(BANDS)
        desk.ask(900)
        with pytest.raises(ApprovalNeeded):
            raise_gauge(desk.cast["service"], Gauge(unit="EAST-N", size=900), desk.when)

    def test_not_under_the_key_of_another_request(self, desk: Desk) -> None:
        desk.policy(BANDS)
        desk.ask(1, key="same")
        with pytest.raises(RequestKeyReused):
            desk.ask(6000, key="same")

    def test_not_after_it_was_withdrawn_rejected_or_returned(self, desk: Desk) -> None:
        desk.policy(TWO)
        for number, end in enumerate(("withdrawn", "rejected", "returned")):
            request = desk.ask(5, name=f"n{number}")
            if end == "withdrawn":
                withdraw(desk.cast["service"], request.pk, when=desk.when)
            else:
                desk.decide("regional_manager", request, end)
            with pytest.raises(RequestOver):
                desk.decide("finance", request)
        assert desk.level() == 0

    def test_nobody_is_named_to_whom_it_belongs_or_who_decided(self, desk: Desk) -> None:
        desk.policy(TWO)
        request = desk.ask(5)
        for who in ("service", "regional_manager"):
            with pytest.raises(NotToThem):
                transfer(desk.cast["regional_manager"], request.pk, desk.cast[who], when=desk.when)
        with pytest.raises(NotAsked):
            add_approver(desk.cast["marketing"], request.pk, desk.cast["auditor"], when=desk.when)
        with pytest.raises(OwnRequest):
            transfer(desk.cast["service"], request.pk, desk.cast["auditor"], when=desk.when)

    def test_who_may_not_do_it_may_not_ask_for_it(self, desk: Desk) -> None:
        with pytest.raises(NotAllowed):
            desk.ask(5, by="shop")

    def test_a_name_in_the_policy_is_no_way_to_oneself(self, desk: Desk) -> None:
        desk.policy({"bands": [{"name": "me", "when": {"all": []}, "steps": [step(person("service"))]}]})
        request = desk.ask(5)
        assert request.path.get().lacks_people
        with pytest.raises(OwnRequest):
            desk.decide("service", request)

    def test_a_look_at_one_round_is_no_yes_to_the_next(self, desk: Desk) -> None:
        desk.policy(TWO)
        request = desk.ask(5, name="mine")
        stale = request.asked_seal
        desk.decide("regional_manager", request, "returned")
        other = Gauge(unit="EAST-N", size=5, name="another, with the same figures")
        again = send_again(desk.cast["service"], request.pk, other, reason="x", when=desk.when)
        assert again.asked_hash == request.asked_hash
        with pytest.raises(EffectChanged):
            desk.decide("regional_manager", again, seen=stale)

    def test_not_through_a_deputy_whom_somebody_below_the_absent_person_names(self, desk: Desk) -> None:
        desk.policy(TWO)
        vice, admin = make_staff(desk.group.units["EAST"], []), make_staff(desk.group.units["EAST"], ["administrator"])
        desk.grant(vice, "regional_manager", "G")
        with pytest.raises(BeyondReach):
            delegate(
                admin, vice, desk.cast["marketing"], starts_at=desk.when, ends_at=desk.when + timedelta(days=1),
                when=desk.when,
            )  # fmt: skip
        assert not vice.delegations.exists()

    def test_not_once_the_requester_has_lost_the_right(self, desk: Desk) -> None:
        desk.policy({"bands": [{"name": "a", "when": {"all": []}, "steps": [step(role("regional_manager"))]}]})
        request = desk.ask(5)
        revoke_role(None, desk.cast.service, "service", desk.group["EAST"])
        asked = desk.decide("regional_manager", request)
        assert (asked.state, asked.refusal["code"], desk.level()) == ("open", "requester_may_not", 0)
        assert not Decision.objects.exists()
        desk.grant(desk.cast.service, "service", "EAST")
        desk.decide("regional_manager", request)
        assert desk.level() == 5

    def test_not_by_whom_its_new_place_never_asked(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.policy({"bands": [{"name": "a", "when": {"all": []}, "steps": [step(role("regional_manager"))]}]})
        request = desk.ask(5, unit="EAST-N")
        monkeypatch.setattr(Gauge, "place", lambda self: desk.group["EAST-S"])
        with pytest.raises(MovedElsewhere):
            desk.decide("regional_manager", request)
        desk.grant(desk.cast.regional_manager, "regional_manager", "EAST-S")
        desk.decide("regional_manager", request)
        assert desk.level() == 5

    def test_an_escalation_never_reaches_whoever_asked(self, desk: Desk) -> None:
        desk.policy({
            "bands": [{"name": "a", "when": {"all": []}, "steps": [
                step(role("regional_manager"), hours=1, escalate=[{"kind": "role", "role": "service"}, {"kind": "person", "person": "service"}])
            ]}]
        })  # fmt: skip
        request = desk.ask(5)
        assert escalate_due(desk.when + timedelta(days=3)) == 1
        assert not request.tasks.filter(person=desk.cast.service).exists()
        with pytest.raises(OwnRequest):
            desk.decide("service", request)

    def test_what_is_too_long_is_cut_and_breaks_nothing(self, desk: Desk) -> None:
        desk.policy(TWO)
        request = desk.ask(5, reason="x\0" * 3000)
        desk.decide("regional_manager", request, "rejected", comment="\0" + "y" * 3000)
        request.refresh_from_db()
        assert (request.state, len(request.reason), len(Decision.objects.get().comment)) == ("rejected", 1000, 1000)

    def test_a_subject_that_cannot_be_read_any_more_closes_its_request(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk.policy(TWO)
        request = desk.ask(5)
        monkeypatch.setattr(gate, "_kinds", {Gauge.code: _OtherShape})
        closed = decide(desk.cast["regional_manager"], request.pk, "approved", seen="x", when=desk.when)
        assert (closed.state, closed.refusal["code"]) == ("closed", "subject_gone")


def refused(sql: str, *values: Any) -> bool:
    """Whether the database refuses the statement, whoever sends it."""
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute(sql, values)
        except IntegrityError:
            return True
        except Exception as error:  # the application's role holds no right to
            return "permission denied" in str(error)
    return False


@pytest.mark.django_db
class TestAtTheTables:
    def test_a_request_is_not_called_done_without_its_decisions(self, desk: Desk) -> None:
        desk.policy(TWO)
        request = desk.ask(5)
        done = "UPDATE approvals_approvalrequest SET state = 'done', closed_at = now() WHERE id = %s"
        assert refused(done, request.pk)
        desk.decide("regional_manager", request)
        assert refused(done, request.pk)

    @pytest.mark.parametrize(
        "column", ["subject = '{}'", "reason = 'x'", "needed = 0", "requester_id = NULL", "round = 5"]
    )
    def test_what_was_asked_stays_as_it_was_sent(self, desk: Desk, column: str) -> None:
        desk.policy(TWO)
        assert refused(f"UPDATE approvals_approvalrequest SET {column} WHERE id = %s", desk.ask(5).pk)

    def test_what_is_over_stays_over(self, desk: Desk) -> None:
        request = desk.ask(5)
        reopen = "UPDATE approvals_approvalrequest SET state = 'open', step = 1, closed_at = NULL WHERE id = %s"
        assert refused(reopen, request.pk)

    @pytest.mark.parametrize("table", ["decision", "requestnote", "evidence"])
    def test_the_story_is_never_rewritten(self, desk: Desk, table: str) -> None:
        desk.policy(TWO)
        desk.decide("regional_manager", desk.ask(5))
        assert Decision.objects.exists()
        assert RequestNote.objects.exists()
        for statement in ("DELETE FROM {}", "UPDATE {} SET request_id = request_id"):
            assert refused(statement.format(f"approvals_{table}"))

    def test_no_decision_of_the_requester_of_the_unasked_or_twice(self, desk: Desk) -> None:
        desk.policy(TWO)
        request = desk.ask(5)
        first, second = request.path.order_by("number")
        stand_in(desk, "regional_manager", "service")
        stand_in(desk, "finance", "regional_manager")

        def put(number: Any, who: str, hat: str = "") -> bool:
            return refused(
                "INSERT INTO approvals_decision (request_id, round, step_id, person_id, hat_id, verdict, comment, saw,"
                " saw_hash, has_changed, decided_at) VALUES (%s, 1, %s, %s, %s, 'approved', '', '[]', '', false, %s)",
                request.pk, number.pk, desk.cast[who].pk, desk.cast[hat or who].pk, desk.when,
            )  # fmt: skip

        assert put(first, "marketing", "regional_manager")
        assert put(first, "service")
        assert put(first, "service", "regional_manager")
        assert put(first, "finance")
        assert put(second, "finance")
        desk.decide("regional_manager", request)
        assert put(second, "regional_manager", "finance")
        assert put(first, "regional_manager")
        assert not put(second, "finance")

    def test_a_published_policy_does_not_change_and_does_not_go(self, desk: Desk) -> None:
        version = desk.policy(TWO)
        assert refused("UPDATE approvals_policyversion SET definition = '{}' WHERE id = %s", version.pk)
        assert refused("DELETE FROM approvals_policyversion WHERE id = %s", version.pk)
        assert PolicyVersion.objects.filter(pk=version.pk, state="published").exists()


# -- At once, with real connections -----------------------------------------------------------------------------------


@pytest.fixture
def open_desk(committed: str) -> Desk:
    group = make_group()
    return Desk(group, make_cast(group))


def at_once(*works: Callable[[], Any]) -> list[str]:
    """What each of `works` came to, run at the same time: `done`, or the code of its refusal."""

    def run(work: Callable[[], Any]) -> str:
        try:
            work()
        except LoyaltyError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.faults
class TestAtOnce:
    def test_two_approvers_of_one_step_carry_it_out_once(self, open_desk: Desk) -> None:
        desk = open_desk
        desk.policy({"bands": [{"name": "a", "when": {"all": []}, "steps": [step(role("regional_manager"))]}]})
        second = make_staff(desk.group.units["EAST-N"], ["regional_manager"])
        for _ in range(5):
            before = desk.level()
            request = desk.ask(5)
            yes = partial(decide, verdict="approved", seen=request.asked_seal, when=desk.when, request_id=request.pk)
            said = at_once(*(partial(yes, who) for who in (desk.cast["regional_manager"], second)))
            assert sorted(said) == ["done", "request_over"]
            assert desk.level() == before + 5

    def test_a_yes_and_a_withdrawal_leave_one_of_both(self, open_desk: Desk) -> None:
        desk = open_desk
        desk.policy({"bands": [{"name": "a", "when": {"all": []}, "steps": [step(role("regional_manager"))]}]})
        for _ in range(5):
            before = desk.level()
            request = desk.ask(5)
            said = at_once(
                partial(desk.decide, "regional_manager", request),
                partial(withdraw, desk.cast["service"], request.pk, when=desk.when),
            )
            assert sorted(said) == ["done", "request_over"]
            is_done = ApprovalRequest.objects.get(pk=request.pk).state == "done"
            assert desk.level() - before == (5 if is_done else 0)

    def test_sending_while_the_policy_changes_takes_the_one_road_or_the_other(self, open_desk: Desk) -> None:
        desk = open_desk
        for number in range(5):
            desk.policy({"bands": [], "otherwise": "at_once"})
            before, sent = desk.level(), []
            at_once(lambda: desk.policy(TWO), lambda: sent.append(desk.ask(5, name=f"n{number}")))  # noqa: B023
            state = ApprovalRequest.objects.get(pk=sent[0].pk)
            assert (state.state, desk.level() - before, state.needed) in [("done", 5, 0), ("open", 0, 2)]

    def test_a_yes_while_the_policy_changes_counts_on_the_road_that_was_sent(self, open_desk: Desk) -> None:
        desk = open_desk
        for number in range(5):
            desk.policy(TWO)
            before, request = desk.level(), desk.ask(5, name=f"n{number}")
            free = {"bands": [], "otherwise": "at_once"}
            said = at_once(lambda: desk.policy(free), lambda: desk.decide("regional_manager", request))  # noqa: B023
            request.refresh_from_db()
            assert (said, request.state, request.step, desk.level()) == (["done", "done"], "open", 2, before)

    def test_parts_sent_at_once_are_counted_together(self, open_desk: Desk) -> None:
        desk = open_desk
        desk.policy(BANDS)
        for number in range(5):
            at_once(*(lambda: desk.ask(900, name=f"n{number}") for _ in range(3)))  # noqa: B023
            states = ApprovalRequest.objects.filter(about=f"gauge:EAST-N:n{number}").values_list("state", flat=True)
            assert sorted(states) == ["done", "open", "open"]

    @pytest.mark.parametrize("moment", ["before_commit", "after_commit"])
    def test_a_kill_between_the_decision_and_its_effect_leaves_both_or_neither(
        self, open_desk: Desk, moment: str
    ) -> None:
        desk = open_desk
        desk.policy({"bands": [{"name": "a", "when": {"all": []}, "steps": [step(role("regional_manager"))]}]})
        request = desk.ask(5)
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(request.pk), moment], cwd=settings.BASE_DIR,
            env=environment(DJANGO_SETTINGS_MODULE="config.settings.test", PYTHONPATH=str(settings.BASE_DIR)),
            check=False,
        )  # fmt: skip
        assert killed.returncode == -signal.SIGKILL
        is_done = ApprovalRequest.objects.get(pk=request.pk).state == "done"
        assert is_done == (moment == "after_commit")
        assert Decision.objects.filter(request=request).exists() == is_done
        assert level_of(OrgUnit.objects.get(code="EAST-N")) == (5 if is_done else 0)
        assert ApprovalTask.objects.filter(request=request, is_open=True).exists() != is_done


KILLED = """
import os, signal, sys
import django
django.setup()
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import steps
from apps.approvals.services.deciding import decide
from apps.orgs.models import Staff
from tests.approvals.conftest import WHEN, Gauge

request = ApprovalRequest.objects.get(pk=int(sys.argv[1]))
carry_out = Gauge.carry_out

def killed(self, approval, when):
    done = carry_out(self, approval, when)
    if sys.argv[2] == "before_commit":
        os.kill(os.getpid(), signal.SIGKILL)
    return done

Gauge.carry_out = killed
decide(Staff.objects.get(username="regional_manager"), request.pk, "approved", seen=request.asked_seal, when=WHEN)
os.kill(os.getpid(), signal.SIGKILL)
"""
