"""What an event is at each stage of the main road: prepared, opened, processed. Values only."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from apps.activity.facts import EventFacts
from apps.activity.incoming import IncomingEvent
from apps.core.errors import LoyaltyError
from apps.members.facts import MemberFacts
from apps.points.book import AccountState
from apps.rules.evaluate import RuleSet
from apps.rules.snapshot import ProgramInfo, UnitInfo


@dataclass(slots=True)
class Processed:
    """What became of one event: `status` is processed, repeated or refused; `answer` is what its sender is told."""

    status: str
    key: str
    answer: dict[str, Any] | None = None
    refusal: LoyaltyError | None = None
    points: int = 0


@dataclass(frozen=True, slots=True)
class Purchase:
    """The purchase that a refund names, or the event that another confirms."""

    event_id: int
    member_id: int
    amount: Decimal
    point_type_ids: frozenset[int]
    counted: tuple[dict[str, Any], ...] = ()
    """What rules gathered of it, as its answer says (`Counted.to_json`)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The use of a code that an event was found to redeem: the batch by its code, what it draws, the code masked."""

    batch_id: int
    code_id: int
    use: int
    batch: str
    prize: str
    masked: str


@dataclass(slots=True)
class Prepared:
    """An event whose names are resolved. `number` is its place in the batch; `purchase`, `confirmed` and `claim` are
    found later."""

    number: int
    event: IncomingEvent
    unit: UnitInfo
    program: ProgramInfo
    day: date
    facts: EventFacts
    rules: RuleSet
    digest: bytes
    purchase: Purchase | None = None
    confirmed: Purchase | None = None
    claim: Claim | None = None

    @property
    def point_type_ids(self) -> tuple[int, ...]:
        """The kinds of points that it may move or tells of."""
        named = [event.point_type_ids for event in (self.purchase, self.confirmed) if event is not None]
        return tuple({*self.rules.point_type_ids}.union(*named)) if named else self.rules.point_type_ids


@dataclass(slots=True)
class Opened:
    """A recorded event with what is known of its member; `accounts` by point type."""

    prepared: Prepared
    event_id: int
    member_id: int
    member: MemberFacts
    accounts: dict[int, AccountState]

    def account(self, pk: int) -> AccountState | None:
        """The account with that id, of those that were opened for the event."""
        return next((state for state in self.accounts.values() if state.id == pk), None)

    @property
    def main_account(self) -> AccountState | None:
        """That of the programme's first reward points."""
        kind = self.prepared.program.main_type
        return None if kind is None else self.accounts.get(kind.id)
