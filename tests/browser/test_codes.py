"""A batch of codes: its odds watched while they are typed, its codes made and taken home, the batch stopped."""

from typing import Any

import pytest
from django.db import close_old_connections
from playwright.sync_api import expect

from apps.core.clock import now
from apps.rules.codes import services
from apps.rules.codes.models import CodeBatch, CodeDownload
from tests.browser.driving import axe_findings
from tests.factories import CoffeeGroup

pytestmark = pytest.mark.browser


def test_marketing_drafts_a_batch_and_sees_its_odds_while_typing(studio_page: Any, group: CoffeeGroup) -> None:
    page = studio_page("marketing")
    page.goto("/rules/codebatch/")
    page.get_by_role("link", name="Draft a batch of codes").click()
    for name, text in (("name", "Caps"), ("code", "caps-2026"), ("size", "2000")):
        page.locator(f"input[name={name}]").fill(text)
    rows = page.locator(".studio-prize")
    for number, texts in enumerate((("grand", "1", "1000"), ("small", "3", "2"))):
        for box, text in zip(rows.nth(number).locator("input").all(), texts, strict=True):
            box.fill(text)
    expect(rows.nth(1)).to_contain_text("These odds come to more than 1 in 1.")
    assert axe_findings(page) == []
    rows.nth(1).locator("input").last.fill("10")
    expect(page.locator(".studio-prizes-say")).to_contain_text("small: 3 in 10, about 600 of 2,000")
    page.get_by_role("button", name="Add a prize").click()
    expect(rows).to_have_count(3)
    page.locator("button[name=_save]").click()
    expect(page.get_by_role("table")).to_contain_text("699 in 1,000")
    assert axe_findings(page) == []

    page.get_by_role("button", name="Make 2,000 codes").click()
    expect(page.locator(".studio-job").first).to_contain_text("0 of 2,000 codes")
    assert axe_findings(page) == []
    services.make_part(CodeBatch.objects.get().pk, when=now())
    close_old_connections()
    with page.expect_download() as started:
        page.get_by_role("button", name="Download the codes").click()
    assert len(started.value.path().read_text(encoding="utf-8-sig").splitlines()) == 2001
    assert CodeDownload.objects.count() == 1
    page.get_by_text("Stop at once…").click()
    page.get_by_role("button", name="Stop the batch").click()
    expect(page.locator(".studio-job").first).to_contain_text("none of its codes is redeemed any more")
    page.get_by_text("Can anybody check the draw?").click()
    expect(page.get_by_text(bytes(CodeBatch.objects.get().seed).hex())).to_be_visible()
    assert axe_findings(page) == []
