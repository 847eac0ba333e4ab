"""What members have gathered, and their tags: read once for a wave, moved event by event, written at its end. Pure.

Both are the member's own, and locked with them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from apps.conditions.windows import start_of
from apps.members.facts import MemberFacts
from apps.rules.effects import Tag
from apps.rules.evaluate import Award, Card, Cards, Counted, LiveRule
from apps.rules.limits import Tally
from apps.rules.progress import NOTHING, Progress
from apps.rules.stages import Opened, Prepared


def starts_of(prepared: Prepared) -> list[date]:
    """The first days of the periods that an event is gathered in, or a refund takes something from."""
    if prepared.purchase is not None:
        return sorted({date.fromisoformat(each["since"]) for each in prepared.purchase.counted})
    return prepared.rules.starts(prepared.day) if prepared.rules.gathers else []


def card_of(counted: Mapping[str, Any]) -> Card:
    """Which card an answer tells of."""
    return Card(counted["rule_id"], counted["of"], date.fromisoformat(counted["since"]))


def asks_tags(prepared: Prepared) -> bool:
    return prepared.purchase is None and prepared.rules.asks_tags


class Wallet:
    """The cards of all members of a wave."""

    def __init__(self) -> None:
        self._known: dict[int, dict[Card, Progress]] = defaultdict(dict)
        self._moved: dict[tuple[int, Card], None] = {}

    def learn(self, member_id: int, rows: Iterable[Sequence[Any]]) -> None:
        """Takes rows of rule, name, first day, sum and state."""
        for rule_id, name, start, value, state in rows:
            card = Card(rule_id, name, date.fromisoformat(start))
            self._known[member_id].setdefault(card, Progress.from_json(value, state))

    def of(self, member_id: int) -> Cards:
        return self._known[member_id]

    def count(self, item: Opened, counted: Iterable[Counted]) -> None:
        """Adds what an event brought, and where a rule fired by it."""
        for each in counted:
            after = each.after.with_firing(item.event_id, each.fired) if each.fired > 0 else each.after
            self.put(item.member_id, each.card, after)

    def put(self, member_id: int, card: Card, progress: Progress) -> None:
        self._known[member_id][card] = progress
        self._moved[member_id, card] = None

    def get(self, member_id: int, card: Card) -> Progress:
        return self._known[member_id].get(card, NOTHING)

    def moved(self) -> list[dict[str, Any]]:
        """The cards as they are to be written."""
        rows = []
        for member_id, card in self._moved:
            progress = self._known[member_id][card]
            value = format(progress.value, "f")
            rows.append({"member_id": member_id, **card._asdict(), "value": value, "state": progress.to_json()})
        return rows


class Given(NamedTuple):
    """A tag of a member: from which day, until before which (None: without end), and what gave it."""

    tag: str
    since: date
    until: date | None
    rule_id: int
    event_id: int


class Tags:
    """The tags of all members of a wave."""

    def __init__(self) -> None:
        self._known: dict[int, set[Given]] = defaultdict(set)
        self.given: list[dict[str, Any]] = []
        self.taken: list[dict[str, Any]] = []

    def learn(self, member_id: int, rows: Iterable[Sequence[Any]]) -> None:
        """Takes rows of a tag's parts."""
        for tag, since, until, rule_id, event_id in rows:
            ends = date.fromisoformat(until) if until else None
            self._known[member_id].add(Given(tag, date.fromisoformat(since), ends, rule_id, event_id))

    def on(self, item: Opened) -> MemberFacts:
        """The member with the tags that hold on the day of the event."""
        day = item.prepared.day
        known = self._known[item.member_id]
        tags = {each.tag for each in known if each.since <= day and (each.until is None or day < each.until)}
        return replace(item.member, tags=tuple(sorted(tags)))

    def give(self, item: Opened, tagged: Iterable[tuple[LiveRule, Tag]]) -> None:
        for rule, tag in tagged:
            given = Given(tag.tag, *tag.lasts(item.prepared.day), rule.rule_id, item.event_id)
            self._known[item.member_id].add(given)
            self.given.append({"member": item.member_id, **given._asdict()})

    def take_back(self, member_id: int, rule_id: int, event_id: int) -> None:
        """Ends what a rule gave at an event."""
        gone = {each for each in self._known[member_id] if (each.rule_id, each.event_id) == (rule_id, event_id)}
        self._known[member_id] -= gone
        self.taken.append({"rule_id": rule_id, "event_id": event_id})


class Earned:
    """Points of the programmes' first kinds that a wave has given so far: what a later event of the member asks about
    them is not in the ledger yet."""

    def __init__(self) -> None:
        self._given: dict[int, list[tuple[datetime, date, int]]] = defaultdict(list)

    def on(self, item: Opened, member: MemberFacts) -> MemberFacts:
        """The member with what the events before gave, so far as they did not happen later."""
        event, day = item.prepared.event, item.prepared.day
        account = item.main_account
        before = (
            [] if account is None else [given for given in self._given[account.id] if given[0] <= event.occurred_at]
        )
        if not before:
            return member
        earned = dict(member.history.points_earned)
        for window in item.prepared.rules.point_windows:
            start = start_of(window, day)
            earned[window] = earned.get(window, 0) + sum(points for _at, on, points in before if on >= start)
        return replace(member, history=replace(member.history, points_earned=earned))

    def count(self, item: Opened, awards: Iterable[Award]) -> None:
        account = item.main_account
        if account is not None:
            points = sum(award.points for award in awards if award.point_type_id == account.point_type_id)
            self._given[account.id].append((item.prepared.event.occurred_at, item.prepared.day, points))


@dataclass(slots=True)
class Memory:
    """All that is counted, gathered and given of members, and moved by a wave."""

    tally: Tally = field(default_factory=Tally)
    wallet: Wallet = field(default_factory=Wallet)
    tags: Tags = field(default_factory=Tags)
    friends: list[int] = field(default_factory=list)
    """Events of which whoever brought the member is to hear."""
    earned: Earned = field(default_factory=Earned)

    def written(self) -> dict[str, Any]:
        """What `rules_settle` is to write of it."""
        parts = {
            "cards": self.wallet.moved(),
            "tags": self.tags.given,
            "untagged": self.tags.taken,
            "friends": self.friends,
        }
        return self.tally.grown() | {name: rows for name, rows in parts.items() if rows}
