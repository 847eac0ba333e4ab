"""The inbox on a screen and on a phone: requests open beside the list, keys and one thumb decide, nothing typed is lost."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.approvals.models import ApprovalRequest, Decision
from apps.core.clock import now
from apps.orgs.models import Staff
from apps.points.services.adjusting import Adjustment, ask_adjustment
from tests.approvals.conftest import role, step
from tests.browser.driving import Studio, axe_findings
from tests.factories import Cast, CoffeeGroup
from tests.points.conftest import Purse, make_purse
from tests.points.test_requests import from_points, hold_at

pytestmark = pytest.mark.browser
INBOX = "/approvals/approvalrequest/inbox/"
BANDS = {
    "bands": [
        {"name": "Large", "when": from_points(5000), "why": "More than 5,000 points cost real money.",
         "steps": [step(role("regional_manager")), step(role("finance")), step(role("vice_president"))]},
        {"name": "Medium", "when": from_points(1000), "steps": [step(role("regional_manager"), hours=8)]},
    ],
    "otherwise": "at_once",
}  # fmt: skip
_keys = count(1)


@dataclass
class Asking:
    """Customer service asks for points, for another member each time."""

    group: CoffeeGroup
    cast: Cast

    def ask(self, points: int, reason: str, *, hours_ago: int = 1) -> tuple[ApprovalRequest, Purse]:
        purse = make_purse(self.group)
        purse.give(300, now() - timedelta(days=3))
        kind = self.group.point_types["east"]
        wants = Adjustment(member=purse.member.pk, point_type=kind.pk, points=points)
        sender = Staff.objects.get(pk=self.cast.service.pk)
        when = now() - timedelta(hours=hours_ago)
        return ask_adjustment(sender, wants, reason=reason, key=f"asked{next(_keys)}", when=when), purse


@pytest.fixture
def asking(group: CoffeeGroup, cast: Cast) -> Asking:
    asking = Asking(group, cast)
    hold_at(group, BANDS)
    return asking


def states(*requests: ApprovalRequest) -> list[str]:
    return [ApprovalRequest.objects.get(pk=request.pk).state for request in requests]


def heading(page: Page) -> Any:
    return page.locator("[data-dossier] h2")


def test_a_manager_decides_with_the_keys_beside_the_list(asking: Asking, studio: Studio, cast: Cast) -> None:
    late, _ = asking.ask(1500, "The till was down", hours_ago=30)
    second, _ = asking.ask(2500, "A wrong card", hours_ago=2)
    newest, purse = asking.ask(1200, "Goodwill")
    page = studio.page(cast.regional_manager)
    page.goto(INBOX)
    expect(page.locator(".inbox-late")).to_have_text("22 hours late")
    expect(heading(page)).to_contain_text("+1,200 points")
    assert axe_findings(page) == []

    page.keyboard.press("c")
    page.keyboard.type("Looks right")
    purse.redeem(5, now())  # meanwhile the member spends some
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.get_by_text("Something has changed since you opened this.")).to_be_visible()
    expect(page.locator("[data-inbox-decide] textarea")).to_have_value("Looks right")
    expect(page.get_by_role("row", name="Balance Changed since it was sent")).to_contain_text("1,495")
    assert axe_findings(page) == []
    page.keyboard.press("a")
    expect(heading(page)).to_contain_text("+2,500 points")
    assert states(newest, second, late) == ["done", "open", "open"]

    page.keyboard.press("r")
    expect(page.locator("[data-inbox-hint]")).to_have_text("Say why, then press Ctrl + Enter to reject.")
    page.keyboard.type("The card was right")
    page.keyboard.press("Control+Enter")
    expect(heading(page)).to_contain_text("+1,500 points")
    assert Decision.objects.get(request=second).comment == "The card was right"
    page.keyboard.press("k")
    expect(heading(page)).to_contain_text("+2,500 points")
    page.keyboard.press("j")
    page.get_by_role("button", name="Approve and carry out").click()
    expect(page.locator("[data-dossier]")).to_have_attribute("data-state", "done")
    assert states(late) == ["done"]
    page.reload()
    expect(page.get_by_text("All done: nobody is waiting for your decision.")).to_be_visible()


def test_one_thumb_decides_on_a_phone(asking: Asking, studio: Studio, cast: Cast) -> None:
    large, _ = asking.ask(6000, "投诉补偿")
    page = studio.page(cast.regional_manager, language="zh-hans", width=390, height=844)
    page.goto(INBOX)
    assert axe_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("[data-inbox-row]").click()
    expect(heading(page)).to_contain_text("+6,000 积分")
    button = page.get_by_role("button", name="同意", exact=True)
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["y"] + box["height"] <= 844  # at the bottom of the screen, before anything is scrolled
    assert axe_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    button.click()
    expect(page.locator(".dossier-said")).to_have_text("已同意，现由下一步人员审批。")
    assert (states(large), large.decisions.get().person) == (["open"], cast.regional_manager)


def test_several_small_ones_are_approved_together(asking: Asking, studio: Studio, cast: Cast) -> None:
    small = [asking.ask(1000 + number, "Goodwill")[0] for number in range(3)]
    page = studio.page(cast.regional_manager)
    page.goto(INBOX)
    boxes = page.locator("[data-inbox-row] input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(2).check()
    expect(page.get_by_text("2 selected")).to_be_visible()
    assert axe_findings(page) == []
    page.get_by_role("button", name="Approve all").click()
    expect(page.get_by_text("2 requests approved.")).to_be_visible()
    assert states(*small) == ["done", "open", "done"]
