"""Points asked for by hand: the road, what was seen, what is posted, and what stands in the way."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.approvals.errors import EffectChanged, EvidenceRefused, RequestKeyReused
from apps.approvals.models import ApprovalRequest, Decision, Evidence
from apps.approvals.services.deciding import decide
from apps.approvals.services.filing import File
from apps.approvals.services.policies import create_policy, publish_policy
from apps.approvals.services.sending import send
from apps.approvals.showing import titles_of
from apps.core.clock import now
from apps.members.models import Member
from apps.members.services import changing, create_member
from apps.orgs.gate import ApprovalNeeded
from apps.orgs.models import Staff
from apps.points import services
from apps.points.errors import EvidenceNeeded, NotPossibleNow, ReasonCodeNeeded
from apps.points.models import Posting
from apps.points.services.adjusting import Adjustment, ask_adjustment
from apps.points.services.reasons import create_reason
from apps.points.services.reversing import Reversal, ask_reversal
from tests.approvals.conftest import role, step
from tests.factories import Cast, CoffeeGroup
from tests.points.conftest import Purse

pytestmark = pytest.mark.django_db
WHEN = datetime(2026, 5, 4, 2, tzinfo=UTC)
PDF = File("receipt.pdf", b"%PDF-1.7 receipt")
_keys = count(1)


def from_points(points: int) -> dict[str, Any]:
    return {"field": "request.points", "op": "ge", "value": points}


BANDS = {
    "bands": [
        {"name": "Large", "when": from_points(5000), "why": "It is more than 5,000 points.",
         "steps": [step(role("regional_manager")), step(role("finance")), step(role("vice_president"))]},
        {"name": "Medium", "when": from_points(1000), "steps": [step(role("regional_manager"))]},
    ],
    "otherwise": "at_once",
}  # fmt: skip


def hold_at(group: CoffeeGroup, definition: Any = BANDS, kind: str = "points.adjustment") -> None:
    publish_policy(None, create_policy(None, group["G"], kind, definition=definition, when=WHEN), when=WHEN)


@dataclass
class Counter:
    """Customer service and the others, before one member's account."""

    purse: Purse
    cast: Cast

    def wants(self, points: int, reason_code: str = "") -> Adjustment:
        kind = self.purse.group.point_types["east"]
        return Adjustment(member=self.purse.member.pk, point_type=kind.pk, points=points, reason_code=reason_code)

    def ask(self, points: int, reason_code: str = "", by: str = "service", **more: Any) -> ApprovalRequest:
        more = {"reason": "goodwill", "key": f"ask{next(_keys)}", "when": WHEN, **more}
        return ask_adjustment(self.cast[by], self.wants(points, reason_code), **more)

    def decide(self, by: str, request: ApprovalRequest, verdict: str = "approved", seen: str = "") -> ApprovalRequest:
        effect = request.read_subject().effect(request.requester, WHEN)
        return decide(self.cast[by], request.pk, verdict, seen=seen or request.seal(effect), comment="ok", when=WHEN)

    @property
    def balance(self) -> int:
        return self.purse.account.balance


@pytest.fixture
def counter(purse: Purse, cast: Cast) -> Counter:
    return Counter(purse, cast)


def test_six_thousand_points_take_three_people_and_the_last_confirms_what_changed(counter: Counter) -> None:
    counter.purse.give(100, when=WHEN)
    hold_at(counter.purse.group)
    request = counter.ask(6000)
    assert (request.state, request.band, request.steps) == ("open", "Large", 3)
    counter.decide("regional_manager", request)
    counter.decide("finance", request)
    counter.purse.redeem(30, when=WHEN)
    with pytest.raises(EffectChanged):
        counter.decide("vice_president", request, seen=request.asked_seal)
    assert counter.balance == 70
    counter.decide("vice_president", request)
    assert counter.balance == 6070
    posted = Posting.objects.get(key=f"approval:{request.pk}")
    assert (posted.points, posted.reason, posted.actor, posted.kind) == (6000, "goodwill", request.requester, "adjust")
    assert [each.has_changed for each in Decision.objects.order_by("pk")] == [False, False, True]
    request.refresh_from_db()
    assert (request.state, request.told["points"]) == ("done", 6000)


def test_the_verb_itself_is_held_and_lets_through_what_the_policy_does(counter: Counter) -> None:
    hold_at(counter.purse.group)
    service, member, kind = counter.cast["service"], counter.purse.member.pk, counter.purse.group.point_types["east"].pk
    with pytest.raises(ApprovalNeeded):
        services.adjust(service, member, kind, 6000, reason="because", key="direct", when=WHEN)
    assert (counter.balance, Posting.objects.count()) == (0, 0)
    services.adjust(service, member, kind, 60, reason="because", key="small", when=WHEN)
    assert counter.balance == 60


def test_what_is_free_is_posted_at_once_with_its_evidence(counter: Counter) -> None:
    hold_at(counter.purse.group)
    request = counter.ask(60, files=[PDF, PDF])
    assert (request.state, counter.balance) == ("done", 60)
    assert [(each.name, each.content_type) for each in Evidence.objects.all()] == [("receipt.pdf", "application/pdf")]


def test_a_file_that_is_refused_leaves_no_request(counter: Counter) -> None:
    with pytest.raises(EvidenceRefused):
        counter.ask(60, files=[File("run.exe", b"MZ")])
    assert (ApprovalRequest.objects.count(), counter.balance) == (0, 0)


def test_the_same_form_sent_again_answers_the_same(counter: Counter) -> None:
    first = counter.ask(-counter.purse.give(100, when=WHEN).points, key="form")
    assert (counter.ask(-100, key="form"), counter.balance) == (first, 0)
    with pytest.raises(RequestKeyReused):
        counter.ask(-90, key="form")


def test_what_would_be_refused_now_is_not_sent(counter: Counter) -> None:
    counter.purse.give(500, when=WHEN)
    hold_at(counter.purse.group)
    with pytest.raises(NotPossibleNow) as refused:
        counter.ask(-5000)
    assert "500 points to spend; 5,000 were asked for" in refused.value.sentence()
    assert ApprovalRequest.objects.count() == 0


def test_a_reason_that_needs_evidence_is_asked_for_it_through_every_door(counter: Counter) -> None:
    create_reason(counter.purse.group.east, code="till", name="Wrong till", needs_evidence=True)
    with pytest.raises(ReasonCodeNeeded):
        counter.ask(60)
    with pytest.raises(EvidenceNeeded):
        counter.ask(60, "till")
    with pytest.raises(EvidenceNeeded):
        services.adjust(
            counter.cast["service"], counter.purse.member.pk, counter.purse.group.point_types["east"].pk, 60,
            reason="x", key="direct", when=WHEN, reason_code="till",
        )  # fmt: skip
    request = counter.ask(60, "till", files=[PDF])
    assert (request.state, request.facts["request.reason_code"], counter.balance) == ("done", "till", 60)


def test_a_policy_can_ask_about_the_reason(counter: Counter) -> None:
    create_reason(counter.purse.group.east, code="till", name="Wrong till")
    create_reason(counter.purse.group.east, code="goodwill", name="Goodwill")
    when = {"field": "request.reason_code", "op": "eq", "value": "goodwill"}
    hold_at(counter.purse.group, {"bands": [{"name": "Gifts", "when": when, "steps": [step(role("finance"))]}]})
    assert counter.ask(60, "till").state == "done"
    assert counter.ask(60, "goodwill").band == "Gifts"


def test_returned_changed_and_sent_again_keeps_its_evidence(counter: Counter) -> None:
    create_reason(counter.purse.group.east, code="till", name="Wrong till", needs_evidence=True)
    hold_at(counter.purse.group)
    request = counter.ask(6000, "till", files=[PDF])
    counter.decide("regional_manager", request, "returned")
    again = counter.ask(1200, "till", again=request.pk, files=[PDF, File("more.txt", b"more")])
    assert (again.pk, again.round, again.band, again.amount) == (request.pk, 2, "Medium", 1200)
    assert list(request.evidence.order_by("pk").values_list("name", flat=True)) == ["receipt.pdf", "more.txt"]
    counter.decide("regional_manager", again)
    assert counter.balance == 1200


def test_a_reversal_takes_its_own_road(counter: Counter) -> None:
    hold_at(counter.purse.group, kind="points.reversal")
    given = counter.purse.give(6000, when=WHEN)
    asked = Reversal(posting=given.pk, points=6000)
    request = ask_reversal(counter.cast["service"], asked, reason="wrong member", key="r1", files=[PDF], when=WHEN)
    for by in ("regional_manager", "finance", "vice_president"):
        assert counter.balance == 6000
        counter.decide(by, request)
    assert (counter.balance, Posting.objects.get(reverses=given).key) == (0, f"approval:{request.pk}")


def test_titles_of_several_kinds_cost_one_query_and_keep_nobodys_name(
    counter: Counter, django_assert_num_queries: Any
) -> None:
    given = counter.purse.give(6000, when=WHEN)
    hold_at(counter.purse.group)
    hold_at(counter.purse.group, kind="points.reversal")
    reversal = Reversal(posting=given.pk, points=6000)
    sent = [
        counter.ask(6000),
        ask_reversal(counter.cast["service"], reversal, reason="wrong member", key="r1", when=WHEN),
    ]
    assert [request.title["en"] for request in sent] == ["+6,000 points for {about}", "−6,000 points for {about}"]
    Member.objects.filter(pk=counter.purse.member.pk).update(masked_name="王**")
    with django_assert_num_queries(1):
        titles = titles_of(sent)
    assert list(titles.values()) == ["+6,000 points for 王**", "−6,000 points for 王**"]
    sent[0].title = {}
    assert titles_of(sent[:1]) == {sent[0].pk: "+6,000 points for 王**"}


# The pages.


@pytest.fixture
def desk(client: Client, counter: Counter) -> Client:
    client.force_login(counter.cast["service"], backend="apps.orgs.auth.RoleBackend")
    return client


def form_of(counter: Counter) -> str:
    return reverse("admin:points_account_adjust", args=[counter.purse.member.pk])


def test_the_preview_names_the_people_and_writes_nothing(desk: Client, counter: Counter) -> None:
    hold_at(counter.purse.group)
    manager = counter.cast["regional_manager"]
    Staff.objects.filter(pk=manager.pk).update(first_name="Wei", last_name="Li")
    asked = {"point_type": counter.purse.group.point_types["east"].pk, "points": "6000"}
    shown = desk.get(f"{form_of(counter)}preview/", asked).content.decode()
    assert "6,000" in shown
    assert str(counter.cast["regional_manager"]) in shown
    assert "It is more than 5,000 points." in shown
    small = desk.get(f"{form_of(counter)}preview/", {**asked, "points": "6"}).content.decode()
    assert "carried out at once" in small
    nothing = desk.get(f"{form_of(counter)}preview/", {**asked, "points": "-6"}).content.decode()
    assert "The account has 0 points to spend" in nothing
    assert desk.get(f"{form_of(counter)}preview/", {**asked, "points": "x"}).content.decode().strip() == ""
    assert (ApprovalRequest.objects.count(), Posting.objects.count()) == (0, 0)


def test_the_form_sends_a_request_says_to_whom_and_opens_it_again(desk: Client, counter: Counter) -> None:
    hold_at(counter.purse.group)
    kind = counter.purse.group.point_types["east"].pk
    form = desk.get(form_of(counter)).context_data["form"]  # type: ignore[attr-defined]
    sent = {"key": form["key"].value(), "point_type": kind, "points": "1500", "reason": "goodwill"}
    for _ in range(2):
        answer = desk.post(form_of(counter), sent, follow=True)
        assert f"Sent to {counter.cast['regional_manager']}." in answer.content.decode()
    request = ApprovalRequest.objects.get()
    assert (request.state, request.reason, counter.balance) == ("open", "goodwill", 0)
    assert desk.get(f"{form_of(counter)}?request={request.pk}").status_code == 404
    counter.decide("regional_manager", request, "returned")
    opened = desk.get(f"{form_of(counter)}?request={request.pk}")
    again = opened.context_data["form"]  # type: ignore[attr-defined]
    assert (again["points"].value(), again["reason"].value()) == (1500, "goodwill")
    assert "1,500" in opened.content.decode()
    desk.post(f"{form_of(counter)}?request={request.pk}", {**sent, "points": "20"})
    request.refresh_from_db()
    assert (request.state, request.round, counter.balance) == ("done", 2, 20)
    desk.force_login(counter.cast["regional_manager"], backend="apps.orgs.auth.RoleBackend")
    assert desk.get(f"{form_of(counter)}?request={request.pk}").status_code == 404


def test_who_reverses_what_is_spent_sees_the_debt_that_it_makes(counter: Counter) -> None:
    given = counter.purse.give(100, when=WHEN)
    counter.purse.redeem(70, when=WHEN)
    hold_at(counter.purse.group, kind="points.reversal")
    subject = Reversal(posting=given.pk, points=100)
    lines = {line.code: (line.before, line.after) for line in subject.effect(None, WHEN).lines}
    assert (lines["balance"], lines["debt"]) == ((30, -70), (0, 70))
    services.reverse(None, given.pk, reason="by mistake", key="back", when=WHEN)
    assert (counter.balance, counter.purse.account.debt) == (-70, 70)


@pytest.mark.parametrize(
    ("expiry", "told"),
    [
        ({"kind": "never"}, ("expires", None)),
        ({"kind": "after_days", "days": 365}, ("lasts", 365)),
        ({"kind": "end_of", "period": "year"}, ("expires", "2026-12-31")),
    ],
)
def test_what_a_request_tells_of_expiry_stays_the_same_tomorrow(
    counter: Counter, expiry: dict[str, Any], told: tuple[str, Any]
) -> None:
    counter.purse.expiry(expiry)
    for day in (0, 1):
        lines = counter.wants(5).effect(None, WHEN + timedelta(days=day)).lines
        assert [(line.code, line.after) for line in lines if line.code in ("lasts", "expires")] == [told]


def test_a_member_who_was_moved_lately_looks_risky(counter: Counter) -> None:
    """Else whoever may change a member could choose the unit whose policy asks less."""
    member, group = counter.purse.member, counter.purse.group
    assert "moved" not in counter.wants(5).facts(None, now())["flags"]
    changing.change_member(None, member.pk, home_unit=group["S003"], when=now())
    assert "moved" in counter.wants(5).facts(None, now())["flags"]
    assert "moved" not in counter.wants(5).facts(None, now() + timedelta(days=31))["flags"]


def test_each_of_several_costs_the_same_however_many_are_decided_at_once(
    client: Client, group: CoffeeGroup, cast: Cast
) -> None:
    """Statements: what the page asks once, and what each decision asks until its points are posted."""
    hold_at(group)
    client.force_login(cast["regional_manager"], backend="apps.orgs.auth.RoleBackend")
    kind, spent = group.point_types["east"], {}
    for many in (1, 10, 60):
        chosen = []
        for _ in range(many):
            member = create_member(None, group["S001"], identifiers=[("card", f"C{next(_keys)}")], when=now())
            subject = Adjustment(member=member.pk, point_type=kind.pk, points=1000)
            request = send(cast["service"], subject, reason="outage", key=f"ask{next(_keys)}", when=now())
            chosen.append(f"{request.pk}:{request.asked_seal}")
        with CaptureQueriesContext(connection) as asked:
            client.post(
                reverse("admin:approvals_approvalrequest_bulk"), {"chosen": chosen, "verdict": "approved"}
            ).content.decode()
        spent[many] = len(asked)
        assert Posting.objects.filter(points=1000).count() == sum(spent)
    each = (spent[10] - spent[1]) // 9
    assert spent[60] - spent[10] == 50 * each, spent
    assert each <= 45
