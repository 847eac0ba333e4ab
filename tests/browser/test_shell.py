"""What every page has: the sidebar of one's job, two languages, keys, and nothing for axe to find."""

from typing import Any

import pytest
from playwright.sync_api import expect

from apps.orgs import services
from tests.browser.driving import axe_findings
from tests.factories import Cast
from tests.security.conftest import PERSONAS

pytestmark = pytest.mark.browser


def test_each_persona_comes_home_without_an_error_and_axe_finds_nothing(studio_page: Any) -> None:
    for persona in PERSONAS:
        for language in ("en", "zh-hans"):
            page = studio_page(persona, language=language)
            page.goto("/")
            expect(page.get_by_role("main")).to_be_visible()
            assert axe_findings(page) == [], persona


def test_the_language_switch_stays_on_the_page_with_its_filters(studio_page: Any) -> None:
    page = studio_page("administrator")
    page.goto("/orgs/orgunit/?kind__exact=store&q=Lake")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    assert page.url.endswith("/orgs/orgunit/?kind__exact=store&q=Lake")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.url.endswith("/orgs/orgunit/?kind__exact=store&q=Lake")


def test_the_sidebar_holds_the_pages_of_the_job(studio_page: Any) -> None:
    service, administrator = studio_page("service"), studio_page("administrator")
    for page in (service, administrator):
        page.goto("/")
    assert service.locator("#nav-sidebar").get_by_role("link", name="Staff").count() == 0
    assert administrator.locator("#nav-sidebar").get_by_role("link", name="Staff").count() == 1


def test_the_palette_finds_pages_and_no_unit_of_another_company(studio_page: Any) -> None:
    page = studio_page("administrator")
    page.goto("/")
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Find anything")
    palette.get_by_role("combobox").fill("Staff")
    expect(palette.get_by_role("option", name="Staff Organisation")).to_be_visible()
    palette.get_by_role("combobox").fill("Old Town")
    expect(palette).to_contain_text("Nothing of that name")


def test_the_question_mark_lists_the_keys(studio_page: Any) -> None:
    page = studio_page("finance")
    page.goto("/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_no_page_breaks_its_own_policy_when_it_is_used(studio_page: Any, cast: Cast) -> None:
    """A refusal by the browser is a console error, which fails the test; see `studio`."""
    page = studio_page("administrator")
    page.goto("/orgs/orgunit/")
    page.goto("/orgs/staff/?is_active__exact=1")
    page.goto(f"/orgs/staff/{cast.finance.pk}/change/")
    page.goto(f"/orgs/staff/{cast.finance.pk}/history/")
    page.goto("/orgs/apiclient/add/")
    page.get_by_label("Name").focus()
    page.keyboard.press("Control+k")
    expect(page.locator("[data-palette] input[type=search]")).to_be_focused()
    page.keyboard.type("st")
    expect(page.locator("#palette-list")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-palette]")).to_be_hidden()
    page.keyboard.press("Control+e")
    expect(page.locator("html")).to_have_class("dark")


def test_the_keys_find_and_search(studio_page: Any) -> None:
    page = studio_page("administrator")
    page.goto("/orgs/staff/")
    page.keyboard.press("/")
    expect(page.locator("#searchbar")).to_be_focused()
    page.goto("/two-step/")
    page.keyboard.press("/")
    expect(page.locator("[data-palette] input[type=search]")).to_be_visible()


def test_a_person_signs_in_by_keys_alone_and_out_again(studio_page: Any, cast: Cast) -> None:
    services.set_password(cast.finance, "cold brew at dawn")
    page = studio_page(None, language="zh-hans", width=390, theme="dark")
    page.goto("/orgs/program/")
    assert axe_findings(page) == []
    page.keyboard.type("finance")
    page.keyboard.press("Tab")
    page.keyboard.type("cold brew at noon")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不正确")
    assert axe_findings(page) == []
    page.locator("#id_password").fill("cold brew at dawn")
    page.keyboard.press("Enter")
    page.wait_for_url("**/orgs/program/")
    page.goto("/")
    page.get_by_role("button", name="显示或隐藏菜单").last.click()
    page.locator(".studio-account summary").click()
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/login/")
