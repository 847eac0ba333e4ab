"""The ledger's arithmetic: what each verb does to accounts and lots, and the rows that record it. Pure.

A `Book` is opened over accounts that the caller has locked. Its verbs change the states in memory and collect a
plan; the caller hands the plan to the database function `points_post`, which writes it without a second thought
(constraints there hold every promise again). So a single redemption at a till, a batch of awards and the tests'
model all go through the same few lines.

Every verb keeps, for each account:

    balance = Σ settled lots' remaining − debt      pending = Σ pending lots' remaining      held = Σ lots' held
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from apps.points.errors import DebtNotAllowed, NotEnoughPoints, TooManyPoints

MOST_POINTS = 10**12
MOST_COST_MICROS = 10**15
"""Of one lot. Thousands of the largest still add up within the 64 bits of a balance, a daily fact or a total."""


@dataclass(slots=True)
class AccountState:
    """A locked account as the verbs see and change it; points."""

    id: int
    member_id: int
    point_type_id: int
    program_id: int
    balance: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    lapses_at: datetime | None = None


class Origin(NamedTuple):
    """Where points come from: what a lot remembers for ever, beside how many there are."""

    org_unit_id: int
    funder_id: int
    unit_cost_micros: int
    event_id: int | None = None
    rule_id: int | None = None
    rule_version_id: int | None = None


@dataclass(slots=True)
class LotState:
    """A lot as the verbs see and change it. `id` is None for one made in this book; `ordinal` then names it."""

    id: int | None
    account_id: int
    origin: Origin
    earned: int
    remaining: int
    held: int = 0
    is_pending: bool = False
    earned_at: datetime | None = None
    expires_at: datetime | None = None
    releases_at: datetime | None = None
    ordinal: int | None = None
    moved_from: int | None = None
    """The lot of another member that it goes on with, since the two are one person."""

    @property
    def free(self) -> int:
        return self.remaining - self.held

    def is_spendable(self, when: datetime) -> bool:
        return not self.is_pending and self.free > 0 and (self.expires_at is None or when < self.expires_at)


class Act(NamedTuple):
    """The circumstances of one posting. `day` is the programme's local day of `at`."""

    key: str
    at: datetime
    day: date
    org_unit_id: int
    event_id: int | None = None
    reverses_id: int | None = None
    actor_id: int | None = None
    reason: str = ""
    content_hash: bytes | None = None


def first_to_expire(lots: Iterable[LotState]) -> list[LotState]:
    """The order of spending: what expires first, then what was earned first; what never expires comes last."""
    return sorted(
        lots, key=lambda lot: (lot.expires_at is None, lot.expires_at, lot.id is None, lot.id or 0, lot.ordinal or 0)
    )


@dataclass(slots=True)
class Book:
    """Locked accounts and the plan of what to write. Points are whole numbers throughout."""

    postings: list[dict[str, Any]] = field(default_factory=list)
    lots: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    lot_changes: dict[int, dict[str, Any]] = field(default_factory=dict)
    accounts: dict[int, dict[str, Any]] = field(default_factory=dict)

    # -- verbs -----------------------------------------------------------------------------------------

    def earn(
        self,
        account: AccountState,
        act: Act,
        origin: Origin,
        points: int,
        *,
        kind: str = "earn",
        earned_at: datetime | None = None,
        expires_at: datetime | None = None,
        releases_at: datetime | None = None,
        pending: bool = False,
    ) -> LotState:
        """Adds a lot of `points`; debt is paid off from it at once unless it is pending. Raises TooManyPoints."""
        if points > MOST_POINTS or points * origin.unit_cost_micros > MOST_COST_MICROS:
            raise TooManyPoints(points=points)
        posting = self._posting(account, act, kind)
        lot = self._new_lot(account, origin, points, earned_at or act.at, expires_at, releases_at, pending)
        self._move(posting, account, lot, points, act, kind, created=True)
        self._pay_debt(posting, account, [lot], act)
        if kind != "reverse":
            self._change(account)["earned"] += points
        return lot

    def release(self, account: AccountState, act: Act, lot: LotState) -> None:
        """Makes what is left of a pending lot spendable."""
        posting = self._posting(account, act, "release")
        self._settle(posting, account, lot, act)
        self._pay_debt(posting, account, [lot], act)

    def redeem(
        self, account: AccountState, act: Act, lots: Sequence[LotState], points: int, *, kind: str = "redeem"
    ) -> None:
        """Spends `points` from the lots that expire first. Raises NotEnoughPoints and changes nothing."""
        parts = self._choose(account, lots, points, act.at)
        posting = self._posting(account, act, kind)
        for lot, part in parts:
            self._move(posting, account, lot, -part, act, kind)

    def hold(
        self, account: AccountState, lots: Sequence[LotState], points: int, when: datetime
    ) -> list[tuple[LotState, int]]:
        """Sets `points` aside from the lots that expire first, and says how many of which."""
        parts = self._choose(account, lots, points, when)
        for lot, part in parts:
            self._hold(account, lot, part)
        return parts

    def capture(self, account: AccountState, act: Act, parts: Sequence[tuple[LotState, int]]) -> None:
        """Takes what a hold set aside."""
        posting = self._posting(account, act, "redeem")
        for lot, part in parts:
            self._hold(account, lot, -part)
            self._move(posting, account, lot, -part, act, "redeem")

    def void(self, account: AccountState, act: Act, parts: Sequence[tuple[LotState, int]]) -> None:
        """Gives back what a hold set aside; debt that arose meanwhile is paid off from it."""
        for lot, part in parts:
            self._hold(account, lot, -part)
        if account.debt:
            posting = self._posting(account, act, "repay")
            self._pay_debt(posting, account, [lot for lot, _ in parts], act)

    def take_back(
        self,
        account: AccountState,
        act: Act,
        lot: LotState,
        points: int,
        others: Sequence[LotState],
        *,
        kind: str = "clawback",
        allows_debt: bool = True,
    ) -> None:
        """Takes `points` of `lot` back: from itself, then from the other lots that expire first, then as debt.

        Raises DebtNotAllowed, and changes nothing, where the programme allows no debt and points are missing.
        """
        own = min(points, lot.remaining if lot.is_pending else lot.free)
        parts, rest = [(lot, own)], points - own
        for other in first_to_expire(o for o in others if o is not lot and o.is_spendable(act.at)):
            part = min(rest, other.free)
            parts.append((other, part))
            rest -= part
        if rest and not allows_debt:
            raise DebtNotAllowed(missing=rest)
        posting = self._posting(account, act, kind)
        for source, part in parts:
            if part:
                self._move(posting, account, source, -part, act, kind)
        if rest:
            self._move_debt(posting, account, -rest, act, kind, lot.origin)

    def give_back(
        self,
        account: AccountState,
        act: Act,
        parts: Sequence[tuple[LotState, int]],
        grace_expires_at: datetime,
    ) -> None:
        """Returns spent points to the lots they came from; where a lot has expired, to a new one with grace, and where it is
        another account's, to a new one that goes on with it."""
        posting = self._posting(account, act, "reverse")
        returned: list[LotState] = []
        for lot, part in parts:
            is_moved = lot.account_id != account.id
            is_late = lot.expires_at is not None and lot.expires_at <= act.at
            if is_late or is_moved:
                ends = grace_expires_at if is_late else lot.expires_at
                since = act.at if is_late else lot.earned_at or act.at
                moved_from = lot.id if is_moved else None
                lot = self._new_lot(account, lot.origin, part, since, ends, None, False, moved_from)
                self._move(posting, account, lot, part, act, "reverse", created=True)
            else:
                self._move(posting, account, lot, part, act, "reverse")
            returned.append(lot)
        self._pay_debt(posting, account, returned, act)

    def move(
        self,
        source: AccountState,
        out: Act,
        target: AccountState,
        into: Act,
        lots: Sequence[LotState],
        cost_micros: int,
    ) -> None:
        """Moves what is left of `lots` to another account of the same kind of points, each to a new lot that is as good
        for as long; and the debt, at `cost_micros` a point. Nothing is paid off: both accounts together stay as they were.
        """
        going = self._posting(source, out, "merge")
        coming = self._posting(target, into, "merge")
        for lot in lots:
            points = lot.remaining
            heir = self._new_lot(
                target,
                lot.origin,
                points,
                lot.earned_at or out.at,
                lot.expires_at,
                lot.releases_at,
                lot.is_pending,
                lot.id,
            )
            self._move(going, source, lot, -points, out, "merge")
            self._move(coming, target, heir, points, into, "merge", created=True)
        self._hand_debt(going, source, out, coming, target, into, source.debt, cost_micros)

    def move_back(
        self,
        source: AccountState,
        out: Act,
        target: AccountState,
        into: Act,
        pairs: Sequence[tuple[LotState, LotState]],
        debt: int,
        cost_micros: int,
    ) -> None:
        """Moves what is left of each first lot back to the second, which it went on with; to a new one where it became good
        for longer. And `debt`."""
        going = self._posting(source, out, "merge")
        coming = self._posting(target, into, "merge")
        for lot, home in pairs:
            points = lot.remaining
            if home.is_pending and not lot.is_pending:
                home.is_pending = False
                self._lot_change(home)["settled"] = True
            if not points:
                continue
            self._move(going, source, lot, -points, out, "merge")
            if lot.expires_at == home.expires_at:
                self._move(coming, target, home, points, into, "merge")
            else:
                heir = self._new_lot(
                    target, lot.origin, points, lot.earned_at or out.at, lot.expires_at, lot.releases_at, lot.is_pending
                )
                self._move(coming, target, heir, points, into, "merge", created=True)
        self._hand_debt(going, source, out, coming, target, into, debt, cost_micros)

    def lapse(self, account: AccountState, act: Act, lots: Iterable[LotState]) -> None:
        """Takes what `account` lost by inactivity before `act`, so that no act revives it: its settled lots, but for
        what is held. `lots` are those that still hold points, the ones of this book included."""
        if account.lapses_at is None or act.at < account.lapses_at:
            return
        due = [lot for lot in first_to_expire(lots) if not lot.is_pending and lot.free > 0]
        if due:
            key = f"lapse:{account.id}:{account.lapses_at.timestamp():.0f}"
            posting = self._posting(account, Act(key, act.at, act.day, act.org_unit_id), "expire")
            for lot in due:
                self._move(posting, account, lot, -lot.free, act, "expire")

    def touch(self, account: AccountState, lapses_at: datetime | None) -> None:
        """Moves the day on which an inactive account lapses; never backwards, so late events change nothing."""
        if lapses_at is not None and (account.lapses_at is None or account.lapses_at < lapses_at):
            account.lapses_at = lapses_at
            self._change(account)["lapses_at"] = lapses_at

    @property
    def is_empty(self) -> bool:
        return not (self.postings or self.accounts or self.lot_changes)

    def plan(self) -> dict[str, Any]:
        """What `points_post` takes."""
        return {
            "postings": self.postings,
            "lots": self.lots,
            "entries": self.entries,
            "lot_changes": list(self.lot_changes.values()),
            "accounts": list(self.accounts.values()),
        }

    # -- movements -------------------------------------------------------------------------------------

    def _choose(
        self, account: AccountState, lots: Sequence[LotState], points: int, when: datetime
    ) -> list[tuple[LotState, int]]:
        spendable = first_to_expire(lot for lot in lots if lot.is_spendable(when))
        lapsed = account.lapses_at is not None and account.lapses_at <= when
        available = 0 if lapsed else max(0, sum(lot.free for lot in spendable) - account.debt)
        if available < points:
            raise NotEnoughPoints(wanted=points, available=available)
        parts, rest = [], points
        for lot in spendable:
            if not rest:
                break
            part = min(rest, lot.free)
            parts.append((lot, part))
            rest -= part
        return parts

    def _posting(self, account: AccountState, act: Act, kind: str) -> int:
        self.postings.append(
            {
                "key": act.key,
                "account": account.id,
                "member": account.member_id,
                "unit": act.org_unit_id,
                "kind": kind,
                "points": 0,
                "pending": 0,
                "event": act.event_id,
                "reverses": act.reverses_id,
                "actor": act.actor_id,
                "reason": act.reason,
                "hash": act.content_hash.hex() if act.content_hash else None,
                "day": act.day,
                "at": act.at,
            }
        )
        return len(self.postings)

    def _new_lot(
        self,
        account: AccountState,
        origin: Origin,
        points: int,
        earned_at: datetime,
        expires_at: datetime | None,
        releases_at: datetime | None,
        pending: bool,
        moved_from: int | None = None,
    ) -> LotState:
        row = {
            "account": account.id,
            "member": account.member_id,
            "unit": origin.org_unit_id,
            "funder": origin.funder_id,
            "rule": origin.rule_id,
            "version": origin.rule_version_id,
            "event": origin.event_id,
            "cost": origin.unit_cost_micros,
            "earned": points,
            "remaining": points,
            "pending": pending,
            "earned_at": earned_at,
            "releases_at": releases_at,
            "expires_at": expires_at,
            "moved_from": moved_from,
        }
        self.lots.append(row)
        return LotState(
            None,
            account.id,
            origin,
            points,
            0,
            0,
            pending,
            earned_at,
            expires_at,
            releases_at,
            len(self.lots),
            moved_from,
        )

    def _move(
        self,
        posting: int,
        account: AccountState,
        lot: LotState,
        points: int,
        act: Act,
        kind: str,
        *,
        created: bool = False,
    ) -> None:
        lot.remaining += points
        if not created:
            self._lot_change(lot, remaining=points)
        change = self._change(account)
        row = self.postings[posting - 1]
        if lot.is_pending:
            account.pending += points
            change["pending"] += points
            row["pending"] += points
            self._entry(posting, account, lot, 0, points, act, kind, lot.origin)
        else:
            account.balance += points
            change["balance"] += points
            row["points"] += points
            self._entry(posting, account, lot, points, 0, act, kind, lot.origin)

    def _settle(self, posting: int, account: AccountState, lot: LotState, act: Act) -> None:
        points = lot.remaining
        lot.is_pending = False
        self._lot_change(lot)["settled"] = True
        change = self._change(account)
        account.pending -= points
        account.balance += points
        change["pending"] -= points
        change["balance"] += points
        row = self.postings[posting - 1]
        row["points"] += points
        row["pending"] -= points
        self._entry(posting, account, lot, points, -points, act, "release", lot.origin)

    def _pay_debt(self, posting: int, account: AccountState, lots: Iterable[LotState], act: Act) -> None:
        if not account.debt:
            return
        for lot in first_to_expire(lot for lot in lots if not lot.is_pending):
            part = min(account.debt, lot.free)
            if part > 0:
                self._move(posting, account, lot, -part, act, "repay")
                self._move_debt(posting, account, part, act, "repay", lot.origin)

    def _move_debt(self, posting: int, account: AccountState, points: int, act: Act, kind: str, origin: Origin) -> None:
        account.debt -= points
        account.balance += points
        change = self._change(account)
        change["debt"] -= points
        change["balance"] += points
        self.postings[posting - 1]["points"] += points
        self._entry(posting, account, None, points, 0, act, kind, origin)

    def _hand_debt(
        self, going: int, source: AccountState, out: Act, coming: int, target: AccountState, into: Act, debt: int,
        cost_micros: int,
    ) -> None:  # fmt: skip
        if debt:
            origin = Origin(out.org_unit_id, out.org_unit_id, cost_micros)
            self._move_debt(going, source, debt, out, "merge", origin)
            self._move_debt(coming, target, -debt, into, "merge", origin)

    def _hold(self, account: AccountState, lot: LotState, points: int) -> None:
        lot.held += points
        account.held += points
        self._lot_change(lot, held=points)
        self._change(account)["held"] += points

    def _entry(
        self,
        posting: int,
        account: AccountState,
        lot: LotState | None,
        points: int,
        pending: int,
        act: Act,
        kind: str,
        origin: Origin,
    ) -> None:
        self.entries.append(
            {
                "posting": posting,
                "account": account.id,
                "member": account.member_id,
                "lot": lot.id if lot else None,
                "new_lot": lot.ordinal if lot else None,
                "kind": kind,
                "points": points,
                "pending": pending,
                "cost": (points + pending) * origin.unit_cost_micros,
                "program": account.program_id,
                "unit": act.org_unit_id,
                "rule": origin.rule_id,
                "version": origin.rule_version_id,
                "day": act.day,
                "at": act.at,
            }
        )

    def _change(self, account: AccountState) -> dict[str, Any]:
        change = self.accounts.get(account.id)
        if change is None:
            change = self.accounts[account.id] = {
                "id": account.id,
                "balance": 0,
                "pending": 0,
                "held": 0,
                "debt": 0,
                "earned": 0,
                "lapses_at": None,
            }
        return change

    def _lot_change(self, lot: LotState, remaining: int = 0, held: int = 0) -> dict[str, Any]:
        if lot.id is None:
            # Made in this book: the row is still ours to correct.
            row = self.lots[lot.ordinal - 1]  # type: ignore[operator]
            row["remaining"] += remaining
            return row
        change = self.lot_changes.get(lot.id)
        if change is None:
            change = self.lot_changes[lot.id] = {"id": lot.id, "remaining": 0, "held": 0, "settled": False}
        change["remaining"] += remaining
        change["held"] += held
        return change
