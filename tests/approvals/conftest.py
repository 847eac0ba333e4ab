"""A desk for approvals: a subject that changes one number, people who ask and people who decide.

The subject knows nothing of points: the engine is tested for what it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar

import pytest

from apps.approvals.models import ApprovalRequest, Policy, PolicyVersion
from apps.approvals.services.deciding import decide
from apps.approvals.services.policies import create_policy, publish_policy, save_policy_draft, start_policy_draft
from apps.approvals.services.sending import send
from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.errors import LoyaltyError
from apps.orgs.gate import Approval, Done, Effect, Line, Subject, SubjectGone, pass_gate, register
from apps.orgs.models import OrgUnit, Staff
from apps.orgs.services import grant_role
from tests.factories import Cast, CoffeeGroup

WHEN = datetime(2026, 5, 4, 2, tzinfo=UTC)
"""A Monday, 10 in the morning in Shanghai."""
_keys = count(1)


class Full(LoyaltyError):
    code = "full"


class Gauge(Subject):
    """Adds to a number of a unit, which `LEVELS` keeps; the unit's name keeps what is carried out, so that the database
    sees it."""

    code: ClassVar[str] = "test.gauge"
    label: ClassVar[Words] = Words("Gauge", "测试")
    permission: ClassVar[str] = "members.view_member"
    view: ClassVar[str] = "reports.view_dailyfact"
    fields: ClassVar = (Field("request.size", Type.INTEGER, Words("size", "大小"), "request.size"),)
    adds_up: ClassVar[tuple[str, ...]] = ("request.size",)
    labels: ClassVar[Mapping[str, Words]] = {"level": Words("Level", "水平")}

    unit: str
    size: int
    name: str = "a"

    def place(self) -> OrgUnit:
        unit = OrgUnit.objects.filter(code=self.unit, is_active=True).first()
        if unit is None:
            raise SubjectGone()
        return unit

    def about(self) -> str:
        return f"gauge:{self.unit}:{self.name}"

    def amount(self) -> int:
        return self.size

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        return {"size": self.size}

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        level = level_of(self.place())
        return Effect((Line("level", level, level + self.size, "number"),))

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        return Done({"level": raise_gauge(approval.requester, self, when, approval)})

    def title(self) -> Words:
        return Words(f"{self.size:+} {self.unit}", f"{self.size:+} {self.unit}")


register(Gauge)


def level_of(unit: OrgUnit) -> int:
    return int(unit.name.rpartition(" ")[2]) if unit.name.rpartition(" ")[2].lstrip("-").isdigit() else 0


def raise_gauge(actor: Staff | None, gauge: Gauge, when: datetime, approval: Approval | None = None) -> int:
    """The verb: every door calls it. A level above 100,000 is refused."""
    pass_gate(gauge, actor, approval, when)
    unit = OrgUnit.objects.select_for_update(no_key=True).get(code=gauge.unit)
    level = level_of(unit) + gauge.size
    if level > 100_000:
        raise Full()
    unit.name = f"{gauge.unit} {level}"
    unit.save()
    return level


def role(code: str, need: Any = "any") -> dict[str, Any]:
    return {"who": {"kind": "role", "role": code}, "need": need}


def person(name: str) -> dict[str, Any]:
    return {"who": {"kind": "person", "person": name}, "need": "any"}


MANAGER = {"who": {"kind": "manager"}, "need": "any"}


def step(*parties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"parties": list(parties), **more}


def from_size(size: int) -> dict[str, Any]:
    return {"field": "request.size", "op": "ge", "value": size}


BANDS = {
    "bands": [
        {"name": "Large", "when": from_size(5000),
         "steps": [step(role("regional_manager")), step(role("finance")), step(role("vice_president"))]},
        {"name": "Medium", "when": from_size(1000), "steps": [step(role("regional_manager"))]},
    ],
    "otherwise": "at_once",
}  # fmt: skip


@dataclass
class Desk:
    """Shortcuts through the services; `cast` people are read again for each act, as a request would."""

    group: CoffeeGroup
    cast: Cast
    when: datetime = WHEN
    effects: dict[int, str] = field(default_factory=dict)

    def policy(self, definition: Any, unit: str = "G", kind: str = Gauge.code) -> PolicyVersion:
        policy = Policy.objects.filter(unit=self.group[unit], kind=kind).first()
        if policy is None:
            draft = create_policy(None, self.group[unit], kind, definition=definition, when=self.when)
        else:
            draft = save_policy_draft(
                None, start_policy_draft(None, policy, when=self.when), definition, when=self.when
            )
        return publish_policy(None, draft, when=self.when)

    def ask(self, size: int, by: str | Staff = "service", unit: str = "EAST-N", **more: Any) -> ApprovalRequest:
        more = {"key": f"key{next(_keys)}", "reason": "because", "name": "a", **more}
        gauge = Gauge(unit=unit, size=size, name=more.pop("name"))
        return send(self.cast[by] if isinstance(by, str) else by, gauge, when=self.when, **more)

    def decide(
        self, by: str | Staff, request: ApprovalRequest, verdict: str = "approved", **more: Any
    ) -> ApprovalRequest:
        actor = self.cast[by] if isinstance(by, str) else Staff.objects.get(pk=by.pk)
        seen = (
            request.seal(request.read_subject().effect(request.requester, self.when)) if verdict == "approved" else None
        )
        more = {"seen": seen, "comment": "" if verdict == "approved" else "no", **more}
        return decide(actor, request.pk, verdict, when=self.when, **more)

    def level(self, unit: str = "EAST-N") -> int:
        return level_of(self.group[unit])

    def later(self, **delta: int) -> None:
        self.when += timedelta(**delta)

    def grant(self, who: Staff, role_code: str, unit: str) -> None:
        grant_role(None, who, role_code, self.group[unit])


@pytest.fixture
def desk(group: CoffeeGroup, cast: Cast) -> Desk:
    return Desk(group, cast)
