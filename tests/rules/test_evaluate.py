"""The pure evaluation: caps, rounding and order, as properties."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.rules.evaluate import HOLDS, LiveEffect, LiveRule, RuleSet, evaluate
from tests.conditions import trees

EXACT = {
    ROUND_DOWN: floor,
    ROUND_UP: ceil,
    ROUND_HALF_UP: lambda value: floor(value + Fraction(1, 2)),
}
amounts = st.decimals(0, Decimal("999999999999.9999"), places=4)
rates = st.decimals(Decimal("0.0001"), 1_000_000, places=4)
pers = st.decimals(Decimal("0.01"), 1_000_000, places=4)


@settings(max_examples=400, deadline=None)
@given(amounts, rates, pers, st.sampled_from(list(EXACT)))
def test_points_are_rounded_exactly_whatever_the_figures(amount: Any, rate: Any, per: Any, rounding: str) -> None:
    effect = LiveEffect(1, rate, per, rounding)
    assert effect.worth(amount) == EXACT[rounding](Fraction(amount) * Fraction(rate) / Fraction(per))


def test_a_quotient_just_below_a_whole_number_is_not_rounded_up_to_it() -> None:
    effect = LiveEffect(1, Decimal("0.0001"), Decimal("999999.9999"), ROUND_DOWN)
    assert effect.worth(Decimal("999999999899.9999")) == 99


def test_no_amount_and_a_negative_amount_earn_nothing() -> None:
    effect = LiveEffect(1, Decimal(1), Decimal(1), ROUND_UP)
    assert [effect.worth(amount) for amount in (None, Decimal(0))] == [0, 0]
    assert effect.worth(Decimal("-0.5")) <= 0


def rule(number: int, effects: tuple[LiveEffect, ...], cap: int | None) -> LiveRule:
    return LiveRule(number, number * 10, 1, f"r{number}", f"Rule {number}", effects, cap)


rules_drawn = st.lists(
    st.tuples(
        st.booleans(),
        st.lists(st.one_of(
            st.integers(1, 500).map(lambda points: LiveEffect(1, Decimal(points))),
            st.tuples(rates.map(lambda rate: rate / 1000), pers).map(lambda pair: LiveEffect(2, pair[0], pair[1])),
        ), min_size=1, max_size=3),
        st.none() | st.integers(1, 600),
    ),
    max_size=5,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(trees.events, trees.members, rules_drawn, st.dictionaries(st.integers(0, 4), st.integers(0, 700)))
def test_a_cap_is_never_passed_and_what_it_cut_is_kept(event: Any, member: Any, drawn: Any, spent: Any) -> None:
    live = tuple(rule(number, tuple(effects), cap) for number, (_, effects, cap) in enumerate(drawn))
    answers = tuple(HOLDS if holds else 3 for holds, _, _ in drawn)
    outcome = evaluate(event, member, RuleSet(live, lambda *_: answers), spent)
    for each in live:
        given_now = sum(award.points for award in outcome.awards if award.rule is each)
        worth = sum(max(0, effect.worth(effect.per and effect.base(event))) for effect in each.effects)
        holds = drawn[each.rule_id][0]
        if not holds:
            assert given_now == 0
            assert [each.version_id, 3] in [list(pair) for pair in outcome.skipped]
            continue
        room = (
            worth if each.cap_per_member_day is None else max(0, each.cap_per_member_day - spent.get(each.rule_id, 0))
        )
        assert given_now == min(worth, room)
        assert sum(award.cut for award in outcome.awards if award.rule is each) == worth - given_now
    assert all(award.points >= 0 for award in outcome.awards)
    order = [(award.rule.rule_id, award.effect) for award in outcome.awards]
    assert order == sorted(order)
