"""Spending: redeem at once, or hold, then capture or void."""

from datetime import datetime, timedelta
from typing import Any

from apps.activity.errors import NoProgram, UnknownMember, UnknownStore
from apps.core.scope import require
from apps.core.transactions import in_transaction
from apps.members.querysets import named_member
from apps.orgs.models import OrgUnit
from apps.orgs.querysets import program_of
from apps.points.book import Book, LotState
from apps.points.errors import HoldEnded, KeyReused, NoSuchPointType, PointsMustBePositive
from apps.points.models import Hold, HoldLot, PointType, Posting
from apps.points.services.ledger import (
    Opened,
    act,
    content_hash,
    lot_state,
    open_account,
    open_account_of,
    open_lots,
    post,
    posted_before,
)

PERMISSION = "points.redeem_points"


@in_transaction
def redeem(
    principal: Any, account_id: int, points: int, *, key: str, unit: OrgUnit, when: datetime, reason: str = ""
) -> Posting:
    """Spends `points` of an account at `unit`, first expiring first.

    Raises NotEnoughPoints, PointsMustBePositive, KeyReused, NotAllowed.
    """
    _check(principal, points, unit)
    opened = open_account(account_id)
    digest = content_hash("redeem", account_id, points, unit.pk)
    earlier = posted_before(key, digest)
    if earlier is not None:
        return earlier
    book = Book()
    circumstances = act(opened, key, when, unit_id=unit.pk, actor=principal, reason=reason, digest=digest)
    book.redeem(opened.state, circumstances, open_lots([account_id]), points)
    book.touch(opened.state, opened.lapses_at(circumstances.day))
    return Posting.objects.get(pk=post(book)[0])


@in_transaction
def hold(
    principal: Any,
    account_id: int,
    points: int,
    *,
    key: str,
    unit: OrgUnit,
    when: datetime,
    minutes: int = 15,
    reason: str = "",
) -> Hold:
    """Sets `points` aside for `minutes`. Raises as `redeem` does."""
    _check(principal, points, unit)
    opened = open_account(account_id)
    digest = content_hash("hold", account_id, points, unit.pk)
    earlier = Hold.objects.filter(key=key).first()
    if earlier is not None:
        if bytes(earlier.content_hash) != digest:
            raise KeyReused(key=key)
        return earlier
    book = Book()
    parts = book.hold(opened.state, open_lots([account_id]), points, when)
    book.touch(opened.state, opened.lapses_at(opened.day(when)))
    post(book)
    held = Hold.objects.create(
        key=key,
        content_hash=digest,
        account_id=account_id,
        member_id=opened.state.member_id,
        org_unit=unit,
        points=points,
        reason=reason,
        held_at=when,
        lapses_at=when + timedelta(minutes=minutes),
    )
    HoldLot.objects.bulk_create(HoldLot(hold=held, lot_id=lot.id or 0, points=part) for lot, part in parts)
    return held


@in_transaction
def hold_for_member(
    principal: Any,
    kind: str,
    value: str,
    points: int,
    *,
    key: str,
    store: str | None = None,
    point_type: str | None = None,
    when: datetime,
    minutes: int = 15,
    reason: str = "",
) -> Hold:
    """As `hold`, for whoever shows an identifier at `store` (None: the principal's own unit), from the account of the
    store's programme: of `point_type`, or of its first reward points. Members are the group's: any may spend there.

    Raises UnknownStore, NoProgram, NoSuchPointType, UnknownMember, and as `hold` does.
    """
    units = OrgUnit.objects.visible_to(principal, PERMISSION)
    unit = units.filter(code=store).first() if store else principal.unit
    if unit is None:
        raise UnknownStore()
    program = program_of(unit)
    if program is None:
        raise NoProgram()
    kinds = PointType.objects.filter(program=program, kind=PointType.Kind.REWARD)
    spent = (kinds.filter(code=point_type) if point_type else kinds).order_by("pk").first()
    if spent is None:
        raise NoSuchPointType()
    member = named_member(kind, value)
    if member is None:
        raise UnknownMember()
    account = open_account_of(member.pk, spent.pk)
    return hold(principal, account.row.pk, points, key=key, unit=unit, when=when, minutes=minutes, reason=reason)


@in_transaction
def capture(principal: Any, hold_id: int, *, when: datetime) -> Hold:
    """Takes held points. Capturing again answers the same. Raises HoldEnded when voided or lapsed."""
    held, opened = _open_hold(principal, hold_id)
    if held.state == Hold.State.CAPTURED:
        return held
    if held.state == Hold.State.VOIDED:
        is_early = held.ended_at is not None and held.ended_at < held.lapses_at
        raise HoldEnded(state="voided" if is_early else "lapsed")
    if held.lapses_at <= when:
        raise HoldEnded(state="lapsed")
    book = Book()
    circumstances = act(opened, f"hold:{held.pk}", when, unit_id=held.org_unit_id, actor=principal, reason=held.reason)
    book.capture(opened.state, circumstances, _parts(held))
    return _end(held, book, Hold.State.CAPTURED, when)


@in_transaction
def void(principal: Any, hold_id: int, *, when: datetime) -> Hold:
    """Gives held points back. Voiding again answers the same. Raises HoldEnded when captured."""
    held, opened = _open_hold(principal, hold_id)
    if held.state == Hold.State.VOIDED:
        return held
    if held.state == Hold.State.CAPTURED:
        raise HoldEnded(state="captured")
    book = Book()
    circumstances = act(opened, f"hold:{held.pk}:void", when, unit_id=held.org_unit_id, actor=principal)
    book.void(opened.state, circumstances, _parts(held))
    return _end(held, book, Hold.State.VOIDED, when)


def _check(principal: Any, points: int, unit: OrgUnit) -> None:
    if points <= 0:
        raise PointsMustBePositive()
    require(principal, PERMISSION, unit.path)


def _open_hold(principal: Any, hold_id: int) -> tuple[Hold, Opened]:
    """The account is locked before the hold is read, so that two tills see one after the other."""
    account_id, path = Hold.objects.values_list("account_id", "org_unit__path").get(pk=hold_id)
    require(principal, PERMISSION, path)
    opened = open_account(account_id)
    return Hold.objects.get(pk=hold_id), opened


def _parts(held: Hold) -> list[tuple[LotState, int]]:
    rows = held.parts.select_related("lot").order_by("pk")
    return [(lot_state(part.lot), part.points) for part in rows]


def _end(held: Hold, book: Book, state: Hold.State, when: datetime) -> Hold:
    post(book)
    held.state, held.ended_at = state, when
    held.save(update_fields=["state", "ended_at"])
    return held
