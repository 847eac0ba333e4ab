"""The outcome on the legacy sample: IT drops it, settles the few questions, finance confirms the liability, all are in; service
finds anybody by four digits, masked; and out it goes again."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from apps.approvals.services.policies import create_policy, publish_policy
from apps.core.clock import now
from apps.members.importing.models import MemberImport
from apps.members.models import Identifier, Member
from apps.points.models import Account, Lot
from tests.browser.driving import Studio
from tests.browser.test_member_import import POLICY, work
from tests.factories import Cast, CoffeeGroup
from tests.members.test_legacy_file import LEGACY, truth, with_stores

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not LEGACY.is_file(), reason="The legacy sample is not here: ../shared/data is missing."),
]
CHOICES = (
    ("The phone number stands in an earlier row too", "without"),
    ("There is no such store: 已关闭门店", "S003"),
    ("The points are below zero", "zero"),
)


def test_the_legacy_sample_becomes_members_who_are_found_masked(studio: Studio, group: CoffeeGroup, cast: Cast) -> None:
    with_stores(group)
    draft = create_policy(cast.administrator, group["EAST"], "members.import", definition=POLICY, when=now())
    publish_policy(cast.administrator, draft, when=now())
    page = studio.page(cast.integrator)
    page.goto("/members/memberimport/add/")
    page.locator("input[type=file]").set_input_files(LEGACY)
    page.get_by_label("Programme").select_option(label="East Coffee Club")
    page.get_by_label("Where it comes from").fill("old cards")
    page.locator('button[name="_save"]').click()
    page.get_by_label("Number of rows").fill("5000")
    page.get_by_label("Sum of Points").fill("1651614")
    page.get_by_label("Rows of the level “普卡”").fill("3514")
    page.get_by_label("Last day of all of them").fill("2035-12-31")
    page.get_by_role("button", name="Check every row").click()
    expect(page.get_by_text("The file waits for a worker, or is being read.")).to_be_visible()
    started = now()
    work()
    tiles = page.get_by_role("navigation", name="States")
    expect(tiles).to_contain_text("New4,670")
    expect(tiles).to_contain_text("To be decided162")
    expect(tiles).to_contain_text("Refused169")
    assert now() - started < timedelta(minutes=1)

    decided = 162
    for question, choice in CHOICES:
        asked = page.get_by_role("combobox", name=question)
        asked.select_option(choice)
        page.locator("form", has=asked).get_by_role("button", name="Settle").click()
        expect(asked).to_have_count(0)
    expect(tiles).to_contain_text(f"New{4_670 + decided:,}")

    page.get_by_role("button", name="Take 4,832 rows in").click()
    page.get_by_label("Why is it needed?").fill("The old system goes off on Sunday.")
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_text("Sent as a request.")).to_be_visible()
    deciding = studio.page(cast.finance)
    deciding.goto("/approvals/approvalrequest/inbox/")
    deciding.get_by_role("link", name="4,832 new members").first.click()
    expect(deciding.locator("[data-dossier]")).to_contain_text("What they add to the liability")
    expect(deciding.locator("[data-inbox-pane][aria-busy]")).to_have_count(0)
    deciding.keyboard.press("a")
    expect(deciding.get_by_text("Approved and carried out.").first).to_be_visible()
    work()
    job = MemberImport.objects.get()
    assert (job.state, Member.objects.filter(state="active").count()) == ("done", 4_832)
    held = sum(Lot.objects.values_list("remaining", flat=True))
    assert held == job.totals["points"]["types"]["points"]["points"]
    assert set(Lot.objects.values_list("expires_at", flat=True)) == {datetime(2035, 12, 31, 16, tzinfo=UTC)}

    # By four digits; nobody's number stands in clear.
    told = truth()[2]
    service = studio.page(cast.service)
    service.goto("/")
    service.keyboard.press("Control+k")
    service.keyboard.type(told["phone"][-4:])
    found = service.get_by_role("dialog", name="Find anything").get_by_role("option")
    expect(found.first).to_be_visible()
    wanted = Identifier.objects.get(kind="card", masked=f"****{told['card_no'][-4:]}").member_id
    service.get_by_role("option", name=f"#{wanted}").click()
    service.wait_for_url(f"**/members/member/{wanted}/change/")
    expect(service.get_by_text(f"{told['phone'][:3]}****{told['phone'][-4:]}").first).to_be_visible()
    expect(service.get_by_text(told["points"], exact=True).first).to_be_visible()
    assert told["phone"] not in service.content()
    assert told["name"] not in service.content()

    page.goto(f"/members/memberimport/{job.pk}/change/")
    page.get_by_role("link", name="Take the file back").click()
    page.get_by_label("Why is it taken back?").fill("It was last year's export.")
    page.get_by_role("button", name="Take the file back").click()
    expect(page.get_by_text("Being taken back")).to_be_visible()
    work()
    expect(page.locator(".studio-figure", has_text="Members who went")).to_contain_text("4,832")
    assert not Member.objects.filter(state="active").exists()
    assert not Account.objects.exclude(balance=0).exists()
