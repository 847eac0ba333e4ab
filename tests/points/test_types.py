"""The terms of a point type: a policy may hold them, and what was approved is what is changed."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.deciding import decide
from apps.orgs.gate import ApprovalNeeded
from apps.points.models import PointType
from apps.points.services.types import PointTypeTerms, ask_terms, change_point_type
from tests.approvals.conftest import role, step
from tests.factories import Cast, CoffeeGroup
from tests.points.test_requests import hold_at

pytestmark = pytest.mark.django_db
WHEN = datetime(2026, 5, 4, 2, tzinfo=UTC)
DEARER = {"field": "request.cost_rise", "op": "gt", "value": "10"}
BY_FINANCE = {"bands": [{"name": "Dearer", "when": DEARER, "steps": [step(role("finance"))]}], "otherwise": "at_once"}


def test_a_dearer_point_waits_for_finance_and_a_name_does_not(group: CoffeeGroup, cast: Cast) -> None:
    hold_at(group, BY_FINANCE, "points.point_type")
    kind = group.point_types["east"]
    with pytest.raises(ApprovalNeeded):
        change_point_type(kind, actor=cast["marketing"], unit_cost_micros=20_000, when=WHEN)
    change_point_type(kind, actor=cast["marketing"], name="Beans", when=WHEN)
    change_point_type(kind, actor=cast["marketing"], unit_cost_micros=10_500, pending_days=3, when=WHEN)
    request = ask_terms(cast["marketing"], kind, reason="Beans cost more", key="t", unit_cost_micros=20_000, when=WHEN)
    assert request.facts["request.changes"] == ["unit_cost_micros"]
    kind.refresh_from_db()
    assert (kind.name, kind.unit_cost_micros, kind.pending_days) == ("Beans", 10_500, 3)


def test_what_was_approved_is_what_is_changed(group: CoffeeGroup, cast: Cast) -> None:
    hold_at(group, BY_FINANCE, "points.point_type")
    kind = group.point_types["east"]
    expiry = {"kind": "after_days", "days": 365}
    request = ask_terms(
        cast["marketing"],
        kind,
        reason="x",
        key="t",
        unit_cost_micros=20_000,
        expiry=expiry,
        funder=group["G"],
        when=WHEN,
    )
    effect = request.read_subject().effect(request.requester, WHEN)
    assert [(line.code, line.before, line.after) for line in effect.lines[1:]] == [
        ("pending_days", 0, 0), ("cost", "CNY 0.01", "CNY 0.02"), ("funder", None, "Coffee Group"),
    ]  # fmt: skip
    assert PointTypeTerms.say(effect.lines[0], "en")[0] == "Before: Points never expire."
    decide(cast["finance"], request.pk, "approved", seen=request.seal(effect), when=WHEN)
    kind.refresh_from_db()
    assert (kind.unit_cost_micros, kind.expiry, kind.funder) == (20_000, expiry, group["G"])
    assert kind.history.latest().history_user == cast.marketing


def test_the_form_asks_for_a_reason_and_sends_a_request(client: Client, group: CoffeeGroup, cast: Cast) -> None:
    hold_at(group, BY_FINANCE, "points.point_type")
    kind = group.point_types["east"]
    client.force_login(cast["marketing"], backend="apps.orgs.auth.RoleBackend")
    page = reverse("admin:points_pointtype_change", args=[kind.pk])
    sent = {"name": "Beans", "expiry_kind": "never", "pending_days": "0", "unit_cost": "0.02", "funder": ""}
    held = client.post(page, sent).content.decode()
    assert "This needs approval first: Finance (finance)" in held
    assert PointType.objects.get(pk=kind.pk).name == "Points"
    answer = client.post(page, {**sent, "reason": "Beans cost more"}, follow=True).content.decode()
    assert "Sent to finance." in answer
    kind.refresh_from_db()
    assert (kind.name, kind.unit_cost_micros) == ("Beans", 10_000)
    assert ApprovalRequest.objects.get().reason == "Beans cost more"
