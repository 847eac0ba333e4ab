"""What a seed does to a small group: phases of actions, drawn before anything runs, so that a calm run and one with
faults can be held against each other. Pure.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

START = datetime(2026, 1, 31, 3, tzinfo=UTC)
STORES = ("S001", "S002", "S003")
CATEGORIES = ("coffee", "tea", "cake")


@dataclass(frozen=True)
class Action:
    """One act on one member: what its kind needs of the rest. `of` names an earlier action's key."""

    kind: str
    key: str
    member: str
    at: datetime
    store: str = "S001"
    amount: Decimal = Decimal(0)
    category: str = ""
    points: int = 0
    of: str = ""


@dataclass(frozen=True)
class Phase:
    """Some days. At its start time does its work (expiry, release, lapsed holds, facts), by two workers at once; then
    each member's actions happen, in order; members are independent of each other. `file` comes in as an import."""

    now: datetime
    by_member: dict[str, tuple[Action, ...]]
    file: tuple[Action, ...] = ()


def plan(seed: int, *, phases: int = 10, members: int = 12, actions: int = 4) -> list[Phase]:
    """`phases` phases in which each member does up to `actions` things; between two of them lie 1 to 60 days."""
    draw = random.Random(seed)
    names = [f"card{number:04}" for number in range(members)]
    purchases: dict[str, list[Action]] = {name: [] for name in names}
    holds: dict[str, list[str]] = {name: [] for name in names}
    told: dict[str, list[Action]] = {name: [] for name in names}
    now, made = START, []
    for number in range(phases):
        now += timedelta(days=draw.choice((1, 1, 2, 7, 28, 60)), hours=draw.randrange(24), minutes=draw.randrange(60))
        by_member = {}
        for name in names:
            acts = []
            for step in range(draw.randrange(actions + 1)):
                action = _draw(draw, f"{number}-{name}-{step}", name, now, purchases[name], holds[name], told[name])
                acts.append(action)
            by_member[name] = tuple(acts)
        made.append(Phase(now, by_member, _file(draw, number, now, names) if draw.random() < 0.5 else ()))
    return made


def _draw(
    draw: random.Random,
    key: str,
    member: str,
    now: datetime,
    purchases: list[Action],
    holds: list[str],
    told: list[Action],
) -> Action:
    kind = draw.choices(
        ("purchase", "refund", "check_in", "repeat", "redeem", "hold", "capture", "void", "give", "take"),
        (40, 10, 8, 8, 12, 8, 5, 4, 4, 3),
    )[0]
    # Some events are told late: up to forty days after they happened.
    late = timedelta(days=draw.choice((0, 0, 0, 3, 40)), minutes=draw.randrange(600))
    store, points = draw.choice(STORES), draw.choice((1, 5, 20, 50, 200))
    if kind == "repeat" and told:
        return draw.choice(told)
    if kind == "refund" and purchases:
        bought = draw.choice(purchases)
        share = draw.choice((Decimal("0.25"), Decimal("0.5"), Decimal(1)))
        action = Action(
            "refund", key, member, now, bought.store, (bought.amount * share).quantize(Decimal("0.01")), of=bought.key
        )
    elif kind in ("capture", "void") and holds:
        return Action(kind, key, member, now, of=draw.choice(holds))
    elif kind == "hold":
        holds.append(key)
        return Action("hold", key, member, now, store, points=points)
    elif kind in ("redeem", "give", "take"):
        return Action(kind, key, member, now, store, points=points)
    elif kind == "check_in":
        action = Action("check_in", key, member, now - late, store)
    else:
        amount = Decimal(draw.randrange(1, 40_000)) / 100
        action = Action("purchase", key, member, now - late, store, amount, draw.choice(CATEGORIES))
        purchases.append(action)
    told.append(action)
    return action


def _file(draw: random.Random, number: int, now: datetime, names: list[str]) -> tuple[Action, ...]:
    """Purchases of some members that come in as a file; some rows name nobody, some name a member for the first time."""
    rows = []
    for step in range(draw.randrange(5, 40)):
        member = draw.choice([*names, f"card{1000 + 50 * number + step}"])
        at = now - timedelta(minutes=draw.randrange(2_000))
        amount = Decimal(draw.randrange(1, 20_000)) / 100
        rows.append(
            Action("purchase", f"f{number}-{step}", member, at, draw.choice(STORES), amount, draw.choice(CATEGORIES))
        )
    return tuple(rows)
