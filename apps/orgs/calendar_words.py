"""Special days as words, in both languages. Pure."""

from calendar import month_name
from typing import Any

from django.utils.translation import get_language

from apps.conditions.types import WEEKDAYS
from apps.conditions.words import Words
from apps.orgs.calendar import EachMonth, EachWeek, EachYear, OnDates, parse_days

RANGE = Words("{first} to {last}", "{first}至{last}")
JOIN = Words(", ", "、")
YEARLY = Words("every year on {day} {month}", "每年{number}月{day}日")
MONTHLY = Words("every month on day {day}", "每月{day}日")
WEEKLY = Words("every {weekday}", "每{weekday}")


def days_in_words(data: Any, language: str | None = None) -> str:
    """The days that a special day's JSON describes, in `language` or the one in force."""
    code = language or get_language() or "en"

    def say(words: Words, **slots: Any) -> str:
        return words.in_language(code).format(**slots)

    match parse_days(data):
        case OnDates(ranges=ranges):
            return say(JOIN).join(
                f"{each.first}" if each.first == each.last else say(RANGE, first=each.first, last=each.last)
                for each in ranges
            )
        case EachYear(month=month, day=day):
            return say(YEARLY, day=day, month=month_name[month], number=month)
        case EachMonth(day=day):
            return say(MONTHLY, day=day)
        case EachWeek(weekday=weekday):
            return say(WEEKLY, weekday=WEEKDAYS[weekday - 1].in_language(code))
