"""Bringing a file in: sent, watched, its bad rows read and taken home."""

import csv
import io
from typing import Any

import pytest
from django.db import close_old_connections
from playwright.sync_api import expect

from apps.activity.models import ImportJob
from apps.core.clock import now
from apps.members.services import enrol_many
from apps.rules import importing
from tests.browser.driving import axe_findings
from tests.factories import CoffeeGroup
from tests.rules.conftest import FIXTURES, publish

pytestmark = pytest.mark.browser


def test_an_integrator_sends_a_file_with_faults_and_takes_the_refused_rows_home(
    studio_page: Any, group: CoffeeGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(group)
    enrol_many([("card", "7001", group.units["S001"].pk, now().date())], when=now())
    page = studio_page("integrator", language="zh-hans")
    page.goto("/activity/importjob/")
    page.locator('a[href="/activity/importjob/add/"]').first.click()
    assert axe_findings(page) == []
    page.locator("input[type=file]").set_input_files(FIXTURES / "events_faulty.csv")
    page.get_by_label("忠诚度计划").select_option(label="East Coffee Club")
    page.locator('button[name="_save"]').click()

    card = page.locator(".studio-job").first
    expect(card).to_contain_text("文件正在排队或读取中")
    assert axe_findings(page) == []
    monkeypatch.setattr(importing, "CHUNK_ROWS", 1)
    job = ImportJob.objects.get()
    importing.stage(job.pk, when=now())
    assert importing.run_chunk(job.pk, when=now())
    expect(card).to_contain_text("/ 16 行")
    importing.run_import(job.pk, clock=now)
    close_old_connections()

    expect(page.get_by_role("heading", name="被拒绝的行有哪些问题")).to_be_visible()
    table = page.locator("#refused table")
    expect(table.locator("tbody tr")).to_have_count(14)
    page.get_by_role("link", name="不是数字").click()
    expect(table.locator("tbody tr")).to_have_count(2)
    expect(table).to_contain_text("三十二元")
    assert axe_findings(page) == []
    with page.expect_download() as started:
        page.get_by_role("link", name="下载被拒绝的行").click()
    rows = list(csv.reader(io.StringIO(started.value.path().read_text(encoding="utf-8-sig"))))
    assert rows[0][:3] == ["#行号", "#原因", "event_key"]
    assert len(rows) == 15


def test_a_running_import_is_cancelled_from_its_page(studio_page: Any, group: CoffeeGroup) -> None:
    page = studio_page("marketing")
    page.goto("/activity/importjob/add/")
    page.locator("input[type=file]").set_input_files(FIXTURES / "events_small.csv")
    page.get_by_label("Programme").select_option(label="East Coffee Club")
    page.locator('button[name="_save"]').click()
    page.get_by_role("button", name="Cancel the import").click()
    expect(page.locator(".studio-job").first).to_contain_text("What was taken stays")
