"""Promise R2 as a property: any sequence of verbs leaves accounts, lots and entries agreeing with a simple model.

The model knows only lots as (expires, points) and does everything the slow, obvious way.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.points.book import AccountState, Act, Book, LotState, Origin
from apps.points.errors import NotEnoughPoints

START = datetime(2026, 1, 1, tzinfo=UTC)
ORIGIN = Origin(org_unit_id=1, funder_id=1, unit_cost_micros=10_000)


@dataclass
class Model:
    """Single points, one by one: each is (day it expires, lot number)."""

    free: list[tuple[int, int]] = field(default_factory=list)
    debt: int = 0
    pending: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def add(self, points: list[tuple[int, int]]) -> None:
        points = sorted(points)
        pay = min(self.debt, len(points))
        self.debt -= pay
        self.free = sorted(self.free + points[pay:])

    def spend(self, points: int, day: int) -> bool:
        good = [point for point in self.free if point[0] > day]
        if len(good) - self.debt < points:
            return False
        for point in good[:points]:
            self.free.remove(point)
        return True

    def take_back(self, lot: int, points: int, day: int) -> None:
        if lot in self.pending:
            self.pending[lot] = self.pending[lot][points:]
            return
        own = [point for point in self.free if point[1] == lot]
        others = [point for point in self.free if point[1] != lot and point[0] > day]
        for point in (own[:points] + others)[:points]:
            self.free.remove(point)
            points -= 1
        self.debt += points


steps = st.lists(
    st.one_of(
        st.tuples(st.just("earn"), st.integers(1, 60), st.integers(1, 12)),
        st.tuples(st.just("earn_pending"), st.integers(1, 60), st.integers(1, 12)),
        st.tuples(st.just("release"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("redeem"), st.integers(1, 80), st.just(0)),
        st.tuples(st.just("take_back"), st.integers(0, 30), st.integers(1, 100)),
        st.tuples(st.just("day"), st.integers(1, 3), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(steps)
def test_any_sequence_of_verbs_agrees_with_the_model(sequence: list[tuple[str, int, int]]) -> None:
    account = AccountState(1, 1, 1, 1)
    lots: list[LotState] = []
    taken: dict[int, int] = {}
    model, book, day = Model(), Book(), 0
    for number, (verb, first, second) in enumerate(sequence):
        act = Act(f"k{number}", START + timedelta(days=day), date(2026, 1, 1), 1)
        if verb in ("earn", "earn_pending"):
            expires = day + second
            lot = book.earn(
                account,
                act,
                ORIGIN,
                first,
                expires_at=START + timedelta(days=expires),
                pending=verb == "earn_pending",
            )
            lots.append(lot)
            points = [(expires, len(lots))] * first
            if verb == "earn":
                model.add(points)
            else:
                model.pending[len(lots)] = points
        elif verb == "release" and lots:
            index = first % len(lots)
            if lots[index].is_pending:
                book.release(account, act, lots[index])
                model.add(model.pending.pop(index + 1))
        elif verb == "redeem":
            try:
                book.redeem(account, act, lots, first)
                granted = True
            except NotEnoughPoints:
                granted = False
            assert granted == model.spend(first, day)
        elif verb == "take_back" and lots:
            index = first % len(lots)
            lot = lots[index]
            left = (lot.remaining if lot.is_pending else lot.earned) - (0 if lot.is_pending else taken.get(index, 0))
            points_back = min(second, left)
            if points_back > 0:
                taken[index] = taken.get(index, 0) + points_back
                book.take_back(account, act, lot, points_back, lots)
                model.take_back(index + 1, points_back, day)
        elif verb == "day":
            day += first
        settled = sum(lot.remaining for lot in lots if not lot.is_pending)
        assert account.balance == settled - account.debt == len(model.free) - model.debt
        assert account.debt == model.debt
        assert account.pending == sum(map(len, model.pending.values()))
        assert all(0 <= lot.remaining <= lot.earned for lot in lots)
        assert account.balance == sum(entry["points"] for entry in book.entries)
        assert account.pending == sum(entry["pending"] for entry in book.entries)
        assert -account.debt == sum(entry["points"] for entry in book.entries if entry["new_lot"] is None)
        for lot in lots:
            moved = [entry for entry in book.entries if entry["new_lot"] == lot.ordinal]
            assert lot.remaining == sum(entry["points"] + entry["pending"] for entry in moved)
            assert sum(entry["cost"] for entry in moved) == lot.remaining * 10_000
