"""Reviews: what is sent stays as it was, somebody else decides once, and each review is kept for ever."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.orgs.models import Staff
from apps.orgs.services import change_program
from apps.rules import reviewing, services
from apps.rules.errors import DocumentFaulty
from apps.rules.exchange import exported
from apps.rules.models import RuleReview, RuleVersion
from tests.factories import Cast, CoffeeGroup, make_cast, make_group, make_staff
from tests.rules.conftest import CAP_A_DAY
from tests.rules.test_exchange import bring_in, plan_of
from tests.rules.test_services import DEFINITION, DOUBLE, draft, refused

WHEN = datetime(2026, 5, 4, 8, tzinfo=UTC)
MONDAY = WHEN + timedelta(days=7)


@pytest.fixture
def colleague(group: CoffeeGroup) -> Staff:
    return make_staff(group["EAST"], ["marketing"], username="colleague")


@pytest.fixture
def review(group: CoffeeGroup, cast: Cast) -> RuleReview:
    """What marketing wrote and sent for Monday."""
    return submit(cast.marketing, draft(group, actor=cast.marketing))


def submit(actor: Staff, version: RuleVersion, **more: Any) -> RuleReview:
    return reviewing.submit_version(actor, version, **{"wished_start": MONDAY, "when": WHEN} | more)


def kept(code: str, verb: Any, /, *args: Any, **values: Any) -> LoyaltyError:
    """The refusal of `verb`, after which every review and version is as it was."""
    before = list(RuleReview.objects.order_by("pk").values())
    refusal = refused(code, verb, *args, **values)
    assert before == list(RuleReview.objects.order_by("pk").values())
    return refusal


def test_a_colleague_publishes_what_was_sent_for_the_wished_start(review: RuleReview, colleague: Staff) -> None:
    live = reviewing.approve_review(colleague, review, answer="Good.", when=WHEN)
    assert (live.state, live.starts_at, live.published_by) == ("published", MONDAY, colleague)
    review.refresh_from_db()
    assert (review.state, review.decided_by, review.decided_at, review.answer) == ("approved", colleague, WHEN, "Good.")
    kept("review_over", reviewing.approve_review, colleague, review, when=WHEN)


def test_the_reviewer_may_start_it_at_once(review: RuleReview, colleague: Staff) -> None:
    live = reviewing.approve_review(colleague, review, starts_now=True, when=WHEN)
    assert live.starts_at == WHEN + timedelta(seconds=2)


def test_nobody_decides_on_what_they_wrote_or_sent(group: CoffeeGroup, cast: Cast, colleague: Staff) -> None:
    """Also who saved one of its earlier wordings, and who sent what another wrote."""
    version = draft(group, actor=cast.marketing)
    services.save_draft(colleague, version, DOUBLE, when=WHEN)
    services.save_draft(cast.marketing, version, DEFINITION, when=WHEN)
    sender = make_staff(group["EAST"], ["marketing"])
    review = submit(sender, version)
    assert set(review.writers) == {cast.marketing.pk, colleague.pk, sender.pk}
    for person in (cast.marketing, colleague, sender):
        kept("own_review", reviewing.approve_review, person, review, when=WHEN)
        kept("own_review", reviewing.return_review, person, review, answer="No.", when=WHEN)
    for stranger in (cast.finance, cast.outsider, cast.auditor, None):
        kept("not_allowed", reviewing.approve_review, stranger, review, when=WHEN)
        kept("not_allowed", reviewing.return_review, stranger, review, answer="No.", when=WHEN)
    for stranger in (cast.finance, cast.outsider):
        kept("not_allowed", reviewing.withdraw_review, stranger, review, when=WHEN)
        kept("not_allowed", submit, stranger, version)
    reviewing.approve_review(make_staff(group["EAST"], ["marketing"]), review, when=WHEN)


def test_what_is_in_review_stays_as_it_was_sent(group: CoffeeGroup, review: RuleReview, cast: Cast) -> None:
    version = RuleVersion.objects.get()
    kept("draft_in_review", services.save_draft, cast.marketing, version, DOUBLE, when=WHEN)
    kept("draft_in_review", services.publish_version, cast.marketing, version, when=WHEN)
    kept("draft_in_review", services.discard_draft, cast.marketing, version)
    kept("draft_in_review", services.change_rule, cast.marketing, version.rule, name="Yuan", unit=group["EAST-N"])
    kept("draft_in_review", submit, cast.marketing, version)


def test_editing_again_withdraws_the_review_and_it_is_kept(review: RuleReview, cast: Cast, colleague: Staff) -> None:
    reviewing.withdraw_review(cast.marketing, review, when=WHEN)
    services.save_draft(cast.marketing, RuleVersion.objects.get(), DOUBLE, when=WHEN)
    kept("review_over", reviewing.approve_review, colleague, review, when=WHEN)
    again = submit(cast.marketing, RuleVersion.objects.get())
    assert list(RuleReview.objects.order_by("pk").values_list("pk", "state")) == [
        (review.pk, "withdrawn"), (again.pk, "open"),
    ]  # fmt: skip
    assert review.definition != again.definition


def test_what_is_returned_says_why(review: RuleReview, cast: Cast, colleague: Staff) -> None:
    kept("no_answer", reviewing.return_review, colleague, review, answer="  ", when=WHEN)
    reviewing.return_review(colleague, review, answer="Too much on Sundays.", when=WHEN)
    services.save_draft(cast.marketing, RuleVersion.objects.get(), DOUBLE, when=WHEN)
    assert RuleReview.objects.get().answer == "Too much on Sundays."
    services.discard_draft(cast.marketing, RuleVersion.objects.get())
    assert RuleReview.objects.get().rule.versions.count() == 0


def test_only_what_was_read_and_could_be_published_is_sent(group: CoffeeGroup, cast: Cast) -> None:
    version = draft(group)
    kept("changed_meanwhile", submit, cast.marketing, version, revision=7)
    live = services.publish_version(None, version, when=WHEN)
    kept("not_a_draft", submit, cast.marketing, live)
    clashing = {"group": "weekend", "take": "best", "order": 1}
    services.publish_version(None, draft(group, "one", DEFINITION | {"stacking": clashing}), when=WHEN)
    kept("stacking_clash", submit, cast.marketing, draft(group, "two", DEFINITION | {"stacking": clashing}))


def test_a_programme_that_reviews_publishes_nothing_directly(group: CoffeeGroup, cast: Cast, colleague: Staff) -> None:
    version = draft(group, actor=cast.marketing)
    change_program(group.east, reviews_rules=True)
    for actor in (cast.marketing, colleague, None):
        kept("review_needed", services.publish_version, actor, version, when=WHEN)
    live = reviewing.approve_review(colleague, submit(cast.marketing, version), when=WHEN)
    assert live.state == "published"
    services.retire_rule(cast.marketing, live.rule, when=MONDAY)


def test_a_file_changes_no_draft_in_review(group: CoffeeGroup, review: RuleReview) -> None:
    written = exported(None, group.east, WHEN)
    assert plan_of(group, written).changes == 0
    written["rules"][0]["draft"] = DOUBLE
    with pytest.raises(DocumentFaulty) as caught:
        bring_in(group, written)
    assert caught.value.data["faults"] == [{"path": ["rules", 0], "code": "draft_in_review"}]


@pytest.mark.parametrize(
    "change",
    [
        {"state": "approved", "decided_at": WHEN, "decided_by": "marketing"},
        {"state": "returned", "decided_at": WHEN, "decided_by": None},
        {"state": "approved", "decided_by": "colleague"},
        {"definition": {}},
        {"note": "Other words"},
        {"writers": []},
    ],
)
def test_the_database_refuses_what_no_service_does(
    review: RuleReview, cast: Cast, colleague: Staff, change: dict[str, Any]
) -> None:
    people = {"marketing": cast.marketing, "colleague": colleague}
    values = {name: people.get(value, value) if name == "decided_by" else value for name, value in change.items()}
    with pytest.raises(DatabaseError), transaction.atomic():
        RuleReview.objects.update(**values)


def test_the_database_keeps_what_is_over_and_what_is_in_review(
    group: CoffeeGroup, review: RuleReview, cast: Cast, colleague: Staff
) -> None:
    def refuse(verb: Any, **values: Any) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            verb(**values)

    refuse(RuleVersion.objects.update, definition=DOUBLE)
    refuse(RuleVersion.objects.filter(pk__gt=0).delete)
    refuse(review.rule.__class__.objects.update, unit=group["EAST-N"])
    refuse(RuleReview.objects.all()._raw_delete, using="default")
    reviewing.withdraw_review(cast.marketing, review, when=WHEN)
    refuse(RuleReview.objects.update, state="approved", decided_by=colleague)
    refuse(RuleReview.objects.update, answer="Yes.")
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
    """Two reviewers, an author and the author's draft, really in the database."""
    group = make_group()
    cast = make_cast(group)
    one, two = (make_staff(group["EAST"], ["marketing"]) for _ in range(2))
    version = services.create_rule(
        cast.marketing, group.east, group["EAST"], code="yuan", name="Yuan", definition=DEFINITION, when=now()
    )
    return one, two, cast.marketing, version


@pytest.mark.faults
def test_of_two_reviewers_at_once_one_decides(real: tuple[Staff, Staff, Staff, RuleVersion]) -> None:
    one, two, author, version = real
    for _ in range(4):
        review = reviewing.submit_version(author, version, when=now())
        told = race(
            lambda: reviewing.return_review(one, review, answer="Not yet.", when=now()),  # noqa: B023
            lambda: reviewing.return_review(two, review, answer="Never.", when=now()),  # noqa: B023
        )
        assert sorted(told) == ["done", "review_over"]
    review = reviewing.submit_version(author, version, when=now())
    told = race(
        lambda: reviewing.approve_review(one, review, when=now()),
        lambda: reviewing.return_review(two, review, answer="Never.", when=now()),
        lambda: reviewing.withdraw_review(author, review, when=now()),
    )
    assert sorted(told) == ["done", "review_over", "review_over"]
    review.refresh_from_db()
    assert (RuleVersion.objects.get().state == "published") == (review.state == "approved")


@pytest.mark.faults
def test_approving_twice_publishes_once(real: tuple[Staff, Staff, Staff, RuleVersion]) -> None:
    one, two, author, version = real
    review = reviewing.submit_version(author, version, when=now())
    told = race(*(lambda who=who: reviewing.approve_review(who, review, when=now()) for who in (one, two, one, two)))
    assert sorted(told) == ["done", "review_over", "review_over", "review_over"]
    assert RuleVersion.history.filter(state="published").count() == 1


@pytest.mark.faults
def test_what_is_sent_while_somebody_edits_is_what_is_reviewed(real: tuple[Staff, Staff, Staff, RuleVersion]) -> None:
    one, _two, author, version = real
    for number in range(6):
        content = DEFINITION | {"limits": [CAP_A_DAY | {"most": number + 1}]}
        read = RuleVersion.objects.get().revision
        sent, saved = race(
            lambda: reviewing.submit_version(author, version, revision=read, when=now()),  # noqa: B023
            lambda: services.save_draft(author, version, content, revision=read, when=now()),  # noqa: B023
        )
        assert (sent, saved) in [("done", "draft_in_review"), ("changed_meanwhile", "done")]
        review = RuleReview.objects.filter(state="open").first()
        assert (review is not None) == (sent == "done")
        if review is not None:
            assert review.definition == RuleVersion.objects.get().definition
            reviewing.return_review(one, review, answer="Again.", when=now())


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
    sent = {"start": "at", "at": "2035-01-01T00:00", "note": "For New Year", "revision": "1"}
    author.post(at("submit", rule), sent)
    review = RuleReview.objects.get()
    assert (review.note, review.wished_start) == ("For New Year", datetime(2034, 12, 31, 16, tzinfo=UTC))
    own, page = author.get(at("change", rule)).content.decode(), reviewer.get(at("change", rule)).content.decode()
    assert "Version 1 is in review since" in own
    assert ("rule-editor-config" in own, "review-dialog" in own, "withdraw-dialog" in own) == (False, False, True)
    assert "as wished, from" in page
    assert "For New Year" in page
    assert author.get("/").content.decode().count("waits for your review") == 0
    assert "1 rule waits for your review" in reviewer.get("/").content.decode()
    listed = reviewer.get(at("changelist"), {"standing": "review"}).content.decode()
    assert "In review</span>" in listed
    author.post(at("approve", rule), {"review": review.pk})
    reviewer.post(at("return", rule), {"review": review.pk, "answer": "A day later, please."})
    page = author.get(at("change", rule)).content.decode()
    assert "A day later, please." in page
    assert "rule-editor-config" in page
    assert "Point per yuan" not in author.get(at("changelist"), {"standing": "review"}).content.decode()
    author.post(at("submit", rule), sent | {"at": "2035-01-02T00:00"})
    author.post(at("withdraw", rule), {"review": RuleReview.objects.get(state="open").pk})
    author.post(at("submit", rule), sent | {"at": "2035-01-03T00:00"})
    reviewer.post(at("approve", rule), {"review": RuleReview.objects.get(state="open").pk, "start": "wish"})
    version.refresh_from_db()
    assert (version.state, version.starts_at) == ("published", datetime(2035, 1, 2, 16, tzinfo=UTC))
    states = RuleReview.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["returned", "withdrawn", "approved"]


def test_a_programme_that_reviews_offers_no_other_way(group: CoffeeGroup, cast: Cast) -> None:
    version = draft(group, actor=cast.marketing)
    change_program(group.east, reviews_rules=True)
    client = signed_in(cast.marketing)
    page = client.get(at("change", version.rule_id)).content.decode()
    assert "publish-dialog" not in page
    assert "Send to review…" in page
    client.post(at("publish", version.rule_id), {"start": "now", "revision": "1"})
    version.refresh_from_db()
    assert version.state == "draft"
