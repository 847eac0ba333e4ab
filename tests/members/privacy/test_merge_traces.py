"""What was said when a merge was asked for goes with either of the two, the one that was to stay or the other."""

from datetime import timedelta
from typing import Any

import pytest

from apps.approvals.models import ApprovalRequest
from apps.approvals.services import policies
from apps.approvals.services.deciding import decide
from apps.approvals.services.sending import send
from apps.members import services
from apps.members.merging.services import MembersMerged, merge, unmerge
from apps.members.models import Member, MemberChange
from apps.members.privacy.erasing import erase
from apps.members.privacy.errors import ErasureHindered
from apps.points.services import adjust
from tests.approvals.conftest import Desk, role, step
from tests.members.conftest import BORN, CARD, NAME, PHONE, WHEN
from tests.members.privacy.walking import Person, traces_in_tables

LATER = WHEN + timedelta(days=30)
SAID = "both were read out at the till"
PEOPLE = (
    Person(NAME, BORN.isoformat(), [("phone", PHONE), ("card", CARD)], [SAID]),
    Person("Zhuge Liang", "1981-07-23", [("card", "ZH0009876")], [SAID]),
)


@pytest.fixture
def asked(desk: Desk, wang: Member) -> tuple[Member, Member, ApprovalRequest]:
    always = {"field": "request.points", "op": "ge", "value": 0}
    says: Any = {"bands": [{"name": "All", "when": always, "steps": [step(role("finance"))]}], "otherwise": "at_once"}
    draft = policies.create_policy(None, desk.group["EAST"], "members.merge", definition=says, when=WHEN)
    policies.publish_policy(None, draft, when=WHEN)
    other = services.create_member(
        None, desk.group["S001"], identifiers=[("card", "ZH0009876")], name="Zhuge Liang", when=WHEN
    )
    subject = MembersMerged(kept=wang.pk, gone=other.pk)
    request = send(desk.cast["regional_manager"], subject, reason=SAID, key="m1", when=WHEN)
    return wang, other, request


def test_an_open_request_to_merge_them_hinders_the_erasure_of_either(asked: Any) -> None:
    wang, other, request = asked
    for member in (wang, other):
        with pytest.raises(ErasureHindered) as hindered:
            erase(None, member.pk, why="asked", when=LATER)
        assert f"#{request.pk}" in hindered.value.data["reasons"][0]


@pytest.mark.parametrize("which", [0, 1])
def test_what_was_said_goes_with_either(desk: Desk, asked: Any, which: int) -> None:
    """The mistake: a request is looked for only by the member that was to stay."""
    request = asked[2]
    decide(desk.cast["finance"], request.pk, "rejected", comment=SAID, when=WHEN)
    assert {each.partition(":")[0] for each in traces_in_tables(PEOPLE[which])} >= {
        "approvals_approvalrequest",
        "approvals_decision",
    }
    erase(None, asked[which].pk, why="asked", when=LATER)
    assert traces_in_tables(PEOPLE[which]) == []


@pytest.mark.parametrize("which", [0, 1])
def test_nothing_stays_in_the_history_of_who_was_merged_with_them_for_a_while(
    desk: Desk, wang: Member, which: int
) -> None:
    """The mistake: the other member's history, or the points that came and went, show what named them, and why it was thought
    that they were one."""
    other = services.create_member(
        None, desk.group["S001"], identifiers=[("card", "ZH0009876")], name="Zhuge Liang", when=WHEN
    )
    for member in (wang, other):
        adjust(None, member.pk, desk.group.point_types["east"].pk, 5, reason="sorry", key=f"a{member.pk}", when=WHEN)
    made = merge(None, wang.pk, other.pk, choices={"name": "gone"}, reason=SAID, when=WHEN)
    unmerge(None, made.pk, reason=SAID, when=WHEN)
    erase(None, (wang.pk, other.pk)[which], why="asked", when=LATER, forfeits=True)
    assert traces_in_tables(PEOPLE[which]) == []
    left = (other, wang)[which]
    told = [
        [each["field"] for each in line.changes]
        for line in MemberChange.objects.filter(member=left).order_by("-pk")[:2]
    ]
    assert told == [["merged_into"], ["merged_into"]] if which == 0 else told == [["merged_from"], ["merged_from"]]
