"""Marketing defines an attribute row by row, and asks for it in a rule at once."""

from typing import Any

import pytest
from playwright.sync_api import expect

from apps.members.models import AttributeDefinition
from tests.browser.driving import axe_findings
from tests.factories import CoffeeGroup
from tests.members.test_defining import define

pytestmark = pytest.mark.browser


def test_a_list_is_defined_in_chinese_and_its_rows_are_put_in_order(studio_page: Any, group: CoffeeGroup) -> None:
    page = studio_page("marketing", language="zh-hans")
    page.goto("/members/attributedefinition/add/")
    page.get_by_label("中文名称").fill("等级")
    page.locator("[name=key]").fill("level")
    expect(page.locator("[data-choices]")).to_be_hidden()
    page.locator("[name=type]").select_option("choice")
    rows = page.locator(".studio-choice")
    for number, label in enumerate(("金卡", "银卡", "普卡")):
        rows.nth(number).get_by_label("中文").fill(label)
    rows.nth(2).get_by_role("button", name="上移").click()
    rows.nth(0).get_by_role("button", name="移除此选项").click()
    page.get_by_role("button", name="添加选项").click()
    rows.last.get_by_label("中文").fill("黑卡")
    assert axe_findings(page) == []
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("等级").first).to_be_visible()
    assert [each["value"] for each in AttributeDefinition.objects.get().choices] == ["普卡", "银卡", "黑卡"]


def test_a_rule_asks_for_it_by_its_label_with_its_choices_and_numbers(studio_page: Any, group: CoffeeGroup) -> None:
    define(group["EAST"], label_zh="等级")
    define(group["EAST"], "height", "decimal", label="Height")
    define(group["EAST"], "old", "text", label="Old", is_active=False)
    page = studio_page("marketing")
    page.goto("/rules/rule/add/")
    condition = page.locator("[data-rule-condition]")
    condition.get_by_role("button", name="Add a condition").click()
    row = condition.locator("[data-row]").last
    asks = row.get_by_label("Asks about")
    assert "the member's “Old”" not in asks.inner_text()
    asks.select_option("member.attributes.level")
    row.get_by_label("Value").select_option("gold")
    expect(page.locator('[data-rule-sentence="en"]')).to_contain_text("the member's “Level” is Gold")
    expect(page.locator('[data-rule-sentence="zh"]')).to_contain_text("会员的“等级”为金卡")
    row.get_by_label("Asks about").select_option("member.attributes.height")
    row.get_by_label("Value").fill("1.5")
    expect(page.locator('[data-rule-sentence="en"]')).to_contain_text("the member's “Height” is 1.5")
    expect(page.locator(".studio-fault:visible")).to_have_count(0)
    assert '"value":1.5' in page.locator("[data-rule-definition]").input_value()
    assert axe_findings(page) == []
