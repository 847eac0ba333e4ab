"""Random people, roles, delegations and acts against a simple model.

The model keeps who was asked as what, who held which role and who stood in for whom, as plain sets of its own. It
judges every request that was carried out: by enough people of every party, each of them asked, allowed and used once,
none of them the requester, and once.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from apps.approvals.models import ApprovalRequest, Delegation
from apps.approvals.services.asking import add_approver, delegate, end_delegation, transfer
from apps.approvals.services.deciding import withdraw
from apps.approvals.services.sending import send_again
from apps.approvals.services.waiting import escalate_due, replace_absent
from apps.core.errors import LoyaltyError
from apps.orgs.models import Staff
from apps.orgs.services import grant_role, revoke_role, set_staff_active
from tests.approvals.conftest import Desk, Gauge, role, step
from tests.factories import make_staff

ROLES = ("regional_manager", "finance", "vice_president")
UNITS = ("EAST-N", "EAST", "G")
PEOPLE = tuple(f"p{number}" for number in range(6))
people, roles, units = st.sampled_from(PEOPLE), st.sampled_from(ROLES), st.sampled_from(UNITS)
parties = st.builds(role, roles, st.sampled_from(["any", "any", "all", 1, 2]))
steps = st.lists(
    st.builds(lambda found, hours: step(*found, hours=hours), st.lists(parties, min_size=1, max_size=2), st.sampled_from([None, 4])),
    min_size=1, max_size=3,
)  # fmt: skip
bands = st.lists(st.tuples(st.sampled_from([0, 0, 10, 100]), steps), min_size=1, max_size=3)


@dataclass
class Asked:
    """What the model knows of one request."""

    requester: str
    size: int
    steps: list[list[tuple[str, Any]]]
    """Of each step its parties: a role or a name, and how many."""
    named: list[set[str]]
    """Who was named by hand in each step."""
    said: list[tuple[int, str, str]] = field(default_factory=list)
    """Step, hat and person of each yes of this round."""
    is_done: bool = False


class Approvals(RuleBasedStateMachine):
    desk: Desk
    ids: dict[str, int]

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.holds: set[tuple[str, str, str]] = set()
        self.absent: dict[int, tuple[str, str]] = {}
        self.inactive: set[str] = set()
        self.requests: dict[int, Asked] = {}
        self.level = 0
        self.desk.when = self.desk.when.replace(day=4, hour=2)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    def person(self, name: str) -> Staff:
        return Staff.objects.get(pk=self.ids[name])

    @initialize(held=st.lists(st.tuples(people, roles, units), min_size=8, max_size=14), found=bands)
    def begin(self, held: list[tuple[str, str, str]], found: Any) -> None:
        for name, code, unit in held:
            self.give(name, code, unit)
        self.publish(found)
        self.ask(PEOPLE[0], 6, set())
        self.ask(PEOPLE[1], 60, set())

    def give(self, name: str, code: str, unit: str) -> None:
        grant_role(None, self.person(name), code, self.desk.group[unit])
        self.holds.add((name, code, unit))

    @rule(data=st.data())
    def change_role(self, data: st.DataObject) -> None:
        """One is given or, more often, one that somebody holds is taken."""
        if self.holds and data.draw(st.integers(0, 2)):
            name, code, unit = data.draw(st.sampled_from(sorted(self.holds)))
            revoke_role(None, self.person(name), code, self.desk.group[unit])
            self.holds.discard((name, code, unit))
        else:
            self.give(*data.draw(st.tuples(people, roles, units)))

    @rule(name=people)
    def leave_or_return(self, name: str) -> None:
        set_staff_active(self.person(name), name in self.inactive)
        self.inactive ^= {name}

    @rule(found=bands)
    def publish(self, found: Any) -> None:
        definition = {
            "bands": [
                {"name": f"b{number}", "when": {"field": "request.size", "op": "ge", "value": size}, "steps": parts}
                for number, (size, parts) in enumerate(sorted(found, key=lambda each: -each[0]))
            ]
        }
        self.desk.policy(definition)

    @rule(name=people, size=st.sampled_from([1, 6, 60, 150]), also=st.sets(people, max_size=1))
    def ask(self, name: str, size: int, also: set[str]) -> None:
        with suppress(LoyaltyError):
            request = self.desk.ask(size, by=self.person(name), also=[self.person(each) for each in also])
            self.sent(request, name, size)

    def sent(self, request: ApprovalRequest, name: str, size: int) -> None:
        found = [
            [
                (each["who"].get("role") or each["who"].get("person"), each["need"])
                for each in part.definition["parties"]
            ]
            for part in request.path.filter(round=request.round).order_by("number")
        ]
        self.requests[request.pk] = Asked(name, size, found, [set() for _ in found])
        self.look(request.pk)

    @rule(data=st.data(), verdict=st.sampled_from(["approved"] * 8 + ["rejected", "returned"]))
    def decide_as_asked(self, data: st.DataObject, verdict: str) -> None:
        """Whoever is said to be asked, or stands in for them: the usual road."""
        request = self.drawn(data, "open")
        if request is not None:
            asked = list(request.tasks.filter(is_open=True).order_by("pk").values_list("person__username", flat=True))
            asked += [other for name, other in self.absent.values() if name in asked]
            if asked:
                self.decided(request, data.draw(st.sampled_from(asked)), verdict)

    @rule(data=st.data(), name=people, verdict=st.sampled_from(["approved", "approved", "rejected"]))
    def decide(self, data: st.DataObject, name: str, verdict: str) -> None:
        request = self.drawn(data, "open")
        if request is not None:
            self.decided(request, name, verdict)

    def decided(self, request: ApprovalRequest, name: str, verdict: str) -> None:
        before = set(request.decisions.values_list("pk", flat=True))
        with suppress(LoyaltyError):
            self.desk.decide(self.person(name), request, verdict)
        known = self.requests[request.pk]
        for decision in (
            request.decisions.exclude(pk__in=before).filter(verdict="approved").select_related("step", "hat")
        ):
            hat = decision.hat.username
            known.said.append((decision.step.number, hat, name))
            self.judge(known, decision.step.number, hat, name, request.step)
        self.look(request.pk)

    @rule(data=st.data())
    def lose_the_role_and_decide_all_the_same(self, data: st.DataObject) -> None:
        """Somebody who is asked as a role loses it everywhere, and tries before anybody has looked."""
        request = self.drawn(data, "open")
        asked = request.tasks.filter(is_open=True).exclude(role="") if request is not None else None
        people = list(asked.order_by("pk").values_list("person__username", "role")) if asked is not None else []
        if request is not None and people:
            name, code = data.draw(st.sampled_from(people))
            for held in sorted(each for each in self.holds if each[:2] == (name, code)):
                revoke_role(None, self.person(name), code, self.desk.group[held[2]])
                self.holds.discard(held)
            self.decided(request, name, "approved")

    def judge(self, known: Asked, number: int, hat: str, name: str, open_step: int) -> None:
        """One yes: in turn, by somebody who is there, asked and allowed, for nobody's own request, once."""
        assert number == open_step
        assert not self.inactive & {name, hat}
        assert known.requester not in (name, hat)
        assert name == hat or (hat, name) in self.absent.values()
        others = [person for _, *pair in known.said[:-1] for person in pair]
        assert not {name, hat}.intersection(others)
        assert hat in known.named[number - 1] or any(self.may(hat, who) for who, _ in known.steps[number - 1])

    def may(self, name: str, who: str) -> bool:
        """Whether the model's own table says that `name` is what a party asks for, at the unit or above it."""
        return name == who or any(held[:2] == (name, who) for held in self.holds)

    @rule(data=st.data(), name=people, other=people)
    def hand_on(self, data: st.DataObject, name: str, other: str) -> None:
        request = self.drawn(data, "open")
        if request is not None:
            with suppress(LoyaltyError):
                transfer(self.person(name), request.pk, self.person(other), when=self.desk.when)
                self.requests[request.pk].named[request.step - 1].add(other)

    @rule(data=st.data(), name=people, other=people)
    def ask_as_well(self, data: st.DataObject, name: str, other: str) -> None:
        request = self.drawn(data, "open")
        if request is not None:
            with suppress(LoyaltyError):
                add_approver(self.person(name), request.pk, self.person(other), when=self.desk.when)
                known = self.requests[request.pk]
                known.steps[request.step - 1].append((other, "any"))
                known.named[request.step - 1].add(other)

    @rule(data=st.data(), name=people)
    def withdraw(self, data: st.DataObject, name: str) -> None:
        request = self.drawn(data, "open", "returned")
        if request is not None:
            with suppress(LoyaltyError):
                withdraw(self.person(name), request.pk, when=self.desk.when)
                assert name == self.requests[request.pk].requester

    @rule(data=st.data(), name=people, size=st.sampled_from([1, 60]))
    def send_again(self, data: st.DataObject, name: str, size: int) -> None:
        request = self.drawn(data, "returned")
        if request is not None:
            with suppress(LoyaltyError):
                gauge = Gauge(unit="EAST-N", size=size)
                found = send_again(self.person(name), request.pk, gauge, reason="again", when=self.desk.when)
                self.sent(found, name, size)

    @rule(name=people, other=people)
    def be_away(self, name: str, other: str) -> None:
        with suppress(LoyaltyError):
            row = delegate(
                self.person(name), self.person(name), self.person(other), starts_at=self.desk.when,
                ends_at=self.desk.when + timedelta(days=2), when=self.desk.when,
            )  # fmt: skip
            self.absent[row.pk] = (name, other)

    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        if self.absent:
            pk = data.draw(st.sampled_from(sorted(self.absent)))
            name, _ = self.absent.pop(pk)
            end_delegation(self.person(name), Delegation.objects.get(pk=pk), when=self.desk.when)

    @rule()
    def let_time_pass(self) -> None:
        self.desk.when += timedelta(hours=5)
        self.absent = {
            pk: pair
            for pk, pair in self.absent.items()
            if self.still(pk)
        }  # fmt: skip
        escalate_due(self.desk.when)
        replace_absent(self.desk.when)

    def still(self, pk: int) -> bool:
        return bool(Delegation.objects.get(pk=pk).ends_at > self.desk.when)

    def drawn(self, data: st.DataObject, *states: str) -> ApprovalRequest | None:
        found = list(ApprovalRequest.objects.filter(pk__in=self.requests, state__in=states).order_by("pk"))
        return data.draw(st.sampled_from(found)) if found else None

    def look(self, pk: int) -> None:
        """A request that is done now, and was not before: the model counts what it changed, once."""
        known = self.requests[pk]
        if not known.is_done and ApprovalRequest.objects.get(pk=pk).state == "done":
            known.is_done = True
            self.level += known.size
            for number, wanted in enumerate(known.steps, 1):
                hats = [hat for where, hat, _ in known.said if where == number]
                assert self.suffices(wanted, hats, known.named[number - 1]), (wanted, hats)

    def suffices(self, wanted: list[tuple[str, Any]], hats: list[str], named: set[str]) -> bool:
        """By trying every order: whether the parties can be served by different people. Of `all` at least one."""
        seats = [who for who, need in wanted for _ in range(need if isinstance(need, int) else 1)]
        if len(hats) < len(seats):
            return False
        return any(
            all(hat in named or self.ever(hat, who) for hat, who in zip(order, seats, strict=False))
            for order in permutations(hats, len(seats))
        )

    def ever(self, name: str, who: str) -> bool:
        """A role may have been lost since the yes that it gave; that it was held then, `judge` has seen."""
        return name == who or who in ROLES

    @invariant()
    def what_was_done_is_what_was_approved(self) -> None:
        for pk in self.requests:
            self.look(pk)
        assert self.desk.level() == self.level

    @invariant()
    def an_open_request_waits_for_somebody_or_says_that_it_lacks_people(self) -> None:
        for request in ApprovalRequest.objects.filter(pk__in=self.requests, state="open"):
            part = request.path.get(round=request.round, number=request.step)
            assert part.lacks_people or part.tasks.filter(is_open=True).exists()


@pytest.mark.django_db
def test_no_request_is_carried_out_without_what_its_policy_demands(desk: Desk) -> None:
    Approvals.desk = desk
    Approvals.ids = {
        name: make_staff(desk.group.units["EAST"], ["service"], username=name).pk for name in PEOPLE
    }  # fmt: skip
    for code in ROLES:
        set_staff_active(getattr(desk.cast, code), False)
    run_state_machine_as_test(
        Approvals,
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # making it smaller takes minutes
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )  # fmt: skip
