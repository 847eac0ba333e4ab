"""Deciding on events held for review: their points become spendable, or are taken back."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from apps.approvals.models import ApprovalRequest
from apps.conditions.catalogue import Field
from apps.conditions.types import Type
from apps.conditions.words import Words
from apps.core.addresses import address
from apps.core.formats import MICROS, number
from apps.core.transactions import in_transaction
from apps.orgs.gate import ABOUT, Approval, Done, Effect, Line, Subject, SubjectGone, pass_gate, register
from apps.orgs.models import OrgUnit, Staff
from apps.points import services as points
from apps.points.asked import FLAGS_FIELD, MONEY_FIELD, PROGRAM_FIELD, facts_of
from apps.points.errors import ReasonMissing
from apps.points.models import Lot
from apps.rules.errors import AlreadyDecided, AskedAlready
from apps.rules.models import HeldDecision, HeldEvent

PERMISSION = "rules.decide_heldevent"
KIND = "rules.held"
Verdict = HeldDecision.Verdict
VERDICTS = {
    "released": Words("Points held for review are released", "放行待审核积分"),
    "refused": Words("Points held for review are refused", "拒绝待审核积分"),
}
TITLES = {
    "released": Words("Release {points} held points of {member}", "放行{member}待审核的 {points} 积分"),
    "refused": Words("Refuse {points} held points of {member}", "拒绝{member}待审核的 {points} 积分"),
}
ACCOUNT = Words(
    "{kind}: balance {balance} → {new_balance}, pending {pending} → {new_pending}",
    "{kind}：余额 {balance} → {new_balance}，待生效 {pending} → {new_pending}",
)
IN_DEBT = Words("{account}, debt {debt} → {new_debt}", "{account}，欠分 {debt} → {new_debt}")


class HeldVerdict(Subject):
    """The points of one held event, released or taken back."""

    code: ClassVar[str] = KIND
    label: ClassVar[Words] = Words("Decision on points held for review", "待审核积分的处理")
    icon: ClassVar[str] = "gpp_maybe"
    permission: ClassVar[str] = PERMISSION
    view: ClassVar[str] = "rules.view_heldevent"
    fields: ClassVar = (
        Field("request.points", Type.INTEGER, Words("the number of points", "积分数"), "request.points"),
        MONEY_FIELD,
        Field(
            "request.verdict", Type.CHOICE, Words("what becomes of the points", "处理结果"), "request.verdict",
            choices=tuple(VERDICTS.items()), is_closed=True,
        ),
        Field("request.rule", Type.TEXT, Words("code of the rule that holds them", "触发审核的规则代码"), "request.rule"),
        Field("request.held_for", Type.TEXT, Words("why they are held", "待审核原因"), "request.held_for"),
        PROGRAM_FIELD,
        FLAGS_FIELD,
    )  # fmt: skip
    adds_up: ClassVar[tuple[str, ...]] = ("request.points", "request.money")
    labels: ClassVar[Mapping[str, Words]] = {
        **VERDICTS,
        "accounts": Words("The member's points", "会员积分"),
        "reason": Words("Held because", "待审核原因"),
    }

    held: int
    """The id of the event."""
    verdict: Verdict

    def _held(self) -> HeldEvent:
        rows = HeldEvent.objects.select_related("event__org_unit", "event__program", "member", "rule")
        held: HeldEvent | None = rows.filter(pk=self.held).first()
        if held is None:
            raise SubjectGone()
        return held

    def place(self) -> OrgUnit:
        return self._held().event.org_unit

    def about(self) -> str:
        return f"member:{self._held().member_id}"

    def amount(self) -> int:
        waiting = sum(lot.remaining for lot in _waiting(self.held))
        return waiting if self.verdict == Verdict.RELEASED else -waiting

    def facts(self, requester: Staff | None, when: datetime) -> dict[str, Any]:
        held, lots = self._held(), _waiting(self.held)
        told = {
            "points": sum(lot.remaining for lot in lots),
            "money": sum(Decimal(lot.remaining * lot.unit_cost_micros) for lot in lots) / MICROS,
            "verdict": self.verdict.value, "rule": held.rule.code, "held_for": held.reason, "program": held.event.program.code,
        }  # fmt: skip
        if lots:
            told["flags"] = facts_of(held.member, lots[0].account.point_type, 0, when)["flags"]
        return told

    def effect(self, requester: Staff | None, when: datetime) -> Effect:
        held, lots = self._held(), _waiting(self.held)
        if HeldDecision.objects.filter(held_event=held).exists():
            raise SubjectGone()
        before, after = _accounts(lots, self.verdict)
        return Effect(
            (
                Line(self.verdict.value, 0, sum(lot.remaining for lot in lots), "points"),
                Line("accounts", json.dumps(before), json.dumps(after), "own"),
                Line("reason", held.reason, held.reason),
            )
        )

    def require_ready(self, requester: Staff | None, also: Collection[Staff], when: datetime) -> None:
        """Raises AlreadyDecided, AskedAlready. Who else sends one of this member waits for this one's end."""
        _require_undecided(self.held)
        if open_request := requests_about([self.held]).get(self.held):
            raise AskedAlready(who=str(open_request.requester or ""), request=open_request.pk)

    def carry_out(self, approval: Approval, when: datetime) -> Done:
        decision = decide_held(
            approval.requester, self._held(), self.verdict, reason=approval.reason[:500], when=when, approval=approval
        )
        return Done({"points": decision.points, "verdict": decision.verdict}, decision)

    def title(self) -> Words:
        return TITLES[self.verdict].format(points=number(abs(self.amount())), member=ABOUT)

    @classmethod
    def say(cls, line: Line, language: str) -> list[str]:
        before, after = json.loads(str(line.before)), json.loads(str(line.after))
        said = []
        for (kind, *old), (_, *new) in zip(before, after, strict=True):
            names = ("balance", "pending", "debt")
            slots = {name: number(value) for name, value in zip(names, old, strict=True)}
            slots |= {f"new_{name}": number(value) for name, value in zip(names, new, strict=True)}
            account = ACCOUNT.in_language(language).format(kind=kind, **slots)
            said.append(IN_DEBT.in_language(language).format(account=account, **slots) if old[2] else account)
        return said

    def address(self) -> str:
        return address("rules_heldevent_change", self.held)


register(HeldVerdict)


def _waiting(event_id: int) -> list[Lot]:
    """What the event earned and is still pending. One query."""
    lots = Lot.objects.filter(event_id=event_id, is_pending=True, remaining__gt=0)
    return list(lots.select_related("account__point_type__program").order_by("pk"))


def _accounts(lots: Iterable[Lot], verdict: str) -> tuple[list[list[Any]], list[list[Any]]]:
    """Of each account: the name of its points, balance, pending and debt, before and after."""
    accounts = {lot.account_id: lot.account for lot in lots}
    waiting = dict.fromkeys(accounts, 0)
    for lot in lots:
        waiting[lot.account_id] += lot.remaining
    before, after = [], []
    for pk, account in accounts.items():
        freed = waiting[pk] if verdict == Verdict.RELEASED else 0
        name = account.point_type.name
        before.append([name, account.balance, account.pending, account.debt])
        after.append(
            [name, account.balance + freed, account.pending - waiting[pk], account.debt - min(account.debt, freed)]
        )
    return before, after


def _require_undecided(event_id: int) -> None:
    decided = HeldDecision.objects.filter(held_event=event_id).select_related("decided_by").first()
    if decided is not None:
        raise AlreadyDecided(verdict=decided.verdict, who=str(decided.decided_by or ""))


def requests_about(events: Iterable[int]) -> dict[int, ApprovalRequest]:
    """The open request about each of those held events that has one, by the event's id. Two queries."""
    members = HeldEvent.objects.filter(pk__in=list(events)).values_list("member_id", flat=True)
    found = ApprovalRequest.objects.filter(
        kind=KIND, about__in=[f"member:{pk}" for pk in members], state=ApprovalRequest.State.OPEN
    )
    by_event = {row.subject["held"]: row for row in found.select_related("requester").order_by("pk")}
    return {event: by_event[event] for event in events if event in by_event}


@in_transaction
def decide_held(
    actor: Any, held: HeldEvent, verdict: str, *, reason: str, when: datetime, approval: Approval | None = None
) -> HeldDecision:
    """The decision, once: what the event earned is released or taken back with it, under a lock of its accounts.

    Released points keep their expiry, and wait for nothing else. Raises AlreadyDecided, ReasonMissing, NotAllowed,
    ApprovalNeeded.
    """
    subject = HeldVerdict(held=held.pk, verdict=Verdict(verdict))
    pass_gate(subject, actor, approval, when, reason=reason.strip())
    if not reason.strip():
        raise ReasonMissing()
    move = {Verdict.RELEASED: points.release_event, Verdict.REFUSED: points.take_back_event}[Verdict(verdict)]
    moved = move(actor, held.pk, reason=reason.strip(), when=when)
    # Whoever waited for the accounts sees here what was decided meanwhile: then there was nothing left to move.
    _require_undecided(held.pk)
    return HeldDecision.objects.create(
        held_event=held, verdict=verdict, points=moved, reason=reason.strip(), decided_by=actor, decided_at=when
    )
