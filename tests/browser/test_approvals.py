"""The outcome of approvals, end to end: 6,000 points asked for at a desk, decided on in three places, posted once."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.policies import create_policy, publish_policy
from apps.core.clock import now
from apps.points.models import Account, Posting
from tests.approvals.conftest import role, step
from tests.browser.driving import Studio, axe_findings
from tests.factories import Cast, CoffeeGroup
from tests.points.conftest import make_purse


def at_least(points: int) -> dict[str, Any]:
    return {"field": "request.points", "op": "ge", "value": points}


BANDS = {"bands": [
    {"name": "Large", "when": at_least(5000), "why": "More than 5,000 points are real money.",
     "steps": [step(role("regional_manager")), step(role("finance")), step(role("vice_president"))]},
    {"name": "Medium", "when": at_least(1000), "steps": [step(role("regional_manager"))]},
]}  # fmt: skip
NAMES = ("regional_manager", "finance", "vice_president")


@pytest.mark.parametrize("width", [1440, 390])
def test_six_thousand_points_by_three_people(studio: Studio, group: CoffeeGroup, cast: Cast, width: int) -> None:
    draft = create_policy(cast.administrator, group["EAST"], "points.adjustment", definition=BANDS, when=now())
    publish_policy(cast.administrator, draft, when=now())
    purse = make_purse(group)
    purse.give(100, when=now())

    # Before sending, the screen says who has to say yes, by name and in which order.
    asking = studio.page(cast.service, width=width)
    asking.goto(f"/points/account/member/{purse.member.pk}/adjust/")
    asking.locator("[name=points]").fill("6000")
    plan = asking.locator(".approvals-plan")
    expect(plan.locator(".approvals-step")).to_have_text([re.compile(name) for name in NAMES])
    expect(plan).to_contain_text("More than 5,000 points are real money.")
    expect(plan).to_contain_text("6,100")
    asking.locator("[name=reason]").fill("Cup cracked at the table; promised by the store.")
    assert axe_findings(asking) == []
    asking.get_by_role("button", name="Send").click()
    expect(asking.get_by_text("Sent to")).to_be_visible()
    request = ApprovalRequest.objects.get(state="open")
    assert purse.account.balance == 100

    # Each finds it in the inbox, with everything that is needed to decide.
    for persona in ("regional_manager", "finance"):
        deciding = studio.page(cast[persona], width=width)
        deciding.goto("/approvals/approvalrequest/inbox/")
        deciding.get_by_role("link", name=re.compile("6,000")).first.click()
        pane = deciding.locator("[data-dossier]")
        expect(pane).to_contain_text("Cup cracked at the table")
        expect(pane).to_contain_text("6,100")
        expect(deciding.locator("[data-inbox-pane][aria-busy]")).to_have_count(0)
        assert axe_findings(deciding) == []
        if width == 1440:
            deciding.keyboard.press("a")
        else:
            pane.get_by_role("button", name="Approve").click()
        expect(deciding.get_by_text("Approved. The next people are asked.").first).to_be_visible()

    # The balance moves meanwhile: the last one, who reads Chinese, is shown what differs and decides on that.
    last = studio.page(cast.vice_president, width=width, language="zh-hans")
    last.goto(f"/approvals/approvalrequest/{request.pk}/change/")
    expect(last.get_by_role("button", name="同意并执行")).to_be_visible()
    purse.redeem(30, when=now())
    last.get_by_role("button", name="同意并执行").click()
    expect(last.get_by_role("button", name="按当前变化同意")).to_be_visible()
    expect(last.locator(".approvals-differs").first).to_contain_text("6,070")
    assert not Posting.objects.filter(points=6000).exists()
    assert axe_findings(last) == []
    last.get_by_role("button", name="按当前变化同意").click()
    expect(last.get_by_text("已同意并执行。").first).to_be_visible()

    posting = Posting.objects.get(points=6000)
    assert (posting.key, posting.actor) == (f"approval:{request.pk}", cast.service)
    assert Account.objects.get(pk=purse.account_id).balance == 6070

    # A year later an auditor reads the whole story.
    reading = studio.page(cast.auditor, width=width)
    reading.goto(f"/approvals/approvalrequest/{request.pk}/change/")
    story = reading.locator("[data-dossier]")
    for name in ("service", *NAMES):
        expect(story).to_contain_text(name)
    expect(story).to_contain_text("Carried out")
    expect(story.get_by_role("button", name="Approve")).to_have_count(0)
    assert axe_findings(reading) == []
