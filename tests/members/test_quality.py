"""Rules of data quality: what they find, how the board shows it, and how it is put right."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core.errors import NotAllowed
from apps.members import services as members
from apps.members.importing import services as importing
from apps.members.models import Identifier, Member, MemberChange
from apps.members.quality import services
from apps.members.quality.checks import FIELDS, checks_of
from apps.members.quality.errors import (
    QualityBelowGate,
    QualityCheckUnfit,
    QualityFieldUnknown,
    QualityRuleTaken,
    QualityShareImpossible,
    QualityUnitUnfit,
)
from apps.members.quality.measuring import measure_rule, members_at_fault, rules_measured_by
from apps.members.quality.models import QualityDay, QualityFigure, QualityGate, QualityRule
from apps.members.quality.standing import Share, prospect_of, standings_of
from apps.members.services.defining import create_definition
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import WHEN
from tests.members.test_files import bring as bring
from tests.members.test_pages import text_of

BOARD = "/members/qualityrule/board/"
Enrol = Callable[..., Member]


@pytest.fixture
def enrol(group: CoffeeGroup) -> Enrol:
    def run(card: str, *named: tuple[str, str], unit: str = "S001", actor: Any = None, **more: Any) -> Member:
        identifiers = [("card", card), *named]
        return members.create_member(actor, group[unit], identifiers=identifiers, when=WHEN, **more)

    return run


def rule_of(group: CoffeeGroup, field: str, check: str, unit: str = "EAST", **values: Any) -> QualityRule:
    return services.create_rule(None, group[unit], field=field, check_code=check, **values)


def found(rule: QualityRule, when: datetime = WHEN) -> tuple[int, int, list[int]]:
    """Judged, at fault, and who."""
    measure_rule(rule.pk, when)
    figures = list(rule.figures.all())
    at_fault = sorted(members_at_fault(rule, when).values_list("pk", flat=True))
    assert sum(each.at_fault for each in figures) == len(at_fault)
    return sum(each.members for each in figures), len(at_fault), at_fault


@pytest.mark.parametrize(
    ("field", "check", "judged", "faulty"),
    [
        ("name", "present", 5, {"C3"}),
        ("name", "plausible", 4, {"C4"}),
        ("phone", "present", 5, {"C3", "C4", "C5"}),
        ("phone", "plausible", 2, {"C2"}),
        ("phone", "verified", 2, {"C2"}),
        ("card", "plausible", 5, set()),
        ("identifier", "present", 5, set()),
        ("identifier", "verified", 5, {"C2", "C3", "C4", "C5"}),
        ("birthday", "present", 5, {"C5"}),
        ("birthday", "plausible", 4, {"C2", "C3", "C4"}),
        ("joined_on", "plausible", 5, {"C5"}),
        ("home_unit", "allowed", 5, {"C4"}),
        ("attributes:level", "present", 5, {"C3", "C4", "C5"}),
        ("attributes:level", "allowed", 2, {"C2"}),
    ],
)  # fmt: skip
def test_a_rule_finds_those_at_fault_and_no_others(
    group: CoffeeGroup, enrol: Enrol, field: str, check: str, judged: int, faulty: set[str]
) -> None:
    level = create_definition(
        None, group["EAST"], key="level", type="choice", label="Level",
        choices=[{"value": "gold", "label": "Gold"}, {"value": "tin", "label": "Tin"}],
    )  # fmt: skip
    known = {
        "C1": enrol(
            "C1", ("phone", "13812345678"), name="王小明", birth_on=date(2016, 5, 4), attributes={"level": "gold"}
        ),
        "C2": enrol("C2", ("phone", "13800000000"), name="Li", birth_on=date(2016, 5, 5), attributes={"level": "tin"}),
        "C3": enrol("C3", birth_on=date(1900, 1, 1)),
        "C4": enrol("C4", name="123", birth_on=date(1915, 5, 4), unit="EAST-N"),
        "C5": enrol("C5", name="Ann", joined_on=date(1979, 12, 31)),
    }
    enrol("W1", unit="S101")
    members.close_member(None, enrol("C6").pk, reason="left", when=WHEN)
    Identifier.objects.filter(member=known["C1"], kind="phone").update(verified_at=WHEN)
    level.choices = [{"value": "gold", "label": "Gold"}]
    level.save()
    cards = {member.pk: card for card, member in known.items()}
    number, _faulty, who = found(rule_of(group, field, check))
    assert (number, {cards[pk] for pk in who}) == (judged, faulty)


def test_figures_are_told_apart_by_store_source_and_week_and_add_up_day_by_day(
    group: CoffeeGroup, enrol: Enrol, cast: Cast
) -> None:
    first = enrol("C1", joined_on=date(2026, 5, 4))
    enrol("C2", joined_on=date(2026, 5, 3), actor=cast["service"])
    enrol("C3", joined_on=date(2020, 1, 1), unit="S003", name="Ann")
    Identifier.objects.filter(member=first).update(source="old cards")
    rule = rule_of(group, "name", "present")
    measure_rule(rule.pk, WHEN)
    rows = rule.figures.order_by("source").values_list("unit__code", "source", "week", "members", "at_fault")
    assert list(rows) == [
        ("S001", "@hand", date(2026, 4, 27), 1, 1),
        ("S003", "@studio", None, 1, 0),
        ("S001", "old cards", date(2026, 5, 4), 1, 1),
    ]
    members.change_member(None, first.pk, name="Bo", when=WHEN)
    measure_rule(rule.pk, WHEN)
    measure_rule(rule.pk, WHEN + timedelta(days=1))
    days = QualityDay.objects.order_by("day", "unit__code").values_list("day", "unit__code", "members", "at_fault")
    assert list(days) == [
        (date(2026, 5, day), *figures) for day in (4, 5) for figures in (("S001", 2, 1), ("S003", 1, 0))
    ]
    assert QualityFigure.objects.count() == 3


def test_a_rule_is_measured_in_a_constant_number_of_statements(group: CoffeeGroup, enrol: Enrol) -> None:
    rule = rule_of(group, "phone", "plausible")

    def counted() -> int:
        with CaptureQueriesContext(connection) as queries:
            measure_rule(rule.pk, WHEN)
        return len(queries)

    enrol("C0", ("phone", "13812340000"))
    few = counted()
    for number in range(1, 30):
        enrol(f"C{number}", ("phone", f"138123400{number:02}"), unit=("S001", "S002", "S003")[number % 3])
    assert counted() == few


def test_what_cannot_be_asked_is_refused(group: CoffeeGroup, cast: Cast) -> None:
    with pytest.raises(QualityUnitUnfit):
        rule_of(group, "name", "present", "S001")
    with pytest.raises(QualityCheckUnfit):
        rule_of(group, "name", "verified")
    for field in ("shoe", "attributes:shoe"):
        with pytest.raises(QualityFieldUnknown):
            rule_of(group, field, "present")
    with pytest.raises(QualityShareImpossible):
        rule_of(group, "name", "present", wanted_pct=101)
    with pytest.raises(NotAllowed):
        services.create_rule(cast["service"], group["EAST"], field="name", check_code="present")
    with pytest.raises(NotAllowed):
        services.create_rule(cast["marketing"], group["WEST"], field="name", check_code="present")
    rule_of(group, "name", "present")
    with pytest.raises(QualityRuleTaken):
        rule_of(group, "name", "present")
    assert QualityRule.objects.count() == 1
    assert all(checks_of(field) for field in FIELDS)


def test_the_board_shows_what_its_reader_reaches(browse: Any, group: CoffeeGroup, enrol: Enrol, cast: Cast) -> None:
    enrol("C1"), enrol("C2", unit="S003", name="Ann"), enrol("W1", unit="S101")
    rule = rule_of(group, "name", "present", "G")
    measure_rule(rule.pk, WHEN)
    auditor = text_of(browse("auditor").get(BOARD))
    assert re.search(r"The name is known\..*33\.3 % below 95 % 2 3", auditor)
    east = text_of(browse("marketing").get(BOARD))
    assert re.search(r"The name is known\..*50\.0 % below 95 % 1 2", east)
    assert "South Hall" not in east
    north = browse("regional_manager").get(BOARD)
    assert re.search(r"95 % (\d) (\d)", text_of(north)) is not None
    assert [browse(who).get(BOARD).status_code for who in ("shop", "finance")] == [403, 200]


def test_the_board_leads_down_the_tree_and_narrows_to_a_source_in_so_many_queries(
    browse: Any, group: CoffeeGroup, enrol: Enrol
) -> None:
    for number, unit in enumerate(("S001", "S001", "S003", "S002")):
        enrol(f"C{number}", unit=unit, **({"name": "Ann"} if number else {}))
    for field, check in (("name", "present"), ("phone", "present"), ("birthday", "plausible")):
        measure_rule(rule_of(group, field, check).pk, WHEN)
    client = browse("marketing")
    client.get(BOARD)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(BOARD)
    assert len(queries) <= 15
    assert "?unit=EAST-N" in page.content.decode()
    region = client.get(BOARD, {"unit": "EAST-N"})
    assert "?unit=S001" in region.content.decode()
    store = text_of(client.get(BOARD, {"unit": "S001"}))
    assert "the members of Lakeside?" in store
    assert "South Hall" not in store
    assert "Only from" in text_of(client.get(BOARD, {"source": "@studio"}))
    assert client.get(BOARD, {"unit": "S101", "source": "\0"}).status_code == 200


def test_open_lists_the_members_at_fault_of_the_readers_reach(browse: Any, group: CoffeeGroup, enrol: Enrol) -> None:
    faulty, fine, west = enrol("C1"), enrol("C2", name="Ann"), enrol("W1", unit="S101")
    rule = rule_of(group, "name", "present", "G")
    listed = browse("service").get("/members/member/", {"at_fault": rule.pk}).context_data["cl"].result_list
    assert [member.pk for member in listed] == [faulty.pk]
    assert {fine.pk, west.pk} & {member.pk for member in listed} == set()
    unknown = browse("service").get("/members/member/", {"at_fault": "9" * 30})
    assert len(unknown.context_data["cl"].result_list) == 2


def test_open_and_put_right_list_those_whom_a_narrowed_board_counts(
    browse: Any, group: CoffeeGroup, enrol: Enrol
) -> None:
    places = {"C1": "S001", "C2": "S002", "C3": "S003", "K1": "S001", "W1": "S101"}
    cards = {enrol(card, unit=unit).pk: card for card, unit in places.items()}
    enrol("C4", name="Ann")
    Identifier.objects.filter(member__in=[pk for pk, card in cards.items() if card == "K1"]).update(source="old, cards")
    measure_rule(rule_of(group, "name", "present", "G").pk, WHEN)

    def opened(who: str, **narrowed: str) -> tuple[int, list[str]]:
        """How many the board counts at fault, and whom its link lists."""
        page = browse(who).get(BOARD, narrowed)
        (link,) = re.findall(r'href="(/members/member/\?at_fault=[^"]*)"', page.content.decode())
        listed = browse(who).get(unescape(link)).context_data["cl"].result_list
        return page.context_data["board"].rules[0].share.at_fault, sorted(cards[each.pk] for each in listed)

    assert opened("marketing") == (4, ["C1", "C2", "C3", "K1"])
    assert opened("regional_manager") == (3, ["C1", "C2", "K1"])
    assert opened("marketing", unit="EAST-N") == (3, ["C1", "C2", "K1"])
    assert opened("marketing", unit="EAST-S") == (1, ["C3"])
    assert opened("marketing", unit="EAST-N", source="old, cards") == (1, ["K1"])
    assert opened("marketing", source="@studio") == (3, ["C1", "C2", "C3"])

    fixing = browse("service").get(f"/members/qualityrule/{QualityRule.objects.get().pk}/fix/", {"unit": "EAST-S"})
    assert [cards[member.pk] for member, _masks, _form in fixing.context_data["entries"]] == ["C3"]
    beyond = browse("marketing").get(
        "/members/member/", {"at_fault": f"{QualityRule.objects.get().pk}.{group['S101'].pk}."}
    )
    assert len(beyond.context_data["cl"].result_list) == 5


def test_what_is_missing_is_typed_in_place_and_the_next_follows(browse: Any, group: CoffeeGroup, enrol: Enrol) -> None:
    first, second = enrol("C1"), enrol("C2")
    rule = rule_of(group, "birthday", "present")
    fix = reverse("admin:members_qualityrule_fix", args=[rule.pk])
    client = browse("service")
    page = client.get(fix).content.decode()
    assert page.index(f"/member/{second.pk}/change/") < page.index(f"/member/{first.pk}/change/")
    refused = client.post(fix, {"member": second.pk, f"{second.pk}-value": "2030-01-01"})
    assert "quality-error" in refused.content.decode()
    done = client.post(fix, {"member": second.pk, f"{second.pk}-value": "1990-02-14"}, follow=True)
    assert "is put right" in text_of(done)
    assert f"/member/{second.pk}/change/" not in done.content.decode()
    change = MemberChange.objects.latest("pk")
    assert (change.member, change.changes, str(change.actor)) == (
        second, [{"field": "birth_on", "old": None, "new": "****"}], "service",
    )  # fmt: skip
    assert [browse(who).get(fix).status_code for who in ("marketing", "outsider")] == [403, 404]


def test_a_number_that_stands_for_none_is_replaced(browse: Any, group: CoffeeGroup, enrol: Enrol) -> None:
    member = enrol("C1", ("phone", "13800000000"))
    rule = rule_of(group, "phone", "plausible")
    fix = reverse("admin:members_qualityrule_fix", args=[rule.pk])
    browse("service").post(fix, {"member": member.pk, f"{member.pk}-value": "13812345678"})
    assert list(member.identifiers.filter(kind="phone").values_list("masked", flat=True)) == ["138****5678"]


def test_an_attribute_is_chosen_and_the_others_stay(browse: Any, group: CoffeeGroup, enrol: Enrol) -> None:
    choices = [{"value": "gold", "label": "Gold"}, {"value": "tin", "label": "Tin"}]
    create_definition(None, group["EAST"], key="level", type="choice", label="Level", choices=choices)
    member = enrol("C1", attributes={"nick": "Bo"})
    fix = reverse("admin:members_qualityrule_fix", args=[rule_of(group, "attributes:level", "present").pk])
    assert "Gold" in browse("service").get(fix).content.decode()
    browse("service").post(fix, {"member": member.pk, f"{member.pk}-value": "tin"})
    member.refresh_from_db()
    assert member.attributes == {"nick": "Bo", "level": "tin"}


def test_a_programme_is_ready_at_its_gate_and_says_what_is_missing(
    browse: Any, group: CoffeeGroup, enrol: Enrol, cast: Cast
) -> None:
    for number in range(4):
        enrol(f"C{number}", **({"name": "Ann"} if number else {}))
    name, card = rule_of(group, "name", "present", weight=3), rule_of(group, "card", "present")
    measure_rule(name.pk, WHEN), measure_rule(card.pk, WHEN)
    (standing,) = standings_of([group.east])
    assert (standing.share.members, standing.share.at_fault, standing.is_ready, standing.wanted_pct) == (
        16,
        3,
        False,
        95,
    )
    assert [each.rule for each in standing.missing] == [name]
    client = browse("marketing")
    assert "Not ready 81.2 % accurate, 95 % wanted. 3 faults are too many" in text_of(client.get(BOARD))
    client.post(reverse("admin:members_qualityrule_gate", args=[group.east.pk]), {"wanted_pct": "81"})
    assert QualityGate.objects.get().history.get().history_user == cast["marketing"]
    assert "Ready 81.2 % accurate, 81 % wanted." in text_of(client.get(BOARD))
    with pytest.raises(NotAllowed):
        services.set_gate(cast["outsider"], group.east, 1)
    assert browse("service").post(reverse("admin:members_qualityrule_gate", args=[group.east.pk])).status_code == 403
    # Of a region, nobody is told how the whole company stands.
    assert "Ready to go live?" not in text_of(browse("regional_manager").get(BOARD))


def test_rules_are_written_in_the_form_and_measured_by_the_button(browse: Any, group: CoffeeGroup, cast: Cast) -> None:
    client = browse("marketing")
    sent = {
        "unit": group["EAST"].pk,
        "field": "name",
        "check_code": "present",
        "wanted_pct": 90,
        "weight": 2,
        "is_active": "on",
    }
    refused = client.post("/members/qualityrule/add/", {**sent, "check_code": "verified"})
    assert "cannot be asked about that field" in text_of(refused)
    client.post("/members/qualityrule/add/", sent)
    rule = QualityRule.objects.get()
    assert (rule.unit, rule.wanted_pct, rule.history.get().history_user) == (group["EAST"], 90, cast["marketing"])
    assert "The name is known." in text_of(client.get("/members/qualityrule/"))
    client.post(f"/members/qualityrule/{rule.pk}/change/", {"wanted_pct": 80, "weight": 2, "is_active": "on"})
    rule.refresh_from_db()
    assert (rule.wanted_pct, rule.field) == (80, "name")
    assert "is being measured" in text_of(client.post("/members/qualityrule/measure/", follow=True))
    assert rules_measured_by(cast["service"]) == [rule.pk]
    assert rules_measured_by(cast["outsider"]) == []


def test_a_file_that_brings_the_data_below_the_gate_needs_a_reason_or_others(
    browse: Any, bring: Callable[..., Any], group: CoffeeGroup, enrol: Enrol, cast: Cast
) -> None:
    for number in range(8):
        enrol(f"E{number}", name="Ann")
    rules = [rule_of(group, "name", "present"), rule_of(group, "birthday", "plausible")]
    for rule in rules:
        measure_rule(rule.pk, WHEN)
    services.set_gate(None, group.east, 90)
    fine = bring("C1,Li,13912345678,1990-02-14,,S001,\n")
    assert fine.totals["quality"] == {"members": 2, "at_fault": 0}
    bad = bring("C2,,13912345679,1990-02-14,,S001,\nC3,,13912345670,1990-02-14,,S001,\n")
    prospect = prospect_of(bad)
    assert prospect is not None
    assert (prospect.before.pct, prospect.after, prospect.is_below) == (100.0, Share(12, 2), True)
    integrator = browse("integrator")
    page = integrator.get(f"/members/memberimport/{bad.pk}/change/")
    assert (
        "With this file the accuracy of the data would be 83.3 %; the programme wants 90 %. It is 100.0 % now."
        in text_of(page)
    )
    with pytest.raises(QualityBelowGate):
        importing.start(cast["integrator"], bad.pk, when=WHEN)
    refused = integrator.post(f"/members/memberimport/{bad.pk}/start/", {"reason": " "}, follow=True)
    assert "Say why it is to come in all the same" in text_of(refused)
    importing.start(cast["integrator"], bad.pk, when=WHEN, reason="the old cards have no names")
    bad.refresh_from_db()
    assert bad.totals["quality"] == {
        "members": 4, "at_fault": 2, "reason": "the old cards have no names", "by": "integrator",
    }  # fmt: skip
    importing.run(bad.pk, clock=lambda: WHEN)
    page = integrator.get(f"/members/memberimport/{bad.pk}/change/")
    assert "because: “the old cards have no names” (integrator)" in text_of(page)
    importing.start(None, fine.pk, when=WHEN)
    assert "With this file" not in text_of(integrator.get(f"/members/memberimport/{fine.pk}/change/"))


def test_the_programmes_page_says_how_it_stands(browse: Any, group: CoffeeGroup, enrol: Enrol) -> None:
    enrol("C1")
    measure_rule(rule_of(group, "name", "present").pk, WHEN)
    page = f"/orgs/program/{group.east.pk}/change/"
    assert "Not ready 0.0 % accurate, 95 % wanted." in text_of(browse("marketing").get(page))
    assert "Ready to go live?" not in text_of(browse("regional_manager").get(page))
