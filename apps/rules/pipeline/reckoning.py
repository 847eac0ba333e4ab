"""Reckoning: what opened events come to. Nothing is read or written; a book and a few lists hold what will be."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.activity.errors import EventRefused, EventRejectedByLedger
from apps.activity.models import Event
from apps.activity.parsing import OWN_KINDS
from apps.core.errors import LoyaltyError
from apps.points.book import Act, Book, Origin
from apps.rules import confirming, refunds
from apps.rules.cards import Memory
from apps.rules.effects import HoldForReview
from apps.rules.evaluate import Award, LiveRule, Skipped, evaluate
from apps.rules.stages import Opened, Processed

Holding = Sequence[tuple[LiveRule, HoldForReview]]
"""The rules that have an event wait for a review."""


class Impossible(Exception):
    """One event of a wave turned out to be impossible after it was recorded; the wave is run again without it."""

    def __init__(self, number: int, refusal: LoyaltyError) -> None:
        self.number, self.refusal = number, refusal


@dataclass(slots=True)
class Reckoned:
    """What a wave came to: the points to post, by event what it was told, what is remembered of its members, and what
    waits for a review."""

    book: Book = field(default_factory=Book)
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    results: list[tuple[int, Processed]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)


def reckon(opened: list[Opened], ledger: refunds.Ledger, memory: Memory) -> Reckoned:
    """Works out what each event comes to, in order. Raises Impossible."""
    reckoned = Reckoned(memory=memory)
    asks_points = any(item.prepared.rules.point_windows for item in opened)
    for item in opened:
        prepared = item.prepared
        skipped: Skipped = []
        counted: list[dict[str, Any]] = []
        act = Act("", prepared.event.occurred_at, prepared.day, prepared.unit.id)
        for account in item.accounts.values():
            reckoned.book.lapse(account, act, ledger.open_lots[account.id])
        try:
            if prepared.purchase is not None:
                awards = refunds.take_back(reckoned.book, item, prepared.purchase, ledger, memory)
            else:
                rules, wallet = prepared.rules, memory.wallet
                member = memory.tags.on(item) if rules.asks_tags else item.member
                if rules.point_windows:
                    member = memory.earned.on(item, member)
                outcome = evaluate(prepared.facts, member, rules, memory.tally.used(item), wallet.of(item.member_id))
                skipped, counted = outcome.skipped, [each.to_json() for each in outcome.counted]
                memory.tally.count(item, outcome.awards)
                if asks_points:
                    memory.earned.count(item, outcome.awards)
                wallet.count(item, outcome.counted)
                memory.tags.give(item, outcome.tagged)
                holding = outcome.holding if any(award.points for award in outcome.awards) else ()
                awards = [_award(reckoned, item, award, ledger, holding) for award in outcome.awards]
                if holding:
                    reckoned.held.append(_held(item, holding))
            released = confirming.release(reckoned.book, item, ledger) if prepared.confirmed is not None else []
        except EventRefused as refusal:
            raise Impossible(prepared.number, refusal) from None
        except LoyaltyError as refusal:
            raise Impossible(prepared.number, EventRejectedByLedger(because=refusal)) from None
        for kind, account in item.accounts.items():
            # A day that passes is nothing that a member did; it only begins the count.
            is_act = prepared.event.kind != Event.Kind.DAY or account.lapses_at is None
            if is_act and kind in prepared.program.point_types:
                reckoned.book.touch(account, prepared.program.point_types[kind].dates(prepared.day)[2])
        if prepared.program.tells_friends and prepared.event.kind not in OWN_KINDS:
            memory.friends.append(item.event_id)
        points = sum([award["points"] for award in awards])
        answer = {
            "event": item.event_id,
            "key": prepared.event.key,
            "status": "processed",
            "awards": awards,
            "skipped": skipped,
            "balance": _balance(item),
        }
        if released:
            answer["released"] = released
        if counted:
            answer["progress"] = counted
        reckoned.outcomes.append({"event": item.event_id, "member": item.member_id, "points": points, "answer": answer})
        reckoned.results.append((prepared.number, Processed("processed", prepared.event.key, answer, points=points)))
    return reckoned


def _held(item: Opened, holding: Holding) -> dict[str, Any]:
    """The event as it stands in the queue: under the first of the rules that hold it."""
    rule, effect = holding[0]
    return {
        "event": item.event_id,
        "member": item.member_id,
        "rule": rule.rule_id,
        "version": rule.version_id,
        "reason": effect.reason,
    }


def _award(reckoned: Reckoned, item: Opened, award: Award, ledger: refunds.Ledger, holding: Holding) -> dict[str, Any]:
    """Enters one award into the book and the counters; how it is told."""
    prepared, rule = item.prepared, award.rule
    kind = prepared.program.point_types[award.point_type_id]
    expires_at, releases_at, is_pending = kind.dates_of(prepared.day, rule)
    if holding:
        releases_at, is_pending = None, True
    if award.points:
        unit_id = prepared.unit.id
        key = f"event:{item.event_id}:{rule.version_id}:{award.effect}"
        account = item.accounts[kind.id]
        lot = reckoned.book.earn(
            account,
            Act(key, prepared.event.occurred_at, prepared.day, unit_id, item.event_id),
            Origin(
                unit_id, kind.funder_id or unit_id, kind.unit_cost_micros, item.event_id, rule.rule_id, rule.version_id
            ),
            award.points,
            expires_at=expires_at,
            releases_at=releases_at,
            pending=is_pending,
        )
        ledger.open_lots[account.id].append(lot)
    why = award.why()
    if holding:
        why["held"] = [effect.reason for _, effect in holding]
    elif is_pending and rule.validity is not None and rule.validity.until is not None:
        why["until"] = rule.validity.until
    return {
        "rule": rule.code,
        "rule_name": rule.name,
        "version": rule.number,
        "version_id": rule.version_id,
        "effect": award.effect,
        "point_type": kind.code,
        "points": award.points,
        "state": "pending" if is_pending else "settled",
        "why": why,
    }


def _balance(item: Opened) -> dict[str, Any] | None:
    kind = item.prepared.program.main_type
    account = item.accounts.get(kind.id) if kind is not None else None
    if kind is None or account is None:
        return None
    return {
        "point_type": kind.code,
        "available": max(0, account.balance - account.held),
        "pending": account.pending,
        "debt": account.debt,
    }
