"""Files of members, end to end on a few rows: what is asked, what is decided, what changes, and what is taken back."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import ANY

import pytest

from apps.members import services as members
from apps.members.importing import checking, services
from apps.members.importing.deciding import ChoiceUnknown
from apps.members.importing.mapping import ColumnMapping, MappingRefused
from apps.members.importing.models import MemberImport
from apps.members.importing.shown import decisions_of, levels_read, totals_of
from apps.members.importing.staging import stage
from apps.members.importing.taking import CHUNK, QuestionsOpen, RowsForgotten, TotalsDisagree, rows_in
from apps.members.models import Identifier, Member, MemberChange
from apps.members.services.defining import create_definition
from apps.members.services.reading import birthday_of, name_of, value_of
from apps.orgs.gate import ApprovalNeeded
from apps.points.models import Account, Lot, Posting
from apps.points.services import adjust
from tests.approvals.conftest import role, step
from tests.factories import Cast, CoffeeGroup

pytestmark = pytest.mark.django_db
WHEN = datetime(2026, 11, 30, 4, tzinfo=UTC)
HEADER = "card,name,phone,birthday,joined,store,points\n"


@pytest.fixture
def bring(group: CoffeeGroup) -> Callable[..., MemberImport]:
    def run(
        text: str, *, actor: Any = None, mode: str = "good", stated: Any = None, header: str = HEADER, **mapped: Any
    ) -> MemberImport:
        job = services.bring(actor, io.BytesIO((header + text).encode()), "old.csv", group.east, when=WHEN)
        chosen = ColumnMapping.model_validate(job.mapping).model_copy(update=mapped)
        services.map_columns(actor, job.pk, chosen, mode=mode, stated=stated, when=WHEN)
        return services.check(job.pk, when=WHEN)

    return run


def take(job: MemberImport, actor: Any = None) -> MemberImport:
    services.start(actor, job.pk, when=WHEN)
    return services.run(job.pk, clock=lambda: WHEN)


def states(job: MemberImport) -> dict[int, tuple[str, set[str]]]:
    return {row.number: (row.state, set(row.findings)) for row in job.staged.order_by("number")}


def member_of(card: str) -> Member:
    from apps.members.crypto import lookup_hash

    return Member.objects.get(identifiers__kind="card", identifiers__value_hash=lookup_hash("card", card))


def test_a_known_member_gets_what_is_new_and_keeps_what_the_file_leaves_empty(
    group: CoffeeGroup, bring: Callable[..., MemberImport]
) -> None:
    members.create_member(
        None, group["S001"], identifiers=[("card", "C1")], name="Wang Wei", birth_on=date(1990, 6, 13),
        joined_on=date(2020, 1, 5), when=WHEN,
    )  # fmt: skip
    job = bring("C1,Wang Weiwei,13812345678,,2020-01-05,S002,40\nC2,Li,13912345678,,,S001,\n")
    assert job.counts == {"changed": 1, "new": 1}
    assert [each["field"] for each in job.staged.get(number=2).changes] == ["name", "home_unit", "identifier:phone"]
    job = take(job)
    member = member_of("C1")
    assert name_of(member) == "Wang Weiwei"
    assert birthday_of(member) == date(1990, 6, 13)
    assert member.home_unit.code == "S002"
    assert {value_of(i) for i in member.identifiers.all()} == {"C1", "13812345678"}
    assert Account.objects.get(member=member).balance == 40
    assert MemberChange.objects.filter(member=member, kind="~").get().reason == "old.csv"
    services.start_back(None, job.pk, reason="the wrong file", when=WHEN)
    job = services.run(job.pk, clock=lambda: WHEN)
    member.refresh_from_db()
    assert (name_of(member), member.home_unit.code, birthday_of(member)) == ("Wang Wei", "S001", date(1990, 6, 13))
    assert {value_of(i) for i in member.identifiers.all()} == {"C1"}
    assert Account.objects.get(member=member).balance == 0
    assert job.totals["back"] == {"points": 40, "points_lost": 0, "gone": 1, "restored": 1, "stayed": 0}


def test_a_member_of_another_company_keeps_their_particulars_and_gets_the_points(
    group: CoffeeGroup, bring: Callable[..., MemberImport]
) -> None:
    known = members.create_member(None, group["S101"], identifiers=[("card", "C1")], name="Ann", when=WHEN)
    job = take(bring("C1,Somebody Else,13812345678,,,S001,40\n"))
    assert job.counts == {"same": 1}
    known.refresh_from_db()
    assert name_of(known) == "Ann"
    assert known.home_unit.code == "S101"
    assert Account.objects.get(member=known).balance == 40


def test_the_last_row_of_a_member_may_win_or_all_may_become_one(
    group: CoffeeGroup, bring: Callable[..., MemberImport]
) -> None:
    rows = "C1,Wang,13812345678,,,S001,10\nC2,Wang,13812345678,,,S001,20\nC3,Wang,138-1234-5678,,,S001,30\n"
    job = bring(rows)
    assert states(job) == {
        2: ("new", set()),
        3: ("question", {"phone_duplicate"}),
        4: ("question", {"phone_duplicate"}),
    }
    job = services.decide(None, job.pk, "phone_duplicate", "", "newest", when=WHEN)
    assert states(job) == {2: ("refused", {"decided"}), 3: ("refused", {"decided"}), 4: ("new", set())}
    job = bring(rows)
    job = take(services.decide(None, job.pk, "phone_duplicate", "", "merge", when=WHEN))
    member = Member.objects.get()
    assert {value_of(i) for i in member.identifiers.all()} == {"C1", "C2", "C3", "13812345678"}
    assert Account.objects.get().balance == 60
    assert job.counts == {"new": 1, "left": 2}


def test_a_choice_is_one_of_those_offered(group: CoffeeGroup, bring: Callable[..., MemberImport]) -> None:
    job = bring("C1,Wang,13812345678,,,Nowhere,10\n")
    for choice in ("S101", "no such store", ""):
        with pytest.raises(ChoiceUnknown):
            services.decide(None, job.pk, "store_unknown", "Nowhere", choice, when=WHEN)
    with pytest.raises(ChoiceUnknown):
        services.decide(None, job.pk, "phone_missing", "", "refuse", when=WHEN)
    assert services.decide(None, job.pk, "store_unknown", "Nowhere", "refuse", when=WHEN).counts == {"refused": 1}


def test_a_decision_taken_back_leaves_the_others(bring: Callable[..., MemberImport]) -> None:
    job = bring("C1,Ann,13812345678,,,Nowhere,10\nC2,Bob,13800000002,,,Elsewhere,10\n")
    services.decide(None, job.pk, "store_unknown", "Nowhere", "S001", when=WHEN)
    assert services.decide(None, job.pk, "store_unknown", "Elsewhere", "S002", when=WHEN).counts == {"new": 2}
    services.take_decision_back(None, job.pk, "store_unknown", "Nowhere", when=WHEN)
    job = services.check(job.pk, when=WHEN)
    assert (job.counts, job.decisions) == ({"new": 1, "question": 1}, [["store_unknown", "Elsewhere", "S002"]])
    assert job.staged.get(number=3).unit.code == "S002"


def test_a_worker_left_behind_reads_nothing_into_a_later_check(bring: Callable[..., MemberImport]) -> None:
    """The mistake: it goes on with the columns as they were, since the file waits to be checked again."""
    behind = bring("C1,Ann,13812345678,,,S001,10\n")
    again = ColumnMapping.model_validate(behind.mapping).model_copy(update={"home": "S002"})
    services.map_columns(None, behind.pk, again, when=WHEN + timedelta(seconds=1))
    assert stage(behind, when=WHEN, tell=lambda name, done, total: None) is False
    assert (behind.staged.count(), behind.chunks.count()) == (0, 0)
    assert services.check(behind.pk, when=WHEN).counts == {"new": 1}


def test_who_comes_or_goes_while_the_file_is_read_is_seen_when_all_is_read(
    group: CoffeeGroup, bring: Callable[..., MemberImport]
) -> None:
    """The mistake: whom a row names is what was so when its block was read."""
    gone = members.create_member(
        None, group["S001"], identifiers=[("card", "C2"), ("card2", "9")], name="Li", when=WHEN
    )
    job = bring("C1,Wang,13812345678,,,S001,10\nC2,Li,13912345678,,,S001,20\nC3,Sun,13712345678,,,S001,30\n")
    services.map_columns(None, job.pk, ColumnMapping.model_validate(job.mapping), when=WHEN + timedelta(seconds=1))
    job.refresh_from_db()
    assert stage(job, when=WHEN, tell=lambda name, done, total: None)
    come = members.create_member(None, group["S002"], identifiers=[("phone", "13812345678")], name="Wang", when=WHEN)
    members.remove_identifier(None, gone.pk, gone.identifiers.get(kind="card").pk, when=WHEN)
    other = members.create_member(None, group["S101"], identifiers=[("card", "C3")], name="Sun", when=WHEN)
    job = services.check(job.pk, when=WHEN)
    told = [
        (row.member_id, row.state, [each["field"] for each in row.changes], row.notes)
        for row in job.staged.order_by("number")
    ]
    assert told == [
        (come.pk, "changed", ["home_unit", "identifier:card"], ANY),
        (None, "new", [], ANY),
        (other.pk, "same", [], ["birthday_none", "joined_none", "known_elsewhere"]),
    ]


def test_identifiers_of_two_members_are_asked_about(group: CoffeeGroup, bring: Callable[..., MemberImport]) -> None:
    first = members.create_member(None, group["S001"], identifiers=[("card", "C1")], name="Wang", when=WHEN)
    members.create_member(None, group["S001"], identifiers=[("phone", "13812345678")], name="Li", when=WHEN)
    job = bring("C1,Wang,13812345678,,,S001,10\n")
    assert checking.questions(job) == [("identifier_of_other", "", 1)]
    job = take(services.decide(None, job.pk, "identifier_of_other", "", "without", when=WHEN))
    assert Account.objects.get().member_id == first.pk
    assert Identifier.objects.count() == 2


def test_all_rows_or_none_and_stated_totals_hold_the_file_back(bring: Callable[..., MemberImport]) -> None:
    rows = "C1,Wang,13812345678,,,S001,10\nC2,Li,139,,,S001,20\n合计,,,,,,30\n"
    with pytest.raises(QuestionsOpen):
        services.start(None, bring(rows, mode="all").pk, when=WHEN)
    with pytest.raises(TotalsDisagree) as refused:
        services.start(None, bring(rows, stated={"rows": 3, "points:points": 30}).pk, when=WHEN)
    assert refused.value.data == {"what": "rows", "stated": 3, "found": 2}
    assert take(bring(rows, stated={"rows": 2, "points:points": 30})).counts == {"new": 1, "refused": 2}


def test_stated_totals_are_held_against_what_the_file_says_whatever_was_decided(
    bring: Callable[..., MemberImport],
) -> None:
    job = bring("C1,Ann,13800000001,,,S001,10\nC2,Bob,13800000002,,,S001,-4\n", stated={"rows": 2, "points:points": 6})
    services.decide(None, job.pk, "points_negative", "", "zero", when=WHEN)
    assert take(job).counts == {"new": 2}
    assert Lot.objects.get().remaining == 10


def test_the_rows_of_each_level_may_be_stated_too(bring: Callable[..., MemberImport]) -> None:
    header = "card,level,store,points\n"
    rows = "C1,Gold,S001,1\nC2,Gold,S001,1\nC3,Basic,S001,1\n"
    with pytest.raises(TotalsDisagree) as refused:
        services.start(None, bring(rows, header=header, stated={"rows": 3, "levels:Gold": 3}).pk, when=WHEN)
    assert refused.value.data == {"what": "levels:Gold", "stated": 3, "found": 2}
    stated = {"levels:Gold": 2, "levels:Basic": 1}
    assert take(bring(rows, header=header, stated=stated)).counts == {"new": 3}


def test_levels_are_stated_as_they_are_read_also_those_that_are_to_be_settled(
    group: CoffeeGroup, bring: Callable[..., MemberImport]
) -> None:
    named = {"gold": ("Gold", "金卡"), "basic": ("Basic", "普卡")}
    choices = [{"value": value, "label": en, "label_zh": zh} for value, (en, zh) in named.items()]
    create_definition(None, group["EAST"], key="legacy_level", type="choice", label="Level", choices=choices)
    rows = "C1,金卡,S001,1\nC2,Gold,S001,1\nC3,普卡,S001,1\nC4,黑卡,S001,1\n"
    job = bring(rows, header="card,level,store,points\n", stated={"levels:gold": 2, "levels:黑卡": 1})
    column = ColumnMapping.model_validate(job.mapping).reading("attribute:legacy_level")
    assert column is not None
    assert levels_read(group.east, column, ["金卡", "Gold", "黑卡"]) == ["gold", "黑卡"]
    assert [(each.words, each.stated, each.found) for each in totals_of(job)][-3:] == [
        ("Rows of the level “Gold”", 2, 2), ("Rows of the level “黑卡”", 1, 1), ("Rows of the level “Basic”", None, 1),
    ]  # fmt: skip
    services.decide(None, job.pk, "value_unknown:legacy_level", "黑卡", "=gold", when=WHEN)
    job.refresh_from_db()
    assert [each.choice for each in decisions_of(job)] == ["It means “Gold”"]
    assert take(job).counts == {"new": 4}


def test_opening_points_have_their_own_day_end_and_cost(group: CoffeeGroup, bring: Callable[..., MemberImport]) -> None:
    job = take(
        bring(
            "C1,Wang,13812345678,,2020-01-05,S001,10,2027-03-31,2026-05-01\nC2,Li,13912345678,,2021-01-05,S001,5,,\n",
            header=HEADER.replace("points\n", "points,points_expire_on,points_earned_on\n"),
            parts={"points": {"earned": "joined", "cost_micros": 7_000}},
        )
    )
    first, second = Lot.objects.order_by("pk")
    assert (first.earned_at, first.expires_at) == (
        datetime(2026, 4, 30, 16, tzinfo=UTC), datetime(2027, 3, 31, 16, tzinfo=UTC),
    )  # fmt: skip
    assert (second.earned_at, second.expires_at) == (datetime(2021, 1, 4, 16, tzinfo=UTC), None)
    assert {first.unit_cost_micros, second.unit_cost_micros} == {7_000}
    assert job.totals["points"]["types"]["points"] == {"points": 15, "cost_micros": 105_000}


def test_opening_points_pay_off_debt_first(group: CoffeeGroup, bring: Callable[..., MemberImport]) -> None:
    take(services.decide(None, bring("C1,Wang,13812345678,,,S001,-30\n").pk, "points_negative", "", "debt", when=WHEN))
    assert Account.objects.get().debt == 30
    other = services.bring(
        None,
        io.BytesIO((HEADER + "C1,Wang,13812345678,,,S001,50\n").encode()),
        "b.csv",
        group.east,
        source="b",
        when=WHEN,
    )
    services.map_columns(None, other.pk, ColumnMapping.model_validate(other.mapping), source="b", when=WHEN)
    take(services.check(other.pk, when=WHEN))
    account = Account.objects.get()
    assert (account.balance, account.debt) == (20, 0)


def test_work_goes_on_behind_the_last_chunk_and_a_stopped_file_can_be_taken_back(
    bring: Callable[..., MemberImport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.members.importing.taking.CHUNK", 2)
    assert CHUNK == 5_000
    job = bring("".join(f"C{n},Wang,1381234567{n},,,S001,10\n" for n in range(5)))
    services.start(None, job.pk, when=WHEN)
    assert services.step(job.pk, when=WHEN)
    assert Member.objects.count() == 2
    services.cancel(None, job.pk, when=WHEN)
    job = services.run(job.pk, clock=lambda: WHEN)
    assert (job.state, rows_in(job)) == (MemberImport.State.CANCELLED, {"new": 2})
    assert Member.objects.count() == 2
    services.start_back(None, job.pk, reason="stopped", when=WHEN)
    job = services.run(job.pk, clock=lambda: WHEN)
    assert job.totals["back"] == {"points": 20, "points_lost": 0, "gone": 2, "restored": 0, "stayed": 0}
    assert Identifier.objects.count() == 0


def test_rows_are_forgotten_thirty_days_after_the_end(bring: Callable[..., MemberImport]) -> None:
    job = take(bring("C1,Ann,13812345678,,,S001,10\nC2,Bob,12,,,S001,10\n"))
    assert services.forget_old(when=WHEN + timedelta(days=30, seconds=-1)) == 0
    assert job.staged.count() == 2
    assert services.forget_old(when=WHEN + timedelta(days=30)) == 1
    assert (job.staged.count(), job.named.count(), services.forget_old(when=WHEN + timedelta(days=30))) == (0, 0, 0)
    with pytest.raises(RowsForgotten):
        services.start_back(None, job.pk, reason="too late", when=WHEN)
    assert member_of("C1").state == "active"


def test_who_was_enrolled_meanwhile_is_refused_and_nothing_is_doubled(
    group: CoffeeGroup, bring: Callable[..., MemberImport]
) -> None:
    job = bring("C1,Wang,13812345678,,,S001,10\nC2,Li,13912345678,,,S001,20\n")
    members.create_member(None, group["S001"], identifiers=[("phone", "13812345678")], when=WHEN)
    job = take(job)
    assert states(job)[2] == ("refused", {"taken_meanwhile"})
    assert Member.objects.count() == 2
    assert Posting.objects.count() == 1


def test_a_mapping_is_refused_before_anything_is_read(group: CoffeeGroup) -> None:
    job = services.bring(None, io.BytesIO((HEADER + "C1,W,138,,,,\n").encode()), "old.csv", group.east, when=WHEN)
    told = ColumnMapping.model_validate(job.mapping)

    def columns(**targets: str) -> ColumnMapping:
        return told.model_copy(
            update={
                "columns": tuple(c.model_copy(update={"target": targets.get(c.name, c.target)}) for c in told.columns)
            }
        )

    for wrong, reason in (
        (columns(card="", phone=""), "no_identifier"),
        (columns(card="identifier:phone"), "twice"),
        (columns(card="nothing"), "unknown_target"),
    ):
        with pytest.raises(MappingRefused) as refused:
            services.map_columns(None, job.pk, wrong, when=WHEN)
        assert refused.value.data["reason"] == reason
        assert refused.value.sentence()


def test_what_was_spent_is_told_as_lost(group: CoffeeGroup, bring: Callable[..., MemberImport]) -> None:
    job = take(bring("C1,Wang,13812345678,,,S001,50\n"))
    account = Account.objects.get()
    adjust(None, account.member_id, account.point_type_id, -20, reason="spent", key="spent", when=WHEN)
    services.start_back(None, job.pk, reason="the wrong file", when=WHEN)
    back = services.run(job.pk, clock=lambda: WHEN).totals["back"]
    assert back == {"points": 30, "points_lost": 20, "gone": 0, "restored": 0, "stayed": 1}


def test_an_integrator_brings_files_for_their_own_company_only(
    cast: Cast, group: CoffeeGroup, bring: Callable[..., MemberImport]
) -> None:
    from apps.core.errors import NotAllowed

    job = bring("C1,Wang,13812345678,,,S001,50\n", actor=cast.integrator)
    for person in (cast.outsider, cast.service, cast.finance):
        with pytest.raises(NotAllowed):
            services.start(person, job.pk, when=WHEN)
        with pytest.raises(NotAllowed):
            services.bring(person, io.BytesIO(HEADER.encode()), "old.csv", group.east, when=WHEN)
    assert take(job, cast.integrator).state == MemberImport.State.DONE


def test_a_policy_may_want_finance_first(cast: Cast, group: CoffeeGroup, bring: Callable[..., MemberImport]) -> None:
    from apps.approvals.services import policies

    says = {
        "bands": [{
            "name": "Many points", "when": {"field": "request.points", "op": "ge", "value": 1000},
            "steps": [step(role("finance"))],
        }],
        "otherwise": "at_once",
    }  # fmt: skip
    draft = policies.create_policy(None, group["EAST"], "members.import", definition=says, when=WHEN)
    policies.publish_policy(None, draft, when=WHEN)
    small = bring("C1,Wang,13812345678,,,S001,999\n", actor=cast.integrator)
    assert take(small, cast.integrator).state == MemberImport.State.DONE
    large = bring("C2,Li,13912345678,,,S001,1000\n", actor=cast.integrator)
    with pytest.raises(ApprovalNeeded):
        services.start(cast.integrator, large.pk, when=WHEN)
    assert Member.objects.count() == 1
