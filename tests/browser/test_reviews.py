"""Two people and one rule: written and sent by one, returned and approved by the other; and a region's own rule."""

from typing import Any

from playwright.sync_api import expect

from apps.approvals.models import ApprovalRequest
from apps.approvals.services.deciding import decide
from apps.core.clock import now
from apps.rules import services
from apps.rules.models import Rule, RuleVersion
from tests.browser.driving import Studio, axe_findings
from tests.factories import Cast, CoffeeGroup, make_staff
from tests.rules.conftest import CAP_A_DAY
from tests.rules.test_overriding import allowed
from tests.rules.test_services import DEFINITION


def test_what_was_typed_is_sent_returned_mended_and_approved(studio: Studio, group: CoffeeGroup, cast: Cast) -> None:
    """The author reads English, the reviewer, at a phone, Chinese."""
    capped = DEFINITION | {"limits": [CAP_A_DAY | {"most": 50}]}
    draft = services.create_rule(
        cast.marketing, group.east, group["EAST"], code="yuan", name="Yuan", definition=capped, when=now()
    )
    address = f"/rules/rule/{draft.rule_id}/change/"
    colleague = make_staff(group["EAST"], ["marketing"], username="高原")
    author, reviewer = studio.page(cast.marketing), studio.page(colleague, language="zh-hans", width=390)

    def send(most: str) -> None:
        author.get_by_label("At most", exact=True).fill(most)
        author.get_by_role("button", name="Review & publish…").click()
        dialog = author.get_by_role("dialog", name="Publish version 1")
        expect(dialog).to_contain_text(f"at most {most} points a day")
        expect(dialog).to_contain_text("This is carried out at once: nobody else is asked.")
        dialog.get_by_label("Ask a colleague first, if you like").select_option(label="高原")
        dialog.get_by_label("Reason, for a colleague who is asked").fill("Before the weekend, please.")
        assert axe_findings(author) == []
        dialog.get_by_role("button", name="Publish").click()
        expect(author.get_by_text("Version 1 is in review since")).to_be_visible()
        expect(author.get_by_label("At most", exact=True)).to_have_count(0)

    def say(verdict: str, comment: str = "") -> None:
        request = ApprovalRequest.objects.get()
        seen = request.seal(request.read_subject().effect(request.requester, now()))
        decide(colleague, request.pk, verdict, seen=seen, comment=comment, when=now())

    author.goto(address)
    send("300")
    reviewer.goto("/")
    expect(reviewer.get_by_text("发布“Yuan”第 1 版").first).to_be_visible()
    reviewer.goto(address)
    expect(reviewer.locator(".studio-banner")).to_contain_text("现可由 高原 审批。")
    expect(reviewer.locator("#requests ~ ol").first).to_contain_text("Before the weekend, please.")
    assert axe_findings(reviewer) == []
    say("returned", "上限改为 200。")

    author.goto(address)
    expect(author.locator(".studio-banner")).to_contain_text("上限改为 200。")
    send("200")
    say("approved")
    reviewer.goto(address)
    expect(reviewer.get_by_text("第 1 版已")).to_be_visible()
    version = RuleVersion.objects.get()
    assert (version.state, version.definition["limits"][0]["most"]) == ("published", 200)
    assert ApprovalRequest.objects.get().round == 2


def test_a_region_begins_a_rule_of_its_own_from_the_page_of_the_companys(studio: Studio, group: CoffeeGroup) -> None:
    rule = allowed(group).rule
    page = studio.page(make_staff(group["EAST-N"], ["marketing"]), width=390)
    page.goto(f"/rules/rule/{rule.pk}/change/")
    page.get_by_label("Org unit").last.select_option(label="East North")
    assert axe_findings(page) == []
    page.get_by_role("button", name="Override here").click()
    expect(page.get_by_role("heading", name="In the place of “Point per yuan” of East Coffee")).to_be_visible()
    page.get_by_label("Points", exact=True).fill("3")
    expect(page.locator("[data-rule-saved]")).to_have_text("Saved.")
    page.reload()
    expect(page.locator("#overridden ~ .studio-differences")).to_have_text("Points for each ¥1: 1 → 3")
    page.get_by_role("button", name="Take it over as the draft…").click()
    page.get_by_role("button", name="Take it over", exact=True).click()
    expect(page.get_by_text("This rule says the same as the one above.")).to_be_visible()
    own: Any = Rule.objects.get(overrides=rule)
    assert own.versions.get().definition == rule.versions.get().definition
