"""Adjusting by hand, and reversing what was posted."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Sum

from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.points.book import Book, Origin
from apps.points.errors import AlreadyReversed, NotReversible, PointsMustBePositive, ReasonMissing
from apps.points.models import Lot, Posting, PostingKind
from apps.points.services.ledger import (
    act,
    content_hash,
    lot_state,
    open_account,
    open_account_of,
    open_lots,
    post,
    posted_before,
)

PERMISSION = "points.adjust_points"


@in_transaction
def adjust(
    actor: Any, member_id: int, point_type_id: int, points: int, *, reason: str, key: str, when: datetime
) -> Posting:
    """Adds points, or takes them where `points` is negative, by hand and for a reason.

    Raises PointsMustBePositive (for zero), ReasonMissing, NotEnoughPoints, KeyReused, NotAllowed.
    """
    if points == 0:
        raise PointsMustBePositive()
    if not reason.strip():
        raise ReasonMissing()
    opened = open_account_of(member_id, point_type_id)
    home = opened.row.member.home_unit
    require(actor, PERMISSION, home.path)
    digest = content_hash("adjust", opened.state.id, points, reason.strip())
    earlier = posted_before(key, digest)
    if earlier is not None:
        return earlier
    book = Book()
    circumstances = act(opened, key, when, actor=actor, reason=reason.strip(), digest=digest)
    if points > 0:
        origin = Origin(home.pk, opened.point_type.funder_id or home.pk, opened.point_type.unit_cost_micros)
        book.lapse(opened.state, circumstances, open_lots([opened.state.id]))
        book.earn(
            opened.state,
            circumstances,
            origin,
            points,
            kind="adjust",
            expires_at=opened.expires_at(circumstances.day),
        )
        book.touch(opened.state, opened.lapses_at(circumstances.day))
    else:
        book.redeem(opened.state, circumstances, open_lots([opened.state.id]), -points, kind="adjust")
    return Posting.objects.get(pk=post(book)[0])


@in_transaction
def reverse(actor: Any, posting_id: int, *, reason: str, key: str, when: datetime) -> Posting:
    """Undoes an earning, redemption or adjustment, once.

    Earned points are taken back, as debt where they are spent and the programme allows it. Spent points return to
    the lots they came from with their old expiry; where that has passed, with the programme's days of grace.
    Raises NotReversible, AlreadyReversed, DebtNotAllowed, ReasonMissing, KeyReused, NotAllowed.
    """
    if not reason.strip():
        raise ReasonMissing()
    target = Posting.objects.get(pk=posting_id)
    opened = open_account(target.account_id)
    require(actor, PERMISSION, opened.row.member.home_unit.path)
    digest = content_hash("reverse", posting_id, reason.strip())
    earlier = posted_before(key, digest)
    if earlier is not None:
        return earlier
    if target.kind not in (PostingKind.EARN, PostingKind.REDEEM, PostingKind.ADJUST):
        raise NotReversible(kind=target.kind)
    if Posting.objects.filter(reverses=target, kind=PostingKind.REVERSE).exists():
        raise AlreadyReversed()
    book = Book()
    circumstances = act(
        opened,
        key,
        when,
        unit_id=target.org_unit_id,
        actor=actor,
        reason=reason.strip(),
        digest=digest,
        reverses_id=target.pk,
    )
    moves = [
        (lot_id, points + pending)
        for lot_id, kind, points, pending in target.entries.order_by("pk").values_list(
            "lot_id", "kind", "points", "pending_points"
        )
        if kind == target.kind and lot_id
    ]
    lots = {row.pk: lot_state(row) for row in Lot.objects.filter(pk__in=[lot_id for lot_id, _ in moves])}
    if moves and moves[0][1] < 0:
        grace = opened.days_end(circumstances.day + timedelta(days=opened.program.grace_days))
        book.give_back(opened.state, circumstances, [(lots[lot_id], -points) for lot_id, points in moves], grace)
        if opened.state.lapses_at is not None and opened.state.lapses_at <= when:
            # The account lapsed by inactivity: what comes back would lapse with it.
            book.touch(opened.state, grace)
    else:
        others = open_lots([opened.state.id])
        for lot_id, points in moves:
            lot = next((other for other in others if other.id == lot_id), lots[lot_id])
            gone = points_gone(target, lot_id)
            book.take_back(
                opened.state,
                circumstances,
                lot,
                points - gone,
                others,
                kind="reverse",
                allows_debt=opened.program.allows_debt,
            )
    return Posting.objects.get(pk=post(book)[0])


def points_gone(target: Posting, lot_id: int) -> int:
    """How many points of an award expired or went back with a refund: nobody takes them a second time."""
    expired = Lot.objects.get(pk=lot_id).entries.filter(kind=PostingKind.EXPIRE).aggregate(total=Sum("points"))["total"]
    refunds = Posting.objects.filter(reverses=target, kind=PostingKind.CLAWBACK)
    refunded = refunds.aggregate(total=Sum(F("points") + F("pending_points")))["total"]
    return -(expired or 0) - (refunded or 0)
