"""Reviews: what is sent stays as it was, another decides once, and each request is kept for ever."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from apps.approvals.models import ApprovalRequest, Decision
from apps.approvals.services.deciding import decide, withdraw
from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.orgs.models import Staff
from apps.orgs.services import change_program
from apps.rules import services
from apps.rules.errors import DocumentFaulty
from apps.rules.exchange import exported
from apps.rules.models import RuleVersion
from apps.rules.publishing import Publication, send_publication
from tests.factories import Cast, CoffeeGroup, make_cast, make_group, make_staff
from tests.rules.conftest import CAP_A_DAY
from tests.rules.test_exchange import bring_in, plan_of
from tests.rules.test_services import DEFINITION, DOUBLE, draft, refused

WHEN = datetime(2026, 5, 4, 8, tzinfo=UTC)
MONDAY = WHEN + timedelta(days=7)
_keys = count(1)


@pytest.fixture
def colleague(group: CoffeeGroup) -> Staff:
    return make_staff(group["EAST"], ["marketing"], username="colleague")


@pytest.fixture
def review(group: CoffeeGroup, cast: Cast, colleague: Staff) -> ApprovalRequest:
    """What marketing wrote and sent to a colleague for Monday."""
    return submit(cast.marketing, draft(group, actor=cast.marketing), colleague)


def submit(actor: Staff, version: RuleVersion, *also: Staff, **more: Any) -> ApprovalRequest:
    values = {"starts_at": MONDAY, "when": WHEN, "reason": "Please", "key": f"k{next(_keys)}"} | more
    return send_publication(Staff.objects.get(pk=actor.pk), version, also=also, **values)


def say(by: Staff, request: ApprovalRequest, verdict: str = "approved", **more: Any) -> ApprovalRequest:
    """The decision of `by`, on what there is to see at that moment."""
    values = {"when": WHEN, "comment": "" if verdict == "approved" else "No."} | more
    seen = request.seal(request.read_subject().effect(request.requester, values["when"]))
    return decide(Staff.objects.get(pk=by.pk), request.pk, verdict, seen=seen, **values)


def answer(by: Staff, request: ApprovalRequest, verdict: str = "approved", **more: Any) -> None:
    """The same without looking: for refusals."""
    values = {"when": WHEN, "comment": "No.", "seen": request.asked_seal} | more
    decide(Staff.objects.get(pk=by.pk), request.pk, verdict, **values)


def kept(code: str, verb: Any, /, *args: Any, **values: Any) -> LoyaltyError:
    """The refusal of `verb`, after which every request, decision and version is as it was."""

    def state() -> Any:
        return [list(model.objects.order_by("pk").values()) for model in (ApprovalRequest, Decision)]

    before = state()
    refusal = refused(code, verb, *args, **values)
    assert before == state()
    return refusal


def test_a_colleague_publishes_what_was_sent_for_the_wished_start(
    review: ApprovalRequest, colleague: Staff, cast: Cast
) -> None:
    done = say(colleague, review, comment="Good.")
    live = RuleVersion.objects.get()
    assert (live.state, live.starts_at, live.published_by) == ("published", MONDAY, cast.marketing)
    assert (done.state, done.told) == ("done", {"number": 1, "starts_at": MONDAY.isoformat()})
    decision = Decision.objects.get()
    assert (decision.person, decision.decided_at, decision.comment) == (colleague, WHEN, "Good.")
    kept("request_over", answer, colleague, review)


def test_without_a_wish_it_starts_as_soon_as_it_is_approved(group: CoffeeGroup, cast: Cast, colleague: Staff) -> None:
    say(colleague, submit(cast.marketing, draft(group, actor=cast.marketing), colleague, starts_at=None))
    assert RuleVersion.objects.get().starts_at == WHEN + timedelta(seconds=2)


def test_a_wish_that_has_passed_is_shown_and_starts_at_once(till: Any, cast: Cast, colleague: Staff) -> None:
    from tests.rules.conftest import purchase

    review = submit(cast.marketing, draft(till.group, actor=cast.marketing), colleague)
    later = MONDAY + timedelta(days=1)
    till.send(purchase("10", occurred_at=MONDAY + timedelta(hours=1)), when=later)
    kept("effect_changed", answer, colleague, review, when=later)
    say(colleague, review, when=later)
    assert RuleVersion.objects.get().starts_at == later + timedelta(seconds=2)
    assert Decision.objects.get().has_changed


def test_nobody_decides_on_what_they_wrote_or_sent(group: CoffeeGroup, cast: Cast, colleague: Staff) -> None:
    """Also who saved one of its earlier wordings, and who sent what another wrote."""
    version = draft(group, actor=cast.marketing)
    services.save_draft(colleague, version, DOUBLE, when=WHEN)
    services.save_draft(cast.marketing, version, DEFINITION, when=WHEN)
    sender, fourth = (make_staff(group["EAST"], ["marketing"]) for _ in range(2))
    kept("not_to_them", submit, sender, version, colleague)
    review = submit(sender, version, fourth)
    assert set(review.excluded) == {cast.marketing.pk, colleague.pk}
    for person, code in ((cast.marketing, "own_work"), (colleague, "own_work"), (sender, "own_request")):
        kept(code, answer, person, review)
        kept(code, answer, person, review, "returned")
    for stranger in (cast.finance, cast.outsider, cast.auditor):
        kept("not_asked", answer, stranger, review)
        kept("not_asked", answer, stranger, review, "returned")
    for stranger in (cast.finance, cast.outsider):
        kept("not_yours", withdraw, stranger, review.pk, when=WHEN)
        kept("not_allowed", submit, stranger, version, fourth)
    assert say(fourth, review).state == "done"


def test_what_is_in_review_stays_as_it_was_sent(
    group: CoffeeGroup, review: ApprovalRequest, cast: Cast, colleague: Staff
) -> None:
    version = RuleVersion.objects.get()
    kept("draft_in_review", services.save_draft, cast.marketing, version, DOUBLE, when=WHEN)
    kept("draft_in_review", services.publish_version, cast.marketing, version, when=WHEN)
    kept("draft_in_review", services.discard_draft, cast.marketing, version)
    kept("draft_in_review", services.change_rule, cast.marketing, version.rule, name="Yuan", unit=group["EAST-N"])
    kept("draft_in_review", submit, cast.marketing, version, colleague)


def test_editing_again_withdraws_the_request_and_it_is_kept(
    review: ApprovalRequest, cast: Cast, colleague: Staff
) -> None:
    withdraw(cast.marketing, review.pk, when=WHEN)
    services.save_draft(cast.marketing, RuleVersion.objects.get(), DOUBLE, when=WHEN)
    kept("request_over", answer, colleague, review)
    again = submit(cast.marketing, RuleVersion.objects.get(), colleague)
    assert list(ApprovalRequest.objects.order_by("pk").values_list("pk", "state")) == [
        (review.pk, "withdrawn"), (again.pk, "open"),
    ]  # fmt: skip
    assert (review.subject["revision"], again.subject["revision"]) == (1, 2)
    assert review.asked_on != again.asked_on


def test_what_is_returned_says_why_is_mended_and_goes_round_again(
    review: ApprovalRequest, cast: Cast, colleague: Staff
) -> None:
    kept("comment_needed", answer, colleague, review, "returned", comment="  ")
    say(colleague, review, "returned", comment="Too much on Sundays.")
    services.save_draft(cast.marketing, RuleVersion.objects.get(), DOUBLE, when=WHEN)
    again = submit(cast.marketing, RuleVersion.objects.get(), colleague, reason="Mended")
    assert (again.pk, again.round, again.state, again.reason) == (review.pk, 2, "open", "Mended")
    say(colleague, again, "returned", comment="Still.")
    services.discard_draft(cast.marketing, RuleVersion.objects.get())
    assert list(Decision.objects.order_by("pk").values_list("comment", flat=True)) == ["Too much on Sundays.", "Still."]
    assert ApprovalRequest.objects.get().asked_on == again.asked_on


def test_only_what_was_read_and_could_be_published_is_sent(group: CoffeeGroup, cast: Cast, colleague: Staff) -> None:
    version = draft(group)
    kept("changed_meanwhile", submit, cast.marketing, version, colleague, revision=7)
    live = services.publish_version(None, version, when=WHEN)
    kept("not_a_draft", submit, cast.marketing, live, colleague)
    clashing = {"group": "weekend", "take": "best", "order": 1}
    services.publish_version(None, draft(group, "one", DEFINITION | {"stacking": clashing}), when=WHEN)
    second = draft(group, "two", DEFINITION | {"stacking": clashing})
    kept("stacking_clash", submit, cast.marketing, second, colleague)


def test_a_programme_that_reviews_publishes_nothing_without_the_yes_of_another(
    group: CoffeeGroup, cast: Cast, colleague: Staff
) -> None:
    version = draft(group, actor=cast.marketing)
    change_program(group.east, reviews_rules=True)
    for actor in (cast.marketing, colleague, None):
        kept("review_needed", services.publish_version, actor, version, when=WHEN)
    kept("review_needed", submit, cast.marketing, version)
    kept("may_not_review", submit, cast.marketing, version, cast.finance)
    kept("not_to_them", submit, colleague, version, cast.marketing)
    say(colleague, submit(cast.marketing, version, colleague))
    live = RuleVersion.objects.get()
    assert live.state == "published"
    services.retire_rule(cast.marketing, live.rule, when=MONDAY)


def test_a_file_changes_no_draft_in_review(group: CoffeeGroup, review: ApprovalRequest) -> None:
    written = exported(None, group.east, WHEN)
    assert plan_of(group, written).changes == 0
    written["rules"][0]["draft"] = DOUBLE
    with pytest.raises(DocumentFaulty) as caught:
        bring_in(group, written)
    assert caught.value.data["faults"] == [{"path": ["rules", 0], "code": "draft_in_review"}]


@pytest.mark.parametrize(
    "change",
    [
        {"state": "done", "closed_at": WHEN, "step": 0},
        {"subject": {}},
        {"asked_on": []},
        {"reason": "Other words"},
        {"excluded": []},
    ],
)
def test_the_database_refuses_what_no_service_does(review: ApprovalRequest, change: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        ApprovalRequest.objects.update(**change)


def test_the_database_keeps_what_is_over_and_what_is_in_review(
    group: CoffeeGroup, review: ApprovalRequest, cast: Cast, colleague: Staff
) -> None:
    def refuse(verb: Any, **values: Any) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            verb(**values)

    refuse(RuleVersion.objects.update, definition=DOUBLE)
    refuse(RuleVersion.objects.filter(pk__gt=0).delete)
    refuse(review.read_subject()._rule().__class__.objects.update, unit=group["EAST-N"])  # type: ignore[attr-defined]
    values = {field.attname: getattr(review, field.attname) for field in ApprovalRequest._meta.fields}
    refuse(ApprovalRequest.objects.create, **values | {"id": None, "key": "second"})
    withdraw(cast.marketing, review.pk, when=WHEN)
    refuse(ApprovalRequest.objects.update, state="open", step=1, closed_at=None)
    change_program(group.east, reviews_rules=True)
    refuse(RuleVersion.objects.update, state="published", starts_at=WHEN)


# At once.


def race(*verbs: Any) -> list[str]:
    """What became of each of `verbs`, run at the same time: done, or the code of its refusal."""

    def run(verb: Any) -> str:
        try:
            verb()
        except LoyaltyError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


@pytest.fixture
def real(committed: str) -> tuple[Staff, Staff, Staff, RuleVersion]:
    """Two reviewers, an author and the author's draft, really in the database; finance has to say yes, one of the two."""
    from apps.approvals.services.policies import create_policy, publish_policy
    from tests.approvals.conftest import role, step

    group = make_group()
    cast = make_cast(group)
    one, two = (make_staff(group["EAST"], ["finance"]) for _ in range(2))
    bands = [{"name": "All", "when": {"all": []}, "steps": [step(role("finance"))]}]
    publish_policy(
        None, create_policy(None, group["G"], Publication.code, definition={"bands": bands}, when=now()), when=now()
    )
    version = services.create_rule(
        cast.marketing, group.east, group["EAST"], code="yuan", name="Yuan", definition=DEFINITION, when=now()
    )
    return one, two, cast.marketing, version


def sent(author: Staff, version: RuleVersion, **more: Any) -> ApprovalRequest:
    return submit(author, version, starts_at=None, when=now(), **more)


@pytest.mark.faults
def test_of_two_reviewers_at_once_one_decides(real: tuple[Staff, Staff, Staff, RuleVersion]) -> None:
    one, two, author, version = real
    for _ in range(4):
        review = sent(author, version)
        told = race(
            lambda: say(one, review, "returned", comment="Not yet."),  # noqa: B023
            lambda: say(two, review, "returned", comment="Never."),  # noqa: B023
        )
        assert sorted(told) == ["done", "request_over"]
    review = sent(author, version)
    told = race(
        lambda: answer(one, review, seen=review.asked_seal),
        lambda: answer(two, review, "rejected", comment="Never."),
        lambda: withdraw(author, review.pk, when=now()),
    )
    assert sorted(told) == ["done", "request_over", "request_over"]
    review.refresh_from_db()
    assert (RuleVersion.objects.get().state == "published") == (review.state == "done")


@pytest.mark.faults
def test_approving_twice_publishes_once(real: tuple[Staff, Staff, Staff, RuleVersion]) -> None:
    one, two, author, version = real
    review = sent(author, version)
    told = race(*(lambda who=who: answer(who, review, when=now()) for who in (one, two, one, two)))
    assert sorted(told) == ["done", "request_over", "request_over", "request_over"]
    assert RuleVersion.history.filter(state="published").count() == 1


@pytest.mark.faults
def test_what_is_sent_while_somebody_edits_is_what_is_reviewed(real: tuple[Staff, Staff, Staff, RuleVersion]) -> None:
    one, _two, author, version = real
    for number in range(6):
        content = DEFINITION | {"limits": [CAP_A_DAY | {"most": number + 1}]}
        read = RuleVersion.objects.get().revision
        told = race(
            lambda: sent(author, version, revision=read),  # noqa: B023
            lambda: services.save_draft(author, version, content, revision=read, when=now()),  # noqa: B023
        )
        assert told in [["done", "draft_in_review"], ["changed_meanwhile", "done"]]
        review = ApprovalRequest.objects.filter(state="open").first()
        assert (review is not None) == (told[0] == "done")
        if review is not None:
            assert review.subject["revision"] == RuleVersion.objects.get().revision
            say(one, review, "returned", comment="Again.")


# The pages.


def at(page: str, *args: Any) -> str:
    return reverse(f"admin:rules_rule_{page}", args=args)


def signed_in(person: Staff) -> Client:
    client = Client()
    client.force_login(person, backend="apps.orgs.auth.RoleBackend")
    return client


def test_a_rule_goes_through_review_by_its_pages(group: CoffeeGroup, cast: Cast, colleague: Staff) -> None:
    author, reviewer = signed_in(cast.marketing), signed_in(colleague)
    version = draft(group, actor=cast.marketing)
    rule = version.rule_id
    given = {
        "start": "at", "at": "2035-01-01T00:00", "reason": "For New Year", "revision": "1", "also": "colleague",
    }  # fmt: skip
    page = author.get(at("change", rule)).content.decode()
    assert '<option value="colleague">colleague</option>' in page
    said = author.post(at("publish", rule), given, follow=True).content.decode()
    review = ApprovalRequest.objects.get()
    assert f"Sent as request #{review.pk}. colleague can decide now." in said
    start = datetime(2034, 12, 31, 16, tzinfo=UTC)
    assert (review.reason, review.read_subject().starts_at) == ("For New Year", start)  # type: ignore[attr-defined]
    own, page = author.get(at("change", rule)).content.decode(), reviewer.get(at("change", rule)).content.decode()
    assert "Version 1 is in review since" in own
    assert ("rule-editor-config" in own, "publish-dialog" in own, "withdraw-dialog" in own) == (False, False, True)
    assert ("withdraw-dialog" in page, "publish-dialog" in page) == (False, False)
    assert "colleague can decide now." in page
    assert "For New Year" in page
    assert "Publish version 1 of “Point per yuan”" in reviewer.get("/").content.decode()
    listed = reviewer.get(at("changelist"), {"standing": "review"}).content.decode()
    assert "In review</span>" in listed
    say(colleague, review, "returned", comment="A day later, please.", when=now())
    page = author.get(at("change", rule)).content.decode()
    assert "Returned by colleague" in page
    assert "A day later, please." in page
    assert "rule-editor-config" in page
    assert "Point per yuan" not in author.get(at("changelist"), {"standing": "review"}).content.decode()
    author.post(at("publish", rule), given | {"at": "2035-01-02T00:00"})
    assert reviewer.post(at("withdraw", rule)).status_code == 302
    assert ApprovalRequest.objects.get().state == "open"
    author.post(at("withdraw", rule))
    author.post(at("publish", rule), given | {"at": "2035-01-03T00:00"})
    say(colleague, ApprovalRequest.objects.get(state="open"), when=now())
    version.refresh_from_db()
    assert (version.state, version.starts_at) == ("published", datetime(2035, 1, 2, 16, tzinfo=UTC))
    states = ApprovalRequest.objects.order_by("pk").values_list("state", "round")
    assert list(states) == [("withdrawn", 2), ("done", 1)]
    page = author.get(at("change", rule), headers={"Accept-Language": "zh-hans"}).content.decode()
    assert "A day later, please." in page


def test_a_programme_that_reviews_offers_no_other_way(group: CoffeeGroup, cast: Cast, colleague: Staff) -> None:
    version = draft(group, actor=cast.marketing)
    change_program(group.east, reviews_rules=True)
    client = signed_in(cast.marketing)
    page = client.get(at("change", version.rule_id)).content.decode()
    assert "Who reviews it first?" in page
    assert '<button class="studio-button">Send</button>' in page
    said = client.post(at("publish", version.rule_id), {"start": "now", "revision": "1"}, follow=True).content.decode()
    assert "Rules of this programme are reviewed" in said
    version.refresh_from_db()
    assert version.state == "draft"
    colleague.is_active = False
    colleague.save()
    assert "Nobody else may publish rules here" in client.get(at("change", version.rule_id)).content.decode()
