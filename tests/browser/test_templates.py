"""Marketing begins from a template, restores an older version, stops the rule, and brings a whole programme in again."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from apps.core.clock import now
from apps.rules import services
from apps.rules.exchange import exported
from apps.rules.gallery import TEMPLATES
from apps.rules.models import RuleVersion
from tests.browser.driving import axe_findings
from tests.factories import CoffeeGroup

pytestmark = pytest.mark.browser


def birthday(group: CoffeeGroup) -> RuleVersion:
    content = TEMPLATES["birthday"].filled("points", [("EAST", "company")], now().date())
    return services.create_rule(
        None, group.east, group["EAST"], code="birthday", name="Birthday", definition=content, when=now()
    )  # fmt: skip


def test_a_template_becomes_a_draft_in_chinese(studio_page: Any) -> None:
    page = studio_page("marketing", language="zh-hans")
    page.goto("/rules/rule/")
    page.get_by_role("link", name="从模板新建").click()
    page.get_by_label("搜索模板").fill("生日礼")
    page.get_by_role("button", name="搜索", exact=True).click()
    expect(page.get_by_role("link", name="使用“")).to_have_count(1)
    assert axe_findings(page) == []
    page.get_by_role("link", name="使用“生日礼”").click()
    expect(page.get_by_text("来自模板“生日礼”。")).to_be_visible()
    expect(page.get_by_label("名称")).to_have_value("生日礼")
    expect(page.locator('[data-rule-sentence="zh"]')).to_contain_text("当天是会员生日时，会员获得 200 积分")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("草稿：发布之前不产生积分。")).to_be_visible()
    version = RuleVersion.objects.get()
    assert (version.rule.code, version.state) == ("birthday", "draft")


def test_an_older_version_comes_back_and_a_live_rule_stops(studio_page: Any, group: CoffeeGroup) -> None:
    first = birthday(group)
    services.publish_version(None, first, starts_at=now(), when=now())
    second = services.start_draft(None, first, when=now())
    changed = json.loads(json.dumps(second.definition).replace("200", "300"))
    services.save_draft(None, second, changed, when=now())
    page = studio_page("marketing")
    page.wait_for_timeout(2_500)
    page.goto(f"/rules/rule/{first.rule_id}/change/")
    page.get_by_role("button", name="Restore as draft…").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_text("A draft like version 1 is ready to be changed.")).to_be_visible()
    second.refresh_from_db()
    assert second.definition == first.definition
    page.get_by_role("button", name="Stop at once…").click()
    assert axe_findings(page) == []
    page.get_by_role("button", name="Stop now").click()
    expect(page.get_by_text("The rule is retired.")).to_be_visible()
    first.refresh_from_db()
    assert first.ends_at is not None


def test_a_file_is_compared_in_words_and_brought_in_as_drafts(
    studio_page: Any, group: CoffeeGroup, tmp_path: Path
) -> None:
    draft = birthday(group)
    written = exported(None, group.east, now())
    file = tmp_path / "east.json"
    file.write_text(json.dumps(written).replace("200", "250"))
    page = studio_page("marketing")
    page.goto("/rules/rule/program/")
    page.locator("[name=file]").set_input_files(file)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("What members earn: members earn 200 points → members earn 250 points")).to_be_visible()
    assert axe_findings(page) == []
    page.get_by_role("button", name="Bring in as drafts").click()
    expect(page.get_by_text("1 rule is drafted. Nothing is live yet.")).to_be_visible()
    draft.refresh_from_db()
    assert (draft.state, draft.definition["effects"][0]["points"]) == ("draft", 250)
