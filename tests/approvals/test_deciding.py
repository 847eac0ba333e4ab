"""A request's life: the road it takes, who decides, what they saw, and what is carried out in the end."""

import pytest

from apps.approvals.errors import DecidedAlready, EffectChanged, NotAsked, OwnRequest, RequestOver
from apps.approvals.models import ApprovalRequest, Decision
from apps.approvals.services.deciding import decide, withdraw
from apps.approvals.services.sending import send_again
from apps.orgs.gate import ApprovalNeeded
from apps.orgs.models import OrgUnit, Staff
from apps.orgs.services import revoke_role, set_staff_active
from tests.approvals.conftest import BANDS, Desk, Gauge, raise_gauge, role, step
from tests.factories import make_staff

pytestmark = pytest.mark.django_db


def state(request: ApprovalRequest) -> tuple[str, int]:
    found = ApprovalRequest.objects.get(pk=request.pk)
    return found.state, found.step


def test_without_a_policy_a_request_is_carried_out_at_once(desk: Desk) -> None:
    request = desk.ask(7000)
    assert (state(request), desk.level()) == (("done", 0), 7000)


def test_a_large_one_takes_three_people_and_is_carried_out_once(desk: Desk) -> None:
    desk.policy(BANDS)
    request = desk.ask(6000)
    assert state(request) == ("open", 1)
    desk.decide("regional_manager", request)
    desk.decide("finance", request)
    assert (state(request), desk.level()) == (("open", 3), 0)
    desk.decide("vice_president", request)
    assert (state(request), desk.level()) == (("done", 0), 6000)
    with pytest.raises(RequestOver):
        desk.decide("vice_president", request)
    assert desk.level() == 6000


def test_the_verb_itself_is_held_whatever_door_calls_it(desk: Desk) -> None:
    desk.policy(BANDS)
    with pytest.raises(ApprovalNeeded) as refused:
        raise_gauge(desk.cast["service"], Gauge(unit="EAST-N", size=6000), desk.when)
    assert "Regional manager (regional_manager)" in refused.value.sentence()
    assert desk.level() == 0
    assert raise_gauge(desk.cast["service"], Gauge(unit="EAST-N", size=10), desk.when) == 10
    assert ApprovalRequest.objects.get().state == "done"


def test_nobody_decides_on_their_own(desk: Desk) -> None:
    desk.policy({"bands": [{"name": "all", "when": {"all": []}, "steps": [step(role("regional_manager"))]}]})
    other = make_staff(desk.group.units["EAST-N"], ["regional_manager"])
    request = desk.ask(5, by="regional_manager")
    with pytest.raises(OwnRequest):
        desk.decide("regional_manager", request)
    desk.decide(other, request)
    assert desk.level() == 5


def test_nobody_decides_twice_under_two_hats(desk: Desk) -> None:
    desk.policy(BANDS)
    manager = desk.cast["regional_manager"]
    desk.grant(manager, "finance", "EAST-N")
    request = desk.ask(6000)
    desk.decide("regional_manager", request)
    with pytest.raises(DecidedAlready):
        desk.decide("regional_manager", request)
    desk.decide("finance", request)
    assert state(request) == ("open", 3)


def test_what_changed_meanwhile_is_shown_and_confirmed(desk: Desk) -> None:
    desk.policy(BANDS)
    request = desk.ask(6000)
    seen = request.asked_seal
    raise_gauge(desk.cast["service"], Gauge(unit="EAST-N", size=10, name="b"), desk.when)
    with pytest.raises(EffectChanged):
        decide(desk.cast["regional_manager"], request.pk, "approved", seen=seen, when=desk.when)
    assert not Decision.objects.exists()
    desk.decide("regional_manager", request)
    assert Decision.objects.get().has_changed


def test_what_is_refused_at_the_end_leaves_the_request_open_and_nothing_half_done(desk: Desk) -> None:
    desk.policy(BANDS)
    request = desk.ask(1200)
    OrgUnit.objects.filter(code="EAST-N").update(name="EAST-N 99999")
    desk.decide("regional_manager", request)
    request.refresh_from_db()
    assert (request.state, request.refusal["code"]) == ("open", "full")
    assert not Decision.objects.exists()
    OrgUnit.objects.filter(code="EAST-N").update(name="EAST-N 0")
    desk.decide("regional_manager", request)
    assert (state(request), desk.level()) == (("done", 0), 1200)


def test_what_it_is_about_is_gone(desk: Desk) -> None:
    desk.policy(BANDS)
    request = desk.ask(1200)
    OrgUnit.objects.filter(code="EAST-N").update(is_active=False)
    decide(desk.cast["regional_manager"], request.pk, "approved", seen="x", when=desk.when)
    request.refresh_from_db()
    assert (request.state, request.refusal["zh-hans"]) == ("closed", "此申请所涉对象已不存在。")


def test_a_request_in_parts_takes_the_longer_road(desk: Desk) -> None:
    desk.policy(BANDS)
    first = desk.ask(900)
    assert state(first)[0] == "done"
    second = desk.ask(900)
    assert (second.state, second.band, second.together) == ("open", "Medium", [first.pk])
    elsewhere = desk.ask(900, name="b")
    assert elsewhere.state == "done"
    desk.later(days=31)
    assert desk.ask(900).state == "done"


def test_returned_changed_and_sent_again(desk: Desk) -> None:
    desk.policy(BANDS)
    request = desk.ask(6000)
    desk.decide("regional_manager", request)
    desk.decide("finance", request, "returned")
    assert state(request) == ("returned", 0)
    send_again(desk.cast["service"], request.pk, Gauge(unit="EAST-N", size=1100), reason="less", when=desk.when)
    request.refresh_from_db()
    assert (request.state, request.round, request.band) == ("open", 2, "Medium")
    desk.decide("regional_manager", request)
    assert desk.level() == 1100


def test_withdrawn_requests_are_over(desk: Desk) -> None:
    desk.policy(BANDS)
    request = desk.ask(6000)
    withdraw(desk.cast["service"], request.pk, when=desk.when)
    with pytest.raises(RequestOver):
        desk.decide("regional_manager", request)


def test_a_role_taken_away_decides_nothing_and_the_next_one_is_asked(desk: Desk) -> None:
    desk.policy(BANDS)
    request = desk.ask(1200)
    above = make_staff(desk.group.units["EAST"], ["regional_manager"])
    revoke_role(None, desk.cast.regional_manager, "regional_manager", desk.group["EAST-N"])
    with pytest.raises(NotAsked):
        desk.decide("regional_manager", request)
    from apps.approvals.services.waiting import replace_absent

    assert replace_absent(desk.when) == 1
    desk.decide(above, request)
    assert desk.level() == 1200


def test_nobody_left_is_said_and_an_administrator_names_somebody(desk: Desk) -> None:
    from apps.approvals.services.asking import transfer
    from apps.approvals.services.waiting import replace_absent

    desk.policy(BANDS)
    request = desk.ask(1200)
    set_staff_active(desk.cast.regional_manager, False)
    replace_absent(desk.when)
    assert request.path.get().lacks_people
    named = make_staff(desk.group.units["EAST"], ["finance"])
    transfer(desk.cast["administrator"], request.pk, named, when=desk.when)
    desk.decide(Staff.objects.get(pk=named.pk), request)
    assert desk.level() == 1200
