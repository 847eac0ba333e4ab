"""Marketing keeps a special day and asks for it by name in a rule."""

from typing import Any

import pytest
from playwright.sync_api import expect

from apps.orgs.models import SpecialDay
from apps.orgs.services import create_special_day
from tests.browser.driving import axe_findings
from tests.factories import CoffeeGroup

pytestmark = pytest.mark.browser


def test_a_member_day_is_added_in_chinese(studio_page: Any, group: CoffeeGroup) -> None:
    page = studio_page("marketing", language="zh-hans")
    page.goto("/orgs/specialday/add/")
    page.get_by_label("名称").fill("会员日")
    page.get_by_label("代码").fill("md")
    page.get_by_label("哪些日期").select_option("each_month")
    expect(page.get_by_label("星期几")).to_be_hidden()
    page.get_by_label("几号").fill("8")
    assert axe_findings(page) == []
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("每月8日")).to_be_visible()
    assert SpecialDay.objects.get().days == {"kind": "each_month", "day": 8}


def test_a_rule_asks_for_a_special_day_by_its_name(studio_page: Any, group: CoffeeGroup) -> None:
    for code, name in (("md", "Member day"), ("fest", "Lantern festival")):
        create_special_day(group.east, code=code, name=name, days={"kind": "each_month", "day": 8})
    page = studio_page("marketing")
    page.goto("/rules/rule/add/")
    condition = page.locator("[data-rule-condition]")
    condition.get_by_role("button", name="Add a condition").click()
    row = condition.locator("[data-row]").last
    row.get_by_label("Asks about").select_option("event.special_days")
    row.get_by_label("Lantern festival").check(force=True)
    expect(page.locator('[data-rule-sentence="en"]')).to_contain_text("the day is “Lantern festival”")
    expect(page.locator('[data-rule-sentence="zh"]')).to_contain_text("当天是“Lantern festival”")
    assert axe_findings(page) == []
