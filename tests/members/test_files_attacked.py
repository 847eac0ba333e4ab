"""Files of members against whoever clicks twice, brings two files under one name, or takes the later one back."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.members.importing import services
from apps.members.importing.deciding import ChoiceUnknown
from apps.members.importing.mapping import Column, ColumnMapping
from apps.members.importing.models import MemberImport
from apps.members.merging.services import merge
from apps.members.models import AttributeDefinition, Identifier, Member
from apps.members.services import create_member
from apps.members.services.defining import create_definition
from apps.members.services.reading import name_of
from apps.points.checking import differences
from apps.points.models import Account, Lot
from apps.points.services import redeem
from tests.factories import CoffeeGroup

pytestmark = pytest.mark.django_db
WHEN = datetime(2026, 11, 30, 4, tzinfo=UTC)
LATER = WHEN + timedelta(days=1)
HEADER = "card,name,phone,store,points\n"


def brought(
    group: CoffeeGroup, text: str, *, when: datetime = WHEN, header: str = HEADER, **mapped: Any
) -> MemberImport:
    job = services.bring(None, io.BytesIO((header + text).encode()), "old.csv", group.east, when=when)
    chosen = ColumnMapping.model_validate(job.mapping).model_copy(update=mapped)
    services.map_columns(None, job.pk, chosen, when=when)
    return services.check(job.pk, when=when)


def taken(job: MemberImport, when: datetime = WHEN) -> MemberImport:
    services.start(None, job.pk, when=when)
    return services.run(job.pk, clock=lambda: when)


def taken_back(job: MemberImport, when: datetime) -> MemberImport:
    services.start_back(None, job.pk, reason="the wrong file", when=when)
    return services.run(job.pk, clock=lambda: when)


def test_points_of_rows_that_become_one_are_added_once_however_often_that_is_sent(group: CoffeeGroup) -> None:
    """The mistake: rows that went into another are added to it again, by a second click or for a second identifier."""
    rows = (
        "C1,Wang,13812345678,S001,10\nC1,Wang,13812345678,S001,20\nC3,Li,13912345678,S001,5\nC4,Li,13912345678,S001,7\n"
    )
    job = brought(group, rows)
    for code in ("card_duplicate", "card_duplicate", "phone_duplicate", "phone_duplicate"):
        services.decide(None, job.pk, code, "", "merge", when=WHEN)
    job = taken(job)
    assert job.counts == {"new": 2, "left": 2}
    assert sorted(Account.objects.values_list("balance", flat=True)) == [12, 30]
    assert job.decisions == [["card_duplicate", "", "merge"], ["phone_duplicate", "", "merge"]]


def test_rows_that_are_one_member_by_way_of_each_other_keep_all_their_points(group: CoffeeGroup) -> None:
    """The mistake: the third row's points go to the second, which has just gone into the first."""
    targets = {"wx": "identifier:wechat", "erp": "identifier:erp", "shop": "store", "points": "points:points"}
    columns = tuple(Column(name=name, target=target) for name, target in targets.items())
    rows = "w1,e1,S001,1\nw1,e2,S001,20\nw3,e2,S001,300\nw3,e4,S001,4000\n"
    job = brought(group, rows, header=",".join(targets) + "\n", columns=columns)
    assert job.counts == {"new": 1, "question": 3}
    services.decide(None, job.pk, "identifier_duplicate", "", "merge", when=WHEN)
    job = taken(job)
    assert job.counts == {"new": 1, "left": 3}
    assert Account.objects.get().balance == 4321
    assert sorted(Identifier.objects.values_list("kind")) == [("erp",)] * 3 + [("wechat",)] * 2


def test_a_second_file_taken_back_takes_back_what_it_brought_alone(group: CoffeeGroup) -> None:
    """The mistake: an opening balance is found by its source, whichever file brought it."""
    taken(brought(group, "C1,Wang,13812345678,S001,40\n"))
    job = taken_back(taken(brought(group, "C1,Wang,13812345678,S001,40\n", when=LATER), LATER), LATER)
    assert job.totals["back"] == {"points": 0, "points_lost": 0, "gone": 0, "restored": 0, "stayed": 0}
    assert Account.objects.get().balance == 40
    assert not list(differences())


def test_what_a_later_file_of_the_same_name_changed_is_later_life(group: CoffeeGroup) -> None:
    """The mistake: whatever has the file's name for its reason counts as its own."""
    first = taken(brought(group, "C1,Wang,13812345678,S001,\nC2,Li,13912345678,S001,\n"))
    taken(brought(group, "C1,Wang Wei,13712345678,S001,\n", when=LATER), LATER)
    job = taken_back(first, LATER)
    assert job.totals["back"] | {"points": 0} == {"points": 0, "points_lost": 0, "gone": 1, "restored": 0, "stayed": 1}
    kept = Member.objects.get(state=Member.State.ACTIVE)
    assert (name_of(kept), kept.identifiers.count()) == ("Wang Wei", 3)


def test_an_unknown_value_becomes_only_one_that_the_attribute_knows(group: CoffeeGroup) -> None:
    """The mistake: what a form sends instead of it goes into the members unread."""
    create_definition(None, group["EAST"], key="pets", type="integer", label="Pets", label_zh="宠物数")
    columns = [{"name": "card", "target": "identifier:card"}, {"name": "pets", "target": "attribute:pets"}]
    told = tuple(Column.model_validate(each) for each in columns)
    job = brought(group, "C1,many\n", header="card,pets\n", columns=told)
    assert job.counts == {"question": 1}
    for choice in ("=lots", "=" + "9" * 100_000, "=\0", "=1e5"):
        with pytest.raises(ChoiceUnknown):
            services.decide(None, job.pk, "value_unknown:pets", "many", choice, when=WHEN)
    services.decide(None, job.pk, "value_unknown:pets", "many", "=3", when=WHEN)
    taken(job)
    assert Member.objects.get().attributes == {"pets": 3}
    assert AttributeDefinition.objects.count() == 1


def test_a_decision_about_what_no_row_says_is_not_kept(group: CoffeeGroup) -> None:
    """The mistake: a thousand of them, a megabyte each, and the file's row is a gigabyte."""
    job = brought(group, "C1,Wang,13812345678,Nowhere,10\n")
    for _ in range(3):
        job = services.decide(None, job.pk, "store_unknown", "x" * 10_000, "refuse", when=WHEN)
    assert (job.decisions, job.counts) == ([], {"question": 1})


def test_days_at_the_ends_of_the_calendar_stop_no_file(group: CoffeeGroup) -> None:
    """The mistake: one row that says that its points never end, as old systems do, and the file is checked for ever."""
    targets = {
        "card": "identifier:card", "points": "points:points", "from": "points_earned_on", "to": "points_expire_on",
    }  # fmt: skip
    columns = tuple(Column(name=name, target=target) for name, target in targets.items())
    rows = "C1,10,2024-05-01,9999-12-31\nC2,20,0001-01-01,2030-01-01\nC3,40,,2030-01-01\n"
    job = brought(group, rows, header=",".join(targets) + "\n", columns=columns)
    assert job.counts == {"new": 2, "refused": 1}
    assert [row.findings for row in job.staged.filter(state="refused")] == [{"points_date": ""}]
    taken(job)
    ends = {lot.remaining: lot.expires_at for lot in Lot.objects.all()}
    assert ends == {10: None, 40: datetime(2030, 1, 1, 16, tzinfo=UTC)}


def known(group: CoffeeGroup, *named: tuple[str, str]) -> Member:
    return create_member(None, group["S001"], identifiers=list(named), name="Wang", when=WHEN - timedelta(days=9))


def test_a_row_that_is_refused_is_not_the_first_of_those_that_are_one(group: CoffeeGroup) -> None:
    """The mistake: the points of a good row are added to one that never comes in."""
    job = brought(group, "C1,Wang,13812345678,S001,ten\nC1,Wang,13912345678,S001,20\nC1,Wang,13712345678,S001,3\n")
    assert [(row.state, row.findings) for row in job.staged.order_by("number")] == [
        ("refused", {"points_malformed": ""}), ("question", {"card_duplicate": ""}), ("question", {"card_duplicate": ""}),
    ]  # fmt: skip
    job = taken(services.decide(None, job.pk, "card_duplicate", "", "merge", when=WHEN))
    assert job.counts == {"refused": 1, "new": 1, "left": 1}
    assert Account.objects.get().balance == 23


def test_points_of_a_member_who_became_one_with_another_are_taken_back_from_that_one(group: CoffeeGroup) -> None:
    """The mistake: what a merge moved on is told as spent, and stays."""
    kept = known(group, ("card", "C1"))
    job = taken(brought(group, "C1,W,13812345678,S001,10\nC3,L,13912345678,S001,40\n"))
    gone = Member.objects.exclude(pk=kept.pk).get()
    merge(None, kept.pk, gone.pk, reason="one person", when=WHEN + timedelta(hours=1))
    account = Account.objects.get(member=kept)
    redeem(None, account.pk, 15, key="tea", unit=group["S001"], when=WHEN + timedelta(hours=2))
    back = taken_back(job, WHEN + timedelta(days=1)).totals["back"]
    assert (back["points"], back["points_lost"]) == (35, 15)
    assert set(Account.objects.values_list("balance", flat=True)) == {0}
    assert differences() == []


def test_rows_that_are_one_known_member_by_different_identifiers_are_asked_about(group: CoffeeGroup) -> None:
    """The mistake: both open a balance under the key that a member has once, and the file is never taken in."""
    known(group, ("card", "C1"), ("phone", "13812345678"))
    rows = "C1,Wang,13912345678,S001,10\nC9,Wang,13812345678,S001,20\nC1,Wang,13712345678,S001,400\n"
    job = brought(group, rows)
    assert [row.findings for row in job.staged.order_by("number")] == [
        {}, {"member_again": ""}, {"member_again": "", "card_duplicate": ""},
    ]  # fmt: skip
    services.decide(None, job.pk, "card_duplicate", "", "refuse", when=WHEN)
    services.decide(None, job.pk, "member_again", "", "merge", when=WHEN)
    job = taken(job)
    assert job.counts == {"changed": 1, "left": 1, "refused": 1}
    assert Account.objects.get().balance == 30
    assert sorted(Identifier.objects.values_list("kind", flat=True)) == ["card", "card", "phone", "phone"]
    job = taken_back(job, LATER)
    assert (Account.objects.get().balance, Identifier.objects.count()) == (0, 2)


def test_of_a_known_member_the_last_row_is_taken_without_another_question(group: CoffeeGroup) -> None:
    """The mistake: the row stays in question because of one that was refused."""
    known(group, ("card", "C1"))
    job = brought(group, "C1,Wang,13912345678,S001,10\nC1,Wang,13712345678,S001,20\n")
    job = services.decide(None, job.pk, "card_duplicate", "", "newest", when=WHEN)
    assert job.counts == {"refused": 1, "changed": 1}
    taken(job)
    assert Account.objects.get().balance == 20


def test_rows_of_two_members_who_were_merged_meanwhile_stop_no_file(group: CoffeeGroup) -> None:
    """The mistake: both rows are now one member's, who opens a balance once."""
    kept, gone = known(group, ("card", "C1")), known(group, ("card", "C2"))
    job = brought(group, "C1,Wang,13812345678,S001,10\nC2,Li,13912345678,S001,20\n")
    merge(None, kept.pk, gone.pk, reason="one person", when=WHEN)
    job = taken(job)
    assert job.counts == {"changed": 1, "refused": 1}
    assert [row.findings for row in job.staged.filter(state="refused")] == [{"taken_meanwhile": ""}]
    assert list(Account.objects.values_list("member", "balance")) == [(kept.pk, 10)]
    assert not list(differences())


@pytest.mark.parametrize(
    ("refused", "merged", "rows"),
    [
        ("phone_duplicate", "card_duplicate", "C4,A,13812345673,S001,10\nC3,A,13812345673,S001,40\nC0,B,13812345670,S001,2\nC4,B,13812345670,S001,8\n"),
        ("card_duplicate", "phone_duplicate", "C2,A,13812345672,S001,10\nC1,B,13812345672,S001,40\nC1,B,13812345673,S001,8\n"),
    ],
)  # fmt: skip
def test_a_row_that_was_refused_gives_another_neither_points_nor_identifiers(
    group: CoffeeGroup, refused: str, merged: str, rows: str
) -> None:
    """The mistake: what names a refused row goes to another member, is a third row's too, and the file is never taken in."""
    job = brought(group, rows)
    services.decide(None, job.pk, refused, "", "newest" if refused == "card_duplicate" else "refuse", when=WHEN)
    services.decide(None, job.pk, merged, "", "merge", when=WHEN)
    job = taken(job)
    assert "left" not in job.counts
    assert sorted(Account.objects.values_list("balance", flat=True)) == (
        [2, 10] if refused == "phone_duplicate" else [8, 10]
    )


def test_rows_that_come_to_share_an_identifier_are_asked_about_again(group: CoffeeGroup) -> None:
    """The mistake: a merged row's other identifier goes to a row that a third row shares it with, and none is asked about."""
    rows = "C1,A,13812345671,S001,1\nC2,B,13812345672,S001,20\nC1,A,13812345672,S001,300\n"
    job = brought(group, rows)
    job = services.decide(None, job.pk, "card_duplicate", "", "merge", when=WHEN)
    assert [row.findings for row in job.staged.order_by("number")] == [{}, {"phone_duplicate": ""}, {}]
    services.decide(None, job.pk, "phone_duplicate", "", "merge", when=WHEN)
    taken(job)
    assert Account.objects.get().balance == 321


def test_what_two_rows_bring_to_a_third_names_its_member_once(group: CoffeeGroup) -> None:
    """The mistake: the row has the phone number twice, and the file is never taken in."""
    rows = "C1,A,13812345671,S001,1\nC1,A,13812345672,S001,20\nC1,A,13812345672,S001,300\n"
    job = brought(group, rows)
    services.decide(None, job.pk, "card_duplicate", "", "merge", when=WHEN)
    taken(job)
    assert (Account.objects.get().balance, Identifier.objects.count()) == (321, 3)


def test_nothing_comes_to_members_who_went_with_another_file_meanwhile(group: CoffeeGroup) -> None:
    """The mistake: members whose file was taken back get a name, a phone number and points from one that was checked before."""
    first = taken(brought(group, "C1,Wang,13812345671,S001,10\nC2,Li,13812345672,S001,10\n"))
    job = brought(group, "C1,Wang Wei,13812345673,S001,20\nC2,Li,13812345672,S001,20\n", when=LATER)
    taken_back(first, LATER)
    job = taken(job, LATER)
    assert job.counts == {"refused": 2}
    assert not Identifier.objects.exists()
    assert set(Account.objects.values_list("balance", flat=True)) == {0}
    assert set(Member.objects.values_list("state", "masked_name")) == {("removed", "")}


def test_a_known_members_new_identifier_that_names_somebody_by_now_stops_no_file(group: CoffeeGroup) -> None:
    """The mistake: it is looked for with new members alone, and the file is never taken in."""
    known(group, ("card", "C1"))
    job = brought(group, "C1,Wang,13812345671,S001,20\n")
    known(group, ("phone", "13812345671"))
    job = taken(job)
    assert job.counts == {"refused": 1}
    assert [row.findings for row in job.staged.all()] == [{"taken_meanwhile": ""}]
