"""What two members have gathered, as one, and taken apart again."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.rules.effects import PerAmount
from apps.rules.joining import joined, parted
from apps.rules.progress import KEPT_DAYS, NOTHING, Accumulator, Gatherer, Progress
from tests.rules.test_progress import DAY, streaks

TEN = Accumulator("events", Decimal(10), every=True)
ONCE = Accumulator("events", Decimal(10))
SUMS: list[Gatherer] = [
    TEN,
    ONCE,
    Accumulator("amount", Decimal("7.5"), every=True),
    PerAmount(1, Decimal(2), Decimal(3), "carry"),
]
VALUES: list[Gatherer] = [Accumulator(of, Decimal(3), every) for of in ("stores", "streak") for every in (True, False)]


def card(gatherer: Gatherer, told: list[int]) -> Progress:
    """After events as rules count them: of the days or stores `told`, or of so much money."""
    progress = NOTHING
    for number, each in enumerate(told):
        brings = Decimal(each) / 4 if gatherer in SUMS else (str(DAY + each),)
        before, progress = progress, gatherer.after(progress, brings)
        if (steps := gatherer.fires(progress) - gatherer.fires(before)) > 0:
            progress = progress.with_firing(number, steps)
    return progress


def of(value: int, due: int = 0) -> Progress:
    return Progress(Decimal(value), due=due)


@pytest.mark.parametrize(
    ("kept", "gone", "due"), [(5, 4, 0), (5, 5, 1), (15, 5, 1), (15, 15, 1), (14, 15, 0), (0, 25, 0)]
)
def test_a_step_that_only_both_together_reach_is_due(kept: int, gone: int, due: int) -> None:
    assert joined(of(kept), of(gone), TEN) == of(kept + gone, due)


def test_a_goal_that_either_had_reached_is_not_due_again() -> None:
    assert [joined(of(kept), of(6), ONCE).due for kept in (3, 4, 12)] == [0, 1, 0]
    assert joined(of(12), of(11), ONCE) == of(23)


def test_what_was_due_before_is_due_still() -> None:
    assert joined(of(10, due=1), of(9), TEN).due == 1
    assert joined(of(10, due=1), of(10, due=1), TEN).due == 2


@given(st.lists(st.integers(0, 40), max_size=60), st.lists(st.integers(0, 40), max_size=60), st.booleans())
def test_two_streaks_are_as_good_as_one_of_all_days(mine: list[int], others: list[int], every: bool) -> None:
    gatherer = Accumulator("streak", Decimal(3), every)
    both = joined(card(gatherer, sorted(mine)), card(gatherer, sorted(others)), gatherer)
    assert gatherer.fires(both) == streaks({*mine, *others}, 3, every=every)


@given(st.lists(st.integers(0, 5 * KEPT_DAYS), max_size=60), st.lists(st.integers(0, 5 * KEPT_DAYS), max_size=60))
def test_of_long_streaks_no_more_days_are_kept_than_of_one(mine: list[int], others: list[int]) -> None:
    gatherer = Accumulator("streak", Decimal(3), every=True)
    both = joined(card(gatherer, sorted(mine)), card(gatherer, sorted(others)), gatherer)
    assert len(both.seen) <= KEPT_DAYS
    assert all(int(day) > both.run[0] for day in both.seen)
    assert Progress.from_json(str(both.value), both.to_json()) == both


@given(
    st.sampled_from([*SUMS, *VALUES]), *(st.lists(st.integers(0, 30), max_size=25).map(sorted) for _ in range(2)),
    st.lists(st.integers(31, 50), max_size=20).map(sorted),
)  # fmt: skip
def test_what_is_taken_apart_adds_up_and_nobody_is_given_a_step_twice(
    gatherer: Gatherer, mine: list[int], others: list[int], since: list[int]
) -> None:
    kept, gone = card(gatherer, mine), card(gatherer, others)
    now, fired = joined(kept, gone, gatherer), gatherer.fires(kept)
    for each in since:
        after = gatherer.after(now, Decimal(each) / 4 if gatherer in SUMS else (str(DAY + each),))
        fired += max(0, gatherer.fires(after) - gatherer.fires(now) + now.due)
        now = Progress(after.value, after.seen, after.run, after.done, after.fired)
    left, back = parted(now, gone, gatherer)
    assert left.value + back.value == now.value
    assert back.value <= gone.value
    assert set(left.seen) | set(back.seen) == set(now.seen)
    assert gatherer.fires(left) - left.due >= fired - gatherer.fires(kept) if gatherer in SUMS else True
    assert gatherer.fires(back) <= gatherer.fires(gone)


def test_of_moved_stamps_those_that_made_a_full_card_stay() -> None:
    assert parted(of(11), of(5), TEN) == (of(10), of(1))
    assert parted(of(13), of(5), TEN) == (of(10), of(3))
    assert parted(of(16), of(5), TEN) == (of(11), of(5))
    # The moved card had fired itself.
    assert parted(of(21), of(15), TEN) == (of(10), of(11))


def test_what_was_given_back_meanwhile_is_there_no_more() -> None:
    assert parted(of(3), of(5), TEN) == (of(0), of(3))
    assert parted(of(7, due=0), of(5), TEN) == (of(2), of(5))
