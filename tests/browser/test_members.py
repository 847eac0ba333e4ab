"""Customer service answers a call: finds the member, reads why, looks at the card number, apologises with points."""

from datetime import date
from typing import Any

import pytest
from playwright.sync_api import expect

from apps.core.clock import now
from apps.members.models import Look, Member
from apps.members.services import create_member
from apps.points.models import Account
from tests.browser.driving import axe_findings
from tests.factories import CoffeeGroup

pytestmark = pytest.mark.browser


@pytest.fixture
def wang(group: CoffeeGroup) -> Member:
    return create_member(
        None, group["S001"], identifiers=[("phone", "13812341234"), ("card", "C00012345")], name="王小明",
        birth_on=date(1990, 2, 14), when=now(),
    )  # fmt: skip


def test_service_finds_a_member_looks_for_a_reason_and_adjusts_points(studio_page: Any, wang: Member) -> None:
    page = studio_page("service")
    page.goto("/")
    box = page.get_by_role("main").get_by_role("searchbox")
    box.fill("1234")
    box.press("Enter")
    expect(page.get_by_role("heading", name="王** Active")).to_be_visible()
    expect(page.get_by_role("list", name="Identifiers").get_by_text("138****1234")).to_be_visible()
    assert axe_findings(page) == []

    page.get_by_text("Show personal data").click()
    page.get_by_label("Why do you need to see it?").fill("Caller asks for her card")
    page.locator("details", has=page.get_by_label("Why do you need to see it?")).get_by_role("button").click()
    expect(page.get_by_text("C00012345")).to_be_visible()
    expect(page.get_by_text("for 10 more minutes")).to_be_visible()
    assert axe_findings(page) == []

    page.get_by_role("link", name="Adjust points").click()
    page.locator("[name=points]").fill("50")
    page.locator("[name=reason]").fill("Late delivery")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#timeline")).to_contain_text("Late delivery")
    assert Account.objects.get(member=wang).balance == 50
    assert list(Look.objects.order_by("pk").values_list("kind", "what")) == [
        ("search", "****1234"), ("reveal", "name, birth_on, card, phone"),
    ]  # fmt: skip


def test_the_page_works_on_a_phone_in_chinese_and_in_the_dark(studio_page: Any, wang: Member) -> None:
    page = studio_page("service", language="zh-hans", width=390, theme="dark")
    page.goto(f"/members/member/{wang.pk}/change/")
    expect(page.get_by_role("link", name="调整积分")).to_be_visible()
    for fold in page.locator("details.studio-fold > summary").all():
        fold.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe_findings(page) == []
