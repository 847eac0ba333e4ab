"""Working time written day by day: what a form takes, what the service keeps, and the sentence that says it."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import NotAllowed
from apps.orgs.errors import ManagerOfSelf, OwnManager, UnknownTimeZone, WorkingTimeExists
from apps.orgs.models import Staff, WorkingTime
from apps.orgs.services import change_staff, change_working_time, create_staff, create_working_time
from apps.orgs.working_forms import WorkingTimeForm, weekday_called
from apps.orgs.working_time import parse_working_hours
from apps.orgs.working_words import hours_in_words
from tests.factories import Cast, CoffeeGroup

WEEK = {str(day): [["09:00", "12:00"], ["13:00", "18:00"]] for day in range(1, 6)} | {"6": [], "7": []}
HOURS: dict[str, Any] = {
    "week": WEEK | {"6": [["10:00", "24:00"]]},
    "closed": [{"first": "2026-10-01", "last": "2026-10-07"}, {"first": "2026-12-25", "last": "2026-12-25"}],
    "moved": [{"on": "2026-10-10", "as": 3}],
}


def test_working_time_reads_as_a_sentence() -> None:
    assert hours_in_words(HOURS, "en") == (
        "Monday to Friday 09:00–12:00 and 13:00–18:00; Saturday 10:00–24:00; not on 2026-10-01 to 2026-10-07, "
        "2026-12-25; on 2026-10-10 as on Wednesday."
    )
    assert hours_in_words(HOURS, "zh-hans") == (
        "周一至周五 09:00–12:00、13:00–18:00；周六 10:00–24:00；2026-10-01至2026-10-07、2026-12-25休息；2026-10-10按周三上班。"
    )
    assert hours_in_words({"week": {}}, "en") == "Nobody ever works here: deadlines never come."


def test_what_is_kept_is_read_back_the_same() -> None:
    assert parse_working_hours(HOURS).to_json() == HOURS
    assert parse_working_hours(parse_working_hours(HOURS).to_json()) == parse_working_hours(HOURS)


EDGES = st.lists(st.integers(0, 96), unique=True, max_size=6).map(sorted)


@given(st.dictionaries(st.integers(1, 7), EDGES))
def test_any_week_is_kept_as_it_was_written(edges: dict[int, list[int]]) -> None:
    texts = {
        str(day): [f"{quarter // 4:02}:{quarter % 4 * 15:02}" for quarter in quarters]
        for day, quarters in edges.items()
    }
    week = {day: [list(pair) for pair in zip(each[::2], each[1::2], strict=False)] for day, each in texts.items()}
    kept = parse_working_hours({"week": week}).to_json()
    assert kept["week"] == {str(day): week.get(str(day), []) for day in range(1, 8)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ({"day_1": "9-5"}, {"day_1": "Write from and to, such as 09:00–12:00, 13:00–18:00."}),
        ({"day_1": "18:00–09:00"}, {"day_1": "Each span begins after the one before has ended, and ends after it begins."}),
        ({"day_2": "09:00-12:00, 12:00-13:00"},
         {"day_2": "Each span begins after the one before has ended, and ends after it begins."}),
        ({"day_3": "09:00-25:00"}, {"day_3": "There is no such time of day. From 00:00 to 24:00."}),
        ({"closed": "2026-10-07 to 2026-10-01"}, {"closed": "“2026-10-07 to 2026-10-01” is not a date, nor two in order."}),
        ({"moved": "2026-10-10"}, {"moved": "“2026-10-10” is not a date and a weekday."}),
        ({"moved": "2026-10-10 Wed\n2026-10-10 Thu"}, {"moved": "2026-10-10 stands here twice."}),
        ({"time_zone": "Mars"}, {"time_zone": "“Mars” is no time zone. An example: Asia/Shanghai."}),
        ({"day_1": "x", "closed": "soon"}, {"day_1": "Write from and to, such as 09:00–12:00, 13:00–18:00.",
                                            "closed": "“soon” is not a date, nor two in order."}),
    ],
)  # fmt: skip
def test_every_fault_stands_at_its_field(group: CoffeeGroup, written: dict[str, str], fault: dict[str, str]) -> None:
    form = WorkingTimeForm({"unit": group["EAST"].pk, "time_zone": "Asia/Shanghai", **written})
    assert {name: messages[0] for name, messages in form.errors.items()} == fault


@pytest.mark.django_db
def test_an_administrator_writes_down_a_week_and_deadlines_count_it(group: CoffeeGroup, cast: Cast) -> None:
    client = Client()
    client.force_login(cast.administrator, backend="apps.orgs.auth.RoleBackend")
    sent = {
        "unit": group["EAST"].pk, "time_zone": "Asia/Shanghai", "closed": "2026-05-05", "moved": "2026-05-09 周二",
        **{f"day_{day}": "9:00-12:00，13:00～18:00" for day in range(1, 6)},
    }  # fmt: skip
    client.post("/orgs/workingtime/add/", sent)
    row = WorkingTime.objects.get()
    assert row.hours == {
        "week": WEEK, "closed": [{"first": "2026-05-05", "last": "2026-05-05"}], "moved": [{"on": "2026-05-09", "as": 2}],
    }  # fmt: skip
    monday = datetime(2026, 5, 4, 8, tzinfo=UTC)  # 16:00 in Shanghai; Tuesday is closed
    due = parse_working_hours(row.hours).after(monday, 4, ZoneInfo(row.time_zone))
    assert due == datetime(2026, 5, 6, 3, tzinfo=UTC)
    page = client.get(f"/orgs/workingtime/{row.pk}/change/").content.decode()
    assert 'value="09:00–12:00, 13:00–18:00"' in page
    assert "2026-05-09 Tuesday" in page
    client.post(f"/orgs/workingtime/{row.pk}/change/", {"time_zone": "Asia/Shanghai", "day_7": "00:00-24:00"})
    row.refresh_from_db()
    assert row.hours["week"]["7"] == [["00:00", "24:00"]]
    again = client.post("/orgs/workingtime/add/", sent)
    assert "East Coffee has a working time already." in again.content.decode()


@pytest.mark.django_db
def test_working_time_is_an_administrators_and_each_unit_has_one(group: CoffeeGroup, cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        create_working_time(group["EAST"], time_zone="Asia/Shanghai", hours=HOURS, actor=cast.marketing)
    with pytest.raises(UnknownTimeZone):
        create_working_time(group["EAST"], time_zone="Mars", hours=HOURS)
    row = create_working_time(group["EAST"], time_zone="Asia/Shanghai", hours=HOURS, actor=cast.administrator)
    with pytest.raises(WorkingTimeExists):
        create_working_time(group["EAST"], time_zone="Asia/Shanghai", hours=HOURS)
    with pytest.raises(NotAllowed):
        change_working_time(row, time_zone="Asia/Shanghai", hours=HOURS, actor=cast.outsider)
    assert WorkingTime.objects.get().hours == HOURS


def test_weekdays_are_known_by_their_names() -> None:
    names = ("Wednesday", "wed", "周三", "星期三", "3")
    assert {weekday_called(name) for name in names} == {3}
    assert weekday_called("never") is None


@pytest.mark.django_db
def test_a_manager_is_named_by_somebody_else_and_is_somebody_else(group: CoffeeGroup, cast: Cast) -> None:
    change_staff(cast.service, manager=cast.regional_manager, actor=cast.administrator)
    assert Staff.objects.get(pk=cast.service.pk).manager == cast.regional_manager
    change_staff(cast.service, first_name="Li", actor=cast.administrator)
    assert Staff.objects.get(pk=cast.service.pk).manager == cast.regional_manager
    with pytest.raises(ManagerOfSelf):
        change_staff(cast.service, manager=cast.service, actor=cast.administrator)
    with pytest.raises(OwnManager):
        change_staff(cast.administrator, manager=cast.service, actor=cast.administrator)
    change_staff(cast.service, manager=None, actor=cast.administrator)
    assert Staff.objects.get(pk=cast.service.pk).manager is None
    made = create_staff("new", unit=group["EAST"], manager=cast.service, actor=cast.administrator)
    assert made.manager == cast.service
    assert not Staff.objects.exclude(pk=made.pk).filter(manager__isnull=False).exists()
