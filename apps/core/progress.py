"""How far long work is: per cent, rate and time left. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Progress:
    """`rate` is rows a second since the work began; `seconds_left` is None while that says nothing yet."""

    percent: int
    rate: int
    seconds_left: int | None


def progress_of(done: int, total: int, started_at: datetime | None, when: datetime) -> Progress:
    """How far work is that has done `done` of `total` rows since `started_at`.

    >>> from datetime import UTC, timedelta
    >>> start = datetime(2026, 3, 1, tzinfo=UTC)
    >>> progress_of(250, 1000, start, start + timedelta(seconds=10))
    Progress(percent=25, rate=25, seconds_left=30)
    """
    seconds = (when - started_at).total_seconds() if started_at else 0.0
    rate = done / seconds if seconds > 0 else 0.0
    left = round((total - done) / rate) if rate else None
    return Progress(100 * done // total if total else 0, round(rate), left)
