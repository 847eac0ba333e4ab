"""Points move with a member who is merged, as entries: lot by lot, each with its start, its end and its cost.

What a lot becomes there remembers what it goes on with (`Lot.moved_from`), so that a refund or a reversal of what the gone
member had finds it, and an undone merge brings it back.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import connection
from django.db.models import F, Q, Sum

from apps.conditions.words import Words
from apps.core.errors import LoyaltyError
from apps.core.formats import MICROS, number
from apps.members.merging.models import Merge
from apps.members.merging.parts import Beside, Part, register
from apps.orgs.gate import Line
from apps.points.book import Act, Book, LotState
from apps.points.errors import PointsSetAside
from apps.points.models import Account, Hold, Lot
from apps.points.services.ledger import Opened, act, lot_state, open_account_of, open_lots, post


class MovedPoints(Part):
    """Every lot that still holds points, and debt."""

    code: ClassVar[str] = "points"
    labels: ClassVar = {
        "moving": Words("Points that move", "转移的积分"),
        "owed": Words("Debt that moves", "转移的欠分"),
    }

    def beside(self, person: Any, members: Sequence[int]) -> Sequence[Beside]:
        seen = Account.objects.visible_to(person).filter(member__in=members).select_related("point_type__program")
        rows: dict[int, dict[int, str]] = {}
        names: dict[int, str] = {}
        for account in seen.order_by("point_type"):
            names[account.point_type_id] = account.point_type.name
            rows.setdefault(account.point_type_id, {})[account.member_id] = number(account.balance + account.pending)
        return [Beside(Words(names[kind], names[kind]), values) for kind, values in rows.items()]

    def facts(self, source: int, target: int, merge: Merge | None) -> dict[str, Any]:
        lots = self._lots(source, target, merge)
        told = lots.aggregate(points=Sum("remaining"), cost=Sum(F("remaining") * F("unit_cost_micros")))
        return {"points": told["points"] or 0, "money": Decimal(told["cost"] or 0) / MICROS}

    def lines(self, source: int, target: int, merge: Merge | None) -> Sequence[Line]:
        points = self._lots(source, target, merge).aggregate(points=Sum("remaining"))["points"] or 0
        return (Line("moving", 0, points, "points"),)

    def _lots(self, source: int, target: int, merge: Merge | None) -> Any:
        lots = Lot.objects.filter(member=source, account__member=source, remaining__gt=0)
        return lots if merge is None else lots.filter(moved_from__account__member=target)

    def told(self, merge: Merge) -> Sequence[tuple[Words, str]]:
        lines = [(Words("Points that moved", "已转移的积分"), _sum(merge.moved, "points"))]
        if _sum(merge.moved, "debt"):
            lines.append((Words("Debt that moved", "已转移的欠分"), _sum(merge.moved, "debt")))
        if merge.undone_at is not None:
            lines.append((Words("Points that came back", "已退回的积分"), _sum(merge.returned, "points")))
            if _sum(merge.returned, "spent"):
                lines.append(
                    (
                        Words("Points spent or expired meanwhile", "期间已消费或过期的积分"),
                        _sum(merge.returned, "spent"),
                    )
                )
        return [(words, number(points)) for words, points in lines]

    def obstacles(self, kept: int, gone: int, when: datetime) -> Sequence[LoyaltyError]:
        held = Hold.objects.filter(member=gone, state=Hold.State.HELD).aggregate(points=Sum("points"))["points"]
        return [PointsSetAside(member=gone, points=held)] if held else []

    def obstacles_back(self, merge: Merge, when: datetime) -> Sequence[LoyaltyError]:
        lots = self._lots(merge.kept_id, merge.gone_id, merge).filter(held__gt=0)
        held = lots.aggregate(points=Sum("held"))["points"]
        return [PointsSetAside(member=merge.kept_id, points=held)] if held else []

    def move(self, merge: Merge, actor: Any, when: datetime) -> dict[str, Any]:
        """By point type: how many points moved, and how much debt."""
        moved: dict[str, Any] = {}
        for source, target in _opened(merge.gone_id, merge.kept_id):
            key, book = f"merge:{merge.pk}:{source.state.point_type_id}", Book()
            lots = open_lots([source.state.id])
            for opened, held in ((source, lots), (target, open_lots([target.state.id]))):
                book.lapse(opened.state, act(opened, f"{key}:lapse", when), held)
            lots = sorted((lot for lot in lots if lot.remaining), key=lambda lot: lot.id or 0)
            told = {"points": sum(lot.remaining for lot in lots), "debt": source.state.debt}
            if any(told.values()):
                circumstances = _acts(merge, source, target, key, actor, merge.reason, when)
                book.move(
                    source.state,
                    circumstances[0],
                    target.state,
                    circumstances[1],
                    lots,
                    source.point_type.unit_cost_micros,
                )
                book.touch(target.state, source.state.lapses_at)
                moved[str(source.state.point_type_id)] = told
            post(book)
        return moved

    def move_back(self, merge: Merge, actor: Any, when: datetime) -> dict[str, Any]:
        """By point type: how many points and how much debt came back, and how many points and how much debt did not."""
        returned: dict[str, Any] = {}
        for source, target in _opened(merge.kept_id, merge.gone_id, [int(kind) for kind in merge.moved["points"]]):
            key, book = f"merge:{merge.pk}:{source.state.point_type_id}:back", Book()
            told = merge.moved["points"].get(str(source.state.point_type_id), {"points": 0, "debt": 0})
            lots = {lot.id: lot for lot in open_lots([source.state.id])}
            book.lapse(source.state, act(source, f"{key}:lapse", when), lots.values())
            pairs = _with_homes(source, target, lots)
            debt = min(told["debt"], source.state.debt)
            back = sum(lot.remaining for lot, _home in pairs)
            if pairs or debt:
                circumstances = _acts(merge, source, target, key, actor, merge.reason, when)
                book.move_back(
                    source.state, circumstances[0], target.state, circumstances[1], pairs, debt,
                    source.point_type.unit_cost_micros,
                )  # fmt: skip
                if target.state.lapses_at is not None and target.state.lapses_at <= when:
                    # The person was not inactive: only the account was.
                    book.touch(target.state, source.state.lapses_at)
            post(book)
            left = {"spent": max(0, told["points"] - back), "paid": told["debt"] - debt}
            returned[str(source.state.point_type_id)] = {"points": back, "debt": debt, **left}
        return returned


def _opened(source: int, target: int, also: Collection[int] = ()) -> list[tuple[Opened, Opened]]:
    """The accounts of two members for each kind of points of which the first has something, and those in `also`: locked, in
    the order in which everybody locks them."""
    has_some = ~Q(balance=0) | Q(pending__gt=0) | Q(debt__gt=0)
    kinds = sorted({*also, *Account.objects.filter(has_some, member=source).values_list("point_type_id", flat=True)})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM points_open_accounts(%s, %s)", [[source] * len(kinds) + [target] * len(kinds), kinds * 2]
        )
    return [(open_account_of(source, kind), open_account_of(target, kind)) for kind in kinds]


def _with_homes(source: Opened, target: Opened, lots: Mapping[int | None, LotState]) -> list[tuple[LotState, LotState]]:
    """The lots of one account that go on with the other's, with those; the ones that hold nothing, where they were released
    since. `lots` are those that hold points."""
    rows = Lot.objects.filter(account=source.state.id, moved_from__account=target.state.id)
    rows = rows.filter(Q(remaining__gt=0) | Q(is_pending=False, moved_from__is_pending=True)).order_by("pk")
    homes = {row.pk: lot_state(row) for row in Lot.objects.filter(pk__in=[row.moved_from_id for row in rows])}
    return [(lots.get(row.pk) or lot_state(row), homes[row.moved_from_id or 0]) for row in rows]


def _acts(
    merge: Merge, source: Opened, target: Opened, key: str, actor: Any, reason: str, when: datetime
) -> tuple[Act, Act]:
    """The circumstances on both sides: at one unit, so that nothing comes or goes there."""
    told: Any = {"unit_id": merge.kept.home_unit_id, "actor": actor, "reason": reason}
    return act(source, f"{key}:out", when, **told), act(target, f"{key}:in", when, **told)


def _sum(figures: Mapping[str, Any], name: str) -> int:
    return sum(each.get(name, 0) for each in figures.get("points", {}).values())


def roots_of(lots: Collection[int]) -> dict[int, int]:
    """What those lots, and lots that they became with merges, go back to: each by its id. A query for each merge in a row."""
    roots = {lot: lot for lot in lots}
    found = list(lots)
    while found:
        heirs = dict(Lot.objects.filter(moved_from__in=found).exclude(pk__in=roots).values_list("pk", "moved_from_id"))
        roots |= {heir: roots[lot] for heir, lot in heirs.items()}
        found = list(heirs)
    return roots


def origins_of(lots: Collection[int]) -> dict[int, int]:
    """The lots that were first of those which go on with them. A query for each merge in a row."""
    origins = {lot: lot for lot in lots}
    while True:
        before = dict(
            Lot.objects.filter(pk__in=origins.values(), moved_from__isnull=False).values_list("pk", "moved_from_id")
        )
        if not before:
            return origins
        origins = {lot: before.get(origin, origin) for lot, origin in origins.items()}


register(MovedPoints())
