"""Points held for review, where a policy wants others to say yes: held at the gate, asked for, decided on, done once."""

from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from apps.approvals.errors import EffectChanged
from apps.approvals.models import ApprovalRequest
from apps.approvals.services.deciding import decide
from apps.approvals.services.policies import create_policy, publish_policy
from apps.approvals.services.sending import send
from apps.approvals.showing import effect_rows, title_of
from apps.orgs.gate import ApprovalNeeded, Effect
from apps.orgs.models import Staff
from apps.rules.errors import AlreadyDecided, AskedAlready
from apps.rules.holding import HeldVerdict, decide_held, requests_about
from apps.rules.models import HeldDecision, HeldEvent
from tests.approvals.conftest import role, step
from tests.factories import Cast
from tests.rules.conftest import Till, purchase, refund
from tests.rules.test_holding import NOW, guarded, state_of

__all__ = ["guarded"]
QUEUE = "/rules/heldevent/"


def policy(till: Till, *steps: Any, least: int = 0) -> None:
    condition = {"all": [{"field": "request.points", "op": "ge", "value": least}]}
    bands = [{"name": "Held", "when": condition, "steps": list(steps)}]
    publish_policy(
        None, create_policy(None, till.group["G"], "rules.held", definition={"bands": bands}, when=NOW), when=NOW
    )


@pytest.fixture
def watched(guarded: Till) -> Till:
    """A large order waits, and 1,000 points and more need finance."""
    policy(guarded, step(role("finance")), least=1000)
    guarded.send(purchase("1000", key="a"))
    return guarded


def ask(by: Staff, verdict: str = "released", key: str = "k") -> ApprovalRequest:
    held = HeldEvent.objects.order_by("pk")[0]
    return send(by, HeldVerdict(held=held.pk, verdict=verdict), reason="Known guest", key=key, when=NOW)  # type: ignore[arg-type]


def say(by: Staff, request: ApprovalRequest, verdict: str = "approved", seen: str | None = None) -> ApprovalRequest:
    seen = seen or request.seal(request.read_subject().effect(request.requester, NOW))
    return decide(by, request.pk, verdict, seen=seen, comment="Because", when=NOW)


def test_the_verb_is_held_and_a_yes_releases_the_points_once(watched: Till, cast: Cast) -> None:
    held = HeldEvent.objects.get()
    with pytest.raises(ApprovalNeeded):
        decide_held(cast["regional_manager"], held, "released", reason="Known guest", when=NOW)
    request = ask(cast["regional_manager"])
    facts = {"request.points": 1005, "request.verdict": "released", "request.held_for": "Large order"}
    assert facts.items() <= request.facts.items()
    assert (request.state, request.amount) == ("open", 1005)
    assert not HeldDecision.objects.exists()
    done = say(cast["finance"], request)
    decision = HeldDecision.objects.get()
    assert (done.state, done.told) == ("done", {"points": 1005, "verdict": "released"})
    assert (decision.verdict, decision.decided_by, decision.reason) == (
        "released",
        cast.regional_manager,
        "Known guest",
    )
    assert state_of("C1", watched) == (1005, 0, 0)


def test_a_refusal_takes_the_points_back_and_counts_downwards(watched: Till, cast: Cast) -> None:
    request = ask(cast["regional_manager"], "refused")
    assert request.amount == -1005
    say(cast["finance"], request)
    assert state_of("C1", watched) == (0, 0, 0)


def test_what_a_refund_took_meanwhile_is_shown_and_the_rest_decided_on(watched: Till, cast: Cast) -> None:
    request = ask(cast["regional_manager"])
    seen = request.asked_seal
    watched.send(refund("a", "400"))
    with pytest.raises(EffectChanged):
        say(cast["finance"], request, seen=seen)
    done = say(cast["finance"], request)
    assert (done.told["points"], done.decisions.get().has_changed) == (603, True)


def test_what_was_decided_meanwhile_closes_the_request(watched: Till, cast: Cast) -> None:
    request = ask(cast["regional_manager"])
    seen = request.asked_seal
    HeldDecision.objects.create(
        held_event=HeldEvent.objects.get(), verdict="refused", points=0, reason="x", decided_at=NOW
    )
    closed = say(cast["finance"], request, seen=seen)
    assert (closed.state, closed.refusal["code"]) == ("closed", "subject_gone")
    with pytest.raises(AlreadyDecided):
        ask(cast["regional_manager"], key="again")


def test_one_event_has_one_open_request(watched: Till, cast: Cast) -> None:
    request = ask(cast["regional_manager"])
    with pytest.raises(AskedAlready) as refused:
        ask(cast["finance"], "refused", key="other")
    assert f"number {request.pk}" in refused.value.sentence()
    say(cast["finance"], request, "rejected")
    assert ask(cast["regional_manager"], key="other").state == "open"


def test_several_of_one_member_take_the_longer_road_together(guarded: Till, cast: Cast) -> None:
    policy(guarded, step(role("finance")), least=2000)
    guarded.send(purchase("1000"), purchase("1000"))
    first, second = HeldEvent.objects.order_by("pk")
    assert decide_held(cast["regional_manager"], first, "released", reason="One", when=NOW).points == 1005
    with pytest.raises(ApprovalNeeded):
        decide_held(cast["regional_manager"], second, "released", reason="Two", when=NOW)


def test_an_effect_is_told_in_both_languages(watched: Till, cast: Cast) -> None:
    request = ask(cast["regional_manager"])
    (line,) = [line for line in Effect.from_json(request.asked_on).lines if line.shape == "own"]
    assert HeldVerdict.say(line, "en") == ["Points: balance 0 → 1,005, pending 1,005 → 0"]
    assert HeldVerdict.say(line, "zh-hans") == ["Points：余额 0 → 1,005，待生效 1,005 → 0"]
    rows = effect_rows(HeldVerdict, request.asked_effect)
    assert [(row.label, row.after or row.sentences[0]) for row in rows] == [
        ("Points held for review are released", "1,005"),
        ("The member's points", "Points: balance 0 → 1,005, pending 1,005 → 0"),
        ("Held because", "Large order"),
    ]
    member = watched.member("C1")
    assert request.title == {"en": "Release 1,005 held points of {about}", "zh": "放行{about}待审核的 1,005 积分"}
    with translation.override("zh-hans"):
        assert title_of(request) == f"放行{member}待审核的 1,005 积分"


def test_the_queue_sends_requests_says_to_whom_and_shows_what_is_asked_for(
    watched: Till, cast: Cast, client: Client, django_assert_max_num_queries: Any
) -> None:
    watched.send(purchase("500", key="b", member="C2"), purchase("2000", key="c", member="C2"))
    client.force_login(cast["regional_manager"])
    where = f"{QUEUE}decide/?event={HeldEvent.objects.order_by('pk')[0].pk}"
    page = client.get(where).content.decode()
    assert "To release them, Finance (finance) must say yes first: a request is sent." in page
    page = client.post(where, {"verdict": "released", "reason": "Known guest"}, follow=True).content.decode()
    request = ApprovalRequest.objects.get()
    assert f"it was sent as request #{request.pk} to finance." in page
    assert page.count("Requested") == 1
    again = client.post(where, {"verdict": "released", "reason": "Known guest"}, follow=True).content.decode()
    assert f"has sent a request about this already, number {request.pk}" in again
    with django_assert_max_num_queries(40) as one:
        assert client.get(QUEUE).status_code == 200
    watched.send(*[purchase("2000", member="C3") for _ in range(4)])
    for held in HeldEvent.objects.exclude(pk=request.subject["held"]):
        send(cast["finance"], HeldVerdict(held=held.pk, verdict="refused"), reason="No", key=str(held.pk), when=NOW)
    with django_assert_max_num_queries(len(one)):
        assert client.get(QUEUE).content.decode().count("Requested") == 6
    client.cookies["django_language"] = "zh-hans"
    assert "放行须先经 财务" in client.get(where).content.decode().replace("<strong>", "")
    assert requests_about([request.subject["held"]]) == {request.subject["held"]: request}
