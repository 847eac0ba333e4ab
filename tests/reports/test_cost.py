"""The cost report: worked figures by month, unit and rule, for each reader only what they reach."""

from datetime import date
from typing import Any

import pytest

from apps.orgs.models import Staff
from apps.reports.cost import CostReport, Tie, cost_report, tie
from apps.reports.models import Movement
from apps.reports.questions import NothingSuch, read_question
from apps.reports.sums import Sums
from tests.factories import Cast, CoffeeGroup


def report(person: Staff, **asked: str) -> CostReport:
    question, choices = read_question(person, asked)
    assert question is not None
    return cost_report(person, question, choices.units)


def tied(person: Staff, **asked: str) -> Tie:
    question, _choices = read_question(person, asked)
    assert question is not None
    return tie(person, question)


def points(sums: Sums) -> dict[str, int]:
    """Only the columns in which something moved."""
    return {column: points for column, points, _cost in sums.pairs() if points}


def test_finance_reads_the_company_by_month_unit_and_rule(history: CoffeeGroup, cast: Cast) -> None:
    found = report(cast["finance"])
    assert [(line.month, points(line.sums)) for line in found.months] == [
        (date(2026, 3, 1), {"given": 90, "redeemed": -10, "net": 80}),
        (date(2026, 4, 1), {"taken_back": -20, "net": -20}),
        (date(2026, 5, 1), {"adjusted": 7, "net": 7}),
    ]
    assert [(line.unit.code, line.is_itself, points(line.sums)) for line in found.units] == [
        ("EAST-N", False, {"given": 50, "redeemed": -10, "adjusted": 7, "net": 47}),
        ("EAST-S", False, {"given": 40, "taken_back": -20, "net": 20}),
    ]
    rule, by_hand = found.rules
    assert rule.rule is not None
    assert points(rule.sums) == {"given": 90, "taken_back": -20, "redeemed": -10, "net": 60}
    assert (by_hand.rule_id, by_hand.rule, points(by_hand.sums)) == (0, None, {"adjusted": 7, "net": 7})
    assert ("given", 90, 900_000) in found.total.pairs()
    assert ("net", 67, 670_000) in found.total.pairs()
    assert found.total.entries == 5
    assert tied(cast["finance"]) == Tie(0, 0, 0, ledger_entries=5)


def test_a_unit_is_opened_down_to_the_store(history: CoffeeGroup, cast: Cast) -> None:
    region = report(cast["finance"], unit="EAST-N")
    assert [(line.unit.code, line.is_itself, line.sums.entries) for line in region.units] == [("S001", False, 3)]
    store = report(cast["finance"], unit="S001")
    assert [(line.unit.code, line.is_itself, line.sums.entries) for line in store.units] == [("S001", True, 3)]
    assert points(store.total) == points(region.total)


def test_a_regional_manager_reads_the_region_and_no_more(history: CoffeeGroup, cast: Cast) -> None:
    found = report(cast["regional_manager"])
    assert [line.unit.code for line in found.units] == ["S001"]
    assert points(found.total) == {"given": 50, "redeemed": -10, "adjusted": 7, "net": 47}
    assert tied(cast["regional_manager"]) == Tie(0, 0, 0, ledger_entries=3)


@pytest.mark.parametrize("asked", [{"unit": "EAST-S"}, {"unit": "nowhere"}, {"program": "west"}, {"type": "none"}])
def test_what_a_reader_does_not_see_is_like_nothing(history: CoffeeGroup, cast: Cast, asked: dict[str, str]) -> None:
    with pytest.raises(NothingSuch) as refused:
        read_question(cast["regional_manager"], asked)
    assert refused.value.data == {}


def test_a_reader_of_two_regions_starts_with_both(history: CoffeeGroup, cast: Cast) -> None:
    from apps.orgs.services import grant_role

    grant_role(None, cast.regional_manager, "regional_manager", history["S003"])
    found = report(cast["regional_manager"])
    assert [(line.unit.code, line.sums.entries) for line in found.units] == [("EAST-N", 3), ("S003", 2)]


def test_months_are_asked_for_from_and_to(history: CoffeeGroup, cast: Cast) -> None:
    found = report(cast["finance"], **{"from": "2026-04", "to": "2026-06"})
    assert [(line.month.month, line.sums.entries) for line in found.months] == [(4, 1), (5, 1), (6, 0)]
    swapped = report(cast["finance"], **{"from": "2026-06", "to": "2026-04"})
    assert swapped.months == found.months
    nonsense = report(cast["finance"], **{"from": "2026-13", "to": "=1+1"})
    assert len(nonsense.months) == 3


def test_another_company_has_moved_nothing(history: CoffeeGroup, cast: Cast) -> None:
    question, choices = read_question(cast["outsider"], {})
    assert question is None
    assert [program.code for program in choices.programs] == ["west"]
    assert not Movement.objects.visible_to(cast["outsider"], "reports.view_dailyfact").exists()


def test_wrong_facts_do_not_tie(kept_history: Any) -> None:
    from apps.reports.models import DailyFact
    from apps.reports.services import fold_facts
    from tests.factories import make_staff
    from tests.reports.conftest import NOW

    fold_facts(NOW)
    auditor = make_staff(kept_history.member.home_unit, ["auditor"])
    assert tied(auditor) == Tie(0, 0, 0, ledger_entries=3)
    DailyFact.objects.filter(kind="earn", points=50).update(points=51, cost_micros=510_000)
    assert tied(auditor) == Tie(0, 1, 10_000, ledger_entries=3)
    fold_facts(NOW, rebuild=True)
    assert tied(auditor).holds
