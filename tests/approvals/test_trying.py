"""A draft tried on what was sent before, and on a request that is made up."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.approvals.definition import Definition
from apps.approvals.models import ApprovalRequest, Policy, PolicyVersion
from apps.approvals.services.policies import create_policy, switch_policy
from apps.approvals.trying import WrongFacts, read_facts, try_facts, try_past
from apps.orgs.models import OrgUnit, Staff
from tests.approvals.conftest import BANDS, Desk, Gauge, from_size, role, step
from tests.factories import make_staff

pytestmark = pytest.mark.django_db
SMALLER: dict[str, Any] = {
    "bands": [{"name": "From 500", "when": from_size(500), "steps": [step(role("regional_manager"), role("finance"))]}]
}


def draft_at(desk: Desk, unit: str = "G") -> Policy:
    return create_policy(None, desk.group[unit], Gauge.code, when=desk.when).policy


def roads(desk: Desk, policy: Policy, definition: Any = BANDS) -> dict[tuple[str, str], int]:
    past = try_past(policy, Definition.model_validate(definition), desk.when)
    return {(before.band, after.band): number for (before, after), number in past.roads.items()}


def test_what_went_through_and_would_have_waited_is_counted_with_its_people(desk: Desk) -> None:
    policy = draft_at(desk)
    requests = {size: desk.ask(size, name=str(size)).pk for size in (100, 1000, 6000)}
    past = try_past(policy, Definition.model_validate(BANDS), desk.when)
    assert (past.looked_at, past.other_roads) == (3, 2)
    assert [past.total(each) for each in ("held", "freed", "refused", "accepted")] == [2, 0, 0, 0]
    assert [(each.request, each.before.band, each.after.band) for each in past.changed] == [
        (requests[6000], "", "Large"), (requests[1000], "", "Medium"),
    ]  # fmt: skip
    asked = {each.who.role: (each.requests, [str(person) for person, _ in each.people]) for each in past.deciders}  # type: ignore[union-attr]
    assert asked == {
        "regional_manager": (2, ["regional_manager"]), "finance": (1, ["finance"]),
        "vice_president": (1, ["vice_president"]),
    }  # fmt: skip


def test_the_draft_is_held_against_what_is_in_force(desk: Desk) -> None:
    policy = desk.policy(BANDS).policy
    for size in (100, 600, 1000, 6000):
        desk.ask(size, name=str(size))
    past = try_past(policy, Definition.model_validate(SMALLER), desk.when)
    assert [past.total(each) for each in ("held", "freed")] == [1, 0]
    assert roads(desk, policy, SMALLER) == {
        ("", ""): 1, ("", "From 500"): 1, ("Medium", "From 500"): 1, ("Large", "From 500"): 1,
    }  # fmt: skip
    nothing = try_past(policy, Definition.model_validate({"otherwise": "refused"}), desk.when)
    assert [nothing.total(each) for each in ("held", "freed", "refused", "accepted")] == [0, 0, 4, 0]
    assert try_past(policy, Definition.model_validate(BANDS), desk.when).changed == []
    policy = switch_policy(None, policy, False, when=desk.when)
    assert try_past(policy, Definition.model_validate(BANDS), desk.when).total("held") == 2


def test_what_was_asked_for_in_parts_takes_the_longer_road(desk: Desk) -> None:
    policy = draft_at(desk)
    for _ in range(3):
        desk.ask(400)
    assert roads(desk, policy) == {("", ""): 2, ("", "Medium"): 1}


def test_units_with_a_policy_of_their_own_and_old_requests_are_left_out(desk: Desk) -> None:
    policy = draft_at(desk)
    desk.ask(2000)
    ApprovalRequest.objects.update(sent_at=desk.when - timedelta(days=91), closed_at=desk.when)
    desk.ask(3000, name="b", unit="EAST-S")
    assert roads(desk, policy) == {("", "Medium"): 1}
    desk.policy(SMALLER, unit="EAST")
    assert roads(desk, policy) == {}


def test_a_unit_without_anything_in_force_is_held_against_the_policy_above(desk: Desk) -> None:
    desk.policy(SMALLER)
    desk.ask(700)
    assert roads(desk, draft_at(desk, "EAST")) == {("From 500", ""): 1}


def test_more_requests_and_units_ask_no_more_of_the_database(desk: Desk) -> None:
    policy = draft_at(desk)
    desk.ask(6000)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            try_past(policy, Definition.model_validate(BANDS), desk.when)
        return len(captured)

    few = queries()
    for number, unit in enumerate(("EAST", "EAST-S", "S001", "EAST-N")):
        desk.ask(6000, name=str(number), unit=unit, by="service" if unit.startswith("EAST") else "regional_manager")
    assert queries() == few
    assert few <= 12


def test_only_the_newest_are_looked_at_where_there_are_too_many(desk: Desk) -> None:
    policy = draft_at(desk)
    for size in (1000, 2000, 10):
        desk.ask(size, name=str(size))
    past = try_past(policy, Definition.model_validate(BANDS), desk.when, most=2)
    assert (past.looked_at, past.is_capped) == (2, True)


def test_where_too_few_could_decide_is_said(desk: Desk) -> None:
    policy = draft_at(desk)
    desk.ask(6000)
    two = {"bands": [{"name": "Two", "when": {"all": []}, "steps": [step(role("finance", 2))]}]}
    decider = try_past(policy, Definition.model_validate(two), desk.when).deciders[0]
    assert (decider.requests, decider.lacking) == (1, 1)
    make_staff(desk.group["EAST"], ["finance"])
    assert try_past(policy, Definition.model_validate(two), desk.when).deciders[0].lacking == 0


def test_a_made_up_request_shows_its_band_and_the_people_of_today(desk: Desk) -> None:
    definition = Definition.model_validate(BANDS)
    trial = try_facts(Gauge.code, definition, {"request.size": 5000}, desk.group["EAST-N"], None)
    assert (trial.number, trial.band and trial.band.name) == (0, "Large")
    people = [[str(asked.person) for asked in each] for planned in trial.steps for each in planned.people]
    assert people == [["regional_manager"], ["finance"], ["vice_president"]]
    free = try_facts(Gauge.code, definition, {"request.size": 5}, desk.group["EAST-N"], None)
    assert (free.band, free.is_refused, free.steps) == (None, False, ())


def test_written_facts_are_read_by_their_types() -> None:
    units = {"EAST": "00010001"}
    written = {
        "request.size": "12", "requester.roles": ["finance"], "request.outside_hours": "false", "request.unit": "EAST",
        "requester.total": "",
    }  # fmt: skip
    assert read_facts(Gauge.code, written, units) == {
        "request.size": 12, "requester.roles": ["finance"], "request.outside_hours": False, "request.unit": "00010001",
    }  # fmt: skip
    with pytest.raises(WrongFacts) as refused:
        read_facts(Gauge.code, {"request.size": "1.5", "requester.roles": ["king"], "request.unit": "X"}, units)
    assert set(refused.value.faults) == {"request.size", "requester.roles", "request.unit"}


def test_trying_writes_nothing(desk: Desk) -> None:
    policy = draft_at(desk)
    desk.ask(6000)
    before = [model.objects.count() for model in (ApprovalRequest, PolicyVersion, OrgUnit, Staff)]
    try_past(policy, Definition.model_validate(BANDS), desk.when)
    assert [model.objects.count() for model in (ApprovalRequest, PolicyVersion, OrgUnit, Staff)] == before
