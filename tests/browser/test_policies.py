"""An administrator writes an approval policy, moves its steps, tries it and puts it in force."""

from typing import Any

import pytest
from playwright.sync_api import expect

from apps.approvals.models import Policy, PolicyVersion
from apps.approvals.services.policies import create_policy
from apps.core.clock import now
from tests.browser.driving import axe_findings
from tests.factories import Cast, CoffeeGroup

pytestmark = pytest.mark.browser
BANDS = {
    "bands": [
        {"name": "Large", "when": {"all": [{"field": "request.points", "op": "ge", "value": 5000}]},
         "steps": [{"parties": [{"who": {"kind": "role", "role": "regional_manager"}}]},
                   {"parties": [{"who": {"kind": "role", "role": "finance"}}]}]},
        {"name": "Medium", "when": {"all": [{"field": "request.points", "op": "ge", "value": 1000}]},
         "steps": [{"parties": [{"who": {"kind": "role", "role": "regional_manager"}}]}]},
    ]
}  # fmt: skip


def test_a_policy_is_begun_changed_tried_and_published(studio_page: Any, group: CoffeeGroup, cast: Cast) -> None:
    page = studio_page("administrator")
    page.goto("/approvals/policy/add/")
    page.locator("select[name=kind]").select_option("points.adjustment")
    page.get_by_label("By size: 1,000 and 5,000").check()
    assert axe_findings(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    sentence, saved = page.locator(".policy-sentence").first, page.locator("[data-policy-saved]")
    expect(sentence).to_contain_text(
        "When the number of points is at least 5,000: Regional manager, then Finance, then Vice president"
    )
    expect(page.get_by_text("Nothing above fits when the number of points is at most 999")).to_be_visible()

    # A step moves by its button and by its handle, and undoing brings it back.
    page.get_by_role("button", name="Move to the top: Step 3").click()
    expect(sentence).to_contain_text("Vice president, then Regional manager, then Finance")
    handle = page.locator("[data-path='bands/0/steps/0'] [data-handle]")
    handle.hover()
    page.mouse.down()
    below = page.locator("[data-path='bands/0/steps/2']").bounding_box()
    assert below is not None
    page.mouse.move(below["x"] + 20, below["y"] + below["height"] - 4, steps=6)
    page.mouse.up()
    expect(sentence).to_contain_text("Regional manager, then Finance, then Vice president")
    page.get_by_role("button", name="Undo").click()
    expect(sentence).to_contain_text("Vice president, then Regional manager")

    # Faults stand at their place, all at once; nothing is saved before they are mended.
    name = page.get_by_label("Name of the band").first
    name.fill("")
    page.get_by_label("Reminder in working hours").first.fill("many")
    expect(page.locator(".studio-fault")).to_have_count(2)
    expect(saved).to_have_text("Not saved yet: mend what is marked.")
    page.get_by_label("Reminder in working hours").first.fill("")
    name.fill("Large")
    expect(saved).to_have_text("Saved.")

    # A made-up request, with the people of today.
    page.locator("[data-fact='request.points']").fill("7000")
    page.locator("[data-policy-try]").click()
    answer = page.locator("[data-policy-trial-answer]")
    expect(answer).to_contain_text("vice_president")
    page.get_by_role("button", name="Try on past requests").click()
    expect(page.get_by_text("Nobody sent such a request here in the last 90 days.")).to_be_visible()
    assert axe_findings(page) == []

    page.get_by_role("button", name="Review & publish…").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Published. It holds for what is sent from now on.")).to_be_visible()
    version = PolicyVersion.objects.get()
    assert (version.state, version.definition["bands"][0]["name"]) == ("published", "Large")
    assert version.definition["bands"][0]["steps"][0]["parties"][0]["who"] == {"kind": "role", "role": "vice_president"}


def test_somebody_else_saved_meanwhile_and_both_can_be_read_on_a_phone_in_chinese(
    studio_page: Any, group: CoffeeGroup, cast: Cast
) -> None:
    create_policy(cast.administrator, group["EAST"], "points.adjustment", definition=BANDS, when=now())
    policy = Policy.objects.get()
    one, other = (studio_page("administrator", language="zh-hans", width=390) for _ in range(2))
    for page in (one, other):
        page.goto(f"/approvals/policy/{policy.pk}/change/")
        expect(page.locator(".policy-sentence").last).to_have_text("当积分数不低于1,000：须经区域经理同意。")
    one.get_by_label("档的名称").last.fill("中等")
    expect(one.locator("[data-policy-saved]")).to_have_text("已保存。")
    other.get_by_label("档的名称").first.fill("大额")
    changed = other.locator("[data-policy-changed]")
    expect(changed).to_contain_text("“Large”更名为“大额”。")
    assert axe_findings(other) == []
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    changed.get_by_role("button", name="采用对方的").click()
    expect(other.get_by_label("档的名称").last).to_have_value("中等")
