"""How much a draft changes a rule: a new one, a major change or a minor one, and which parts of it. Pure.

Major is what may give more: a higher rate or more points, a budget or limit raised or taken away, a condition that may
hold more often, an end that falls away. What can be shown to give no more is minor; in doubt a change is major.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.conditions.words import Words

CHANGES = {
    "new": Words("a new rule", "新规则"),
    "major": Words("a major change", "重大变更"),
    "minor": Words("a minor change", "小幅变更"),
}
PARTS = {
    "rate": Words("what members earn", "会员所得"),
    "budget": Words("the budget", "预算"),
    "limits": Words("limits", "上限"),
    "condition": Words("the condition", "条件"),
    "reach": Words("it may reach more", "可能覆盖更多"),
    "end": Words("it ends later", "结束推迟"),
    "goal": Words("the goal", "目标"),
    "stacking": Words("how it stands beside other rules", "与其他规则的关系"),
    "validity": Words("how long points are valid", "积分有效期"),
    "tags": Words("tags", "标签"),
    "review": Words("what is held for review", "审核设置"),
}
AT_LEAST, AT_MOST = ("ge", "gt"), ("le", "lt")


@dataclass(frozen=True)
class Weight:
    """`change` is new, major or minor; `parts` are those that differ, as `PARTS` names them."""

    change: str
    parts: frozenset[str]


def weigh(inforce: Sequence[Any], draft: Any, *, falls_away: bool = False) -> Weight:
    """The draft against the definitions in force and scheduled, the heaviest counts; with none of these it is new.

    `falls_away` says that what is in force would end and the draft would not.
    """
    if not inforce:
        return Weight("new", frozenset())
    parts: set[str] = {"end"} if falls_away else set()
    is_major = falls_away
    for definition in inforce:
        for part, gives_more in _differing(definition, draft):
            parts.add(part)
            is_major |= gives_more
            if part == "condition" and gives_more:
                parts.add("reach")
    return Weight("major" if is_major else "minor", frozenset(parts))


def _differing(old: Any, new: Any) -> list[tuple[str, bool]]:
    """Each part that differs, and whether it may give more."""
    found = [*_effects(old["effects"], new["effects"]), *_limits(old.get("limits", []), new.get("limits", []))]
    if old["condition"] != new["condition"]:
        found.append(("condition", _reaches_more(old, new)))
    if (before := old.get("accumulator")) != (after := new.get("accumulator")):
        found.append(("goal", not _gathers_no_less(before, after)))
    if (before := old.get("stacking")) != (after := new.get("stacking")):
        found.append(("stacking", not (before is None and after is not None and after["take"] != "sum")))
    if old.get("validity") != new.get("validity"):
        found.append(("validity", False))
    return found


def _reaches_more(old: Any, new: Any) -> bool:
    """Whether points may be given where they were not, or what held them for review may hold less."""
    gives_elsewhere = any(_gives(each) for each in new["effects"]) and not implies(new["condition"], old["condition"])
    return gives_elsewhere or (_holds(old["effects"]) and not implies(old["condition"], new["condition"]))


def _effects(older: Sequence[Any], newer: Sequence[Any]) -> list[tuple[str, bool]]:
    """What stands in both is left out; of the rest, each new effect is held against an old one of its kind."""
    old = [each for each in older if each not in newer]
    found = []
    for effect in (each for each in newer if each not in older):
        partner = next((each for each in old if _alike(each, effect) and gives_no_more(each, effect)), None)
        if partner is not None:
            old.remove(partner)
        found.append((_part(effect), _gives(effect) and partner is None))
    # What is left of the old ones is gone, or became something that gives more; only a hold holds something back.
    return found + [(_part(each), each["effect"] == "hold_for_review" and not _holds(newer)) for each in old]


def _alike(one: Any, other: Any) -> bool:
    return (one["effect"], one.get("point_type")) == (other["effect"], other.get("point_type"))


def _part(effect: Any) -> str:
    return {"tag": "tags", "hold_for_review": "review"}.get(effect["effect"], "rate")


def _gives(effect: Any) -> bool:
    return effect["effect"] not in ("tag", "hold_for_review")


def _holds(effects: Sequence[Any]) -> bool:
    return any(each["effect"] == "hold_for_review" for each in effects)


def gives_no_more(old: Any, new: Any) -> bool:
    """Whether the new effect surely gives no more than the old one, of the same kind, to any event."""
    return all(_is_no_more(name, old.get(name), new.get(name)) for name in {*old, *new})


def _is_no_more(name: str, old: Any, new: Any) -> bool:
    if old == new:
        return True
    match name:
        case "points" | "times":
            return old is not None and new is not None and Decimal(str(new)) <= Decimal(str(old))
        case "per":
            return old is not None and new is not None and Decimal(str(new)) >= Decimal(str(old))
        case "rounding":
            return new == "down" or (old, new) == ("up", "half_up")
        case "lines":
            return new is not None and (old is None or implies(new, old))
        case "without":
            return set(old or ()) <= set(new or ())
        case "of":
            return (old, new) == ("all", "base")
    return False


def implies(new: Any, old: Any) -> bool:
    """Whether the condition `old` surely holds wherever `new` does; in doubt not. Both as JSON.

    >>> least = lambda amount: {"field": "event.amount", "op": "ge", "value": amount}
    >>> implies(least("200"), least("100")), implies(least("50"), least("100"))
    (True, False)
    """
    if new == old:
        return True
    if "all" in old and all(implies(new, part) for part in old["all"]):
        return True
    if new.get("any") and all(implies(part, old) for part in new["any"]):
        return True
    if "not" in new and "not" in old:
        return implies(old["not"], new["not"])
    if any(implies(part, old) for part in new.get("all", ())):
        return True
    if any(implies(new, part) for part in old.get("any", ())):
        return True
    return "field" in new and "field" in old and _narrows(new, old)


def _narrows(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Two questions about the same field."""
    besides = {"op", "value"}
    if {k: v for k, v in new.items() if k not in besides} != {k: v for k, v in old.items() if k not in besides}:
        return False
    ops = (new["op"], old["op"])
    values: tuple[Any, Any] = (new.get("value"), old.get("value"))
    if ops in (("in", "in"), ("within", "within")):
        return all(value in values[1] for value in values[0])
    if ops == ("eq", "in"):
        return values[0] in values[1]
    if "between" in ops or not all(_is_number(value) for value in values):
        return ops == ("between", "between") and _within(*values)
    low, high = (Decimal(str(value)) for value in values)
    if ops[0] == ops[1] and ops[0] in AT_LEAST:
        return low >= high
    if ops[0] == ops[1] and ops[0] in AT_MOST:
        return low <= high
    return False


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and Decimal(str(value)).is_finite()
    except ArithmeticError:
        return False


def _within(new: Any, old: Any) -> bool:
    if not all(_is_number(value) for value in (*new, *old)):
        return False
    low, high = ([Decimal(str(value)) for value in pair] for pair in (new, old))
    return high[0] <= low[0] and low[1] <= high[1]


def _limits(older: Sequence[Any], newer: Sequence[Any]) -> list[tuple[str, bool]]:
    """Of each limit that differs, whether it was raised or taken away."""

    def by_kind(limits: Sequence[Any]) -> dict[tuple[str, str, str], Decimal]:
        return {(each["per"], each["period"], each["of"]): Decimal(str(each["most"])) for each in limits}

    old, new = by_kind(older), by_kind(newer)
    return [
        (
            "budget" if kind[0] == "programme" else "limits",
            kind in old and (kind not in new or new[kind] > old[kind]),
        )
        for kind in dict.fromkeys([*old, *new])
        if old.get(kind) != new.get(kind)
    ]  # fmt: skip


def _gathers_no_less(old: Any, new: Any) -> bool:
    """Whether a goal is surely reached no more often than before; without one a rule gives each time."""
    if old is None:
        return True
    if new is None or {**old, "at": None} != {**new, "at": None}:
        return False
    return Decimal(str(new["at"])) >= Decimal(str(old["at"]))


@dataclass(frozen=True)
class Figures:
    """What a definition gives at most at once, in figures that policies ask about; None where it has none."""

    rate: Decimal | None = None
    """Points for each 1 of the currency."""
    points: int | None = None
    budget: int | None = None
    """Points for the whole programme."""


def figures_of(definition: Any) -> Figures:
    """The highest rate and the most points among its effects and tables; the largest of its budgets in points."""
    rates, points = [], []
    for effect in definition["effects"]:
        rows = effect.get("rows", [effect] if effect["effect"] in ("points_per_amount", "fixed_points") else [])
        for row in rows:
            if row.get("per"):
                rates.append(Decimal(str(row["points"])) / Decimal(str(row["per"])))
            elif row.get("points") is not None:
                points.append(int(Decimal(str(row["points"]))))
    budgets = [
        int(Decimal(str(limit["most"])))
        for limit in definition.get("limits", ())
        if (limit["per"], limit["of"]) == ("programme", "points")
    ]
    rate = max(rates).quantize(Decimal("0.0001")).normalize() if rates else None
    return Figures(rate, max(points, default=None), max(budgets, default=None))
