"""Marketing writes a rule from an empty page, reads it as a sentence, tries it, publishes it, and sees it live."""

from typing import Any

import pytest
from playwright.sync_api import expect

from apps.core.clock import now
from apps.rules import services
from apps.rules.models import RuleVersion
from tests.browser.driving import axe_findings
from tests.factories import CoffeeGroup
from tests.rules.conftest import PER_YUAN, PURCHASE

pytestmark = pytest.mark.browser


def test_marketing_writes_a_rule_in_chinese_and_sees_it_live(studio_page: Any) -> None:
    page = studio_page("marketing", language="zh-hans")
    page.goto("/rules/rule/add/")
    page.get_by_label("名称").fill("咖啡一元一分")
    expect(page.locator("[name=code]")).to_have_value("rule-1")
    page.get_by_label("计入的订单明细").select_option(label="仅计入满足条件的明细…")
    page.get_by_label("值", exact=True).first.fill("咖啡，拿铁")
    page.get_by_role("button", name="+ 添加条件").last.click()
    page.get_by_label("条件字段").last.select_option(label="门店")
    page.get_by_label("值", exact=True).last.select_option(label="\u2003East North")
    page.get_by_label("每位会员每天最多").fill("200")
    expect(page.locator('[data-rule-sentence="zh"]')).to_have_text(
        "当事件类型为消费，且门店属于“East North”时，“咖啡”、“拿铁”类商品每消费 ¥1，会员获得 1 积分，向下取整，"
        "每位会员每天最多 200 积分。"
    )
    expect(page.locator('[data-rule-sentence="en"]')).to_have_text(
        "For each ¥1 spent on “咖啡” or “拿铁”, members earn 1 point, rounded down, at most 200 points a day for one "
        "member, when the event is a purchase and the store is in “East North”."
    )
    assert axe_findings(page) == []
    page.get_by_role("button", name="保存", exact=True).click()

    expect(page.get_by_text("草稿：发布之前不产生积分。")).to_be_visible()
    trial = page.locator("[data-rule-trial]")
    trial.get_by_label("金额").fill("258.8")
    trial.get_by_label("品类").fill("拿铁")
    trial.get_by_role("button", name="试算").click()
    expect(trial).to_contain_text("200 积分")
    trial.get_by_label("门店").select_option(label="Harbour")
    trial.get_by_role("button", name="试算").click()
    expect(trial).to_contain_text("无积分")
    expect(trial).to_contain_text("门店属于“East North” 实际：Harbour")
    assert axe_findings(page) == []

    page.get_by_label("每位会员每天最多").fill("300")
    page.get_by_role("button", name="检查并发布…").click()
    dialog = page.get_by_role("dialog", name="发布第 1 版")
    expect(dialog).to_contain_text("每位会员每天最多 300 积分。")
    dialog.get_by_role("button", name="发布", exact=True).click()
    expect(page.get_by_text("第 1 版已发布，将于")).to_be_visible()
    version = RuleVersion.objects.get()
    assert (version.state, version.published_by.username) == ("published", "marketing")  # type: ignore[union-attr]
    page.wait_for_timeout(3_000)
    page.reload()
    expect(page.get_by_text("第 1 版自")).to_be_visible()
    page.goto("/rules/rule/")
    expect(page.get_by_role("row", name="咖啡一元一分")).to_contain_text("生效中")


def test_faults_stand_at_their_rows_all_at_once_and_nothing_typed_is_lost(studio_page: Any) -> None:
    page = studio_page("marketing")
    page.goto("/rules/rule/add/")
    page.get_by_label("Amount", exact=True).fill("none")
    page.get_by_role("button", name="+ Add a condition").click()
    page.get_by_label("Asks about").last.select_option(label="the amount")
    page.get_by_label("Compared how").last.select_option(label="is between")
    page.get_by_label("From").fill("50")
    page.get_by_label("To", exact=True).fill("20")
    page.get_by_label("At most for one member a day").fill("lots")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("This field is required.")).to_have_count(2)
    rows = [
        ("effects/0", "Expected a number."),
        ("condition/all/1", "The lower value is above the upper one."),
        ("cap_per_member_day", "Expected a number."),
    ]
    for path, message in rows:
        expect(page.locator(f'[data-path="{path}"] > .studio-fault')).to_have_text(message)
    expect(page.get_by_label("From")).to_have_value("50")
    expect(page.get_by_label("Amount", exact=True)).to_have_value("none")
    expect(page.get_by_label("At most for one member a day")).to_have_value("lots")
    assert not RuleVersion.objects.exists()
    page.get_by_label("To", exact=True).fill("90")
    expect(page.locator('[data-path="condition/all/1"] > .studio-fault')).to_have_count(0)
    assert axe_findings(page) == []


def test_who_saves_a_draft_that_somebody_changed_meanwhile_is_told_and_keeps_what_they_typed(
    studio_page: Any, group: CoffeeGroup
) -> None:
    definition = {"condition": PURCHASE, "effects": [PER_YUAN], "cap_per_member_day": None}
    draft = services.create_rule(
        None, group.east, group["EAST"], code="yuan", name="Yuan", definition=definition, when=now()
    )
    page = studio_page("marketing")
    page.goto(f"/rules/rule/{draft.rule_id}/change/")
    services.save_draft(None, draft, definition | {"cap_per_member_day": 10}, when=now())
    page.get_by_label("At most for one member a day").fill("20")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Somebody changed this since you opened it.")).to_be_visible()
    assert RuleVersion.objects.get().definition["cap_per_member_day"] == 10
    expect(page.get_by_label("At most for one member a day")).to_have_value("20")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert RuleVersion.objects.get().definition["cap_per_member_day"] == 20


def test_a_phone_shows_the_whole_rule_and_axe_finds_nothing(studio_page: Any, group: CoffeeGroup) -> None:
    definition = {"condition": PURCHASE, "effects": [PER_YUAN], "cap_per_member_day": None}
    draft = services.create_rule(
        None, group.east, group["EAST"], code="yuan", name="Yuan", definition=definition, when=now()
    )
    for theme in ("light", "dark"):
        page = studio_page("marketing", width=390, theme=theme)
        page.goto(f"/rules/rule/{draft.rule_id}/change/")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert axe_findings(page) == []
