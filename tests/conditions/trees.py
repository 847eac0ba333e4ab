"""Random trees, events and members for properties, and a tiny interpreter of its own to hold the compiled one against."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from apps.activity.facts import EventFacts, LineFacts
from apps.members.facts import Birthday, History, MemberFacts

UNITS = {"G": "0001", "EAST": "00010001", "EAST-N": "000100010001", "S001": "0001000100010001", "WEST": "00010002"}
WORDS = ["coffee", "tea", "Coffee beans", "咖啡", "POS", "app", "x"]
DAYS = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 12, 31)]
NUMBERS = [Decimal("0"), Decimal("0.01"), Decimal("1.50"), Decimal("20"), Decimal("199.99"), Decimal("1000")]
KINDS = ["purchase", "refund", "check_in", "delivery"]
SPECIAL = ["md", "fest", "sale"]
KEYS = ["colour", "size", "vip", "tags", "since"]

words, days, numbers = st.sampled_from(WORDS), st.sampled_from(DAYS), st.sampled_from(NUMBERS)
anything = st.one_of(
    words,
    numbers,
    st.integers(0, 3),
    st.sampled_from([1.5, 20.0]),
    st.booleans(),
    st.none(),
    st.lists(words, max_size=3),
    days.map(str),
)
attributes = st.dictionaries(st.sampled_from(KEYS), anything, max_size=4)
lines = st.builds(LineFacts, st.none() | words, st.none() | words, numbers, numbers, st.none() | words)
paths = st.sampled_from(list(UNITS.values()))
events = st.builds(
    EventFacts, kind=st.sampled_from(KINDS), amount=st.none() | numbers, channel=st.none() | words, unit_path=paths,
    device=st.none() | words, attributes=attributes, lines=st.lists(lines, max_size=3).map(tuple),
    hour=st.integers(0, 23), weekday=st.integers(1, 7), date=days,
    special_days=st.none() | st.lists(st.sampled_from(SPECIAL), min_size=1, max_size=2, unique=True).map(tuple),
)  # fmt: skip
WINDOWS = [1, 7, 30, 1_100, "month", "quarter", "year", "ever"]
SHORT_WINDOWS = [1, 10, 1_440, "today"]
short_counts = st.dictionaries(st.sampled_from(SHORT_WINDOWS), st.integers(0, 3))
counts = st.dictionaries(st.sampled_from(WINDOWS), st.integers(0, 3))
histories = st.builds(
    History, orders=counts, spent=st.dictionaries(st.sampled_from(WINDOWS), numbers), visits=counts, check_ins=counts,
    days_since_order=st.none() | st.integers(0, 3), is_order=st.booleans(), points_earned=counts, points_spent=counts, events=short_counts, device_events=short_counts,
)  # fmt: skip
BORN = [date(1996, 2, 29), date(1990, 3, 1), date(2026, 2, 28), date(1990, 1, 1), date(2000, 12, 31), date(1990, 2, 5)]
TURNS = [date(year, *day) for year in (2026, 2028) for day in ((1, 1), (2, 5), (2, 28), (3, 1), (12, 31))]
any_day = st.sampled_from([*TURNS, date(2028, 2, 29)]) | st.dates(date(2024, 1, 1), date(2028, 12, 31))
births = st.none() | st.tuples(st.sampled_from(BORN) | st.dates(date(1990, 1, 1), date(2027, 12, 31)), st.booleans())
"""Dates of birth, and whether the year is known too."""


def birthday(birth: tuple[date, bool] | None, asked_on: date) -> Birthday:
    if birth is None:
        return Birthday()
    born, has_year = birth
    whole = Birthday.of(born, asked_on)
    return whole if has_year else replace(whole, year=None)


members = st.builds(
    MemberFacts, id=st.just(1), home_path=paths, joined_on=days, attributes=attributes, history=histories,
    birthday=st.builds(birthday, births, days), tags=st.lists(words, max_size=2, unique=True).map(tuple),
    asked_on=any_day, was_brought=st.booleans(),
)  # fmt: skip

COMPARED = ("lt", "le", "gt", "ge")


def _size(written: Any) -> Any:
    return written if "-" in str(written) else Decimal(str(written))


def _leaf(field: str, values: Any, *, ordered: bool = True, listed: bool = True) -> Any:
    """Leaves about a field whose values `values` draws, as JSON."""
    single = ["eq", "ne", *(COMPARED if ordered else ())]
    leaves = [
        st.fixed_dictionaries({"field": st.just(field), "op": st.sampled_from(single), "value": values}),
        st.fixed_dictionaries({"field": st.just(field), "op": st.sampled_from(["is_set", "is_not_set"])}),
    ]
    if ordered:
        pair = st.lists(values, min_size=2, max_size=2).map(lambda pair: sorted(pair, key=_size))
        leaves.append(st.fixed_dictionaries({"field": st.just(field), "op": st.just("between"), "value": pair}))
    if listed:
        many = st.lists(values, min_size=1, max_size=3)
        leaves.append(
            st.fixed_dictionaries({"field": st.just(field), "op": st.sampled_from(["in", "not_in"]), "value": many})
        )
    return st.one_of(*leaves)


def _text(field: str) -> Any:
    part = st.sampled_from(["cof", "C", "咖", "a", "beans"])
    inside = st.fixed_dictionaries(
        {"field": st.just(field), "op": st.sampled_from(["contains", "starts_with"]), "value": part}
    )
    return _leaf(field, words, ordered=False) | inside


decimals = numbers.map(lambda number: format(number, "f"))
texts_of_days = days.map(date.isoformat)
codes = st.lists(st.sampled_from([*UNITS]), min_size=1, max_size=2)


def _unit(field: str) -> Any:
    return st.fixed_dictionaries(
        {"field": st.just(field), "op": st.sampled_from(["within", "not_within"]), "value": codes}
    )


def _free(family: str) -> Any:
    """Leaves about free attributes, each reading them as what it compares with."""
    name = st.sampled_from([f"{family}.{key}" for key in KEYS])
    tags = st.lists(words, min_size=1, max_size=3)
    pairs = [
        (["eq", "ne", "contains", "starts_with"], words | st.sampled_from(["true", "[]", "12", "20.0"])),
        (["eq", "ne"], st.integers(0, 3)),
        (["in", "not_in"], st.lists(st.integers(0, 3) | st.sampled_from([1.5, 20.0]), min_size=1, max_size=3)),
        ([*COMPARED], numbers.map(str) | texts_of_days),
        (["in", "not_in", "has_any", "has_all", "has_none"], tags),
    ]
    leaves = [
        st.fixed_dictionaries({"field": name, "op": st.sampled_from(ops), "value": values}) for ops, values in pairs
    ]
    bare = st.sampled_from(["is_true", "is_false", "is_set", "is_not_set"])
    return st.one_of(*leaves, st.fixed_dictionaries({"field": name, "op": bare}))


def _windowed(leaf: Any) -> Any:
    return st.tuples(leaf, st.sampled_from(WINDOWS)).map(lambda pair: pair[0] | {"window": pair[1]})


def _shortly(leaf: Any) -> Any:
    return st.tuples(leaf, st.sampled_from(SHORT_WINDOWS)).map(lambda pair: pair[0] | {"window": pair[1]})


recent_leaves = st.one_of(
    *(_shortly(_leaf(f"recent.{name}", st.integers(0, 3))) for name in ("events", "device_events"))
)
history_leaves = st.one_of(
    *(_windowed(_leaf(f"history.{name}", st.integers(0, 3))) for name in ("orders", "visits", "check_ins")),
    _windowed(_leaf("history.spent", decimals, listed=False)),
    _leaf("history.days_since_order", st.integers(0, 3)),
)
birthday_leaves = st.one_of(
    _leaf("member.age", st.integers(0, 38)),
    _leaf("member.years", st.integers(0, 5)),
    _leaf("member.days_to_anniversary", st.sampled_from([0, 1, 2, 7, 60]) | st.integers(0, 365)),
    _leaf("member.days_to_birthday", st.sampled_from([0, 1, 2, 7, 60]) | st.integers(0, 365)),
    st.fixed_dictionaries(
        {"field": st.just("member.birthday_month"), "op": st.sampled_from(["is_true", "is_false", "is_set", "is_not_set"])}
    ),
)  # fmt: skip
member_leaves = st.one_of(
    birthday_leaves,
    _unit("member.home_unit"),
    st.fixed_dictionaries(
        {"field": st.just("member.was_brought"), "op": st.sampled_from(["is_true", "is_false", "is_set"])}
    ),
    _leaf("member.joined_on", texts_of_days, listed=False),
    _free("member.attributes"),
    st.one_of(
        st.fixed_dictionaries(
            {
                "field": st.just("member.tags"),
                "op": st.sampled_from(["has_any", "has_all", "has_none"]),
                "value": st.lists(words, min_size=1, max_size=3),
            }
        ),
        st.fixed_dictionaries({"field": st.just("member.tags"), "op": st.sampled_from(["is_set", "is_not_set"])}),
    ),
    history_leaves,
)
line_leaves = st.one_of(
    _text("line.sku"), _text("line.category"), _text("line.brand"), _leaf("line.quantity", decimals, listed=False),
    _leaf("line.amount", decimals, listed=False),
)  # fmt: skip


def _asks(tree: Any) -> bool:
    """Whether a tree has a leaf."""
    parts = tree.get("all", tree.get("any")) if isinstance(tree, dict) else None
    return any(map(_asks, parts)) if parts is not None else True


def _grown(leaves: Any, most: int) -> Any:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4).map(lambda parts: {"all": parts}),
            st.lists(inner, min_size=1, max_size=4).map(lambda parts: {"any": parts}),
            inner.filter(_asks).map(lambda part: {"not": part}),
        ),
        max_leaves=most,
    )


line_trees = _grown(line_leaves, 4)
counted = {"op": st.sampled_from(["eq", "ne", *COMPARED]), "value": st.sampled_from(["0", "1", "2", "20"])}
about_lines = st.one_of(
    st.fixed_dictionaries({"lines": st.sampled_from(["any", "all", "none"]), "where": line_trees}),
    st.fixed_dictionaries({"lines": st.just("count"), "where": st.none() | line_trees, **counted}),
    st.fixed_dictionaries(
        {"lines": st.just("sum"), "of": st.sampled_from(["line.amount", "line.quantity"]),
         "where": st.none() | line_trees, **counted}
    ),
)  # fmt: skip
points_leaves = st.one_of(
    *(_windowed(_leaf(f"history.points_{name}", st.integers(0, 3))) for name in ("earned", "spent"))
)
special_leaves = st.one_of(
    st.fixed_dictionaries(
        {"field": st.just("event.special_days"), "op": st.sampled_from(["has_any", "has_all", "has_none"]),
         "value": st.lists(st.sampled_from(SPECIAL), min_size=1, max_size=2)}
    ),
    st.fixed_dictionaries({"field": st.just("event.special_days"), "op": st.sampled_from(["is_set", "is_not_set"])}),
)  # fmt: skip
event_leaves = st.one_of(
    _leaf("event.kind", st.sampled_from(KINDS), ordered=False),
    _leaf("event.amount", decimals, listed=False),
    _text("event.channel"),
    _text("event.device"),
    _unit("event.store"),
    _leaf("event.weekday", st.integers(1, 7), ordered=False),
    st.fixed_dictionaries(
        {
            "field": st.just("event.weekday"),
            "op": st.just("between"),
            "value": st.lists(st.integers(1, 7), min_size=2, max_size=2).map(sorted),
        }
    ),
    _leaf("event.hour", st.integers(0, 23)),
    _leaf("event.date", texts_of_days, listed=False),
    special_leaves,
    points_leaves,
    _windowed(_leaf("event.order_number", st.integers(0, 4))),
    _free("event.attributes"),
    about_lines,
    recent_leaves,
    member_leaves,
)
trees = _grown(event_leaves, 12)
member_trees = _grown(member_leaves, 8)

# The interpreter: reads the JSON itself, shares nothing with the compiler.

READ = {
    "event.kind": "kind", "event.amount": "amount", "event.store": "unit_path", "event.channel": "channel",
    "event.device": "device", "event.weekday": "weekday", "event.hour": "hour", "event.date": "date",
    "event.special_days": "special_days",
    "member.home_unit": "home_path", "member.joined_on": "joined_on", "member.tags": "tags",
    "member.was_brought": "was_brought",
    "line.sku": "sku", "line.category": "category", "line.brand": "brand", "line.quantity": "quantity", "line.amount": "amount",
}  # fmt: skip
HOLD_WHEN_MISSING = {"ne", "not_in", "not_within", "has_none", "is_not_set"}


def holds(tree: Any, event: Any, member: Any, line: Any = None) -> bool:
    if "all" in tree:
        return all(holds(part, event, member, line) for part in tree["all"])
    if "any" in tree:
        return any(holds(part, event, member, line) for part in tree["any"])
    if "not" in tree:
        return not holds(tree["not"], event, member, line)
    if "lines" in tree:
        return _lines_hold(tree, event, member)
    op, written = tree["op"], tree.get("value")
    value = _value(tree["field"], op, written, event, member, line)
    if "window" in tree:
        value = _counted(tree["field"].partition(".")[2], tree["window"], member.history)
    if value is None:
        return op in HOLD_WHEN_MISSING
    return _compared(op, value, written)


def _counted(name: str, window: Any, history: History) -> Any:
    if name == "order_number":
        return 1 + history.orders.get(window, 0) if history.is_order else None
    return getattr(history, name).get(window, 0)


def _lines_hold(tree: Any, event: Any, member: Any) -> bool:
    fitting = [line for line in event.lines if tree["where"] is None or holds(tree["where"], event, member, line)]
    match tree["lines"]:
        case "any":
            return bool(fitting)
        case "all":
            return bool(event.lines) and len(fitting) == len(event.lines)
        case "none":
            return not fitting
        case "count":
            return _compared(tree["op"], Decimal(len(fitting)), tree["value"])
    of = READ[tree["of"]]
    return _compared(tree["op"], sum((getattr(line, of) for line in fitting), Decimal(0)), tree["value"])


def _value(name: str, op: str, written: Any, event: Any, member: Any, line: Any) -> Any:
    if name.startswith("history."):
        return member.history.days_since_order
    if name in ("member.years", "member.days_to_anniversary"):
        same = {"member.years": "member.age", "member.days_to_anniversary": "member.days_to_birthday"}[name]
        return _of_birthday(same, Birthday.of(member.joined_on, member.asked_on))
    if name in ("member.age", "member.days_to_birthday", "member.birthday_month"):
        return _of_birthday(name, member.birthday)
    if name in READ:
        subject = line if name.startswith("line.") else member if name.startswith("member.") else event
        return getattr(subject, READ[name])
    owner = member if name.startswith("member.") else event
    found = owner.attributes.get(name.rpartition(".")[2])
    first = written[0] if isinstance(written, list) and written else written
    if op in ("is_set", "is_not_set", "is_true", "is_false"):
        return found
    if op.startswith("has_"):
        return [found] if isinstance(found, str) else found if isinstance(found, list) else None
    if op in COMPARED and isinstance(first, str) and first[4:5] == "-":
        try:
            return date.fromisoformat(found[:10]) if isinstance(found, str) else None
        except ValueError:
            return None
    if op in COMPARED or isinstance(first, int | float):
        try:
            return (
                None
                if isinstance(found, bool) or not isinstance(found, str | int | float | Decimal)
                else Decimal(str(found))
            )
        except ArithmeticError:
            return None
    if isinstance(found, bool) or not isinstance(found, str | int | float | Decimal):
        return None
    return str(found)


def _has_birthday(born: Birthday, day: date) -> bool:
    this = day.month * 100 + day.day
    return born.month_day == this or (born.month_day == 229 and this == 301 and (day - timedelta(days=1)).day != 29)


def _of_birthday(name: str, born: Birthday) -> Any:
    """Counted day by day on a calendar."""
    if born.month_day is None:
        return None
    today, number = born.asked_on, timedelta(days=1)
    if name == "member.days_to_birthday":
        return next(n for n in range(366 * 8) if _has_birthday(born, today + n * number))
    year = [date(today.year, 1, 1) + n * number for n in range(366)]
    (birthday,) = (day for day in year if day.year == today.year and _has_birthday(born, day))
    if name == "member.birthday_month":
        return birthday.month == today.month
    if born.year is None or (born.year, birthday) > (today.year, today):
        return None
    return len(range(born.year, today.year)) - (birthday > today)


def _same_kind(value: Any, written: Any) -> Any:
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return Decimal(str(written))
    return date.fromisoformat(written) if isinstance(value, date) else written


def _compared(op: str, value: Any, written: Any) -> bool:
    match op:
        case "is_set" | "is_not_set":
            return op == "is_set"
        case "is_true" | "is_false":
            return value is (op == "is_true")
        case "within" | "not_within":
            return any(value.startswith(UNITS[code]) for code in written) == (op == "within")
        case "contains":
            return written.casefold() in value.casefold()
        case "starts_with":
            return value.casefold().startswith(written.casefold())
        case "has_any" | "has_none":
            return bool(set(value) & set(written)) == (op == "has_any")
        case "has_all":
            return set(written) <= set(value)
        case "in" | "not_in":
            return (value in [_same_kind(value, each) for each in written]) == (op == "in")
        case "between":
            low, high = (_same_kind(value, each) for each in written)
            return bool(low <= value <= high)
    other = _same_kind(value, written)
    return {
        "eq": value == other, "ne": value != other, "lt": op == "lt" and value < other, "le": op == "le" and value <= other,
        "gt": op == "gt" and value > other, "ge": op == "ge" and value >= other,
    }[op]  # fmt: skip
