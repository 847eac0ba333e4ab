"""Deciding on events held for review: their points become spendable, or are taken back."""

from datetime import datetime
from typing import Any

from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.points import services as points
from apps.points.errors import ReasonMissing
from apps.rules.errors import AlreadyDecided
from apps.rules.models import HeldDecision, HeldEvent

PERMISSION = "rules.decide_heldevent"
Verdict = HeldDecision.Verdict


@in_transaction
def decide_held(actor: Any, held: HeldEvent, verdict: str, *, reason: str, when: datetime) -> HeldDecision:
    """The decision, once: what the event earned is released or taken back with it, under a lock of its accounts.

    Released points keep their expiry, and wait for nothing else. Raises AlreadyDecided, ReasonMissing, NotAllowed.
    """
    require(actor, PERMISSION, held.event.org_unit.path)
    if not reason.strip():
        raise ReasonMissing()
    move = {Verdict.RELEASED: points.release_event, Verdict.REFUSED: points.take_back_event}[Verdict(verdict)]
    moved = move(actor, held.pk, reason=reason.strip(), when=when)
    # Whoever waited for the accounts sees here what was decided meanwhile: then there was nothing left to move.
    decided = HeldDecision.objects.filter(held_event=held).select_related("decided_by").first()
    if decided is not None:
        raise AlreadyDecided(verdict=decided.verdict, who=str(decided.decided_by or ""))
    return HeldDecision.objects.create(
        held_event=held, verdict=verdict, points=moved, reason=reason.strip(), decided_by=actor, decided_at=when
    )
