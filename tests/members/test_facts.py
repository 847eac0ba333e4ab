"""Birthdays on a local day: ages, days ahead and months, 29 February included."""

from datetime import date

import pytest

from apps.members.facts import NO_BIRTHDAY, Birthday


@pytest.mark.parametrize(
    ("born", "asked_on", "expected"),
    [
        (date(1990, 5, 4), date(2026, 5, 3), (35, 1, True)),
        (date(1990, 5, 4), date(2026, 5, 4), (36, 0, True)),
        (date(1990, 5, 4), date(2026, 5, 5), (36, 364, True)),
        (date(1990, 1, 1), date(2026, 12, 31), (36, 1, False)),
        (date(1996, 2, 29), date(2026, 2, 28), (29, 1, False)),
        (date(1996, 2, 29), date(2026, 3, 1), (30, 0, True)),
        (date(1996, 2, 29), date(2028, 2, 29), (32, 0, True)),
        (date(1996, 2, 29), date(2028, 3, 1), (32, 365, False)),
        (date(2026, 5, 4), date(2026, 5, 3), (None, 1, True)),
    ],
)
def test_a_birthday_is_asked_about_on_a_day(born: date, asked_on: date, expected: tuple[int | None, int, bool]) -> None:
    birthday = Birthday.of(born, asked_on)
    assert (birthday.age, birthday.days_ahead, birthday.is_this_month) == expected


def test_what_is_unknown_is_none() -> None:
    assert (NO_BIRTHDAY.age, NO_BIRTHDAY.days_ahead, NO_BIRTHDAY.is_this_month) == (None, None, None)
    assert Birthday(504, None, date(2026, 5, 4)).age is None
