"""How far long work is."""

from datetime import UTC, datetime, timedelta

from apps.core.progress import Progress, progress_of

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_rate_and_time_left_follow_from_what_is_done() -> None:
    assert progress_of(250, 1000, START, START + timedelta(seconds=10)) == Progress(25, 25, 30)


def test_nothing_is_foretold_before_the_first_rows_are_done() -> None:
    assert progress_of(0, 1000, START, START + timedelta(seconds=10)) == Progress(0, 0, None)
    assert progress_of(0, 0, None, START) == Progress(0, 0, None)
    assert progress_of(1000, 1000, START, START) == Progress(100, 0, None)
