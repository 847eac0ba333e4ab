"""Rules that time itself sets going: who hears of a new day, once each, whatever is killed, missed or told twice."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from apps.activity.errors import InTheFuture
from apps.activity.models import Event
from apps.activity.parsing import Faults, parse_event
from apps.core.clock import start_of_day
from apps.members.crypto import lookup_hash
from apps.members.models import Member, MemberTag
from apps.members.services import create_member
from apps.orgs.models import Program
from apps.points.models import Account, PointType, Posting
from apps.rules import daily
from apps.rules.daily import days_due, standings, tell_day, tell_days
from apps.rules.home import new_days
from apps.rules.models import DayTold, DayWaiting, RuleVersion
from tests.factories import Cast, CoffeeGroup
from tests.rules.conftest import PER_YUAN, PURCHASE, Till, publish, purchase

DAY = {"field": "event.kind", "op": "eq", "value": "day"}
GIFT = {"effect": "fixed_points", "point_type": "points", "points": 10}
SILENT = {"all": [DAY, {"field": "history.days_since_order", "op": "eq", "value": 90}]}
BIRTHDAY = {"all": [DAY, {"field": "member.days_to_birthday", "op": "eq", "value": 0}]}
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
TODAY = date(2026, 6, 1)
NAMES = [
    "HH", "GG", "SS", *(f"C{n}" for n in range(1, 4)), *(f"B{n}" for n in range(5)), *(f"{n:02}" for n in range(1, 21)),
]  # fmt: skip


def told() -> list[tuple[str, int, int]]:
    return [(str(row.day), row.events, row.points) for row in DayTold.objects.order_by("day") if row.ended_at]


def name_of(member: Member) -> str:
    hashes = {bytes(lookup_hash("card", name)): name for name in NAMES}
    return hashes[bytes(member.identifiers.get().value_hash)]


def earned() -> dict[str, int]:
    """What each member has, by their card, in the order of earning."""
    return {name_of(row.member): row.balance for row in Account.objects.filter(balance__gt=0).order_by("pk")}


def born(group: CoffeeGroup, name: str, store: str, on: date) -> None:
    create_member(None, group[store], identifiers=[("card", name)], birth_on=on, joined_on=date(2026, 1, 1), when=NOON)


@pytest.mark.django_db
def test_only_those_for_whom_a_rule_waits_hear_of_the_day_and_no_other_rule_does(till: Till) -> None:
    publish(till.group, GIFT, condition=SILENT)
    publish(till.group, GIFT, condition={"all": []})
    publish(
        till.group,
        {"effect": "multiply", "point_type": "points", "times": "5", "of": "all", "rounding": "down"},
        condition={"all": []},
    )
    publish(till.group, GIFT, condition={"not": PURCHASE})
    at = start_of_day(TODAY - timedelta(days=90), SHANGHAI)
    till.send(
        purchase("1", member="C1", occurred_at=at),
        purchase("1", member="C2", occurred_at=at - timedelta(seconds=1)),
        purchase("1", member="C3", occurred_at=at), purchase("1", member="C3", occurred_at=at + timedelta(days=9)),
        when=NOON,
    )  # fmt: skip
    before = earned()
    tell_days(till.group.east, NOON)
    assert told() == [("2026-06-01", 1, 10)]
    event = Event.objects.get(kind="day")
    assert (event.key, event.day, event.org_unit.code) == (
        f"day:{till.group.east.pk}:2026-06-01:{event.member_id}",
        TODAY,
        "S001",
    )
    assert event.occurred_at == start_of_day(TODAY, SHANGHAI)
    assert earned() == before | {"C1": before["C1"] + 10}


@pytest.mark.django_db
def test_what_members_do_on_the_day_itself_comes_after_it(till: Till) -> None:
    publish(till.group, GIFT, condition=SILENT)
    till.send(purchase("1", occurred_at=start_of_day(TODAY - timedelta(days=90), SHANGHAI)), when=NOON)
    till.send(purchase("1", occurred_at=NOON - timedelta(hours=1)), when=NOON)
    tell_days(till.group.east, NOON)
    assert told() == [("2026-06-01", 1, 10)]


@pytest.mark.django_db
def test_telling_a_day_again_changes_nothing(till: Till) -> None:
    publish(till.group, GIFT, condition=BIRTHDAY)
    born(till.group, "B1", "S001", date(1990, 6, 1))
    tell_day(till.group.east, TODAY, when=NOON)
    tell_day(till.group.east, TODAY, when=NOON + timedelta(hours=1))
    assert (told(), days_due(till.group.east, NOON)) == ([("2026-06-01", 1, 10)], [])
    with pytest.raises(InTheFuture):
        tell_day(till.group.east, TODAY + timedelta(days=1), when=NOON)
    assert DayTold.objects.count() == 1
    # Even one who is put down again gets no second event.
    row = DayTold.objects.get()
    DayWaiting.objects.create(told=row, member=Event.objects.get(kind="day").member)
    DayTold.objects.update(ended_at=None)
    tell_day(till.group.east, TODAY, when=NOON + timedelta(hours=2))
    assert (told(), earned()) == ([("2026-06-01", 1, 10)], {"B1": 10})


@pytest.mark.django_db
@pytest.mark.parametrize("killed_at", [1, 2, 3])
def test_a_day_that_is_killed_half_way_is_told_to_its_end(
    till: Till, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    publish(till.group, GIFT, condition=BIRTHDAY)
    for number in range(5):
        born(till.group, f"B{number}", "S001", date(1990, 6, 1))
    process, calls = daily.process, []

    def killed(*args: Any, **kwargs: Any) -> Any:
        results = process(*args, **kwargs)
        calls.append(results)
        if len(calls) == killed_at:
            raise KeyboardInterrupt
        return results

    monkeypatch.setattr(daily, "process", killed)
    with pytest.raises(KeyboardInterrupt):
        tell_day(till.group.east, TODAY, when=NOON, chunk=2)
    assert told() == []
    assert Event.objects.filter(kind="day").count() == 2 * (killed_at - 1)
    tell_days(till.group.east, NOON, chunk=2)
    assert told() == [("2026-06-01", 5, 50)]
    assert earned() == {f"B{number}": 10 for number in range(5)}
    assert not DayWaiting.objects.exists()


@pytest.mark.django_db
def test_days_that_were_missed_are_told_oldest_first_and_seven_at_most(till: Till) -> None:
    publish(till.group, GIFT, condition=BIRTHDAY)
    for day in range(1, 21):
        born(till.group, f"{day:02}", "S001", date(1990, 6, day))
    tell_days(till.group.east, NOON)
    tell_days(till.group.east, NOON + timedelta(days=2))
    assert [day for day, *_ in told()] == ["2026-06-01", "2026-06-02", "2026-06-03"]
    tell_days(till.group.east, NOON + timedelta(days=17))
    assert [day for day, *_ in told()][3:] == [f"2026-06-{day}" for day in range(12, 19)]
    assert sorted(earned()) == ["01", "02", "03", *(f"{day}" for day in range(12, 19))]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "turn"),
    [
        ("Asia/Shanghai", date(2026, 3, 8)), ("America/St_Johns", date(2026, 3, 8)), ("America/St_Johns", date(2026, 11, 1)),
        ("Africa/Cairo", date(2026, 4, 24)),
    ],
)  # fmt: skip
def test_a_day_begins_at_its_own_midnight_over_daylight_saving(till: Till, zone: str, turn: date) -> None:
    """Cairo skips midnight on 24 April 2026; St John's changes its clocks on the others."""
    Program.objects.filter(pk=till.group.east.pk).update(time_zone=zone)
    program = Program.objects.select_related("unit").get(pk=till.group.east.pk)
    publish(till.group, GIFT, condition=BIRTHDAY)
    for number in range(4):
        born(till.group, f"B{number}", "S001", date(1990, turn.month, turn.day) + timedelta(days=number - 1))
    begins = [start_of_day(turn + timedelta(days=number - 1), ZoneInfo(zone)) for number in range(5)]
    assert days_due(program, begins[0] - timedelta(seconds=1))[-1] < turn - timedelta(days=1)
    for number, at in enumerate(begins[:4]):
        for later in (timedelta(0), timedelta(hours=1), begins[number + 1] - at - timedelta(seconds=1)):
            tell_days(program, at + later)
        assert list(earned()) == [f"B{each}" for each in range(number + 1)]
    assert [row.occurred_at for row in Event.objects.filter(kind="day").order_by("occurred_at")] == begins[:4]


@pytest.mark.django_db
def test_guests_with_an_account_hear_of_it_at_the_programmes_unit_and_strangers_never(till: Till) -> None:
    publish(till.group, GIFT, condition=BIRTHDAY)
    publish(till.group, GIFT | {"points": 1}, condition=BIRTHDAY, unit="EAST-N")
    born(till.group, "HH", "S001", date(1990, 6, 1))
    born(till.group, "GG", "S101", date(1990, 6, 1))
    born(till.group, "SS", "S101", date(1990, 6, 1))
    till.send(purchase("1", member="GG"), when=NOON)
    tell_days(till.group.east, NOON)
    places = {name_of(event.member): event.org_unit.code for event in Event.objects.filter(kind="day")}
    assert places == {"HH": "S001", "GG": "EAST"}
    assert earned() == {"HH": 11, "GG": 10}


@pytest.mark.django_db
def test_who_has_had_all_that_a_rule_gives_gets_no_event_any_more(till: Till) -> None:
    long_silent = {"all": [DAY, {"field": "history.days_since_order", "op": "ge", "value": 90}]}
    publish(
        till.group, GIFT, condition=long_silent, limits=[{"per": "member", "period": "ever", "of": "times", "most": 1}]
    )
    till.send(purchase("1", occurred_at=NOON - timedelta(days=200)), when=NOON)
    for days in range(3):
        tell_days(till.group.east, NOON + timedelta(days=days))
    assert told() == [("2026-06-01", 1, 10), ("2026-06-02", 0, 0), ("2026-06-03", 0, 0)]


@pytest.mark.django_db
def test_a_budget_that_is_used_up_makes_no_events_but_tags_are_given_without_points(till: Till) -> None:
    long_silent = {"all": [DAY, {"field": "history.days_since_order", "op": "ge", "value": 90}]}
    budget = {"per": "programme", "period": "ever", "of": "points", "most": 15}
    publish(till.group, GIFT, condition=long_silent, limits=[budget])
    till.send(*(purchase("1", member=f"C{n}", occurred_at=NOON - timedelta(days=200)) for n in (1, 2, 3)), when=NOON)
    tell_days(till.group.east, NOON)
    tell_days(till.group.east, NOON + timedelta(days=1))
    assert told() == [("2026-06-01", 3, 15), ("2026-06-02", 0, 0)]
    tag = {"effect": "tag", "tag": "sleeper", "start": "now", "days": 1}
    publish(till.group, GIFT, tag, condition=long_silent, limits=[budget | {"most": 10}])
    tell_days(till.group.east, NOON + timedelta(days=3))
    assert [events for _day, events, _points in told()][2:] == [3, 3]
    assert MemberTag.objects.filter(tag="sleeper").count() == 6


@pytest.mark.django_db
def test_what_an_event_of_a_day_answers_otherwise_makes_no_events(till: Till) -> None:
    """No amount, no lines, a weekday that is known: such rules wait for another day, or for none."""
    monday = {"field": "event.weekday", "op": "eq", "value": 1}
    publish(till.group, PER_YUAN, condition={"all": [DAY, {"field": "event.amount", "op": "ge", "value": 1}]})
    publish(till.group, GIFT, condition={"all": [DAY, monday]})
    publish(
        till.group, GIFT, condition={"all": [DAY, {"lines": "any", "where": {"field": "line.sku", "op": "is_set"}}]}
    )
    tell_days(till.group.east, NOON)
    tell_days(till.group.east, NOON + timedelta(days=1))
    assert [events for _day, events, _points in told()] == [3, 0]


@pytest.mark.django_db
def test_a_day_that_passes_is_no_activity_of_the_member(till: Till) -> None:
    PointType.objects.update(expiry={"kind": "inactivity", "days": 30})
    publish(till.group)
    publish(till.group, GIFT, condition={"all": [DAY, {"field": "history.days_since_order", "op": "eq", "value": 7}]})
    till.send(purchase("100", occurred_at=NOON - timedelta(days=7)), when=NOON)
    lapses_at = till.account().lapses_at
    tell_days(till.group.east, NOON)
    assert (till.account().balance, till.account().lapses_at) == (110, lapses_at)


def test_nobody_else_may_tell_a_day_or_name_a_member_by_id() -> None:
    told = {
        "key": "k",
        "kind": "day",
        "member": {"kind": "card", "value": "C1"},
        "occurred_at": "2026-06-01T00:00:00+08:00",
    }
    for data, code in ((told, "own_kind"), (told | {"kind": "review", "member_id": 1}, "unknown_field")):
        with pytest.raises(Faults) as caught:
            parse_event(data)
        assert [fault.code for fault in caught.value.faults] == [code]


@pytest.mark.django_db
def test_a_programme_says_where_its_days_stand_and_the_command_tells_them(
    till: Till, capsys: pytest.CaptureFixture[str]
) -> None:
    live = RuleVersion.objects.exclude(state="draft")
    publish(till.group)
    assert standings(live, NOON) == []
    publish(till.group, GIFT, condition=BIRTHDAY)
    (fresh,) = standings(live, NOON)
    assert (fresh.last, fresh.due, fresh.is_late(NOON)) == (None, 1, False)
    tell_days(till.group.east, NOON)
    (done,) = standings(live, NOON)
    assert (done.last and done.last.day, done.due) == (TODAY, 0)
    (early,) = standings(live, NOON + timedelta(hours=14))
    assert (early.due, early.is_late(NOON + timedelta(hours=14))) == (1, False)
    assert early.is_late(NOON + timedelta(hours=16))
    call_command("tell_day", program=till.group.east.code)
    assert till.group.east.code in capsys.readouterr().out
    assert Posting.objects.filter(kind="earn", event__kind="day").count() == 0


@pytest.mark.django_db
def test_the_home_page_says_what_was_told_and_when_it_is_late(till: Till, cast: Cast) -> None:
    publish(till.group)
    assert new_days(cast.marketing, NOON) is None
    publish(till.group, GIFT, condition=BIRTHDAY)
    born(till.group, "B1", "S001", date(1990, 6, 1))
    tell_days(till.group.east, NOON)
    rows = [
        panel.rows[0] for hours in (0, 14, 16) if (panel := new_days(cast.marketing, NOON + timedelta(hours=hours)))
    ]
    assert [(row.tag, row.tone) for row in rows] == [("Told", "good"), ("Due", "warn"), ("Late", "bad")]
    assert rows[0].note == "1 Jun 2026: 1 member, 10 points"
    assert new_days(cast.outsider, NOON) is None
