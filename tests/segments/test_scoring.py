"""RFM: fifths by recency, frequency and money, equals alike, and the eleven groups."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.segments.groups import GROUPS, SCORES, TABLE, group_of, worth_of
from apps.segments.models import RfmScheme, RfmScore, Tag
from apps.segments.services.defining import change_tag
from apps.segments.services.scoring import programs_due, score, set_up
from tests.factories import CoffeeGroup
from tests.segments.conftest import LATER, WHEN, bought, enrol, holders, ids


def scores() -> list[tuple[int, int, int, int, str]]:
    rows = RfmScore.objects.order_by("member_id")
    return list(rows.values_list("member_id", "recency", "frequency", "money", "group"))


def test_every_cell_has_a_group_and_every_group_a_cell() -> None:
    assert set(TABLE) == set(SCORES)
    assert {code for row in TABLE.values() for code in row} == set(GROUPS)
    assert len(GROUPS) == 11
    assert all(len(row) == 5 for row in TABLE.values())


@given(st.sampled_from(SCORES), st.sampled_from(SCORES), st.sampled_from(SCORES))
def test_frequency_and_money_weigh_the_same(recency: int, frequency: int, money: int) -> None:
    assert group_of(recency, frequency, money) == group_of(recency, money, frequency)
    assert worth_of(frequency, money) == round((frequency + money) / 2 + 0.01)


def test_five_who_differ_get_one_score_each(group: CoffeeGroup) -> None:
    members = enrol(group, 6)
    for number, member in enumerate(members[:5]):
        bought(group, member, number + 1, spent=100 * (number + 1), ago=50 - 10 * number)
    set_up(None, group.east, when=WHEN)
    score(group.east.pk, WHEN)
    found = [row[1:] for row in scores()]
    assert found == [
        (1, 1, 1, "lost"), (2, 2, 2, "about_to_sleep"), (3, 3, 3, "need_attention"), (4, 4, 4, "loyal"), (5, 5, 5, "champions"),
    ]  # fmt: skip
    scheme = RfmScheme.objects.get()
    assert (scheme.size, scheme.refreshed_at, scheme.last_error) == (5, WHEN, "")


def test_equals_get_the_same_score(group: CoffeeGroup) -> None:
    members = enrol(group, 5)
    for member in members:
        bought(group, member, 2, spent=10)
    set_up(None, group.east, when=WHEN)
    score(group.east.pk, WHEN)
    assert {row[1:4] for row in scores()} == {(1, 1, 1)}


def test_what_was_before_the_window_or_in_another_programme_counts_nothing(group: CoffeeGroup) -> None:
    old, foreign, here = enrol(group, 3)
    bought(group, old, 1, ago=30)
    bought(group, foreign, 1, code="west")
    bought(group, here, 1, ago=29)
    set_up(None, group.east, window_days=30, when=WHEN)
    score(group.east.pk, WHEN)
    assert [row[0] for row in scores()] == [here.pk]


def test_each_holds_the_tag_of_their_group_alone_and_moves_with_it(group: CoffeeGroup) -> None:
    members = enrol(group, 5)
    for number, member in enumerate(members):
        bought(group, member, number + 1, spent=100 * (number + 1), ago=50 - 10 * number)
    set_up(None, group.east, when=WHEN)
    score(group.east.pk, WHEN)
    before = scores()
    score(group.east.pk, WHEN)
    assert scores() == before
    lost, champions = (Tag.objects.get(key=key) for key in ("rfm-lost", "rfm-champions"))
    assert (holders(lost), holders(champions)) == (ids(members[:1]), ids(members[4:]))
    bought(group, members[0], 20, spent=9_000, ago=0)
    score(group.east.pk, LATER)
    later = LATER.date()
    assert (holders(lost, later), holders(champions, later)) == (ids(members[1:2]), ids([members[0]]))
    held = [tag for tag in Tag.objects.exclude(rfm_group="") if members[0].pk in holders(tag, later)]
    assert held == [champions]


def test_every_group_is_brought_up_to_date_where_members_may_hold_more_than_one_of_their_kind(
    group: CoffeeGroup,
) -> None:
    """The mistake: the first group alone is, for the others came along with it as long as one at most was held."""
    (member,) = enrol(group, 1)
    bought(group, member, 1)
    set_up(None, group.east, when=WHEN)
    change_tag(None, Tag.objects.get(key="rfm").pk, is_exclusive=False, when=WHEN)
    score(group.east.pk, WHEN)
    assert [tag.key for tag in Tag.objects.exclude(rfm_group="") if holders(tag)] == ["rfm-lost"]
    assert not Tag.objects.exclude(rfm_group="").filter(refreshed_at=None).exists()


def test_a_programme_is_scored_each_day(group: CoffeeGroup) -> None:
    assert programs_due(WHEN) == []
    set_up(None, group.east, when=WHEN)
    assert programs_due(WHEN) == [group.east.pk]
    score(group.east.pk, WHEN)
    assert programs_due(WHEN + timedelta(hours=11)) == []
    assert programs_due(WHEN + timedelta(hours=12)) == [group.east.pk]


def test_who_sets_it_up_again_changes_the_window_and_makes_no_second_tags(group: CoffeeGroup) -> None:
    set_up(None, group.east, when=WHEN)
    set_up(None, group.east, window_days=90, when=WHEN)
    assert RfmScheme.objects.get().window_days == 90
    assert Tag.objects.count() == 12
