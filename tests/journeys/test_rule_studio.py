"""Issue 3's outcome: marketing, without code, makes a rule of a template, doubles it for some on weekends under a budget,
reads it in both languages, tries it, compares it, and publishes it for Monday 00:00; what it then gives is what it says."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from django.utils.html import strip_tags
from playwright.sync_api import Page, expect

from apps.activity.services import source_for
from apps.core.clock import now
from apps.core.formats import moment
from apps.members.models import MemberTag
from apps.members.services import create_member
from apps.points.checking import differences
from apps.rules.models import RuleVersion
from apps.rules.pipeline import process
from tests.browser.conftest import browser, cast, group, studio, studio_page  # noqa: F401 -- fixtures
from tests.browser.driving import axe_findings
from tests.factories import CoffeeGroup
from tests.rules.conftest import line, purchase

pytestmark = pytest.mark.browser

ZONE = ZoneInfo("Asia/Shanghai")
BASE = {
    "en": "For each ¥1 spent, members earn 1 point, rounded down, when the event is a purchase.",
    "zh": "当事件类型为消费时，每消费 ¥1，会员获得 1 积分，向下取整。",
}
DOUBLE = {
    "en": "Members earn 2 × the points that other rules give, at most 200 points a day for one member and at most 300,000 "
    "points in all, when the event is a purchase and the day of the week is Saturday or Sunday and the store is in “East "
    "North” and the member has the tag “高活跃” and at least one line is such that the category is “coffee”.",
    "zh": "当事件类型为消费，且星期为周六、周日之一，且门店属于“East North”，且会员有标签“高活跃”，"
    "且至少有一行明细满足（品类为“coffee”）时，会员获得其他规则所给积分的 2 倍，每位会员每天最多 200 积分，"
    "且整个计划累计最多 300,000 积分。",
}
ENGLISH = {
    "rate": "Points for every purchase", "weekend": "Double points at the weekend", "use": "Use “{}”", "name": "Name",
    "save": "Save", "points": "Points", "review": "Review & publish…", "publish": "Publish", "at": "from",
    "start": "Start: date and time", "add": "+ Add a condition", "field": "Asks about", "store": "the store",
    "tags": "the member's tags", "how": "Compared how",
    "any": "has any of", "value": "Value", "line": "at least one line where", "goods": "the category", "limit": "+ Add a limit",
    "most": "At most", "per": "For whom", "period": "In which period", "whole": "in all", "ever": "ever",
    "other": "中文", "count": "1 of 3 members", "try": "Try", "amount": "Amount", "category": "Category",
    "place": "Store", "when": "Date and time", "told": "The member's tags", "gives": "200 points", "none": "Nothing",
    "failed": "the member has the tag “高活跃” was: empty", "now": "now, in a few seconds",
    "cut": "The limit cut off 58: at most 200 points a day for one member.",
    "draft": "Draft a new version", "compare": "Compare the two chosen",
    "compared": ["From version 1 to version 2", "Added: the store is in “East North”",
                 "Added: the member has the tag “高活跃”",
                 "Added: at least one line is such that the category is “coffee”",
                 "Added: at most 200 points a day for one member", "Added: at most 300,000 points in all"],
    "published": "Published. In force from {} (Asia/Shanghai).", "starts": "Version 1 is scheduled: it starts on {}.",
    "follows": "Version 2 takes over on {}.", "scheduled": "Scheduled",
}  # fmt: skip
CHINESE = {
    "rate": "消费积分", "weekend": "周末双倍积分", "use": "使用“{}”", "name": "名称",
    "save": "保存", "points": "积分", "review": "检查并发布…", "publish": "发布", "at": "自",
    "start": "开始的日期和时间", "add": "+ 添加条件", "field": "条件字段", "store": "门店",
    "tags": "会员的标签", "how": "比较方式",
    "any": "含有任一", "value": "值", "line": "至少有一行明细满足", "goods": "品类", "limit": "+ 添加上限",
    "most": "最多", "per": "适用对象", "period": "周期", "whole": "整个计划", "ever": "累计",
    "other": "English", "count": "3 位会员中的 1 位", "try": "试算", "amount": "金额", "category": "品类",
    "place": "门店", "when": "日期和时间", "told": "会员的标签", "gives": "200 积分", "none": "无积分",
    "failed": "会员有标签“高活跃” 实际：空", "now": "现在（几秒后）",
    "cut": "每位会员每天最多 200 积分",
    "draft": "起草新版本", "compare": "对比所选的两个版本",
    "compared": ["从第 1 版到第 2 版", "新增：门店属于“East North”", "新增：会员有标签“高活跃”",
                 "新增：至少有一行明细满足（品类为“coffee”）", "新增：每位会员每天最多 200 积分",
                 "新增：整个计划累计最多 300,000 积分"],
    "published": "已发布。自 {}（Asia/Shanghai）起生效。", "starts": "第 1 版已发布，将于 {} 生效。",
    "follows": "第 2 版将于 {} 接替。", "scheduled": "已排期",
}  # fmt: skip


@pytest.mark.parametrize(("language", "words"), [("en", ENGLISH), ("zh-hans", CHINESE)])
def test_marketing_publishes_for_monday_what_it_wrote_without_code(
    language: str,
    words: dict[str, Any],
    group: CoffeeGroup,  # noqa: F811
    studio_page: Any,  # noqa: F811
) -> None:
    today = now().astimezone(ZONE).date()
    for number, tag in enumerate(("高活跃", "新客", None)):
        member = create_member(None, group["S001"], identifiers=[("card", f"C{number}")], when=now())
        if tag:
            MemberTag.objects.create(member=member, tag=tag, from_on=today, rule_id=1, event_id=number)
    monday = datetime.combine(today + timedelta(days=7 - today.weekday()), time(), ZONE)
    saturday = monday + timedelta(days=5, hours=10)
    page = studio_page("marketing", language=language)
    write = Writer(page, language, words)

    write.begin_from("rate")
    page.get_by_label(words["name"]).fill("购物 1 元 = 1 积分")
    write.sentences(BASE)
    write.save()
    write.publish(monday)
    expect(page.get_by_text(words["starts"].format(write.moment(monday)))).to_be_visible()

    write.begin_from("weekend")
    write.save()
    write.publish(None)
    page.get_by_role("button", name=words["draft"]).click()
    write.condition(words["store"])
    page.get_by_role("combobox", name=words["value"], exact=True).last.fill("north")
    page.keyboard.press("Enter")
    write.condition(words["tags"])
    page.get_by_label(words["how"]).last.select_option(label=words["any"])
    page.get_by_role("combobox", name=words["value"], exact=True).last.fill("高活")
    page.get_by_role("option", name="高活跃").click()
    write.condition(words["line"])
    page.get_by_label(words["field"]).last.select_option(label=words["goods"])
    page.get_by_label(words["value"], exact=True).last.fill("coffee")
    write.limit("200")
    write.limit("300000", period=words["ever"], per=words["whole"])
    write.sentences(DOUBLE)
    expect(page.locator("[data-rule-count]")).to_have_text(words["count"])

    trial = page.locator("[data-rule-trial]")
    trial.get_by_label(words["amount"]).fill("258.8")
    trial.get_by_label(words["category"]).fill("coffee")
    trial.get_by_label(words["place"]).select_option(label="Lakeside")
    trial.get_by_label(words["when"]).fill(f"{saturday:%Y-%m-%dT%H:%M}")
    trial.get_by_role("button", name=words["try"]).click()
    expect(trial).to_contain_text(words["none"])
    expect(trial).to_contain_text(words["failed"])
    trial.get_by_label(words["told"]).fill("高活跃")
    trial.get_by_role("button", name=words["try"]).click()
    expect(trial).to_contain_text(words["gives"])
    expect(trial).to_contain_text(words["cut"])
    assert axe_findings(page) == []

    write.save()
    page.get_by_role("button", name=words["compare"]).click()
    for text in words["compared"]:
        expect(page.locator(".studio-compared")).to_contain_text(text)
    write.publish(monday)
    expect(page.get_by_text(words["follows"].format(write.moment(monday)))).to_be_visible()
    page.goto("/rules/rule/")
    expect(page.get_by_role("row", name=words["weekend"])).to_contain_text(words["scheduled"])
    expect(page.get_by_role("row", name="购物 1 元 = 1 积分")).to_contain_text(write.moment(monday))
    assert sorted(RuleVersion.objects.values_list("starts_at", flat=True))[1:] == [monday, monday]

    till = source_for("till", group["EAST"])
    latest = saturday + timedelta(days=1)

    def earned(
        amount: str, member: str = "C0", at: datetime = saturday, goods: str = "coffee", store: str = "S001"
    ) -> int:
        sale = purchase(amount, member=member, occurred_at=at, store=store, lines=(line(amount, category=goods),))
        return process(None, till, [sale], when=latest)[0].points

    assert earned("150", at=monday - timedelta(seconds=1)) == 0
    assert earned("150", at=monday) == 150
    assert earned("150") == 300
    assert earned("100") == 150
    assert earned("100") == 100
    assert earned("100", at=saturday + timedelta(hours=20)) == 200
    assert earned("100", member="C1") == 100
    assert earned("100", goods="tea") == 100
    assert earned("100", store="S003") == 100
    assert differences() == []


class Writer:
    """What marketing does again and again, in the words of one language."""

    def __init__(self, page: Page, language: str, words: dict[str, Any]) -> None:
        self.page, self.language, self.words = page, language, words

    def moment(self, instant: datetime) -> str:
        """As this person reads it, in the programme's zone."""
        with translation.override(self.language):
            return strip_tags(moment(instant, ZONE))

    def begin_from(self, template: str) -> None:
        self.page.goto("/rules/rule/templates/")
        self.page.get_by_role("link", name=self.words["use"].format(self.words[template]), exact=True).click()

    def condition(self, about: str) -> None:
        self.page.get_by_role("button", name=self.words["add"]).last.click()
        self.page.get_by_label(self.words["field"]).last.select_option(label=about)

    def limit(self, most: str, **chosen: str) -> None:
        self.page.get_by_role("button", name=self.words["limit"]).click()
        self.page.get_by_label(self.words["most"], exact=True).last.fill(most)
        for name, label in chosen.items():
            self.page.get_by_label(self.words[name]).last.select_option(label=label)

    def sentences(self, sentences: dict[str, str]) -> None:
        """Both, the second one click away."""
        other = self.page.locator("[data-rule-editor]").get_by_role("button", name=self.words["other"], exact=True)
        if other.get_attribute("aria-expanded") == "false":
            other.click()
        for code, sentence in sentences.items():
            shown = self.page.locator(f'[data-rule-sentence="{code}"]')
            expect(shown).to_be_visible()
            expect(shown).to_have_text(sentence)

    def save(self) -> None:
        self.page.get_by_role("button", name=self.words["save"], exact=True).click()
        expect(self.page.get_by_role("button", name=self.words["review"])).to_be_visible()

    def publish(self, start: datetime | None) -> None:
        self.page.get_by_role("button", name=self.words["review"]).click()
        dialog = self.page.get_by_role("dialog")
        if start is not None:
            dialog.get_by_label(self.words["start"]).fill(f"{start:%Y-%m-%dT%H:%M}")
        dialog.get_by_role("button", name=self.words["publish"], exact=True).click()
        if start is not None:
            expect(self.page.get_by_text(self.words["published"].format(self.moment(start)))).to_be_visible()
