"""The box under Ctrl+K: a member is found while one types, by keys alone, and on a phone; what was typed leaves no trace."""

from typing import Any

import pytest
from playwright.sync_api import expect

from apps.core.clock import now
from apps.members.models import Look, Member
from apps.members.services import create_member
from tests.browser.driving import Studio, axe_findings
from tests.factories import CoffeeGroup

pytestmark = pytest.mark.browser


@pytest.fixture
def wang(group: CoffeeGroup) -> Member:
    return create_member(
        None, group["S001"], identifiers=[("phone", "13812341234"), ("card", "C00012345")], name="王小明", when=now()
    )


def test_a_member_is_found_and_opened_by_keys_alone(studio_page: Any, group: CoffeeGroup, wang: Member) -> None:
    create_member(None, group["S002"], identifiers=[("card", "C7")], name="王芳", when=now())
    page = studio_page("service")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/search/" in request.url else None)
    page.goto("/orgs/orgunit/")
    page.keyboard.press("Control+k")
    palette, box = page.get_by_role("dialog", name="Find anything"), page.get_by_role("combobox")
    expect(palette).to_contain_text("Searches for members are recorded")
    assert axe_findings(page) == []
    page.keyboard.insert_text("王")
    options = palette.get_by_role("option")
    expect(options).to_have_count(2)
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(palette.get_by_role("status")).to_have_text("Found: 2")
    assert axe_findings(page) == []
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_contain_text(f"王** #{wang.pk}")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", options.nth(1).get_attribute("id"))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/members/member/{wang.pk}/change/")
    assert [(look.what, look.found) for look in Look.objects.all()] == [("name ****", 2)]
    assert [address for address in sent if not address.endswith("/search/")] == []


def test_four_digits_and_enter_open_whom_they_alone_name(studio_page: Any, wang: Member) -> None:
    page = studio_page("service")
    page.goto("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("1234")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/members/member/{wang.pk}/change/")
    assert [look.what for look in Look.objects.all()] == ["****1234"]


def test_what_is_typed_further_before_a_pause_is_asked_once(studio_page: Any, wang: Member) -> None:
    page = studio_page("service")
    page.goto("/")
    page.keyboard.press("Control+k")
    page.keyboard.type("C00012345", delay=20)
    expect(page.get_by_role("option")).to_contain_text("Card ****2345")
    assert [look.what for look in Look.objects.all()] == ["****2345"]
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_have_value("")
    expect(page.get_by_role("option")).to_have_count(0)


def test_the_box_works_on_a_phone_in_chinese_and_in_the_dark(studio_page: Any, wang: Member) -> None:
    page = studio_page("service", language="zh-hans", width=390, theme="dark")
    page.goto("/")
    page.get_by_role("button", name="查找任何内容").locator("visible=true").click()
    page.get_by_role("combobox").fill("小明")
    expect(page.get_by_role("option")).to_contain_text("Lakeside · 138****1234, ****2345")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe_findings(page) == []
    page.get_by_role("combobox").fill("没有")
    expect(page.get_by_role("dialog")).to_contain_text("没有您可以查看的同名内容")
    assert axe_findings(page) == []
    page.get_by_role("combobox").fill("小明")
    page.get_by_role("option").click()
    page.wait_for_url(f"**/members/member/{wang.pk}/change/")


def test_a_search_without_an_answer_says_so_and_is_tried_again(studio: Studio, studio_page: Any, wang: Member) -> None:
    page = studio_page("service")
    page.goto("/")
    page.route("**/search/", lambda route: route.abort())
    page.keyboard.press("Control+k")
    page.keyboard.type("1234")
    expect(page.get_by_role("alert")).to_contain_text("The search was not answered")
    assert axe_findings(page) == []
    page.unroute("**/search/")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("option")).to_contain_text("Phone 138****1234")


def test_the_box_belongs_to_itself_and_sends_no_form_of_the_page_below(studio_page: Any, wang: Member) -> None:
    page = studio_page("service")
    page.goto(f"/members/member/{wang.pk}/change/?change=1")
    page.keyboard.press("Control+k")
    page.keyboard.type("1234")
    expect(page.get_by_role("dialog").get_by_role("option")).to_have_count(1)
    with page.context.expect_page() as opened:
        page.keyboard.press("Control+Enter")
    opened.value.wait_for_url(f"**/members/member/{wang.pk}/change/")
    assert page.url.endswith("?change=1")
