"""What two members have gathered, as one; and that taken apart again. Pure.

Sums, values and days are added up. A step that only both together reach is `due`: the next event fires it, as it fires its
own. What each had fired before was given, and stays given.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from apps.rules.progress import MOST_FIRED, MOST_VALUES, Accumulator, Firing, Gatherer, Progress


def joined(kept: Progress, gone: Progress, gatherer: Gatherer | None) -> Progress:
    """What both have gathered; without `gatherer`, since no rule gathers it any more, nothing is due."""
    seen = dict(kept.seen)
    for text, times in gone.seen.items():
        if text in seen or len(seen) < MOST_VALUES:
            seen[text] = seen.get(text, 0) + times
    both = Progress(
        kept.value + gone.value, seen, max(kept.run, gone.run), kept.done + gone.done,
        tuple(sorted((*kept.fired, *gone.fired), key=_event))[-MOST_FIRED:], kept.due + gone.due,
    )  # fmt: skip
    if gatherer is None:
        return both
    if isinstance(gatherer, Accumulator) and gatherer.of == "streak":
        both = _of_days(both, min(kept, gone, key=_run), gatherer)
    return replace(both, due=max(0, gatherer.fires(both) - _given(kept, gatherer) - _given(gone, gatherer)))


def parted(now: Progress, moved: Progress, gatherer: Gatherer | None) -> tuple[Progress, Progress]:
    """What stays of `now`, which `moved` was joined to before other things happened, and what of `moved` goes back: all that
    is still there, but for what the steps needed that were fired since."""
    fired = 0 if gatherer is None else max(0, _given(now, gatherer) - _given(moved, gatherer))
    value = max(Decimal(0), now.value - moved.value)
    if gatherer is not None and now.value:
        value = min(now.value, max(value, gatherer.needs(fired)))
    still, back = {each.event_id: each for each in now.fired}, {each.event_id for each in moved.fired}
    kept = replace(
        now, value=value, seen=_less(now.seen, moved.seen), done=max(0, now.done - moved.done), due=0,
        fired=tuple(each for each in now.fired if each.event_id not in back),
    )  # fmt: skip
    if gatherer is not None:
        for text in moved.seen:
            if gatherer.fires(kept) >= fired:
                break
            if text in now.seen:
                kept = replace(kept, seen={**kept.seen, text: now.seen[text]})
    left = _less(now.seen, kept.seen)
    gone = replace(
        moved, value=min(moved.value, now.value - kept.value), due=0,
        seen={text: min(times, left[text]) for text, times in moved.seen.items() if text in left},
        fired=tuple(still.get(each.event_id, each) for each in moved.fired),
    )  # fmt: skip
    if gatherer is not None:
        kept = replace(kept, due=max(0, min(now.due, gatherer.fires(kept) - fired)))
        gone = replace(gone, due=max(0, min(moved.due, gatherer.fires(gone) - _given(moved, gatherer))))
    return kept, gone


def _given(progress: Progress, gatherer: Gatherer) -> int:
    """How many steps were given."""
    return gatherer.fires(progress) - progress.due


def _less(seen: Mapping[str, int], of: Mapping[str, int]) -> dict[str, int]:
    return {text: times - of.get(text, 0) for text, times in seen.items() if times > of.get(text, 0)}


def _of_days(both: Progress, older: Progress, streaks: Accumulator) -> Progress:
    """Streaks of both: of the one that was forgotten earlier, what lies before the other's only counts as fired."""
    last = both.run[0]
    past = replace(older, seen={day: times for day, times in older.seen.items() if int(day) <= last}, done=0)
    if older.run != both.run:
        both = replace(both, done=both.done + streaks.fires(past))
    return streaks.after(replace(both, seen={day: n for day, n in both.seen.items() if int(day) > last}), ())


def _run(progress: Progress) -> tuple[int, int]:
    return progress.run


def _event(firing: Firing) -> int:
    return firing.event_id
