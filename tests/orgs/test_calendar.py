"""Special days: which days they are, and what is refused."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from apps.orgs.calendar import Calendar, parse_days
from apps.orgs.calendar_words import days_in_words
from apps.orgs.errors import CodeTaken
from apps.orgs.models import SpecialDay
from apps.orgs.services import change_special_day, create_special_day
from tests.factories import Cast, CoffeeGroup

WHEN = datetime(2026, 5, 4, 2, tzinfo=UTC)
FESTIVAL = {
    "kind": "on_dates",
    "ranges": [{"first": "2026-02-10", "last": "2026-02-12"}, {"first": "2026-05-01", "last": "2026-05-01"}],
}
EIGHTH = {"kind": "each_month", "day": 8}
WORDS = [
    (FESTIVAL, "2026-02-10 to 2026-02-12, 2026-05-01", "2026-02-10至2026-02-12、2026-05-01"),
    (EIGHTH, "every month on day 8", "每月8日"),
    ({"kind": "each_year", "month": 5, "day": 8}, "every year on 8 May", "每年5月8日"),
    ({"kind": "each_week", "weekday": 2}, "every Tuesday", "每周二"),
]


@pytest.mark.parametrize(
    ("days", "held", "free"),
    [
        (FESTIVAL, ["2026-02-10", "2026-02-12", "2026-05-01"], ["2026-02-09", "2026-02-13", "2027-02-11"]),
        (EIGHTH, ["2026-02-08", "2027-12-08"], ["2026-02-07", "2026-02-09"]),
        ({"kind": "each_month", "day": 31}, ["2026-01-31"], ["2026-02-28", "2026-04-30"]),
        ({"kind": "each_year", "month": 2, "day": 29}, ["2028-02-29"], ["2026-02-28", "2026-03-01"]),
        ({"kind": "each_week", "weekday": 2}, ["2026-03-03"], ["2026-03-02", "2026-03-04"]),
    ],
)
def test_a_special_day_is_these_days_and_no_others(days: Any, held: list[str], free: list[str]) -> None:
    calendar = Calendar.of(
        [("day", days), ("never", {"kind": "on_dates", "ranges": [{"first": "1999-01-01", "last": "1999-01-01"}]})]
    )
    assert [calendar.on(date.fromisoformat(day)) for day in [*held, *free]] == [("day",)] * len(held) + [None] * len(
        free
    )


@pytest.mark.parametrize(("days", "english", "chinese"), WORDS)
def test_it_reads_well_in_both_languages(days: Any, english: str, chinese: str) -> None:
    assert (days_in_words(days, "en"), days_in_words(days, "zh-hans")) == (english, chinese)


@pytest.mark.parametrize(
    "days",
    [
        {}, {"kind": "each_month", "day": 32}, {"kind": "each_year", "month": 2, "day": 30}, {"kind": "each_week", "weekday": 0},
        {"kind": "on_dates", "ranges": []}, {"kind": "on_dates", "ranges": [{"first": "2026-02-12", "last": "2026-02-10"}]},
        {"kind": "on_dates", "ranges": [{"first": 20260212, "last": "2026-02-13"}]}, EIGHTH | {"more": 1},
    ],
)  # fmt: skip
def test_what_is_no_day_is_refused(days: Any) -> None:
    with pytest.raises(ValidationError):
        parse_days(days)


def test_a_code_stands_once_in_a_programme_and_the_history_names_who_changed_it(group: CoffeeGroup, cast: Cast) -> None:
    marketing = cast["marketing"]
    day = create_special_day(group.east, code="md", name="Member day", days=EIGHTH, actor=marketing)
    create_special_day(group.west, code="md", name="Theirs", days=EIGHTH)
    with pytest.raises(CodeTaken):
        create_special_day(group.east, code="md", name="Again", days=FESTIVAL)
    change_special_day(day, name="Members' day", days=FESTIVAL, actor=marketing, when=WHEN)
    assert [(row.name, row.history_user) for row in SpecialDay.history.filter(id=day.pk)] == [
        ("Members' day", marketing), ("Member day", marketing),
    ]  # fmt: skip
