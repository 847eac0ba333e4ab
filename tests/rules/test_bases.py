"""What rates are reckoned from: with or without tax and carriage, once for the order or line by line."""

from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.activity.facts import EventFacts, LineFacts
from apps.rules.bases import Bases
from apps.rules.effects import HOLDS, PerAmount, PerQuantity, Row, Table
from apps.rules.explain import reasons
from tests.conditions import trees
from tests.factories import CoffeeGroup
from tests.rules.conftest import PER_YUAN, START, Till, line, make_till, publish, purchase

EXACT = {ROUND_DOWN: floor, ROUND_UP: ceil, ROUND_HALF_UP: lambda value: floor(value + Fraction(1, 2))}
amounts = st.decimals(0, 500, places=2)


@st.composite
def a_line(draw: Any) -> LineFacts:
    amount = draw(amounts)
    tax = draw(st.none() | st.decimals(0, amount, places=2))
    category = draw(st.sampled_from(["coffee", "tea"]))
    return LineFacts("A1", category, draw(st.integers(1, 5).map(Decimal)), amount, None, tax, draw(st.booleans()))


lines = st.lists(a_line(), min_size=1, max_size=4).map(tuple)
bases = st.builds(Bases, st.sampled_from([(), ("tax",), ("shipping",), ("tax", "shipping")]), st.booleans())


def is_coffee(line: LineFacts) -> bool:
    return line.category == "coffee"


@settings(max_examples=300, deadline=None)
@given(trees.events, trees.members, lines, bases, st.booleans(), st.sampled_from(list(EXACT)), st.booleans())
def test_a_rate_gives_what_its_lines_come_to(
    event: EventFacts, member: Any, lines: tuple[LineFacts, ...], bases: Bases, some: bool, rounding: str, pieces: bool
) -> None:
    points, per = Decimal("0.7"), Decimal("3")
    effect = (PerQuantity if pieces else PerAmount)(1, points, per, rounding, is_coffee if some else None, bases)
    given_points, _seen = effect.worth(replace(event, lines=lines), member, [])

    kept = [
        each
        for each in lines
        if (not some or is_coffee(each)) and not ("shipping" in bases.without and each.is_shipping)
    ]
    reckoned = [Fraction(each.quantity if pieces else each.amount) for each in kept]
    if not pieces and "tax" in bases.without:
        reckoned = [base - Fraction(each.tax or 0) for base, each in zip(reckoned, kept, strict=True)]
    if not bases.by_line:
        reckoned = [sum(reckoned, Fraction(0))]
    assert given_points == sum(EXACT[rounding](base * Fraction(points) / Fraction(per)) for base in reckoned)


@settings(max_examples=50, deadline=None)
@given(trees.events, trees.members, lines, bases)
def test_a_row_of_a_table_gives_what_a_rate_gives(event: Any, member: Any, lines: Any, bases: Bases) -> None:
    event, rate = replace(event, lines=lines), (Decimal(2), Decimal(3))
    table = Table(1, (Row(*rate),), lambda *_: (HOLDS,), "first", ROUND_DOWN, bases)
    assert table.worth(event, member, [])[0] == PerAmount(1, *rate, bases=bases).worth(event, member, [])[0]


@given(trees.events, trees.members, bases)
def test_an_event_that_tells_no_lines_is_reckoned_as_a_whole(event: Any, member: Any, bases: Bases) -> None:
    event, rate = replace(event, lines=()), (Decimal(2), Decimal(3))
    assert (
        PerAmount(1, *rate, bases=bases).worth(event, member, [])[0] == PerAmount(1, *rate).worth(event, member, [])[0]
    )


def test_the_reason_says_what_was_left_out_and_that_lines_were_rounded(group: CoffeeGroup) -> None:
    till: Till = make_till(group)
    publish(group, PER_YUAN | {"without": ["tax", "shipping"], "each": "line"}, starts_at=START)
    basket = (
        line("11.30", tax=Decimal("1.30")),
        line("10.90", number=2),
        line("8", number=3, is_shipping=True),
    )
    (done,) = till.send(purchase("30.20", lines=basket))
    assert done.points == 20
    (reason,) = reasons(done.answer or {}, {}, "CNY")
    assert reason.sentences[:3] == (
        "¥20.90 at 1 point for each ¥1 is 20 points, rounded down.",
        "Tax and shipping are left out.",
        "Each line of the order is rounded by itself.",
    )
