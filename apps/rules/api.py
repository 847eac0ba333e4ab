"""Events over the API, one at a time (a till waits for the points) or up to a thousand. The main road does the rest."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Body as InBody
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field, SkipValidation

from apps.activity.incoming import IncomingEvent
from apps.activity.parsing import Faults, parse_event
from apps.activity.services import source_of
from apps.core.api import Failing, FieldProblem, Unacceptable, faults_of
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.members.api import Named
from apps.orgs.api import ApiKey, Scope, client_of
from apps.orgs.models import ApiClient
from apps.rules import snapshot
from apps.rules.answers import program_at, told
from apps.rules.pipeline import Processed, process

router = Router(tags=["Events"])

MOST_EVENTS = 1_000

PURCHASE: dict[str, Any] = {
    "key": "S001-2026-05-04-000123",
    "kind": "purchase",
    "member": {"kind": "card", "value": "6001002003"},
    "occurred_at": "2026-05-04T12:30:00+08:00",
    "store": "S001",
    "channel": "till",
    "lines": [
        {"sku": "LATTE-L", "category": "coffee", "quantity": 2, "amount": "64.00"},
        {"sku": "MUG-01", "category": "gift", "brand": "Shanhai", "quantity": 1, "amount": "89.00", "tax": "10.24"},
        {"sku": "CARRIAGE", "amount": "12.00", "shipping": True},
    ],
}
REFUND: dict[str, Any] = {
    "key": "S001-2026-05-05-000007",
    "kind": "refund",
    "refund_of": "S001-2026-05-04-000123",
    "member": {"kind": "card", "value": "6001002003"},
    "occurred_at": "2026-05-05T10:00:00+08:00",
    "store": "S001",
    "lines": [{"sku": "MUG-01", "category": "gift", "quantity": 1, "amount": "89.00"}],
}
CODE: dict[str, Any] = {
    "key": "app-000777",
    "kind": "code",
    "member": {"kind": "card", "value": "6001002003"},
    "occurred_at": "2026-05-05T18:00:00+08:00",
    "channel": "app",
    "attributes": {"code": "26PS-APMA-S2DF"},
}

# -- What is sent. Read by `apps.activity.parsing`, as files are; here for the documentation ----------------------


class Line(Schema):
    sku: str = Field("", max_length=80)
    category: str = Field("", max_length=80)
    brand: str = Field("", max_length=80)
    quantity: Decimal = Field(Decimal(1), ge=0, description="Up to four decimals.")
    amount: Decimal = Field(ge=0, description="Paid for the whole line, tax included; up to four decimals.")
    tax: Decimal | None = Field(None, ge=0, description="The tax in `amount`, for rules that leave it out.")
    shipping: bool = Field(False, description="Whether this line is the carriage.")


class EventSent(Schema):
    """Something a member did."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [PURCHASE, REFUND, CODE]})

    key: str = Field(
        min_length=1, max_length=120, description="Unique for this API client, for ever: the same key is booked once."
    )
    kind: str = Field(
        pattern="^[a-z][a-z0-9_]{0,39}$",
        description="`purchase`, `refund`, `check_in`, `review`, `referral`, `registration`, `birthday`, `code` or one's own.",
    )
    member: Named
    occurred_at: datetime = Field(description="ISO 8601 with the offset from UTC.")
    store: str | None = Field(None, max_length=40, description="Code of an org unit within reach; else the client's.")
    channel: str | None = Field(None, max_length=40)
    order_no: str | None = Field(None, max_length=80)
    refund_of: str | None = Field(None, max_length=120, description="Of a refund: the key of the purchase.")
    confirms: str | None = Field(
        None, max_length=120, description="The key of an earlier event whose points wait for an event of this kind."
    )
    currency: str | None = Field(None, pattern="^[A-Z]{3}$", description="Must be the programme's, where it is said.")
    device: str | None = Field(None, max_length=80)
    lines: list[Line] = Field([], max_length=500, description="A purchase and a refund have one at least.")
    attributes: dict[str, Any] = Field({}, description="Texts, numbers, true, false or lists of texts; 50 at most.")


class BatchSent(Schema):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"events": [PURCHASE, REFUND]}]})

    events: list[EventSent] = Field(max_length=MOST_EVENTS)


# -- What is answered --------------------------------------------------------------------------------------------


class Award(Schema):
    """Points of one rule, or what a refund took back of them."""

    rule: str | None = Field(description="The rule's code; none for what a refund took back.")
    version: int | None = None
    point_type: str
    points: int
    state: Literal["settled", "pending", "clawback"]
    why: str = Field(description="The reason, in the language asked for.")
    reason: dict[str, Any] = Field(description="The reason, for programs; `code` says what it is made of.")


class Released(Schema):
    """Points of an earlier event that had waited for this one and are spendable now."""

    rule: str | None
    point_type: str
    points: int


class Progress(Schema):
    """How far the member is with a rule that has a goal, right after the event."""

    rule: str
    done: str = Field(description="How much of `goal`, as text.")
    goal: str
    reached: int = Field(description="How often the goal, or a step, was reached by this event.")


class Balance(Schema):
    """The member's reward points in the programme, right after the event."""

    point_type: str
    available: int
    pending: int
    debt: int


class EventAnswer(Schema):
    event: int
    key: str
    status: Literal["processed"]
    awards: list[Award]
    released: list[Released] = []
    progress: list[Progress] = []
    balance: Balance | None
    tier: None = None


class Taken(EventAnswer):
    """An event of a batch that was taken, now or, with `repeated`, before."""

    repeated: bool


class Refused(Schema):
    """An event of a batch that was not taken. Nothing of it was written; the others are not touched by it."""

    key: str | None
    status: Literal["refused"] = "refused"
    code: str
    detail: str
    errors: list[FieldProblem]


class BatchAnswer(Schema):
    results: list[Taken | Refused] = Field(description="One for each event, in the order sent.")


# -- The calls ----------------------------------------------------------------------------------------------------


@router.post("events", auth=ApiKey(Scope.EVENTS_WRITE), response={201: EventAnswer, 200: EventAnswer})
def send_event(request: HttpRequest, event: Annotated[EventSent, SkipValidation, InBody()]) -> Status:
    """Takes an event and answers with the points it earned, and why. Scope: `events:write`.

    201 for a new event. The same key with the same content is answered with 200 and the first answer; with other
    content it is refused (409, `key_reused`).
    """
    incoming = _parsed(event)
    [result], answers = _take(client_of(request), [incoming])
    if result.refusal is not None:
        raise result.refusal
    return Status(200 if result.status == "repeated" else 201, answers[0])


@router.post("events/batch", auth=ApiKey(Scope.EVENTS_WRITE), response=BatchAnswer)
def send_events(request: HttpRequest, batch: Annotated[BatchSent, SkipValidation, InBody()]) -> dict[str, Any]:
    """Takes up to 1,000 events, in order; one that cannot be taken refuses itself alone. Scope: `events:write`."""
    results: list[dict[str, Any]] = []
    incoming: list[IncomingEvent] = []
    places: list[int] = []
    for data in _events_of(batch):
        try:
            incoming.append(_parsed(data))
            places.append(len(results))
            results.append({})
        except Unacceptable as refusal:
            results.append(_refused(_key_of(data), refusal))
    processed, answers = _take(client_of(request), incoming)
    for place, result, answer in zip(places, processed, answers, strict=True):
        if result.refusal is not None:
            results[place] = _refused(result.key, result.refusal)
        else:
            results[place] = {**answer, "repeated": result.status == "repeated"}
    return {"results": results}


def _events_of(batch: Any) -> list[Any]:
    """The events of a body. Raises Unacceptable."""
    if not isinstance(batch, dict):
        raise Unacceptable([Failing("", "not_an_object")])
    faults = [Failing(str(name)[:60], "unknown_field") for name in batch if name != "events"]
    events = batch.get("events")
    if not isinstance(events, list):
        faults.append(Failing("events", "missing" if events is None else "not_a_list"))
    elif len(events) > MOST_EVENTS:
        faults.append(Failing("events", "too_many"))
    if faults:
        raise Unacceptable(faults)
    return list(events)  # type: ignore[arg-type]


def _parsed(data: Any) -> IncomingEvent:
    """Raises Unacceptable."""
    try:
        return parse_event(data)
    except Faults as found:
        places = [Failing(".".join(map(str, fault.path)), fault.code) for fault in found.faults]
        raise Unacceptable(places) from None


def _take(client: ApiClient, events: Sequence[IncomingEvent]) -> tuple[list[Processed], list[dict[str, Any]]]:
    """What became of each event, and what its sender is told of it (nothing of one refused)."""
    source = source_of(client)
    results = process(client, source, events, when=now())
    copy = snapshot.current()
    answers = [
        told(result.answer, program_at(copy, event.store, source.unit_id)) if result.answer else {}
        for event, result in zip(events, results, strict=True)
    ]
    return results, answers


def _refused(key: str | None, refusal: LoyaltyError) -> dict[str, Any]:
    return {"key": key, "code": refusal.code, "detail": refusal.sentence(), "errors": faults_of(refusal)}


def _key_of(data: Any) -> str | None:
    key = data.get("key") if isinstance(data, dict) else None
    return key[:120] if isinstance(key, str) else None
