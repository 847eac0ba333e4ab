"""The legacy sample: what every row becomes is what its truth file says."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from apps.members.importing import checking, deciding, services
from apps.members.importing.mapping import ColumnMapping
from apps.members.importing.models import MemberImport, MemberRow
from apps.members.importing.rows import cells_of
from apps.members.models import Identifier, Member, MemberChange
from apps.members.services.reading import birthday_of, name_of, value_of
from apps.orgs.services import create_unit
from apps.points.models import Account, Lot, Posting
from apps.points.services import adjust
from tests.databases import mislead_the_planner
from tests.factories import CoffeeGroup, make_group

DATA = Path(settings.BASE_DIR).parent / "shared" / "data"
LEGACY, TRUTH = DATA / "legacy_members_gb18030.csv", DATA / "legacy_members_truth.csv"
pytestmark = pytest.mark.skipif(
    not LEGACY.is_file(), reason="The legacy sample is not here: ../shared/data is missing."
)

WHEN = datetime(2026, 11, 30, 4, tzinfo=UTC)
STORES = {
    "S001": "北京朝阳店", "S002": "北京海淀店", "S003": "上海徐汇店", "S004": "上海浦东店", "S005": "广州天河店", "S006": "深圳南山店",
    "S007": "成都锦江店", "S008": "武汉江汉店",
}  # fmt: skip
FATAL = {"phone_scientific", "phone_short", "phone_missing", "birthday_impossible", "joined_future"}
ASKED = {"phone_duplicate", "store_unknown", "tier_unknown", "points_negative"}


def truth() -> dict[int, dict[str, str]]:
    with TRUTH.open(encoding="utf-8", newline="") as text:
        return {int(row["line"]): row for row in csv.DictReader(text)}


def legible_phones(rows: dict[int, dict[str, str]], before: int) -> set[str]:
    """The phone numbers that stand whole in the rows before one."""
    lost = ("phone_scientific", "phone_short", "phone_missing")
    return {t["phone"] for n, t in rows.items() if n < before and not any(d in t["defects"] for d in lost)}


@pytest.fixture
def stores(group: CoffeeGroup) -> CoffeeGroup:
    return with_stores(group)


def with_stores(group: CoffeeGroup) -> CoffeeGroup:
    for code, name in STORES.items():
        if code in group.units:
            unit = group.units[code]
            unit.name = name
            unit.save()
        else:
            group.units[code] = create_unit(group.units["EAST"], "store", code, name)
    return group


def brought(group: CoffeeGroup) -> MemberImport:
    with LEGACY.open("rb") as content:
        job = services.bring(None, content, LEGACY.name, group.programs["east"], source="old cards", when=WHEN)
    chosen = ColumnMapping.model_validate(job.mapping)
    services.map_columns(None, job.pk, chosen, source="old cards", when=WHEN)
    return services.check(job.pk, when=WHEN)


def taken(job: MemberImport) -> MemberImport:
    services.start(None, job.pk, when=WHEN)
    return services.run(job.pk, clock=lambda: WHEN)


def defects_of(row: MemberRow) -> set[str]:
    return {"tier_unknown" if code.startswith("value_unknown") else code for code in row.findings}


@pytest.mark.django_db
def test_every_row_is_found_to_be_what_the_truth_says(stores: CoffeeGroup) -> None:
    job = brought(stores)
    assert job.layout["encoding"] == "gb18030"
    assert [c["target"] for c in job.mapping["columns"]] == [
        "identifier:card", "name", "attribute:gender", "identifier:phone", "identifier:email", "birth_on", "joined_on", "store",
        "attribute:legacy_level", "points:points", "", "", "attribute:remark",
    ]  # fmt: skip
    expected = truth()
    for told in expected.values():
        if "phone_duplicate" in told["defects"] and told["phone"] not in legible_phones(expected, int(told["line"])):
            # The earlier row lost its last digits: nothing in the file says that it was the same number.
            told["defects"] = told["defects"].replace("phone_duplicate", "")
    rows = {row.number: row for row in job.staged.all()}
    assert set(rows) == {*expected, 5002}
    assert set(rows[5002].findings) == {"total_row"}
    for number, told in expected.items():
        defects = set(filter(None, told["defects"].split(";")))
        found = defects_of(rows[number])
        assert found >= defects & FATAL, (number, told, found)
        assert found <= defects & (FATAL | ASKED), (number, told, found)
        # What a fault of its own refuses need not be asked about as well.
        if not defects & FATAL:
            assert found == defects & ASKED - {"tier_unknown"} | found & {"tier_unknown"}, (number, told, found)
    refused = sum(1 for t in expected.values() if set(t["defects"].split(";")) & FATAL) + 1
    assert job.counts["refused"] == refused
    assert cells_of(bytes(rows[2].cells_cipher))[0] == "LM0700000000"


@pytest.mark.django_db
def test_clean_and_repaired_rows_become_the_members_of_the_truth_once(stores: CoffeeGroup) -> None:
    job = taken(brought(stores))
    assert job.state == MemberImport.State.DONE
    expected = truth()
    rows = job.staged.filter(is_done=True).select_related("member__home_unit")
    assert rows.count() == job.counts["new"] == Member.objects.count()
    values = {(i.member_id, i.kind): value_of(i) for i in Identifier.objects.all()}
    points = dict(Account.objects.values_list("member_id", "balance"))
    for row in rows:
        told, member = expected[row.number], row.member
        assert member is not None
        assert values[member.pk, "card"] == told["card_no"]
        assert values[member.pk, "phone"] == told["phone"]
        assert name_of(member) == told["name"]
        assert member.attributes["gender"] == told["gender"]
        assert str(birthday_of(member) or "") == told["birthday"]
        assert str(member.joined_on) == told["joined"]
        assert member.home_unit.code == told["store"]
        assert points.get(member.pk, 0) == int(told["points"])
        if "tier_unknown" not in told["defects"]:
            assert member.attributes["legacy_level"] == told["tier"]
    assert MemberChange.objects.filter(kind="+").count() == job.counts["new"]
    assert not job.staged.filter(is_done=True, cells_cipher__isnull=False).exists()
    total = sum(int(expected[row.number]["points"]) for row in rows)
    assert job.totals["points"]["types"]["points"]["points"] == total
    assert Lot.objects.aggregate(total=Sum("remaining"))["total"] == total


@pytest.mark.django_db
def test_the_same_file_again_changes_nothing(stores: CoffeeGroup) -> None:
    first = taken(brought(stores))

    def everything() -> Any:
        return (
            list(Member.objects.order_by("pk").values_list("pk", "masked_name", "home_unit", "attributes", "joined_on")),
            list(Identifier.objects.order_by("pk").values_list("pk", "value_hash")),
            Posting.objects.count(), MemberChange.objects.count(),
        )  # fmt: skip

    before = everything()
    again = taken(brought(stores))
    assert again.counts["same"] == first.counts["new"]
    assert again.counts.get("new", 0) == again.counts.get("changed", 0) == 0
    assert everything() == before


@pytest.mark.django_db
def test_questions_are_settled_for_all_their_rows_at_once(stores: CoffeeGroup) -> None:
    job = brought(stores)
    asked = {(code, value): number for code, value, number in checking.questions(job)}
    assert set(asked) == {("phone_duplicate", ""), ("store_unknown", "已关闭门店"), ("points_negative", "")}
    job = deciding.decide(None, job.pk, "store_unknown", "已关闭门店", "S001", when=WHEN)
    job = deciding.decide(None, job.pk, "points_negative", "", "debt", when=WHEN)
    job = deciding.decide(None, job.pk, "phone_duplicate", "", "without", when=WHEN)
    assert checking.questions(job) == []
    job = taken(job)
    rows = truth()
    good = [t for t in rows.values() if not set(t["defects"].split(";")) & FATAL]
    assert Member.objects.count() == len(good)
    assert Account.objects.aggregate(total=Sum("balance"))["total"] == sum(int(t["points"]) for t in good)
    assert Account.objects.filter(debt__gt=0).count() == sum(1 for t in good if int(t["points"]) < 0)


@pytest.mark.django_db
def test_a_batch_is_taken_back_but_for_who_has_lived_since(stores: CoffeeGroup) -> None:
    job = taken(brought(stores))
    account = Account.objects.filter(balance__gt=50).order_by("pk")[0]
    adjust(None, account.member_id, account.point_type_id, -20, reason="spent in the shop", key="spent", when=WHEN)
    services.start_back(None, job.pk, reason="the wrong file", when=WHEN)
    job = services.run(job.pk, clock=lambda: WHEN)
    assert job.state == MemberImport.State.UNDONE
    back = job.totals["back"]
    assert back["stayed"] == 1
    assert back["gone"] == job.counts["left"] - 1
    assert back["points_lost"] == 20
    assert Account.objects.exclude(balance=0).count() == 0
    assert Member.objects.filter(state="active").get().pk == account.member_id
    assert set(Identifier.objects.values_list("member_id", flat=True)) == {account.member_id}
    assert not Member.objects.filter(state="removed", name_cipher__isnull=False).exists()
    again = taken(brought(stores))
    assert again.counts["new"] == back["gone"]
    assert again.counts["same"] == 1
    account.refresh_from_db()
    assert account.balance == Lot.objects.filter(account=account).order_by("pk")[0].earned


@pytest.mark.timeout(200)
def test_a_file_takes_no_longer_when_the_planner_believes_in_empty_tables(committed: str) -> None:
    with transaction.atomic():
        stores = with_stores(make_group())
        taken(brought(stores))
        mislead_the_planner()
        again = taken(brought(stores))
        assert again.counts["same"] > 4_000
        transaction.set_rollback(True)
