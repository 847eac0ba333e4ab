"""Marketing builds a stamp card by hand, and whoever serves the member sees how far it is."""

from typing import Any

import pytest
from playwright.sync_api import expect

from apps.core.clock import now
from apps.rules.models import RuleVersion
from tests.browser.driving import axe_findings
from tests.factories import CoffeeGroup
from tests.rules.conftest import make_till, publish, purchase
from tests.rules.test_progress import tag

pytestmark = pytest.mark.browser


def test_a_stamp_card_is_built_by_hand_and_fills_as_the_member_buys(studio_page: Any, group: CoffeeGroup) -> None:
    page = studio_page("marketing")
    page.goto("/rules/rule/add/")
    page.get_by_label("Name").fill("Stamp card")
    page.get_by_label("How points are given").select_option(label="Fixed points")
    page.get_by_label("Points", exact=True).fill("50")
    page.get_by_role("button", name="+ Add something to earn").click()
    page.get_by_label("How points are given").last.select_option(label="A tag for the member")
    page.get_by_label("Tag", exact=True).fill("regular")
    page.get_by_label("From when on").select_option(label="from next month on")

    page.get_by_label("When it gives").select_option(label="each time a member has a further")
    page.get_by_label("How much").fill("1.5")
    page.get_by_label("Of what is gathered").select_option(label="pieces bought")
    page.get_by_label("In which time").select_option(label="in a year")
    page.get_by_label("Which lines of the order count").select_option(label="only lines count where…")
    expect(page.locator('[data-path="accumulator/lines/all/0"] .studio-fault')).to_have_count(1)
    page.get_by_label("Value", exact=True).last.fill("coffee")
    page.get_by_label("Of what is gathered").select_option(label="different stores")
    expect(page.locator('[data-path="accumulator"] > .studio-fault')).to_have_text(
        "Expected a whole number from 2 to 100."
    )
    page.keyboard.press("Control+z")
    page.get_by_label("How much").fill("10")
    expect(page.locator('[data-rule-sentence="zh"]')).to_have_text(
        "当事件类型为消费时，会员当年每购满 10 件（“coffee”类商品），会员获得 50 积分；另外，会员获得标签“regular”，次月有效。"
    )
    expect(page.locator(".studio-fault")).to_have_count(0)
    assert axe_findings(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("A draft: it earns nothing until it is published.")).to_be_visible()
    definition = RuleVersion.objects.get().definition
    assert definition["effects"][1] == {"effect": "tag", "tag": "regular", "start": "next_month", "days": None}
    assert definition["accumulator"] == {
        "of": "pieces", "at": "10", "fires": "step", "period": "year", "attribute": "",
        "lines": {"all": [{"field": "line.category", "op": "in", "value": ["coffee"]}]},
    }  # fmt: skip

    page.get_by_role("button", name="Review & publish…").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Version 1 is scheduled")).to_be_visible()
    page.wait_for_timeout(3_000)
    publish(group, tag("friend", days=30))
    till = make_till(group)
    till.send(*(purchase("30", occurred_at=now()) for _ in range(3)), when=now())
    for language, said in (("en", "3 of 10"), ("zh-hans", "3 / 10")):
        page = studio_page("service", language=language, width=390)
        page.goto(f"/members/member/{till.member().pk}/change/")
        card = page.get_by_role("listitem").filter(has_text="Stamp card").first
        expect(card).to_contain_text(said)
        expect(card.get_by_role("progressbar")).to_have_attribute("value", "0.3000")
        expect(page.locator(".studio-tag", has_text="friend")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert axe_findings(page) == []
