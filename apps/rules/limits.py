"""What the limits of rules have used up: read once for a wave, grown event by event, written at its end. Pure.

Points and times are counted for a rule in each local period of a limit, for the event's member, or for a unit: its
store, or the unit of its programme. The counters of members are locked with them; those of units are reserved.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from apps.conditions.windows import start_of
from apps.rules.evaluate import Award, LiveLimit, LiveRule, Used
from apps.rules.stages import Opened, Prepared


@lru_cache(maxsize=10_000)
def period_start(period: str, day: date) -> date:
    """The first day of the period that `day` lies in; weeks begin on Monday.

    >>> period_start("week", date(2026, 5, 7)), period_start("quarter", date(2026, 5, 7))
    (datetime.date(2026, 5, 4), datetime.date(2026, 4, 1))
    """
    match period:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
    return start_of(period, day)


class Key(NamedTuple):
    """Whose counter: a member's, or else a unit's."""

    member_id: int | None
    unit_id: int | None
    rule_id: int
    period: str
    start: date


def member_starts(prepared: Prepared) -> list[date]:
    """When the periods began whose counters of the member an event is held against."""
    limits = [limit for rule in prepared.rules.limited for limit in rule.limits if limit.per == "member"]
    return sorted({period_start(limit.period, prepared.day) for limit in limits})


class Tally:
    """Points and times by counter, for all events of a wave."""

    def __init__(self) -> None:
        self._known: dict[Key, list[int]] = {}
        self._grown: dict[Key, list[int]] = {}

    def learn(self, rows: Iterable[Sequence[Any]]) -> None:
        """Takes rows of a key's parts, points and times."""
        for member_id, unit_id, rule_id, period, start, points, times in rows:
            key = Key(member_id, unit_id, rule_id, period, date.fromisoformat(start))
            self._known.setdefault(key, [points, times])

    def used(self, item: Opened) -> Used:
        """How much of each limit was used up before this event."""
        found = {}
        for rule in item.prepared.rules.limited:
            for limit in rule.limits:
                known = self._known.get(_key(item, rule, limit))
                if known is not None:
                    found[rule.rule_id, limit] = known[limit.of == "times"]
        return found

    def count(self, item: Opened, awards: Iterable[Award]) -> None:
        """Counts what the event was given."""
        for rule in item.prepared.rules.limited:
            points = sum(award.points for award in awards if award.rule is rule)
            if points:
                for key in {_key(item, rule, limit) for limit in rule.limits}:
                    for counters in (self._known, self._grown):
                        counter = counters.setdefault(key, [0, 0])
                        counter[0] += points
                        counter[1] += 1

    def grown(self) -> dict[str, list[dict[str, Any]]]:
        """What is to be added to which counter, of members and of units."""
        rows = [
            {**key._asdict(), "points": points, "times": times} for key, (points, times) in self._grown.items()
        ]  # fmt: skip
        return {
            "members": [row for row in rows if row["unit_id"] is None],
            "units": [row for row in rows if row["member_id"] is None],
        }


def shared_keys(opened: Iterable[Opened]) -> list[Key]:
    """The counters of units that the events may be held against: of rules whose conditions hold."""
    keys = set()
    for item in opened:
        rules = item.prepared.rules
        shared = [(rule, limit) for rule in rules.limited for limit in rule.limits if limit.per != "member"]
        if shared and item.prepared.purchase is None:
            steps, *_ = rules.verdict(item.prepared.facts, item.member)
            held = {rule.rule_id for rule, *_ in steps}
            keys |= {_key(item, rule, limit) for rule, limit in shared if rule.rule_id in held}
    return sorted(keys, key=lambda key: key[1:])


def _key(item: Opened, rule: LiveRule, limit: LiveLimit) -> Key:
    prepared = item.prepared
    start = period_start(limit.period, prepared.day)
    if limit.per == "member":
        return Key(item.member_id, None, rule.rule_id, limit.period, start)
    unit_id = prepared.unit.id if limit.per == "store" else prepared.program.unit_id
    return Key(None, unit_id, rule.rule_id, limit.period, start)
