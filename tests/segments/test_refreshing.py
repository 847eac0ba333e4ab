"""Bringing tags up to date: who gets one, who keeps it, who loses it, whatever runs beside or twice."""

from datetime import date, timedelta
from threading import Thread

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from apps.activity.models import MemberDay
from apps.core.models import PromisedTask
from apps.members.models import Member, MemberTag
from apps.orgs.models import OrgUnit
from apps.segments.models import Failure, Tag, TagRefresh
from apps.segments.services.defining import change_tag, create_tag, delete_tag
from apps.segments.services.life_cycle import STAGES, set_up_stages
from apps.segments.services.refreshing import is_stale, refresh_members, refresh_tag, tags_due
from apps.segments.tasks import refresh_due
from tests.factories import CoffeeGroup, make_group
from tests.rules.conftest import make_till, publish, purchase
from tests.segments.conftest import DAY, LATER, REGULAR, WHEN, bought, enrol, holders, ids, orders


def spans() -> list[tuple[int, date, date | None]]:
    return list(MemberTag.objects.order_by("member_id", "from_on").values_list("member_id", "from_on", "until_on"))


def test_who_meets_the_condition_gets_the_tag_and_who_no_longer_does_loses_it_that_day(
    group: CoffeeGroup, regulars: Tag
) -> None:
    one, two, three = enrol(group, 3)
    for member in (one, two):
        bought(group, member, 2)
    refresh_tag(regulars.pk, WHEN)
    assert holders(regulars) == ids([one, two])
    MemberDay.objects.filter(member=one).delete()
    bought(group, three, 2)
    runs = refresh_tag(regulars.pk, LATER)
    assert (runs[regulars.pk].size, runs[regulars.pk].entered, runs[regulars.pk].left) == (2, 1, 1)
    tomorrow = DAY + timedelta(days=1)
    assert spans() == [(one.pk, DAY, tomorrow), (two.pk, DAY, None), (three.pk, tomorrow, None)]
    assert holders(regulars, tomorrow) == ids([two, three])


def test_a_second_run_changes_nothing_and_takes_as_many_statements_for_more_members(
    group: CoffeeGroup, regulars: Tag
) -> None:
    for member in enrol(group, 2):
        bought(group, member, 2)
    with CaptureQueriesContext(connection) as few:
        refresh_tag(regulars.pk, WHEN)
    before = spans()
    for member in enrol(group, 20, prefix="D"):
        bought(group, member, 3)
    with CaptureQueriesContext(connection) as many:
        refresh_tag(regulars.pk, WHEN)
    assert len(many) == len(few)
    kept = spans()
    assert set(before) < set(kept)
    assert len(kept) == 22
    run = refresh_tag(regulars.pk, WHEN)[regulars.pk]
    assert (run.size, run.entered, run.left) == (22, 0, 0)
    assert spans() == kept


def test_lost_and_met_again_on_one_day_the_tag_goes_on(group: CoffeeGroup, regulars: Tag) -> None:
    (member,) = enrol(group, 1)
    bought(group, member, 2)
    refresh_tag(regulars.pk, WHEN)
    change_tag(None, regulars.pk, condition=orders(30, "ge", 9), when=WHEN)
    refresh_tag(regulars.pk, WHEN)
    assert spans() == [(member.pk, DAY, DAY)]
    change_tag(None, regulars.pk, condition=REGULAR, when=WHEN)
    refresh_tag(regulars.pk, WHEN)
    assert spans() == [(member.pk, DAY, None)]


def test_a_tag_is_kept_so_many_days_after_its_condition(group: CoffeeGroup) -> None:
    tag = create_tag(None, group.east, key="lately", label="Lately", condition=orders(1, "ge", 1), kept_days=3)
    (member,) = enrol(group, 1)
    bought(group, member, 1, ago=0)
    refresh_tag(tag.pk, WHEN)
    refresh_tag(tag.pk, LATER)
    assert spans() == [(member.pk, DAY, DAY + timedelta(days=4))]


def test_only_active_members_at_home_in_the_programmes_unit_get_it(group: CoffeeGroup, regulars: Tag) -> None:
    home, closed = enrol(group, 2)
    (guest,) = enrol(group, 1, store="S101")
    for member in (home, closed, guest):
        bought(group, member, 2)
    Member.objects.filter(pk=closed.pk).update(state=Member.State.CLOSED)
    refresh_tag(regulars.pk, WHEN)
    assert holders(regulars) == [home.pk]
    Member.objects.filter(pk=home.pk).update(home_unit=OrgUnit.objects.get(code="S101"))
    refresh_tag(regulars.pk, LATER)
    assert holders(regulars, DAY + timedelta(days=1)) == []


def test_tags_that_rules_gave_are_none_of_the_refreshs_business(group: CoffeeGroup, regulars: Tag) -> None:
    (member,) = enrol(group, 1)
    MemberTag.objects.create(member=member, tag="regular", from_on=DAY, rule_id=7, event_id=8)
    refresh_tag(regulars.pk, WHEN)
    assert spans() == [(member.pk, DAY, None)]


def test_of_an_exclusive_group_a_member_holds_the_first_that_fits(group: CoffeeGroup) -> None:
    set_up_stages(None, group.east)
    new, active, dormant, lost = members = enrol(group, 4)
    bought(group, new, 1)
    bought(group, active, 3)
    bought(group, dormant, 2, ago=200)
    bought(group, lost, 2, ago=400)
    stages = [Tag.objects.get(key=key) for key, *_ in STAGES]
    runs = refresh_tag(stages[2].pk, WHEN)
    assert [run.size for run in runs.values()] == [1, 1, 1, 1]
    assert [holders(stage) for stage in stages] == [[member.pk] for member in members]
    bought(group, dormant, 1)
    refresh_members(group.east.pk, [dormant.pk], LATER)
    tomorrow = DAY + timedelta(days=1)
    assert holders(stages[1], tomorrow) == ids([active, dormant])
    assert holders(stages[2], tomorrow) == []


def test_a_condition_that_can_no_longer_be_read_is_told_and_takes_no_tag_away(
    group: CoffeeGroup, regulars: Tag
) -> None:
    (member,) = enrol(group, 1)
    bought(group, member, 2)
    refresh_tag(regulars.pk, WHEN)
    gone = {"all": [{"field": "member.home_unit", "op": "within", "value": ["GONE"]}]}
    Tag.objects.filter(pk=regulars.pk).update(condition=gone)
    refresh_tag(regulars.pk, LATER)
    regulars.refresh_from_db()
    assert (regulars.last_error, regulars.size, regulars.refreshed_at) == (Failure.CONDITION, 1, WHEN)
    assert holders(regulars) == [member.pk]
    assert list(TagRefresh.objects.order_by("pk").values_list("size", "entered", "left", "error")) == [
        (1, 1, 0, ""), (None, 0, 0, "condition"),
    ]  # fmt: skip


def test_size_drift_and_freshness_are_told(group: CoffeeGroup, regulars: Tag) -> None:
    one, two = enrol(group, 2)
    assert is_stale(regulars, WHEN)
    bought(group, one, 2)
    refresh_tag(regulars.pk, WHEN)
    bought(group, two, 2)
    refresh_tag(regulars.pk, LATER)
    regulars.refresh_from_db()
    assert (regulars.size, regulars.previous_size, regulars.drift_pct) == (2, 1, 100)
    assert not is_stale(regulars, LATER + timedelta(hours=26))
    assert is_stale(regulars, LATER + timedelta(hours=27))


@pytest.mark.parametrize(
    ("refresh", "later", "due"),
    [
        ("daily", timedelta(hours=11), False),
        ("daily", timedelta(hours=12), True),  # midnight in Shanghai
        ("hourly", timedelta(minutes=50), False),
        ("hourly", timedelta(minutes=60), True),
        ("weekly", timedelta(days=6), False),
        ("weekly", timedelta(days=7), True),
        ("at_once", timedelta(days=1), True),
        ("by_hand", timedelta(days=100), False),
    ],
)
def test_a_tag_is_due_as_often_as_it_says(
    group: CoffeeGroup, regulars: Tag, refresh: str, later: timedelta, due: bool
) -> None:
    assert tags_due(WHEN) == [regulars.pk]
    Tag.objects.update(refresh=refresh, refreshed_at=WHEN)
    assert tags_due(WHEN + later) == ([regulars.pk] if due else [])


def test_what_is_due_is_promised_once(group: CoffeeGroup, regulars: Tag) -> None:
    PromisedTask.objects.all().delete()
    refresh_due()
    refresh_due()
    assert list(PromisedTask.objects.values_list("task", "args")) == [
        ("apps.segments.tasks.refresh_tag", [regulars.pk])
    ]


def test_events_have_the_tags_that_follow_them_refreshed_for_their_members_alone(group: CoffeeGroup) -> None:
    till = make_till(group, members=2)
    publish(group)
    till.send(purchase("5"))
    assert not PromisedTask.objects.filter(task="apps.segments.tasks.refresh_members").exists()
    tag = create_tag(None, group.east, key="buyer", label="Buyer", condition=orders("ever", "ge", 1), refresh="at_once")
    till.send(purchase("6"), purchase("7"))
    promised = PromisedTask.objects.get(task="apps.segments.tasks.refresh_members")
    assert promised.args == [group.east.pk, till.member().pk]
    refresh_members(promised.args[0], promised.args[1:], WHEN)
    assert holders(tag) == [till.member().pk]


def test_a_rule_reads_the_tag_that_a_condition_gave(group: CoffeeGroup) -> None:
    till = make_till(group, members=2)
    tag = create_tag(None, group.east, key="vip", label="VIP", condition=orders("ever", "ge", 1))
    asked = {"all": [{"field": "member.tags", "op": "has_any", "value": ["vip"]}]}
    publish(group, condition=asked)
    assert [result.points for result in till.send(purchase("5"))] == [0]
    refresh_tag(tag.pk, purchase("1").occurred_at)
    assert [result.points for result in till.send(purchase("5"), purchase("5", member="C2"))] == [5, 0]


def test_a_tag_that_is_deleted_or_asks_nothing_any_more_is_held_by_nobody(group: CoffeeGroup, regulars: Tag) -> None:
    (member,) = enrol(group, 1)
    bought(group, member, 2)
    refresh_tag(regulars.pk, WHEN)
    change_tag(None, regulars.pk, condition=None, when=LATER)
    assert spans() == [(member.pk, DAY, DAY + timedelta(days=1))]
    change_tag(None, regulars.pk, condition=REGULAR, when=LATER)
    refresh_tag(regulars.pk, LATER)
    delete_tag(None, regulars.pk, LATER)
    assert holders(regulars, DAY + timedelta(days=1)) == []


def test_two_refreshes_at_once_give_each_member_the_tag_once(committed: str) -> None:
    group = make_group()
    tag = create_tag(None, group.east, key="regular", label="Regular", condition=REGULAR)
    members = enrol(group, 50)
    for member in members:
        bought(group, member, 2)

    def run() -> None:
        refresh_tag(tag.pk, WHEN)
        connections.close_all()

    threads = [Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [member for member, _, _ in spans()] == ids(members)
