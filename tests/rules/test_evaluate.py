"""The pure evaluation: caps, rounding and order, as properties."""

from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.activity.facts import LineFacts
from apps.rules.effects import HOLDS, Fixed, Multiplier, PerAmount, PerQuantity, Row, Table, points_for
from apps.rules.evaluate import OUTDONE, LiveLimit, LiveRule, LiveStacking, RuleSet, evaluate, millionths
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
    assert points_for(amount, rate, per, rounding) == EXACT[rounding](Fraction(amount) * Fraction(rate) / Fraction(per))


def test_a_quotient_just_below_a_whole_number_is_not_rounded_up_to_it() -> None:
    assert points_for(Decimal("999999999899.9999"), Decimal("0.0001"), Decimal("999999.9999"), ROUND_DOWN) == 99


def test_no_amount_and_a_negative_amount_earn_nothing() -> None:
    one = Decimal(1)
    assert [points_for(amount, one, one, ROUND_UP) for amount in (None, Decimal(0))] == [0, 0]
    assert points_for(Decimal("-0.5"), one, one, ROUND_UP) <= 0


MEMBER_DAY = ("member", "day", "points")


def rule(number: int, effects: tuple[Any, ...], *limits: LiveLimit) -> LiveRule:
    return LiveRule(number, number * 10, 1, f"r{number}", f"Rule {number}", effects, limits)


plain_effects = st.one_of(
    st.integers(1, 500).map(lambda points: Fixed(1, points)),
    st.tuples(rates.map(lambda rate: rate / 1000), pers).map(lambda pair: PerAmount(2, pair[0], pair[1])),
)
rules_drawn = st.lists(
    st.tuples(st.booleans(), st.lists(plain_effects, min_size=1, max_size=3), st.none() | st.integers(1, 600)),
    max_size=5,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(trees.events, trees.members, rules_drawn, st.dictionaries(st.integers(0, 4), st.integers(0, 700)))
def test_a_cap_is_never_passed_and_what_it_cut_is_kept(event: Any, member: Any, drawn: Any, spent: Any) -> None:
    limits = [() if cap is None else (LiveLimit(*MEMBER_DAY, cap),) for _, _, cap in drawn]
    live = tuple(rule(number, tuple(effects), *limits[number]) for number, (_, effects, _) in enumerate(drawn))
    answers = tuple(HOLDS if holds else 3 for holds, _, _ in drawn)
    used = {
        (number, limits[number][0]): points
        for number, points in spent.items()
        if number < len(limits) and limits[number]
    }
    outcome = evaluate(event, member, RuleSet(live, lambda *_: answers), used)
    for each in live:
        given_now = sum(award.points for award in outcome.awards if award.rule is each)
        worth = sum(max(0, effect.worth(event, member, [])[0]) for effect in each.effects)
        holds = drawn[each.rule_id][0]
        if not holds:
            assert given_now == 0
            assert [each.version_id, 3] in [list(pair) for pair in outcome.skipped]
            continue
        room = max(0, each.limits[0].most - spent.get(each.rule_id, 0)) if each.limits else worth
        assert given_now == min(worth, room)
        assert sum(award.cut for award in outcome.awards if award.rule is each) == worth - given_now
    assert all(award.points >= 0 for award in outcome.awards)
    order = [(award.rule.rule_id, award.effect) for award in outcome.awards]
    assert order == sorted(order)


def points(event: Any, member: Any, *live: LiveRule, used: Any = None) -> list[tuple[int, int, int]]:
    rules = RuleSet(live, lambda *_: (HOLDS,) * len(live))
    return [
        (award.rule.rule_id, award.points, award.cut) for award in evaluate(event, member, rules, used or {}).awards
    ]


def event_of(amount: str) -> Any:
    from hypothesis import find

    return replace(find(trees.events, lambda _: True), amount=Decimal(amount))


money = st.decimals(Decimal("0.01"), 3_000, places=2)


@settings(max_examples=200, deadline=None)
@given(
    trees.events,
    st.lists(money, min_size=1, max_size=8),
    money,
    rates.map(lambda rate: rate / 1000),
    pers,
    st.sampled_from(list(EXACT)),
)
def test_an_order_that_crosses_a_limit_of_money_is_split_there(
    event: Any, orders: Any, most: Any, rate: Any, per: Any, rounding: str
) -> None:
    """Two kinds of points are earned by the same money. Catches money that is counted once for each of them."""
    limit = LiveLimit("member", "year", "amount", millionths(most))
    limited = rule(1, (PerAmount(1, rate, per, rounding), PerAmount(2, rate, per, rounding)), limit)
    left = most
    for amount in orders:
        used = {(1, limit): millionths(most - left)}
        awards = evaluate(replace(event, amount=amount), None, RuleSet((limited,), lambda *_: (HOLDS,)), used).awards
        worth, granted = (points_for(base, rate, per, rounding) for base in (amount, min(amount, left)))
        assert [(award.points, award.cut) for award in awards] == ([(granted, worth - granted)] * 2 if worth else [])
        if granted:
            assert {award.measured for award in awards} == {millionths(min(amount, left))}
            left -= min(amount, left)


def test_a_limit_of_costs_gives_whole_points_only_and_one_of_pieces_leaves_money_alone() -> None:
    dear = replace(
        rule(1, (Fixed(1, 50), Fixed(2, 50)), LiveLimit("event", "ever", "cost", 1_000_000)), costs=(30_000, 0)
    )
    assert points(event_of("1"), None, dear) == [(1, 33, 17), (1, 50, 0)]
    pieces = LiveLimit("event", "ever", "pieces", 1_500_000)
    lines = (LineFacts(None, None, Decimal(4), Decimal(9)),)
    both = rule(2, (PerQuantity(1, Decimal(10), Decimal(1)), PerAmount(1, Decimal(1), Decimal(1))), pieces)
    assert points(replace(event_of("9"), lines=lines), None, both) == [(2, 15, 25), (2, 9, 0)]


def test_multipliers_come_last_and_add_to_what_limits_left() -> None:
    """Catches a multiplier that doubles what a cap has cut, or that counts the multiplier before it when told not to."""
    double = Multiplier(1, Decimal(2), of_all=False)
    half_more = Multiplier(1, Decimal("1.5"), of_all=True)
    base = rule(2, (PerAmount(1, Decimal(1), Decimal(1)),), LiveLimit("member", "day", "points", 30))
    of_other_kind = rule(3, (Fixed(2, 1000),))
    found = points(event_of("45"), None, rule(0, (double,)), rule(1, (half_more,)), base, of_other_kind)
    assert found == [(2, 30, 15), (3, 1000, 0), (0, 30, 0), (1, 30, 0)]


def test_a_table_gives_by_the_first_the_best_or_every_row_that_holds() -> None:
    rows = (Row(Decimal(5)), Row(Decimal(40)), Row(Decimal(2), Decimal(3)), Row(Decimal(99)))
    for hit, expected in (("first", 5), ("best", 40), ("sum", 5 + 40 + 6)):
        table = Table(1, rows, lambda *_: (HOLDS, HOLDS, HOLDS, 0), hit)
        assert points(event_of("10"), None, rule(0, (table,))) == [(0, expected, 0)]


def test_of_several_limits_the_tightest_holds_and_is_named() -> None:
    a_day, ever, thrice = (LiveLimit("member", "day", "points", 50), LiveLimit("programme", "ever", "points", 1000),
                           LiveLimit("store", "month", "times", 3))  # fmt: skip
    limited = rule(0, (Fixed(1, 30), Fixed(1, 30)), a_day, ever, thrice)
    assert points(None, None, limited) == [(0, 30, 0), (0, 20, 10)]
    assert points(None, None, limited, used={(0, ever): 990}) == [(0, 10, 20), (0, 0, 30)]
    assert points(None, None, limited, used={(0, thrice): 2}) == [(0, 30, 0), (0, 20, 10)]
    assert points(None, None, limited, used={(0, thrice): 3}) == [(0, 0, 30), (0, 0, 30)]
    awards = evaluate(None, None, RuleSet((limited,), lambda *_: (HOLDS,)), {(0, ever): 990}).awards  # type: ignore[arg-type]
    assert awards[0].why()["limit"] == {"per": "programme", "period": "ever", "of": "points"}


def grouped(number: int, take: str, order: int, *effects: Any, group: str = "g") -> LiveRule:
    return replace(rule(number, effects), stacking=LiveStacking(group, take, order))


def test_of_a_group_the_best_or_the_first_is_taken_and_the_others_are_told_why() -> None:
    """Catches a best that compares rates instead of points, and a multiplier that doubles a rule that was outdone."""
    per_yuan, fifty, base = PerAmount(1, Decimal(1), Decimal(1)), Fixed(1, 50), rule(9, (Fixed(1, 7),))
    for amount, best in (("40", [(9, 7, 0), (2, 50, 0)]), ("60", [(1, 60, 0), (9, 7, 0)])):
        rules = (grouped(1, "best", 2, per_yuan), base, grouped(2, "best", 1, fifty))
        assert sorted(points(event_of(amount), None, *rules)) == sorted(best)
    first = (
        grouped(1, "first", 2, per_yuan),
        grouped(2, "first", 1, Fixed(1, 0)),
        grouped(3, "first", 3, Fixed(1, 999)),
    )
    assert points(event_of("40"), None, *first) == [(1, 40, 0)]
    assert points(event_of("50"), None, grouped(1, "best", 2, per_yuan), grouped(2, "best", 1, fifty)) == [(2, 50, 0)]
    double, triple = Multiplier(1, Decimal(2), of_all=False), Multiplier(1, Decimal(3), of_all=False)
    both = (base, grouped(1, "best", 1, double, group="times"), grouped(2, "best", 2, triple, group="times"))
    assert points(event_of("1"), None, *both) == [(9, 7, 0), (2, 14, 0)]
    outcome = evaluate(event_of("1"), None, RuleSet(both, lambda *_: (HOLDS,) * 3), {})  # type: ignore[arg-type]
    assert outcome.skipped == [[10, OUTDONE]]


def test_a_group_that_adds_up_is_reckoned_in_its_order() -> None:
    """Catches multipliers that follow each other in the order in which their rules were made."""
    double, triple = Multiplier(1, Decimal(2), of_all=True), Multiplier(1, Decimal(3), of_all=True)
    base = rule(9, (Fixed(1, 10),))
    assert points(None, None, grouped(1, "sum", 2, double), grouped(2, "sum", 1, triple), base) == [
        (9, 10, 0), (2, 20, 0), (1, 30, 0),
    ]  # fmt: skip
    assert points(None, None, grouped(1, "sum", 2, Fixed(1, 5)), grouped(2, "sum", 1, Fixed(1, 6))) == [
        (2, 6, 0),
        (1, 5, 0),
    ]


def test_groups_are_decided_one_after_the_other() -> None:
    """The multiplier that is best doubles what was decided of the group before, and nothing that was outdone."""
    rules = (
        grouped(1, "best", 1, Fixed(1, 10), group="a"), grouped(2, "best", 2, Fixed(1, 30), group="a"),
        grouped(3, "best", 1, Multiplier(1, Decimal(2), of_all=False), group="b"), grouped(4, "best", 2, Fixed(1, 25), group="b"),
    )  # fmt: skip
    assert points(event_of("1"), None, *rules) == [(2, 30, 0), (3, 30, 0)]
