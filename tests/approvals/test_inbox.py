"""The inbox and the page of one request: who finds what there, what it costs, and what its buttons do."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.approvals.models import ApprovalRequest, Decision, SavedView
from apps.approvals.reading import Narrowed, Walk, hats_of, page_of
from apps.approvals.services.absences import arrange_absence
from apps.approvals.services.asking import attach, delegate, transfer, watch
from apps.approvals.services.deciding import hat_of
from apps.approvals.services.policies import PolicyPublication, create_policy
from apps.approvals.services.sending import send
from apps.approvals.services.steps import open_step_of
from apps.core.clock import local_day, now
from apps.core.errors import LoyaltyError, NotAllowed
from apps.orgs.models import Staff
from apps.orgs.services import revoke_role
from tests.approvals.conftest import BANDS, Desk, Gauge, person, raise_gauge, role, step
from tests.factories import make_staff

pytestmark = pytest.mark.django_db

INBOX = "/approvals/approvalrequest/inbox/"
Open = Callable[..., Client]


@pytest.fixture
def now_desk(desk: Desk) -> Desk:
    """The pages ask the clock: what they show was sent just now."""
    desk.when = now()
    return desk


@pytest.fixture
def browse(desk: Desk) -> Open:
    def signed_in(who: str | Staff) -> Client:
        client = Client()
        staff = desk.cast[who] if isinstance(who, str) else who
        client.force_login(staff, backend="apps.orgs.auth.RoleBackend")
        return client

    return signed_in


def listed(desk: Desk, who: str | Staff, tab: str = "decide", **narrowed: Any) -> list[int]:
    """The requests of a tab, as the person would find them."""
    reader = desk.cast[who] if isinstance(who, str) else Staff.objects.get(pk=who.pk)
    hats = hats_of(reader, desk.when)
    page = page_of(tab, reader, hats, Narrowed(**narrowed), Walk(), desk.when)
    return [row.request.pk for row in page.rows]


def page_for(client: Client, request: ApprovalRequest, **more: Any) -> str:
    return client.get(address_of(request), **more).content.decode()


def address_of(request: ApprovalRequest, page: str = "change") -> str:
    return reverse(f"admin:approvals_approvalrequest_{page}", args=[request.pk])


def digest_in(body: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', body)
    assert found is not None
    return found[1]


def act(client: Client, request: ApprovalRequest, what: str, **more: Any) -> str:
    """The pane after the button called `what`."""
    answer = client.post(address_of(request, "act"), {"act": what, **more}, headers={"X-Pane": "1"})
    assert answer.status_code == 200
    return answer.content.decode()


# Who finds what.


def test_each_step_finds_its_people_and_nobody_else(desk: Desk) -> None:
    desk.policy(BANDS)
    request = desk.ask(6000)
    found = {who: listed(desk, who) for who in ("regional_manager", "finance", "vice_president", "service")}
    assert found == {"regional_manager": [request.pk], "finance": [], "vice_president": [], "service": []}
    desk.decide("regional_manager", request)
    assert (listed(desk, "regional_manager"), listed(desk, "finance")) == ([], [request.pk])
    assert listed(desk, "regional_manager", "decided") == [request.pk]
    assert listed(desk, "service", "mine") == [request.pk]


def test_a_lost_role_shows_nothing_at_the_next_request(desk: Desk) -> None:
    desk.policy(BANDS)
    request = desk.ask(1200)
    assert listed(desk, "regional_manager") == [request.pk]
    revoke_role(None, desk.cast.regional_manager, "regional_manager", desk.group["EAST-N"])
    assert listed(desk, "regional_manager") == []


def test_a_role_held_elsewhere_does_not_count_here(desk: Desk) -> None:
    desk.policy(BANDS)
    desk.ask(1200)
    revoke_role(None, desk.cast.regional_manager, "regional_manager", desk.group["EAST-N"])
    desk.grant(desk.cast.regional_manager, "regional_manager", "EAST-S")
    assert listed(desk, "regional_manager") == []


def test_who_stands_in_finds_it_from_the_first_moment_to_the_last(now_desk: Desk) -> None:
    desk = now_desk
    desk.policy(BANDS)
    request = desk.ask(1200)
    deputy = make_staff(desk.group["EAST-S"], ["marketing"])
    manager, sent = desk.cast.regional_manager, desk.when
    ends = sent + timedelta(hours=2)
    delegate(manager, manager, deputy, starts_at=sent, ends_at=ends, when=sent)
    found = {}
    for when in (sent - timedelta(seconds=1), sent, ends - timedelta(seconds=1), ends):
        desk.when = when
        found[when] = (listed(desk, deputy), listed(desk, "regional_manager"))
    assert [deputys for deputys, _ in found.values()] == [[], [request.pk], [request.pk], []]
    assert all(own == [request.pk] for _, own in found.values())


def test_who_stands_in_for_one_kind_finds_that_kind_alone(now_desk: Desk) -> None:
    desk = now_desk
    desk.policy(BANDS)
    desk.ask(1200)
    deputy = make_staff(desk.group["EAST-S"], ["marketing"])
    manager = desk.cast.regional_manager
    delegate(
        manager, manager, deputy, starts_at=desk.when, ends_at=desk.when + timedelta(hours=5), kinds=("points.adjustment",),
        when=desk.when,
    )  # fmt: skip
    assert listed(desk, deputy) == []


def test_nobody_finds_their_own_to_decide_not_even_in_the_place_of_another(now_desk: Desk) -> None:
    desk = now_desk
    desk.policy(BANDS)
    request = desk.ask(1200)
    manager, asks = desk.cast.regional_manager, desk.cast.service
    delegate(manager, manager, asks, starts_at=desk.when, ends_at=desk.when + timedelta(hours=5), when=desk.when)
    assert listed(desk, "service") == []
    assert listed(desk, "service", "mine") == [request.pk]


def test_who_has_decided_is_not_asked_again_under_another_hat(desk: Desk) -> None:
    desk.policy(BANDS)
    desk.grant(desk.cast.regional_manager, "finance", "EAST-N")
    request = desk.ask(6000)
    desk.decide("regional_manager", request)
    assert listed(desk, "regional_manager") == []


def test_what_the_list_offers_can_be_decided_and_nothing_else_can(now_desk: Desk) -> None:
    """The list and the service agree, for everybody of the cast and a deputy."""
    desk = now_desk
    desk.policy(BANDS)
    desk.grant(desk.cast.regional_manager, "finance", "EAST")
    finance, deputy = desk.cast.finance, make_staff(desk.group["EAST"], ["vice_president"], username="deputy")
    delegate(finance, finance, deputy, starts_at=desk.when, ends_at=desk.when + timedelta(hours=9), when=desk.when)
    requests = [desk.ask(6000, name=f"n{n}", by=by) for n, by in enumerate(("service", "regional_manager", "service"))]
    desk.decide("regional_manager", requests[0])
    desk.decide(finance, requests[0])
    desk.decide("regional_manager", requests[2])
    assert requests[2].tasks.filter(person=desk.cast.regional_manager, role="finance", is_open=True).exists()
    for who in (*vars(desk.cast).values(), deputy):
        reader, may = Staff.objects.get(pk=who.pk), []
        for request in ApprovalRequest.objects.filter(state="open").order_by("-pk"):
            try:
                hat_of(reader, request, open_step_of(request), desk.when)
                may.append(request.pk)
            except LoyaltyError:
                pass
        assert listed(desk, reader) == may, who.username


def test_filters_narrow_and_a_watched_request_stays_in_its_tab(desk: Desk) -> None:
    desk.policy(BANDS)
    small, large = desk.ask(1200), desk.ask(-1800, unit="EAST-N", name="b")
    assert large.state == "done"  # taking away needs nobody under this policy
    second = desk.ask(2500, name="c")
    assert listed(desk, "regional_manager") == [second.pk, small.pk]
    assert listed(desk, "regional_manager", least=2000) == [second.pk]
    assert listed(desk, "regional_manager", within=desk.group["EAST-S"].path) == []
    assert listed(desk, "regional_manager", kind="points.adjustment") == []
    watch(desk.cast["finance"], small.pk, True)
    assert listed(desk, "finance", "watching") == [small.pk]


def test_pages_are_walked_by_key_both_ways(desk: Desk) -> None:
    desk.policy(BANDS)
    asked = [desk.ask(1200, name=f"n{n}").pk for n in range(5)][::-1]
    reader = desk.cast["regional_manager"]
    hats = hats_of(reader, desk.when)

    def turn(**walk: Any) -> tuple[list[int], int | None, int | None]:
        page = page_of("decide", reader, hats, Narrowed(), Walk(count=3, **walk), desk.when)
        return [row.key for row in page.rows], page.newer, page.older

    assert turn() == (asked[:2], None, asked[1])
    assert turn(key=asked[1]) == (asked[2:4], asked[2], asked[3])
    assert turn(key=asked[3]) == (asked[4:], asked[4], None)
    assert turn(key=asked[2], is_back=True) == (asked[:2], None, asked[1])


# What it costs.


def test_the_inbox_asks_as_much_whatever_waits(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    everybody = {"bands": [{"name": "all", "when": {"all": []}, "steps": [step(role("vice_president"))]}]}
    desk.policy(everybody, kind="approvals.policy")
    client = browse("vice_president")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            body = client.get(INBOX).content.decode()
        assert body.count("data-inbox-row") == min(50, waiting)
        return len(seen)

    waiting = 0
    empty = queries()

    def wait(count: int) -> None:
        for number in range(count):
            request = desk.ask(6000, name=f"n{waiting}-{number}")
            desk.decide("regional_manager", request)
            desk.decide("finance", request)

    wait(1)
    waiting = 1
    few = queries()
    wait(7)
    waiting = 8
    publish(desk)
    waiting = 9
    assert empty <= few
    assert (few, queries()) == (6, 6)  # whatever kinds there are: titles are kept with requests


def test_the_sidebar_counts_what_waits_in_one_statement_after_the_page_is_shown(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    for number in range(3):
        desk.ask(1200, name=f"n{number}")
    counts = [browse(who).get("/notices/unread/").json()["inbox"] for who in ("regional_manager", "finance", "service")]
    assert [(each["shown"], each["label"]) for each in counts] == [
        ("3", "3 wait for your decision"), ("0", "0 wait for your decision"), ("0", "0 wait for your decision"),
    ]  # fmt: skip
    client = browse("regional_manager")
    client.get("/notices/unread/")
    with CaptureQueriesContext(connection) as seen:
        client.get("/notices/unread/")
    assert sum("approvals_approvaltask" in each["sql"] for each in seen) == 1
    assert len(seen) <= 6


def publish(desk: Desk) -> None:
    """A policy that waits for the vice president, asked for through the service."""
    draft = create_policy(None, desk.group["EAST"], Gauge.code, when=desk.when)
    send(
        desk.cast["administrator"], PolicyPublication(version=draft.pk, revision=draft.revision), reason="new",
        key="publish", when=desk.when,
    )  # fmt: skip


# The page of one.


def test_the_page_says_everything_and_the_last_yes_carries_out(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    before = desk.ask(1300)
    desk.decide("regional_manager", before)
    request = desk.ask(1200, reason="A till was down")
    client = browse("regional_manager")
    body = page_for(client, request)
    for said in ("A till was down", "+1200 EAST-N", "Approve and carry out", "Regional manager at", "+1300 EAST-N"):
        assert said in body
    shown = act(client, request, "approved", seen=digest_in(body))
    assert "Approved and carried out." in shown
    assert desk.level() == 2500
    assert "Carried out" in page_for(browse("service"), request)


def test_what_has_changed_is_shown_again_and_what_was_typed_stays(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    request = desk.ask(1200)
    client = browse("regional_manager")
    seen = digest_in(page_for(client, request))
    raise_gauge(desk.cast["service"], Gauge(unit="EAST-N", size=10, name="b"), desk.when)
    shown = act(client, request, "approved", seen=seen, comment="fine <by> me")
    assert "Something has changed since you opened this" in shown
    assert "Approve with these changes" in shown
    assert "fine &lt;by&gt; me</textarea>" in shown
    assert "<del>1,200</del> 1,210" in re.sub(r"</?strong>", "", shown)
    assert not Decision.objects.exists()
    act(client, request, "approved", seen=digest_in(shown))
    assert (desk.level(), Decision.objects.get().has_changed) == (1210, True)


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("service", "Nobody decides on their own request."),
        ("finance", "You are asked in step 2, when the steps before it have passed."),
        ("auditor", "You are not asked now. regional_manager can decide."),
    ],
)
def test_whoever_may_not_decide_reads_why(now_desk: Desk, browse: Open, who: str, sentence: str) -> None:
    now_desk.policy(BANDS)
    body = page_for(browse(who), now_desk.ask(6000))
    assert sentence in body
    assert 'name="seen"' not in body


def test_a_lost_role_a_decision_and_a_handing_on_are_told_in_words(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    above = make_staff(desk.group["EAST"], ["regional_manager"], username="above")
    first, second, third = desk.ask(6000), desk.ask(6000, name="b"), desk.ask(1200, name="c")
    desk.decide("regional_manager", first)
    transfer(desk.cast["regional_manager"], second.pk, above, when=desk.when)
    client = browse("regional_manager")
    assert "You have decided on this request already" in page_for(client, first)
    assert "You have handed this on. You are not asked now. above can decide." in page_for(client, second)
    desk.grant(desk.cast.regional_manager, "finance", "EAST-S")
    revoke_role(None, desk.cast.regional_manager, "regional_manager", desk.group["EAST-N"])
    said = "You were asked as Regional manager, and do not hold that role here any more."
    assert said in page_for(client, third)


def test_who_can_decide_and_why_names_who_stands_in(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    request = desk.ask(1200)
    deputy = make_staff(desk.group["EAST-S"], ["marketing"], username="deputy")
    manager = desk.cast.regional_manager
    delegate(manager, manager, deputy, starts_at=desk.when, ends_at=now().replace(year=2100), when=desk.when)
    body = page_for(browse(deputy), request)
    assert "<strong>deputy</strong>: stands in for regional_manager" in body
    assert "You decide in the place of regional_manager." in body
    act(browse(deputy), request, "approved", seen=digest_in(body))
    made = Decision.objects.get()
    assert (made.person, made.hat) == (deputy, manager)


def test_returning_wants_a_word_and_the_requester_sends_again(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    request = desk.ask(1200)
    client = browse("regional_manager")
    assert "Say why: the requester reads it." in act(client, request, "returned")
    act(client, request, "returned", comment="Which till?")
    own = browse("service")
    assert "Change and send again" in page_for(own, request)
    form = own.get(address_of(request, "again"))
    assert "Which till?" in form.content.decode()
    own.post(address_of(request, "again"), {"reason": "Till 7"})
    request.refresh_from_db()
    assert (request.state, request.round, request.reason) == ("open", 2, "Till 7")
    assert client.get(address_of(request, "again")).status_code == 404


def test_somebody_is_handed_the_request_only_out_of_those_who_may_be_named(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    request = desk.ask(1200)
    client = browse("regional_manager")
    offered = client.get(address_of(request, "people"), {"term": "e"}).json()["people"]
    names = {each["name"] for each in offered}
    assert "finance" in names
    assert not names & {"outsider", "service", "regional_manager", "shop"}
    assert "cannot be asked" in act(client, request, "transfer", to="outsider")
    act(client, request, "add", to="finance", text="Please look too")
    assert listed(desk, "finance") == [request.pk]
    shown = act(client, request, "approved", seen=digest_in(page_for(client, request)))
    assert "Approved. The next people are asked." in shown
    assert (ApprovalRequest.objects.get(pk=request.pk).state, desk.level()) == ("open", 0)


def test_evidence_is_saved_by_whoever_may_read_the_request(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    request, other = desk.ask(1200), desk.ask(1200, name="b")
    kept = attach(desk.cast["service"], request.pk, "till 7, “broken”.txt", b"<b>no</b>"[3:], when=desk.when)
    answer = browse("regional_manager").get(address_of(request, "evidence"), {"file": kept.pk})
    assert (answer.status_code, answer.content) == (200, b"no</b>")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert browse("regional_manager").get(address_of(other, "evidence"), {"file": kept.pk}).status_code == 404
    assert browse("outsider").get(address_of(request, "evidence"), {"file": kept.pk}).status_code == 404


def test_who_only_reads_a_request_attaches_nothing_to_it(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    request = desk.ask(1200)
    for reader in ("auditor", "finance"):
        with pytest.raises(NotAllowed):
            attach(desk.cast[reader], request.pk, "mine.txt", b"mine", when=desk.when)
        assert "Attach evidence" not in page_for(browse(reader), request)
    for part in ("service", "regional_manager"):
        assert (
            attach(desk.cast[part], request.pk, f"{part}.txt", part.encode(), when=desk.when).person == desk.cast[part]
        )
        assert "Attach evidence" in page_for(browse(part), request)


@pytest.mark.parametrize(("kind", "reads"), [("points.adjustment", False), (Gauge.code, True), (None, True)])
def test_a_deputy_for_some_kinds_reads_requests_of_those_alone(now_desk: Desk, kind: str | None, reads: bool) -> None:
    desk, manager = now_desk, now_desk.cast["regional_manager"]
    desk.policy(BANDS)
    request, deputy = desk.ask(1200), make_staff(desk.group.units["EAST"])
    today = local_day(desk.when, ZoneInfo("Asia/Shanghai"))
    arrange_absence(manager, manager, deputy, today, today, when=desk.when, kinds=(kind,) if kind else ())
    assert ApprovalRequest.objects.visible_to(deputy).filter(pk=request.pk).exists() == reads


def test_withdrawing_and_watching(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    request = desk.ask(1200)
    assert "You are told of what becomes of it." in act(browse("finance"), request, "watch")
    assert "Only who sent a request can do this." in act(browse("finance"), request, "withdraw")
    assert "Withdrawn." in act(browse("service"), request, "withdraw")
    assert ApprovalRequest.objects.get().state == "withdrawn"


def test_requests_in_parts_say_so_and_lead_to_the_others(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    first, second = desk.ask(900), desk.ask(900)
    body = page_for(browse("regional_manager"), second)
    assert "It takes the longer road" in body
    assert f'href="{address_of(first)}"' in body


# Several at once.


def test_several_are_decided_each_by_itself_on_what_was_shown(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    good, changed, large = desk.ask(1200), desk.ask(1300, name="b", unit="S001"), desk.ask(6000, name="c")
    seen = re.findall(r'name="chosen" value="([^"]+)"', browse("regional_manager").get(INBOX).content.decode())
    assert len(seen) == 2  # the large one is opened
    raise_gauge(desk.cast["service"], Gauge(unit="S001", size=10, name="x"), desk.when)
    chosen = [*seen, f"{large.pk}:{large.asked_seal}", "99999999999:x"]
    data = {"chosen": chosen, "verdict": "approved", "here": "tab=decide"}
    body = browse("regional_manager").post(f"{INBOX}decide/", data).content.decode()
    assert "1 request approved." in body
    assert "Something has changed since you opened this" in body
    assert "It needs more than one person: open it to decide." in body
    states = {pk: ApprovalRequest.objects.get(pk=pk).state for pk in (good.pk, changed.pk, large.pk)}
    assert states == {good.pk: "done", changed.pk: "open", large.pk: "open"}


def test_several_are_rejected_only_with_a_word(now_desk: Desk, browse: Open) -> None:
    desk = now_desk
    desk.policy(BANDS)
    request = desk.ask(1200)
    client = browse("regional_manager")
    data = {"chosen": f"{request.pk}:x", "verdict": "rejected"}
    assert "Say why: the requester reads it." in client.post(f"{INBOX}decide/", data).content.decode()
    assert "1 request rejected." in client.post(f"{INBOX}decide/", {**data, "comment": "no"}).content.decode()
    assert ApprovalRequest.objects.get().state == "rejected"


# Views and emptiness.


def test_a_view_is_kept_and_is_ones_own(now_desk: Desk, browse: Open) -> None:
    client = browse("regional_manager")
    client.post(f"{INBOX}views/", {"name": "Large ones", "here": "tab=decide&least=5000"})
    kept = SavedView.objects.get()
    assert (kept.person.username, kept.query) == ("regional_manager", "tab=decide&least=5000")
    body = client.get(f"{INBOX}?{kept.query}").content.decode()
    assert "Large ones" in body
    assert "At least 5,000" in body
    assert "Large ones" not in browse("finance").get(INBOX).content.decode()
    browse("finance").post(f"{INBOX}views/", {"forget": kept.pk})
    assert SavedView.objects.exists()
    client.post(f"{INBOX}views/", {"forget": kept.pk})
    assert not SavedView.objects.exists()


def test_nothing_to_decide_and_nothing_that_fits_say_different_things(now_desk: Desk, browse: Open) -> None:
    client = browse("regional_manager")
    assert "nobody is waiting for your decision" in client.get(INBOX).content.decode()
    assert "No request here fits the filters." in client.get(f"{INBOX}?late=1").content.decode()


def test_an_inbox_of_another_company_is_empty_and_its_page_is_not_there(now_desk: Desk, browse: Open) -> None:
    now_desk.policy({"bands": [{"name": "all", "when": {"all": []}, "steps": [step(person("regional_manager"))]}]})
    request = now_desk.ask(5)
    assert "data-inbox-row" not in browse("outsider").get(INBOX).content.decode()
    assert browse("outsider").get(address_of(request)).status_code == 404
    assert browse("outsider").post(address_of(request, "act"), {"act": "comment", "comment": "x"}).status_code == 404
