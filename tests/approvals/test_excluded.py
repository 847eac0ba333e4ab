"""Whom a kind of subject shuts out: whoever had a part in what is asked for is not asked and decides nothing."""

from typing import Any, ClassVar

import pytest
from django.db import DatabaseError, transaction

from apps.approvals.errors import NotToThem, OwnWork
from apps.approvals.models import ApprovalRequest, ApprovalTask, Decision
from apps.approvals.services.asking import add_approver, delegate, transfer
from apps.approvals.services.sending import send
from apps.core.errors import LoyaltyError
from apps.orgs.gate import register
from apps.orgs.models import Staff
from tests.approvals.conftest import WHEN, Desk, Gauge, role, step
from tests.factories import make_staff

pytestmark = pytest.mark.django_db
ONE_STEP = {"bands": [{"name": "all", "when": {"all": []}, "steps": [step(role("regional_manager"))]}]}


class Written(Gauge):
    """A gauge with writers; it is full from 500 on."""

    code: ClassVar[str] = "test.written"
    writers: tuple[int, ...] = ()

    def excluded(self) -> frozenset[int]:
        return frozenset(self.writers)

    def require_ready(self, requester: Any, also: Any, when: Any) -> None:
        if self.size >= 500:
            raise LoyaltyError(requester=requester.username, also=[person.username for person in also])


register(Written)


@pytest.fixture
def second(desk: Desk) -> Staff:
    return make_staff(desk.group.units["EAST-N"], ["regional_manager"], username="second")


def ask(desk: Desk, *writers: Staff, size: int = 5, **more: Any) -> ApprovalRequest:
    subject = Written(unit="EAST-N", size=size, writers=tuple(person.pk for person in writers))
    return send(desk.cast["service"], subject, reason="because", key=f"k{size}{writers}", when=WHEN, **more)


def test_a_writer_is_not_asked_and_decides_nothing(desk: Desk, second: Staff) -> None:
    desk.policy(ONE_STEP, kind=Written.code)
    manager = desk.cast.regional_manager
    request = ask(desk, manager)
    assert list(request.tasks.values_list("person__username", flat=True)) == ["second"]
    with pytest.raises(OwnWork):
        desk.decide("regional_manager", request)
    with pytest.raises(NotToThem):
        add_approver(second, request.pk, manager, when=WHEN)
    with pytest.raises(NotToThem):
        transfer(second, request.pk, manager, when=WHEN)
    assert not Decision.objects.exists()
    desk.decide(second, request)
    assert ApprovalRequest.objects.get(pk=request.pk).state == "done"


def test_a_writer_decides_in_nobodys_place(desk: Desk, second: Staff) -> None:
    desk.policy(ONE_STEP, kind=Written.code)
    request = ask(desk, desk.cast.finance)
    delegate(second, second, desk.cast.finance, starts_at=WHEN, ends_at=WHEN.replace(year=2027), when=WHEN)
    with pytest.raises(OwnWork):
        desk.decide("finance", request)


def test_who_is_left_when_all_are_writers_is_nobody_and_it_is_said(desk: Desk, second: Staff) -> None:
    desk.policy(ONE_STEP, kind=Written.code)
    request = ask(desk, desk.cast.regional_manager, second)
    assert request.path.get().lacks_people


def test_the_database_holds_decisions_to_it(desk: Desk, second: Staff) -> None:
    desk.policy(ONE_STEP, kind=Written.code)
    manager = desk.cast.regional_manager
    request = ask(desk, manager)
    ApprovalTask.objects.filter(request=request).update(person=manager)
    row = {"request": request, "round": 1, "step": request.path.get(), "verdict": "approved", "decided_at": WHEN}
    for person, hat in ((manager, manager), (second, manager)):
        with pytest.raises(DatabaseError, match="own work"), transaction.atomic():
            Decision.objects.create(person=person, hat=hat, **row)
    with pytest.raises(DatabaseError, match="cannot change"), transaction.atomic():
        ApprovalRequest.objects.update(excluded=[])


def test_nobody_is_named_besides_who_may_not_decide(desk: Desk, second: Staff) -> None:
    with pytest.raises(NotToThem):
        ask(desk, second, also=[second])
    with pytest.raises(NotToThem):
        ask(desk, also=[desk.cast.service])
    assert not ApprovalRequest.objects.exists()


def test_what_is_not_ready_is_not_sent(desk: Desk, second: Staff) -> None:
    with pytest.raises(LoyaltyError) as refused:
        ask(desk, size=500, also=[second])
    assert refused.value.data == {"requester": "service", "also": ["second"]}
    assert not ApprovalRequest.objects.exists()
