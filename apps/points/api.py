"""Points over the API: what a member has and how it came about; holding points for a redemption, then taking them or
giving them back. The ledger's services do the rest."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from apps.core.api import Body, Failing, Text, Unacceptable, Whole
from apps.core.clock import now
from apps.members.api import Named
from apps.members.querysets import member_within
from apps.orgs.api import ApiKey, IdempotencyKey, Scope, client_of, once
from apps.orgs.models import ApiClient
from apps.orgs.querysets import program_of
from apps.points import services
from apps.points.member_page import Balance, accounts_of, balances_of
from apps.points.models import Entry, Hold, PointType
from apps.points.querysets import hold_within

router = Router(tags=["Points"])

LARGEST_ID = 2**63 - 1
NOTHING = {"available": 0, "pending": 0, "held": 0, "debt": 0, "expiring_next": None}


class Expiring(Schema):
    """Points that expire next; `on` is the last day on which they can be spent."""

    points: int
    on: date


class Standing(Schema):
    """What a member has of one point type. `available` can be spent now; `held` waits for redemptions under way;
    `debt` is paid off by what is earned next."""

    program: str
    point_type: str
    kind: Literal["reward", "status"]
    available: int
    pending: int
    held: int
    debt: int
    expiring_next: Expiring | None


class BalanceAnswer(Schema):
    member: int
    available: int = Field(description="Of the reward points in the programme of the client's unit, as the next ones.")
    pending: int
    held: int
    debt: int
    expiring_next: Expiring | None
    accounts: list[Standing] = Field(description="Every account of the member.")


class EntryAnswer(Schema):
    """One movement of points; earlier ones have lower numbers."""

    id: int
    kind: str = Field(description="`earn`, `release`, `redeem`, `adjust`, `expire`, `reverse`, `clawback` or `repay`.")
    points: int
    pending_points: int
    program: str
    point_type: str
    day: date = Field(description="The programme's local day.")
    posted_at: datetime
    unit: str = Field(description="Code of the org unit where it happened.")
    event: int | None
    reason: str


class EntriesAnswer(Schema):
    entries: list[EntryAnswer]
    next: int | None = Field(description="Send it as `before` to read on; none at the end.")


class TierAnswer(Schema):
    tier: None = None


class RedemptionSent(Body):
    """Points to set aside for a redemption."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"member": {"kind": "card", "value": "6001002003"}, "points": 500, "store": "S001"}]
        }
    )

    member: Named
    points: Whole = Field(ge=1, le=10**12)
    store: Annotated[Text, Field(max_length=40)] | None = Field(
        None, description="Code of an org unit within reach; else the client's. Its programme's points are taken."
    )
    point_type: Annotated[Text, Field(max_length=40)] | None = Field(
        None, description="Code; else the programme's first reward points."
    )
    minutes: Whole = Field(15, ge=1, le=24 * 60, description="How long they are set aside.")
    reason: Annotated[Text, Field(max_length=500)] = ""


class RedemptionAnswer(Schema):
    id: int
    member: int
    program: str
    point_type: str
    points: int
    state: str = Field(description="`held`, `captured` or `voided`.")
    store: str
    held_at: datetime
    lapses_at: datetime = Field(description="When they go back by themselves.")
    ended_at: datetime | None
    available: int = Field(description="What the member can spend after this.")


# -- Reading ------------------------------------------------------------------------------------------------------


@router.get("members/{int:member_id}/balance", auth=ApiKey(Scope.POINTS_READ), response=BalanceAnswer)
def read_balance(request: HttpRequest, member_id: int) -> dict[str, Any]:
    """What a member can spend, what is pending, and what expires next and when. Scope: `points:read`."""
    client = client_of(request)
    member = member_within(client, member_id, "points.view_account")
    balances = balances_of(client, accounts_of(client, member.pk))
    accounts = [_standing(balance) for balance in balances]
    main = _main(client, balances, accounts) or NOTHING
    return {**main, "member": member.pk, "accounts": accounts}


@router.get("members/{int:member_id}/entries", auth=ApiKey(Scope.POINTS_READ), response=EntriesAnswer)
def read_entries(
    request: HttpRequest,
    member_id: int,
    before: Annotated[int, Query(ge=1, le=LARGEST_ID, description="`next` of the page before.")] = LARGEST_ID,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """A member's movements, the newest first. Scope: `points:read`."""
    client = client_of(request)
    member = member_within(client, member_id, "points.view_account")
    entries = Entry.objects.visible_to(client).filter(account__member=member, pk__lt=before)
    entries = entries.select_related("account__point_type__program", "posting", "org_unit").order_by("-pk")
    page = list(entries[: limit + 1])
    shown = page[:limit]
    return {"entries": [_entry(each) for each in shown], "next": shown[-1].pk if len(page) > limit else None}


@router.get("members/{int:member_id}/tier", auth=ApiKey(Scope.POINTS_READ), response=TierAnswer)
def read_tier(request: HttpRequest, member_id: int) -> TierAnswer:
    """A member's tier; none, for there are no tiers yet. Scope: `points:read`."""
    member_within(client_of(request), member_id, "points.view_account")
    return TierAnswer()


# -- Redeeming ----------------------------------------------------------------------------------------------------


@router.post("redemptions", auth=ApiKey(Scope.POINTS_REDEEM), response={201: RedemptionAnswer, 200: RedemptionAnswer})
def hold_points(request: HttpRequest, redemption: RedemptionSent, key: IdempotencyKey = None) -> Status:
    """Sets points aside; capture them when the goods are handed over, void them when not. Scope: `points:redeem`.

    Needs an `Idempotency-Key`. What is neither captured nor voided goes back by itself after `minutes`.
    """
    if key is None:
        raise Unacceptable([Failing("Idempotency-Key", "missing")])
    client = client_of(request)

    def hold() -> RedemptionAnswer:
        held = services.hold_for_member(
            client,
            redemption.member.kind,
            redemption.member.value,
            redemption.points,
            key=f"api:{client.pk}:{key}",
            store=redemption.store,
            point_type=redemption.point_type,
            minutes=redemption.minutes,
            reason=redemption.reason,
            when=now(),
        )
        return _redemption(held)

    return once(request, key, redemption.model_dump(mode="json"), hold)


@router.post("redemptions/{int:hold_id}/capture", auth=ApiKey(Scope.POINTS_REDEEM), response=RedemptionAnswer)
def capture_points(request: HttpRequest, hold_id: int) -> RedemptionAnswer:
    """Takes points that were set aside; again, it answers the same. Scope: `points:redeem`."""
    client = client_of(request)
    return _redemption(services.capture(client, hold_within(client, hold_id).pk, when=now()))


@router.post("redemptions/{int:hold_id}/void", auth=ApiKey(Scope.POINTS_REDEEM), response=RedemptionAnswer)
def void_points(request: HttpRequest, hold_id: int) -> RedemptionAnswer:
    """Gives points back that were set aside; again, it answers the same. Scope: `points:redeem`."""
    client = client_of(request)
    return _redemption(services.void(client, hold_within(client, hold_id).pk, when=now()))


# -- What is told -------------------------------------------------------------------------------------------------


def _standing(balance: Balance) -> dict[str, Any]:
    account = balance.account
    return {
        "program": account.point_type.program.code,
        "point_type": account.point_type.code,
        "kind": account.point_type.kind,
        "available": account.available,
        "pending": account.pending,
        "held": account.held,
        "debt": account.debt,
        "expiring_next": _expiring(balance),
    }


def _expiring(balance: Balance) -> dict[str, Any] | None:
    """The lots that go first, or everything when the account lapses sooner."""
    lot_day, lapse_day = balance.next_on, balance.lapses_on
    if lapse_day is not None and (lot_day is None or lapse_day <= lot_day):
        return {"points": balance.account.balance, "on": lapse_day}
    return {"points": balance.next_points, "on": lot_day} if lot_day is not None else None


def _main(client: ApiClient, balances: Iterable[Balance], accounts: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The account of the client's programme that its unit's events earn on first."""
    program = program_of(client.unit)
    for balance, account in zip(balances, accounts, strict=True):
        kind = balance.account.point_type
        if kind.kind == PointType.Kind.REWARD and program is not None and kind.program_id == program.pk:
            return account
    return None


def _entry(entry: Entry) -> dict[str, Any]:
    kind = entry.account.point_type
    return {
        "id": entry.pk,
        "kind": entry.kind,
        "points": entry.points,
        "pending_points": entry.pending_points,
        "program": kind.program.code,
        "point_type": kind.code,
        "day": entry.day,
        "posted_at": entry.posted_at,
        "unit": entry.org_unit.code,
        "event": entry.posting.event_id,
        "reason": entry.posting.reason,
    }


def _redemption(held: Hold) -> RedemptionAnswer:
    account = held.account
    account.refresh_from_db(fields=["balance", "held"])
    return RedemptionAnswer(
        id=held.pk,
        member=held.member_id,
        program=account.point_type.program.code,
        point_type=account.point_type.code,
        points=held.points,
        state=held.state,
        store=held.org_unit.code,
        held_at=held.held_at,
        lapses_at=held.lapses_at,
        ended_at=held.ended_at,
        available=account.available,
    )
