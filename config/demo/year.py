"""What happened: visits by season, weekday and hour, with what was bought, given back and checked in. Pure; drawn from
a seed, in the order of time."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from apps.activity.incoming import IncomingEvent, IncomingLine
from config.demo.members import Person

ZONE = ZoneInfo("Asia/Shanghai")

WEEKDAYS = (0.95, 0.95, 1.0, 1.0, 1.15, 1.35, 1.2)
MONTHS = (1.0, 0.85, 0.95, 1.0, 1.05, 1.1, 1.2, 1.2, 1.05, 1.1, 1.05, 1.15)
FESTIVALS = {
    (1, 1): 1.3,
    (2, 14): 1.6,
    (5, 1): 1.5,
    (6, 18): 1.5,
    (10, 1): 1.6,
    (11, 11): 2.2,
    (12, 12): 1.4,
    (12, 25): 1.5,
}
HOURS = {7: 6, 8: 14, 9: 10, 10: 6, 11: 6, 12: 11, 13: 8, 14: 9, 15: 10, 16: 7, 17: 6, 18: 7, 19: 6, 20: 4, 21: 2}

MENU = {
    "EAST": (
        ("LATTE", "coffee", 32), ("AMERICANO", "coffee", 22), ("FLATWHITE", "coffee", 34), ("POUROVER", "coffee", 42),
        ("COLDBREW", "coffee", 36), ("CROISSANT", "food", 18), ("BAGEL", "food", 24), ("CHEESECAKE", "food", 36),
        ("BEANS-YN", "beans", 98), ("BEANS-ETH", "beans", 128), ("MUG", "goods", 79),
    ),
    "RIVER": (
        ("OOLONG", "tea", 19), ("JASMINE", "tea", 17), ("MILKTEA", "tea", 21), ("FRUITTEA", "tea", 25),
        ("MATCHA", "tea", 23), ("MOCHI", "food", 12), ("EGGTART", "food", 9), ("LEAVES", "leaves", 88),
    ),
}  # fmt: skip
WEIGHTS = {
    "EAST": (20, 16, 10, 5, 9, 9, 6, 5, 3, 2, 1),
    "RIVER": (16, 14, 22, 16, 8, 7, 8, 2),
}
BRANDS = {"BEANS-YN": "云岚", "BEANS-ETH": "Harar", "MUG": "山海", "LEAVES": "狮峰"}
TAX = Decimal("0.06")
"""What of the price before tax is put on top of it."""
CHANNELS, CHANNEL_WEIGHTS = ("store", "app", "mini_program"), (55, 30, 15)


def draw_events(
    random: Random, people: Sequence[Person], stores: dict[str, list[str]], first: date, last: date
) -> list[IncomingEvent]:
    """Everything that `people` did from `first` to `last`, both included, in the order of time."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    weights = list(accumulate(_weight(day) for day in days))
    events: list[IncomingEvent] = []
    for person in people:
        events += _life(random, person, stores[person.company], days, weights)
    events.sort(key=lambda event: (event.occurred_at, event.key))
    return events


def _weight(day: date) -> float:
    return WEEKDAYS[day.weekday()] * MONTHS[day.month - 1] * FESTIVALS.get((day.month, day.day), 1.0)


def _life(
    random: Random, person: Person, near: list[str], days: list[date], weights: list[float]
) -> Iterator[IncomingEvent]:
    joined_at = max(0, (person.joined_on - days[0]).days)
    if person.joined_on >= days[0]:
        yield _event(
            random, person, "registration", f"{person.card}-joined", _at(random, person.joined_on), person.store
        )
    # Some come for a while and then no more: their points expire.
    stays = len(days) if random.random() < 0.75 else joined_at + random.randint(20, 200)
    expected = person.visits_a_month * 12 * (len(days) - joined_at) / 365
    drawn = random.choices(days, cum_weights=weights, k=max(0, round(random.gauss(expected, expected**0.5))))
    for number, day in enumerate(sorted(drawn)):
        if joined_at <= (day - days[0]).days < stays:
            yield from _visit(random, person, near, day, f"{person.card}-{number}", days[-1])


def _visit(random: Random, person: Person, near: list[str], day: date, key: str, last: date) -> Iterator[IncomingEvent]:
    at, store = _at(random, day), person.store if random.random() < 0.8 else random.choice(near)
    draw = random.random()
    if draw < 0.10:
        yield _event(random, person, "check_in", f"{key}-in", at - timedelta(minutes=3), store)
    elif draw < 0.115:
        yield _event(random, person, "review", f"{key}-review", at + timedelta(minutes=50), store)
    elif draw < 0.12:
        yield _event(random, person, "referral", f"{key}-friend", at + timedelta(minutes=40), store)
    lines = _lines(random, person.company)
    yield _event(random, person, "purchase", key, at, store, lines)
    back_on = day + timedelta(days=random.randint(0, 6))
    if random.random() < 0.02 and back_on < last:
        back = lines if random.random() < 0.5 else lines[:1]
        at = max(_at(random, back_on), at + timedelta(hours=1))
        yield _event(random, person, "refund", f"{key}-back", at, store, back, refund_of=key)


def _lines(random: Random, company: str) -> tuple[IncomingLine, ...]:
    chosen = random.choices(MENU[company], WEIGHTS[company], k=random.choices((1, 2, 3), (60, 30, 10))[0])
    lines = []
    for number, (sku, category, price) in enumerate(chosen, 1):
        quantity = random.choices((1, 2, 3), (85, 12, 3))[0]
        discount = random.choices((Decimal(1), Decimal("0.9"), Decimal("0.85")), (80, 12, 8))[0]
        amount = (price * quantity * discount).quantize(Decimal("0.01"))
        tax = (amount * TAX / (1 + TAX)).quantize(Decimal("0.01"))
        lines.append(IncomingLine(number, sku, category, Decimal(quantity), amount, BRANDS.get(sku, ""), tax))
    return tuple(lines)


def _event(
    random: Random, person: Person, kind: str, key: str, at: datetime, store: str,
    lines: tuple[IncomingLine, ...] = (), refund_of: str | None = None,
) -> IncomingEvent:  # fmt: skip
    return IncomingEvent(
        key=key,
        kind=kind,
        member_kind="card",
        member_value=person.card,
        occurred_at=at,
        store=store,
        channel=random.choices(CHANNELS, CHANNEL_WEIGHTS)[0],
        order_no=key if kind == "purchase" else "",
        refund_of=refund_of,
        currency="CNY",
        lines=lines,
    )


def _at(random: Random, day: date) -> datetime:
    hour = random.choices(list(HOURS), list(HOURS.values()))[0]
    local = datetime.combine(day, time(hour, random.randint(0, 59), random.randint(0, 59)), ZONE)
    return local.astimezone(UTC)
