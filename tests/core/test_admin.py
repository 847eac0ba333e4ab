"""The admin's base class: refusals shown and nothing kept, rights from above and below, lists, histories."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core import lists
from apps.core.clock import now
from apps.orgs import services
from apps.orgs.admin import OrgUnitAdmin
from apps.orgs.models import OrgUnit, Persona, Staff
from tests.factories import Cast, CoffeeGroup, make_staff


def signed_in(client: Client, staff: Staff) -> Client:
    client.force_login(staff, backend="apps.orgs.auth.RoleBackend")
    return client


def test_a_refusal_stands_at_its_field_with_what_was_typed_and_nothing_is_kept(
    client: Client, group: CoffeeGroup, cast: Cast
) -> None:
    before = OrgUnit.objects.count()
    sent = {"parent": group["S001"].pk, "kind": "company", "name": "Typed name", "code": "NEW"}
    answer = signed_in(client, cast.administrator).post(reverse("admin:orgs_orgunit_add"), sent)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors == {
        "kind": ["A unit of kind “Company” cannot stand below one of kind “Store”."]
    }
    assert b"Typed name" in answer.content
    assert OrgUnit.objects.count() == before


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("currency", "cny", "“cny” is no currency code. Three capital letters, for example CNY."),
        ("unit", "EAST", "East Coffee already has a programme."),
    ],
)
def test_what_a_constraint_holds_is_said_in_words_at_its_field(
    client: Client, group: CoffeeGroup, cast: Cast, field: str, value: str, words: str
) -> None:
    sent: dict[str, Any] = {
        "name": "New", "code": "new", "unit": group["G"].pk, "currency": "CNY", "time_zone": "Asia/Shanghai",
        "grace_days": 1, field: group[value].pk if field == "unit" else value,
    }  # fmt: skip
    Staff.objects.filter(pk=cast.administrator.pk).update(is_superuser=True)
    answer = signed_in(client, cast.administrator).post(reverse("admin:orgs_program_add"), sent)
    assert answer.context["adminform"].form.errors == {field: [words]}


def test_a_refused_save_undoes_what_was_written_before_it(
    client: Client, group: CoffeeGroup, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_then_refuse(self: Any, request: Any, obj: Any, form: Any, change: bool) -> None:
        services.change_unit(obj, name="Half done", opened_on=None, is_active=True)
        services.create_unit(None, "store", "X", "X")

    monkeypatch.setattr(OrgUnitAdmin, "save_model", write_then_refuse)
    page = reverse("admin:orgs_orgunit_change", args=[group["S001"].pk])
    answer = signed_in(client, cast.administrator).post(page, {"name": "Other", "is_active": "on"})
    assert b"Only a group stands at the top" in answer.content
    assert group["S001"].name == "Lakeside"


def test_what_governs_from_above_is_read_and_not_changed(client: Client, group: CoffeeGroup) -> None:
    person = make_staff(group["S001"], [Persona.ADMINISTRATOR])
    page = reverse("admin:orgs_program_change", args=[group.east.pk])
    answer = signed_in(client, person).get(page)
    assert answer.status_code == 200
    assert b'name="_save"' not in answer.content
    assert client.post(page, {"name": "Mine now", "grace_days": 1}).status_code == 403
    group.east.refresh_from_db()
    assert group.east.name == "East Coffee Club"


def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(client: Client, group: CoffeeGroup, cast: Cast) -> None:
    signed_in(client, cast.administrator)
    page, counts = reverse("admin:orgs_staff_changelist"), []
    for people in (0, 12):
        for _ in range(people):
            make_staff(group["S001"], [Persona.SHOP, Persona.SERVICE])
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


@pytest.fixture
def large_units(group: CoffeeGroup, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The list of units as if it were large, three to a page; their ids, newest first."""
    model_admin = admin.site._registry[OrgUnit]
    monkeypatch.setattr(model_admin, "is_large", True)
    monkeypatch.setattr(model_admin, "list_per_page", 3)
    east = OrgUnit.objects.within(group["EAST"].path)
    return sorted(east.values_list("pk", flat=True), reverse=True)


def test_a_large_list_is_walked_by_key_forth_and_back_without_a_count(
    client: Client, cast: Cast, large_units: list[int]
) -> None:
    signed_in(client, cast.administrator)
    page = reverse("admin:orgs_orgunit_changelist")
    address, seen = page, []
    with CaptureQueriesContext(connection) as queries:
        while address:
            changelist = client.get(address).context["cl"]
            seen.append([row.pk for row in changelist.result_list])
            address = page + changelist.paginator.older if changelist.paginator.older else ""
    assert seen == [large_units[:3], large_units[3:]]
    assert not [query for query in queries if "COUNT(" in query["sql"] or "OFFSET" in query["sql"]]
    back = client.get(page + changelist.paginator.newer).context["cl"]
    assert [row.pk for row in back.result_list] == large_units[:3]
    assert back.paginator.newer is None


def test_a_large_list_keeps_its_filters_while_walking(client: Client, cast: Cast, large_units: list[int]) -> None:
    page = reverse("admin:orgs_orgunit_changelist")
    changelist = signed_in(client, cast.administrator).get(page, {"is_active__exact": "1"}).context["cl"]
    assert "is_active__exact=1" in changelist.paginator.older
    assert f"{lists.AFTER}={large_units[2]}" in changelist.paginator.older


def test_history_says_who_changed_what_from_what_to_what_and_why(
    client: Client, group: CoffeeGroup, cast: Cast
) -> None:
    services.change_program(
        group.east, allows_debt=False, actor=cast.administrator, reason="Finance asked for it", when=now()
    )
    page = reverse("admin:orgs_program_history", args=[group.east.pk])
    answer = signed_in(client, cast.administrator).get(page)
    newest, oldest = answer.context["versions"]
    assert [(change.label, change.old, change.new) for change in newest.changes] == [("Allows debt", "yes", "no")]
    assert (newest.who, newest.why) == ("administrator", "Finance asked for it")
    assert (oldest.who, oldest.sentence) == ("The studio", "Created")
    client.cookies["django_language"] = "zh-hans"
    change = client.get(page).context["versions"][0].changes[0]
    assert (change.label, change.old, change.new) == ("允许欠分", "是", "否")


def test_any_two_versions_compare_the_older_on_the_left(client: Client, group: CoffeeGroup, cast: Cast) -> None:
    for name in ("Second", "Third"):
        services.change_program(group.east, name=name)
    newest, _, oldest = group.east.history.values_list("history_id", flat=True)
    page = reverse("admin:orgs_program_history", args=[group.east.pk])
    signed_in(client, cast.administrator)
    for one, other in ((newest, oldest), (oldest, newest)):
        (change,) = client.get(page, {"one": one, "other": other}).context["differences"]
        assert (change.label, change.old, change.new) == ("Name", "East Coffee Club", "Third")
    far = group.west.history.values_list("history_id", flat=True)[0]
    assert not client.get(page, {"one": newest, "other": far}).context["comparison"]


def test_history_names_no_row_beyond_the_readers_reach(client: Client, group: CoffeeGroup, cast: Cast) -> None:
    services.change_staff(cast.shop, unit=group["S101"])
    services.change_staff(cast.shop, unit=group["S001"])
    page = reverse("admin:orgs_staff_history", args=[cast.shop.pk])
    answer = signed_in(client, cast.administrator).get(page)
    assert b"Old Town" not in answer.content
    assert b"beyond your reach" in answer.content


def test_signing_in_is_no_change_of_a_person(client: Client, cast: Cast) -> None:
    before = cast.marketing.history.count()
    signed_in(client, cast.marketing)
    assert cast.marketing.history.count() == before


def test_each_verb_of_the_tree_leaves_one_row_of_history(group: CoffeeGroup, cast: Cast) -> None:
    unit = group["S001"]
    for verb in (
        lambda: services.change_unit(unit, name="New name", opened_on=None, is_active=True, actor=cast.administrator),
        lambda: services.grant_role(cast.administrator, cast.shop, "service", unit, when=now()),
        lambda: services.revoke_role(cast.administrator, cast.shop, "service", unit),
        lambda: services.set_password(cast.shop, "a new password", actor=cast.administrator),
        lambda: services.set_staff_active(cast.shop, False, actor=cast.administrator),
    ):
        before = unit.history.count() + cast.shop.history.count()
        verb()
        assert unit.history.count() + cast.shop.history.count() == before + 1
    assert {row.history_user for row in cast.shop.history.all()[:4]} == {cast.administrator}


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_pages_answer_no_other_method(client: Client, cast: Cast, method: str) -> None:
    signed_in(client, cast.administrator)
    assert getattr(client, method)(reverse("admin:orgs_program_changelist")).status_code == 405
