"""The main road in a browser: marketing publishes a rule, a till sells, the member has points with a reason, finance
reads what they cost, and a regional manager sees the region's members and no others."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from apps.core.clock import now
from apps.members.models import Member
from apps.orgs.services import create_api_client
from apps.points.checking import differences
from apps.points.models import Account
from tests.browser.conftest import browser, cast, group, studio, studio_page  # noqa: F401 -- fixtures
from tests.factories import CoffeeGroup

pytestmark = pytest.mark.browser


def test_from_a_rule_to_points_to_their_cost(group: CoffeeGroup, studio_page: Any) -> None:  # noqa: F811
    marketing = studio_page("marketing")
    marketing.goto("/rules/rule/add/")
    marketing.get_by_label("Name").fill("A point a yuan")
    marketing.get_by_role("button", name="Save", exact=True).click()
    marketing.get_by_role("button", name="Review & publish…").click()
    marketing.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()
    expect(marketing.get_by_text("Published. In force from")).to_be_visible()

    _client, key = create_api_client(
        group["EAST"], code="till", name="Till", scopes=["events:write", "members:write"], when=now()
    )
    headers = {"Authorization": f"Bearer {key}"}
    for number, store in ((1, "S001"), (2, "S003")):
        joined = marketing.request.post(
            "/api/v1/members",
            data={"identifiers": [{"kind": "card", "value": f"C000{number}"}], "home_unit": store},
            headers=headers | {"Idempotency-Key": f"join-{number}"},
        )
        assert joined.status == 201, joined.text()
    bought_at = (now() + timedelta(seconds=3)).isoformat()
    sale = {
        "key": "sale-1", "kind": "purchase", "member": {"kind": "card", "value": "C0001"}, "occurred_at": bought_at,
        "store": "S001", "lines": [{"sku": "LATTE", "category": "coffee", "quantity": "2", "amount": "37.80"}],
    }  # fmt: skip
    answer = marketing.request.post("/api/v1/events", data=sale, headers=headers)
    assert answer.status == 201, answer.text()
    assert [award["points"] for award in answer.json()["awards"]] == [37]
    assert marketing.request.post("/api/v1/events", data=sale, headers=headers).json() == answer.json()
    assert Account.objects.get().balance == 37

    member = Member.objects.get(home_unit__code="S001")
    service = studio_page("service")
    service.goto(f"/members/member/{member.pk}/change/")
    expect(service.get_by_text("A point a yuan, version 1")).to_be_visible()
    expect(service.get_by_text("37 points").first).to_be_visible()

    finance = studio_page("finance")
    finance.goto("/reports/dailyfact/cost/")
    expect(finance.get_by_text("difference 0")).to_be_visible()
    total = finance.get_by_role("region", name="By month").get_by_role("row", name="Total")
    expect(total).to_contain_text("37")
    expect(total).to_contain_text("¥0.37")

    manager = studio_page("regional_manager")
    manager.goto("/members/member/")
    expect(manager.locator("#result_list tbody tr")).to_have_count(1)
    other = Member.objects.get(home_unit__code="S003")
    assert manager.request.get(f"/members/member/{other.pk}/change/").status == 404
    assert manager.request.get("/members/member/87654321/change/").status == 404
    assert differences() == []
