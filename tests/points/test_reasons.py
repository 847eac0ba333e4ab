"""Reason codes: whose they are, which way they fit, and what must come with them."""

from typing import Any

import pytest

from apps.core.errors import NotAllowed
from apps.points.errors import (
    EvidenceNeeded,
    ReasonCodeFixed,
    ReasonCodeNeeded,
    ReasonCodeTaken,
    ReasonCodeUnknown,
)
from apps.points.models import ReasonCode
from apps.points.services.reasons import change_reason, check_reason, create_reason
from tests.factories import Cast, CoffeeGroup

pytestmark = pytest.mark.django_db


@pytest.fixture
def reasons(group: CoffeeGroup) -> dict[str, ReasonCode]:
    return {
        code: create_reason(group.east, code=code, name=code.title(), **more)
        for code, more in (
            ("goodwill", {"direction": "add"}), ("till", {}), ("fraud", {"direction": "take", "needs_evidence": True}),
        )
    }  # fmt: skip


@pytest.mark.parametrize(
    ("points", "code", "refusal"),
    [
        (5, "goodwill", None), (-5, "goodwill", ReasonCodeUnknown), (5, "till", None), (-5, "till", None),
        (5, "none", ReasonCodeUnknown), (5, "", ReasonCodeNeeded), (-5, "fraud", EvidenceNeeded),
    ],
)  # fmt: skip
def test_a_reason_fits_its_direction(
    group: CoffeeGroup, reasons: dict[str, ReasonCode], points: int, code: str, refusal: Any
) -> None:
    if refusal is None:
        check_reason(group.point_types["east"], points, code, has_evidence=False)
    else:
        with pytest.raises(refusal):
            check_reason(group.point_types["east"], points, code, has_evidence=False)


def test_evidence_is_enough_for_a_reason_that_needs_it(group: CoffeeGroup, reasons: dict[str, ReasonCode]) -> None:
    check_reason(group.point_types["east"], -5, "fraud", has_evidence=True)


def test_a_programme_without_reasons_asks_for_none(group: CoffeeGroup, reasons: dict[str, ReasonCode]) -> None:
    check_reason(group.point_types["west"], 5, "", has_evidence=False)
    with pytest.raises(ReasonCodeUnknown):
        check_reason(group.point_types["west"], 5, "till", has_evidence=False)


def test_one_that_is_switched_off_is_asked_for_no_more(
    group: CoffeeGroup, reasons: dict[str, ReasonCode], cast: Cast
) -> None:
    change_reason(reasons["till"], actor=cast["administrator"], is_active=False)
    with pytest.raises(ReasonCodeUnknown):
        check_reason(group.point_types["east"], 5, "till", has_evidence=False)
    assert [(row.is_active, str(row.history_user)) for row in reasons["till"].history.all()] == [
        (False, "administrator"), (True, "None"),
    ]  # fmt: skip


def test_who_may_make_them_and_what_stays(group: CoffeeGroup, reasons: dict[str, ReasonCode], cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        create_reason(group.east, code="mine", name="Mine", actor=cast["service"])
    with pytest.raises(NotAllowed):
        change_reason(reasons["till"], actor=cast["outsider"], name="Theirs")
    with pytest.raises(ReasonCodeTaken):
        create_reason(group.east, code="till", name="Again", actor=cast["marketing"])
    with pytest.raises(ReasonCodeFixed):
        change_reason(reasons["till"], actor=cast["marketing"], code="other")
    assert create_reason(group.west, code="till", name="Till", actor=cast["outsider"]).program == group.west
