"""The local periods that limits and accumulators count in. Pure."""

from datetime import date, timedelta
from functools import lru_cache

from apps.conditions.windows import start_of


@lru_cache(maxsize=10_000)
def period_start(period: str, day: date) -> date:
    """The first day of the period that `day` lies in; weeks begin on Monday.

    >>> period_start("week", date(2026, 5, 7)), period_start("quarter", date(2026, 5, 7))
    (datetime.date(2026, 5, 4), datetime.date(2026, 4, 1))
    """
    match period:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
    return start_of(period, day)


def period_after(period: str, day: date) -> date:
    """The first day of the next period after the one that `day` lies in.

    >>> period_after("month", date(2026, 12, 7)), period_after("quarter", date(2026, 5, 7))
    (datetime.date(2027, 1, 1), datetime.date(2026, 7, 1))
    """
    longest = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[period]
    return period_start(period, period_start(period, day) + timedelta(days=longest))
