"""The bell on every page, and the page of one's own absences: by mouse, by keys and on a phone."""

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from apps.approvals.models import Delegation
from apps.orgs.models import Notice
from apps.orgs.notices import notify
from tests.browser.driving import axe_findings
from tests.factories import Cast, make_staff

pytestmark = pytest.mark.browser

WHEN = datetime(2026, 5, 4, 2, tzinfo=UTC)


def test_the_bell_tells_how_many_wait_and_what_they_say(studio_page: Any, cast: Cast) -> None:
    for n in range(12):
        notify([cast.finance.pk], "approvals.asked", {"request": 1000 + n, "kind": "points.adjustment"}, WHEN)
    for language, width, label in (("en", 1440, "Notices, 12 unread"), ("zh-hans", 390, "通知，12 条未读")):
        page = studio_page("finance", language=language, width=width)
        page.goto("/two-step/")
        bell = page.locator("[data-studio-bell] > summary")
        expect(bell).to_have_attribute("aria-label", label)
        bell.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".studio-bell-panel li")).to_have_count(10)
        assert axe_findings(page) == []
        panel = page.locator(".studio-bell-panel").bounding_box()
        assert panel["x"] >= 0
        assert panel["x"] + panel["width"] <= width
        page.keyboard.press("Escape")
        expect(page.locator(".studio-bell-panel")).to_be_hidden()
        expect(bell).to_be_focused()
    bell.click()
    page.get_by_role("button", name="全部标为已读").click()
    expect(page.locator(".studio-bell-count")).to_be_hidden()
    assert not Notice.objects.filter(read_at=None).exists()
    page.get_by_role("link", name="全部通知").click()
    expect(page.locator(".studio-notices li")).to_have_count(12)
    assert axe_findings(page) == []
    page.goto("/notices/settings/")
    assert axe_findings(page) == []


def test_somebody_who_goes_away_names_who_decides(studio_page: Any, cast: Cast) -> None:
    make_staff(cast.shop.unit, username="deputy")
    for language, width, theme in (("en", 390, "light"), ("zh-hans", 1440, "dark")):
        page = studio_page("shop", language=language, width=width, theme=theme)
        page.goto("/approvals/delegation/mine/")
        page.locator("#id_delegate").press_sequentially("depu")
        expect(page.locator("#colleagues option")).to_have_count(1)
        page.locator("#id_delegate").fill("deputy")
        page.locator("#id_last_on").fill("2098-01-02")
        page.keyboard.press("Enter")
        expect(page.locator(".studio-rows li").first).to_contain_text("deputy")
        assert axe_findings(page) == []
        page.locator(".studio-rows button").first.click()
        expect(page.locator(".studio-rows button")).to_have_count(0)
    assert Delegation.objects.filter(ended_at=None).count() == 0
