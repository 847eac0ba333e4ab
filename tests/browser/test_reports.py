"""Finance opens the cost report on a screen and on a phone, and its figures arrive in a workbook."""

from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.db.models import F, Sum
from playwright.sync_api import expect

from apps.points.models import Entry
from apps.reports.services import fold_facts
from tests.browser.driving import axe_findings
from tests.factories import CoffeeGroup
from tests.reports.conftest import NOW, make_history

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_finance_reads_the_cost_in_chinese_and_takes_it_to_excel(
    group: CoffeeGroup, studio_page: Any, width: int, theme: str
) -> None:
    make_history(group)
    fold_facts(NOW)
    page = studio_page("finance", language="zh-hans", width=width, theme=theme)
    page.goto("/")
    page.goto("/reports/dailyfact/cost/")
    expect(page.get_by_role("heading", name="2026年3月至2026年5月，积分成本是多少？")).to_be_visible()
    expect(page.get_by_text("与积分流水核对一致，差额为 0")).to_be_visible()
    assert axe_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    with page.expect_download() as started:
        page.get_by_role("link", name="Excel").click()
    sheet = openpyxl.load_workbook(BytesIO(Path(started.value.path()).read_bytes()), data_only=True)["按月"]
    ledger = Entry.objects.aggregate(points=Sum(F("points") + F("pending_points")), cost=Sum("cost_micros"))
    total = [cell.value for cell in list(sheet.rows)[-1]]
    assert total[0] == "合计"
    assert (total[-2], round(total[-1] * 1_000_000)) == (ledger["points"], ledger["cost"]) == (67, 670_000)


def test_a_line_opens_down_to_the_store_and_its_entries(group: CoffeeGroup, studio_page: Any) -> None:
    make_history(group)
    page = studio_page("finance")
    page.goto("/reports/dailyfact/cost/")
    page.get_by_role("link", name="East North", exact=True).click()
    page.get_by_role("link", name="Lakeside", exact=True).click()
    expect(page.get_by_role("navigation", name="Where this is")).to_contain_text("Lakeside")
    page.get_by_role("link", name="March 2026: 2 entries").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)


def test_the_ledger_is_checked_with_a_button(group: CoffeeGroup, studio_page: Any) -> None:
    make_history(group)
    page = studio_page("auditor", width=390)
    page.goto("/reports/dailyfact/ledger/")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Yes: difference 0.")).to_be_visible()
    assert axe_findings(page) == []
