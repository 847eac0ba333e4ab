"""What the limits of rules have used up: read once for a wave, grown event by event, written at its end. Pure.

Points and times are counted for a rule in each local period of a limit, and beside them the money, pieces and costs that
its limits speak of: for the event's member, or for a unit, which is its store or, of a device and of everybody, the unit
of its programme. The counters of members are locked with them; those of units are reserved. A limit for one event needs
no counter, and an event without a device is held against none of devices.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from apps.rules.evaluate import Award, LiveLimit, LiveRule, Used, measured_of
from apps.rules.periods import period_start
from apps.rules.stages import Opened, Prepared

COUNTED = ("points", "times", "amount", "pieces", "cost")
"""What a counter counts, in its order; the last three in millionths."""


class Key(NamedTuple):
    """Whose counter: a member's, or else a unit's or a device's there."""

    member_id: int | None
    unit_id: int | None
    device: str
    rule_id: int
    period: str
    start: date


def member_starts(prepared: Prepared) -> list[date]:
    """When the periods began whose counters of the member an event is held against."""
    limits = [limit for rule in prepared.rules.limited for limit in rule.limits if limit.per == "member"]
    return sorted({period_start(limit.period, prepared.day) for limit in limits})


class Tally:
    """What is counted, by counter, for all events of a wave."""

    def __init__(self) -> None:
        self._known: dict[Key, list[int]] = {}
        self._grown: dict[Key, list[int]] = {}

    def learn(self, rows: Iterable[Sequence[Any]]) -> None:
        """Takes rows of a key's parts and what is counted."""
        for member_id, unit_id, device, rule_id, period, start, *counted in rows:
            key = Key(member_id, unit_id, device, rule_id, period, date.fromisoformat(start))
            self._known.setdefault(key, counted)

    def used(self, item: Opened) -> Used:
        """How much of each limit was used up before this event."""
        found = {}
        for rule in item.prepared.rules.limited:
            for limit in rule.limits:
                key = _key(item, rule, limit)
                known = self._known.get(key) if key is not None else None
                if known is not None:
                    found[rule.rule_id, limit] = known[COUNTED.index(limit.of)]
        return found

    def count(self, item: Opened, awards: Sequence[Award]) -> None:
        """Counts what the event was given."""
        for rule in item.prepared.rules.limited:
            points = sum(award.points for award in awards if award.rule is rule)
            if points:
                for key, others in _keys(item, rule).items():
                    for counters in (self._known, self._grown):
                        counter = counters.setdefault(key, [0] * len(COUNTED))
                        counter[0] += points
                        counter[1] += 1
                        for of in others:
                            counter[COUNTED.index(of)] += _amount(of, rule, awards)

    def grown(self) -> dict[str, list[dict[str, Any]]]:
        """What is to be added to which counter, of members and of units."""
        rows = [
            {**key._asdict(), **dict(zip(COUNTED, counter, strict=True))} for key, counter in self._grown.items()
        ]  # fmt: skip
        return {
            "members": [row for row in rows if row["unit_id"] is None],
            "units": [row for row in rows if row["member_id"] is None],
        }


def _amount(of: str, rule: LiveRule, awards: Sequence[Award]) -> int:
    """What an event's awards under the rule cost, or how much of its money or pieces they were reckoned from: of each
    kind of points by itself, since the same money may earn several."""
    if of == "cost":
        return sum(award.points * rule.costs[award.effect] for award in awards if award.rule is rule)
    return max(measured_of(of, kind, rule, awards) for kind in {award.point_type_id for award in awards})


def shared_keys(opened: Iterable[Opened]) -> list[Key]:
    """The counters of units that the events may be held against: of rules whose conditions hold, or may yet hold by what
    happens before them in the wave."""
    keys = set()
    for item in opened:
        rules = item.prepared.rules
        shared = [(rule, limit) for rule in rules.limited for limit in rule.limits if limit.per in SHARED]
        if shared and item.prepared.purchase is None:
            steps, *_ = rules.verdict(item.prepared.facts, item.member)
            held = {rule.rule_id for rule in (rules.rules if rules.may_turn else [step[0] for step in steps])}
            keys |= {_key(item, rule, limit) for rule, limit in shared if rule.rule_id in held}
    return sorted((key for key in keys if key is not None), key=lambda key: key[1:])


SHARED = ("store", "programme", "device")


def _keys(item: Opened, rule: LiveRule) -> dict[Key, list[str]]:
    """The counters of the rule's limits, and what each counts beside points and times."""
    found: dict[Key, list[str]] = {}
    for limit in rule.limits:
        key = _key(item, rule, limit)
        if key is not None:
            others = found.setdefault(key, [])
            if limit.of not in ("points", "times"):
                others.append(limit.of)
    return found


def _key(item: Opened, rule: LiveRule, limit: LiveLimit) -> Key | None:
    """The counter of a limit; None where an event is held against none."""
    prepared = item.prepared
    start = period_start(limit.period, prepared.day)
    match limit.per:
        case "member":
            return Key(item.member_id, None, "", rule.rule_id, limit.period, start)
        case "store":
            return Key(None, prepared.unit.id, "", rule.rule_id, limit.period, start)
        case "programme":
            return Key(None, prepared.program.unit_id, "", rule.rule_id, limit.period, start)
        case "device" if prepared.facts.device:
            return Key(None, prepared.program.unit_id, prepared.facts.device, rule.rule_id, limit.period, start)
    return None
