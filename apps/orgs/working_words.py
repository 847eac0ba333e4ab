"""Working time as words, in both languages. Pure."""

from collections.abc import Iterator, Sequence
from datetime import time
from typing import Any

from django.utils.translation import get_language

from apps.conditions.types import WEEKDAYS
from apps.conditions.words import Words
from apps.orgs.calendar_words import RANGE
from apps.orgs.working_time import Span, WorkingHours, clock_text, parse_working_hours

DAYS = Words("{first} to {last}", "{first}至{last}")
WORKED = Words("{days} {spans}", "{days} {spans}")
AND, NEXT = Words(" and ", "、"), Words("; ", "；")
CLOSED = Words("not on {days}", "{days}休息")
MOVED = Words("on {day} as on {weekday}", "{day}按{weekday}上班")
NEVER = Words("Nobody ever works here: deadlines never come.", "此处从不上班：期限永远不会到。")
WHOLE = Words("{said}.", "{said}。")
COMMA = Words(", ", "、")
MOST_SAID = 6
MORE = Words("{n} more", "另外 {n} 项")


def hours_in_words(data: Any, language: str | None = None) -> str:
    """The working time that a unit's JSON describes, in `language` or the one in force."""
    code = language or get_language() or "en"
    hours = parse_working_hours(data)

    def say(words: Words, **slots: Any) -> str:
        return words.in_language(code).format(**slots)

    if hours.is_empty:
        return say(NEVER)
    parts = [
        say(WORKED, days=_days(first, last, code), spans=say(AND).join(_span(span) for span in spans))
        for first, last, spans in _runs(hours)
    ]
    if hours.closed:
        ranges = [
            f"{each.first}" if each.first == each.last else say(RANGE, first=each.first, last=each.last)
            for each in hours.closed
        ]
        parts.append(say(CLOSED, days=_listed(ranges, code)))
    if hours.moved:
        moved = [say(MOVED, day=each.on, weekday=_weekday(each.as_, code)) for each in hours.moved]
        parts.append(_listed(moved, code))
    return say(WHOLE, said=say(NEXT).join(parts))


def _listed(said: Sequence[str], code: str) -> str:
    rest = len(said) - MOST_SAID
    shown = [*said[:MOST_SAID], *([MORE.in_language(code).format(n=rest)] if rest > 0 else [])]
    return COMMA.in_language(code).join(shown)


def _runs(hours: WorkingHours) -> Iterator[tuple[int, int, tuple[Span, ...]]]:
    """Days that follow each other and are worked alike: first, last, and when."""
    day = 1
    while day <= 7:
        spans, last = hours.week.get(day, ()), day
        while last < 7 and hours.week.get(last + 1, ()) == spans:
            last += 1
        if spans:
            yield day, last, spans
        day = last + 1


def _days(first: int, last: int, code: str) -> str:
    if first == last:
        return _weekday(first, code)
    return DAYS.in_language(code).format(first=_weekday(first, code), last=_weekday(last, code))


def _weekday(number: int, code: str) -> str:
    return WEEKDAYS[number - 1].in_language(code)


def _span(span: tuple[time, time]) -> str:
    return "–".join(clock_text(edge) for edge in span)
