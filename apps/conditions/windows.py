"""Windows: the local days over which a history is asked about. Pure.

A window ends with a day that is given: the event's, or the one that members are asked about. It is written as a
number of days, that day included, or as the name of a part of the calendar up to that day. A short one ends with an
event, and is written as a number of minutes, or as `today`.
"""

from datetime import date

from apps.conditions.words import Words

Window = int | str
LONGEST = 1_100
"""Days: three years, whatever leap days they hold."""

MOST_MINUTES = 1_440
TODAY = "today"

LAST_MINUTE = Words("{field} in the last minute", "最近1分钟内{field}")
LAST_MINUTES = Words("{field} in the last {minutes} minutes", "最近{minutes}分钟内{field}")
SO_FAR_TODAY = Words("{field} so far that day", "当天至今{field}")
LAST_DAY = Words("{field} on that day", "当天的{field}")
LAST_DAYS = Words("{field} in the last {days} days", "最近{days}天的{field}")
NAMED: dict[str, tuple[Words, Words]] = {
    "month": (Words("this month so far", "本月至今"), Words("{field} so far this month", "本月至今的{field}")),
    "quarter": (
        Words("this quarter so far", "本季度至今"),
        Words("{field} so far this quarter", "本季度至今的{field}"),
    ),
    "year": (Words("this year so far", "本年至今"), Words("{field} so far this year", "本年至今的{field}")),
    "ever": (Words("all time", "不限时间"), Words("{field} so far", "累计{field}")),
}
"""Of each name: what a list of choices calls it, and how a field reads over it."""


WITHIN: dict[Window, Words] = {
    1: Words(" that day", "当天"),
    "month": Words(" this month", "本月"),
    "quarter": Words(" this quarter", "本季度"),
    "year": Words(" this year", "本年"),
    "ever": Words("", ""),
}
WITHIN_DAYS = Words(" in the last {days} days", "最近{days}天")


def is_window(value: object) -> bool:
    """Whether that is a window as JSON writes one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return 1 <= value <= LONGEST
    return isinstance(value, str) and value in NAMED


def is_short_window(value: object) -> bool:
    """Whether that is a short window as JSON writes one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return 1 <= value <= MOST_MINUTES
    return value == TODAY


def start_of(window: Window, day: date) -> date:
    """The first day of the window that ends with `day`."""
    match window:
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case "year":
            return day.replace(month=1, day=1)
        case int(days):
            return date.fromordinal(max(1, day.toordinal() - days + 1))
    return date.min


def over(field: str, window: Window, language: str) -> str:
    """The field, named by its words, over that window."""
    if isinstance(window, str):
        return NAMED[window][1].in_language(language).format(field=field)
    words = LAST_DAY if window == 1 else LAST_DAYS
    return words.in_language(language).format(field=field, days=f"{window:,}")


def within(window: Window, language: str) -> str:
    """The window in a clause of its own: “ this month”."""
    return WITHIN.get(window, WITHIN_DAYS).in_language(language).format(days=window)


def shortly(field: str, window: Window, language: str) -> str:
    """The field, named by its words, over that short window."""
    words = SO_FAR_TODAY if window == TODAY else LAST_MINUTE if window == 1 else LAST_MINUTES
    return words.in_language(language).format(field=field, minutes=f"{window:,}" if isinstance(window, int) else "")
