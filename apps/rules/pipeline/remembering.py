"""Remembering: what members had done before each event, where a rule in force asks. One statement, or none at all;
one for the points they earned and spent; and one for what they, or the event's device, did in the minutes before.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import orjson

from apps.activity.models import Event
from apps.conditions.windows import Window, start_of
from apps.core.prepared import call
from apps.members.facts import History
from apps.rules.stages import Opened

_READ = """
SELECT n, time_window, orders, spent, visits, check_ins, last_order_on FROM activity_history(%s::jsonb)
"""


_READ_POINTS = "SELECT n, time_window, earned, spent FROM points_history(%s::jsonb)"
_READ_RECENT = "SELECT n, whose, time_window, events FROM activity_recent(%s::jsonb)"

WHOSE = {"recent.events": "member", "recent.device_events": "device"}


def remember(opened: Sequence[Opened]) -> None:
    """Gives the members of events their histories, as far as the rules for those events ask about them."""
    _remember_days(opened)
    _remember_points(opened)
    _remember_minutes(opened)


def _remember_days(opened: Sequence[Opened]) -> None:
    starts = {n: _starts(item) for n, item in enumerate(opened) if item.prepared.rules.windows and not _is_refund(item)}
    if not starts:
        return
    asked = {opened[n].member_id for n in starts}
    batch = [
        {"n": n, "id": item.event_id, "starts": starts.get(n, {})}
        for n, item in enumerate(opened)
        if item.member_id in asked
    ]
    found: dict[int, list[Any]] = defaultdict(list)
    for n, *row in call(_READ, [orjson.dumps(batch).decode()]):
        found[n].append(row)
    for n in starts:
        item = opened[n]
        is_order = item.prepared.event.kind == Event.Kind.PURCHASE
        if is_order or n in found:
            item.member = replace(item.member, history=_history(found[n], item.prepared.day, is_order))


def _remember_points(opened: Sequence[Opened]) -> None:
    """What the ledger holds; what the events of this wave give is added as they are reckoned."""
    batch = [
        {"n": n, "account": item.main_account.id, "at": item.prepared.event.occurred_at,
         "starts": {str(window): start_of(window, item.prepared.day) for window in item.prepared.rules.point_windows}}
        for n, item in enumerate(opened)
        if item.prepared.rules.point_windows and item.main_account is not None and not _is_refund(item)
    ]  # fmt: skip
    if not batch:
        return
    found: dict[int, list[Any]] = defaultdict(list)
    for n, window, earned, spent in call(_READ_POINTS, [orjson.dumps(batch).decode()]):
        found[n].append((_window(window), earned, spent))
    for n, rows in found.items():
        item = opened[n]
        earned = {window: points for window, points, _spent in rows}
        spent = {window: points for window, _earned, points in rows}
        history = replace(item.member.history, points_earned=earned, points_spent=spent)
        item.member = replace(item.member, history=history)


def _remember_minutes(opened: Sequence[Opened]) -> None:
    asked = {
        n: [(WHOSE[field], window) for field, window in item.prepared.rules.short_windows]
        for n, item in enumerate(opened)
        if item.prepared.rules.short_windows and not _is_refund(item)
    }
    if not asked:
        return
    # All events of the wave are named: of these, only what was told before an event counts.
    batch = [{"n": n, "id": item.event_id, "asked": asked.get(n, [])} for n, item in enumerate(opened)]
    found: dict[int, dict[str, dict[Window, int]]] = defaultdict(lambda: {"member": {}, "device": {}})
    for n, whose, window, events in call(_READ_RECENT, [orjson.dumps(batch).decode()]):
        found[n][whose][_window(window)] = events
    for n, counted in found.items():
        member = opened[n].member
        history = replace(member.history, events=counted["member"], device_events=counted["device"])
        opened[n].member = replace(member, history=history)


def _window(name: str) -> Window:
    """A window as the database spells it."""
    return int(name) if name.isdecimal() else name


def _is_refund(item: Opened) -> bool:
    """What a refund takes back follows from its purchase, not from rules."""
    return item.prepared.purchase is not None


def _starts(item: Opened) -> dict[str, date]:
    return {str(window): start_of(window, item.prepared.day) for window in item.prepared.rules.windows}


def _history(rows: Sequence[Any], day: date, is_order: bool) -> History:
    windows = [_window(name) for name, *_ in rows]
    orders, spent, visits, check_ins, last = (
        {window: row[column] for window, row in zip(windows, rows, strict=True)} for column in range(1, 6)
    )
    last_order_on = last.get("ever")
    since = last_order_on and (day - last_order_on).days
    return History(orders, spent, visits, check_ins, since, is_order=is_order)
