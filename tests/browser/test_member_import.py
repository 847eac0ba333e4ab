"""The outcome of the import of members: an old system's file dropped, looked at, settled, approved, in, and back out."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.db import close_old_connections
from playwright.sync_api import expect

from apps.approvals.services.policies import create_policy, publish_policy
from apps.core.clock import now
from apps.members.importing import services
from apps.members.importing.models import MemberImport
from apps.members.models import Member
from apps.points.models import Account, Lot
from tests.approvals.conftest import role, step
from tests.browser.driving import Studio, axe_findings
from tests.browser.legacy import legacy_file
from tests.factories import Cast, CoffeeGroup

pytestmark = pytest.mark.browser

POLICY = {"bands": [
    {"name": "Many", "when": {"field": "request.new", "op": "ge", "value": 50}, "why": "Opening points are a liability.",
     "steps": [step(role("finance"))]},
]}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "old cards.csv"
    path.write_bytes(legacy_file())
    return path


def work() -> None:
    """What the workers do, to its end."""
    job = MemberImport.objects.latest("pk")
    while services.step(job.pk, when=now()):
        pass
    close_old_connections()


def test_an_old_systems_members_come_in_and_go_again(
    studio: Studio, group: CoffeeGroup, cast: Cast, file: Path
) -> None:
    draft = create_policy(cast.administrator, group["EAST"], "members.import", definition=POLICY, when=now())
    publish_policy(cast.administrator, draft, when=now())
    page = studio.page(cast.integrator)
    page.goto("/members/memberimport/")
    page.get_by_role("link", name="Bring a file of members").click()
    assert axe_findings(page) == []
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_label("Programme").select_option(label="East Coffee Club")
    page.get_by_label("Where it comes from").fill("old cards")
    page.locator('button[name="_save"]').click()

    # What the columns mean is there already; nobody is named in clear.
    expect(page.get_by_text("GB18030 (GBK) text, columns divided by comma; row 2 names 9 columns.")).to_be_visible()
    expect(page.get_by_text("138****1000").first).to_be_visible()
    expect(page.get_by_label("手机号")).to_have_value("identifier:phone")
    expect(page.get_by_label("当前积分")).to_have_value("points:points")
    assert "13800001000" not in page.content()
    assert axe_findings(page) == []
    page.get_by_label("Number of rows").fill("60")
    page.get_by_label("Sum of Points").fill("24800")
    page.get_by_role("button", name="Check every row").click()
    expect(page.get_by_text("The file waits for a worker, or is being read.")).to_be_visible()
    work()

    # A minute later it says what every row would become, and asks what a person must settle.
    tiles = page.get_by_role("navigation", name="States")
    expect(tiles).to_contain_text("New56")
    expect(tiles).to_contain_text("To be decided3")
    expect(page.get_by_text("The sender states 24800 for Sum of Points, the file holds 24700.")).to_be_visible()
    assert axe_findings(page) == []
    page.get_by_label("There is no such store: 旧城店").select_option("S003")
    page.get_by_role("button", name="Settle").first.click()
    expect(tiles).to_contain_text("New58")
    page.get_by_label("The phone number stands in an earlier row too").select_option("without")
    page.get_by_role("button", name="Settle").click()
    expect(tiles).to_contain_text("New59")
    expect(page.get_by_role("heading", name="What a person must settle")).to_have_count(0)
    with page.expect_download() as started:
        page.get_by_role("link", name="Download the refused and open rows").click()
    rows = list(csv.reader(io.StringIO(started.value.path().read_text(encoding="utf-8-sig"))))
    assert rows[0][:4] == ["#row", "#reason", "会员卡号", "姓名"]
    assert [line[0] for line in rows[1:]] == ["10", "63"]

    # The sender looked again: the total is another one. What was chosen holds on; a choice may be taken back alone.
    page.get_by_role("link", name="Back to the columns").click()
    page.get_by_label("Sum of Points").fill("24700")
    page.get_by_role("button", name="Check every row").click()
    work()
    expect(tiles).to_contain_text("New59")
    page.get_by_role("button", name="Take back: There is no such store: 旧城店").click()
    work()
    expect(tiles).to_contain_text("New57")
    page.get_by_label("There is no such store: 旧城店").select_option("S003")
    page.get_by_role("button", name="Settle").click()
    expect(tiles).to_contain_text("New59")

    # Finance reads what it adds to the liability, and says yes.
    page.get_by_role("button", name="Take 59 rows in").click()
    expect(page.get_by_text("Opening points are a liability.")).to_be_visible()
    assert axe_findings(page) == []
    page.get_by_label("Why is it needed?").fill("The old system goes off on Sunday.")
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_text("Sent as a request.")).to_be_visible()
    deciding = studio.page(cast.finance)
    deciding.goto("/approvals/approvalrequest/inbox/")
    deciding.get_by_role("link", name="Take in old cards.csv: 59 new members").first.click()
    expect(deciding.locator("[data-dossier]")).to_contain_text("What they add to the liability")
    expect(deciding.locator("[data-inbox-pane][aria-busy]")).to_have_count(0)
    deciding.keyboard.press("a")
    expect(deciding.get_by_text("Approved and carried out.").first).to_be_visible()
    work()
    job = MemberImport.objects.get()
    assert (job.state, Member.objects.filter(state="active").count()) == ("done", 59)
    held = sum(Lot.objects.values_list("remaining", flat=True))
    assert held == job.totals["points"]["types"]["points"]["points"] == 24_530
    back = f"/members/memberimport/{job.pk}/change/"

    # It was a mistake.
    page.goto(back)
    expect(page.get_by_text("59 of 61 rows are in.")).to_be_visible()
    page.get_by_role("link", name="Take the file back").click()
    assert axe_findings(page) == []
    page.get_by_label("Why is it taken back?").fill("It was last year's export.")
    page.get_by_role("button", name="Take the file back").click()
    expect(page.get_by_text("Being taken back")).to_be_visible()
    work()
    expect(page.get_by_role("heading", name="What was taken back")).to_be_visible()
    expect(page.locator(".studio-figure", has_text="Members who went")).to_contain_text("59")
    expect(page.locator(".studio-figure", has_text="Points taken back")).to_contain_text("24,530")
    assert not Member.objects.filter(state="active").exists()
    assert not Account.objects.exclude(balance=0).exists()
    assert axe_findings(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_are_read_on_a_phone_in_chinese(
    studio_page: Any, group: CoffeeGroup, cast: Cast, file: Path, theme: str
) -> None:
    with file.open("rb") as content:
        job = services.bring(cast.integrator, content, file.name, group.east, source="旧卡", when=now())
    page = studio_page("integrator", language="zh-hans", width=390, theme=theme)
    page.goto(f"/members/memberimport/{job.pk}/columns/")
    expect(page.get_by_role("heading", name="各列的含义")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe_findings(page) == []
    page.get_by_role("button", name="检查每一行").click()
    expect(page.get_by_text("文件正在排队或读取中")).to_be_visible()
    work()
    expect(page.get_by_text("没有这个门店：旧城店")).to_be_visible()
    page.get_by_role("navigation", name="状态").get_by_text("被拒绝").click()
    expect(page.get_by_text("表格软件把手机号变成了 1.38E+10，后几位已丢失").last).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe_findings(page) == []
