"""Reviewing a draft: it is sent to somebody else, who publishes it or returns it; or it is taken back to be changed.

What is sent stays as it was until the review is over. Nobody decides on what they wrote or sent.
"""

from datetime import datetime

from django.db import transaction

from apps.core.errors import NotAllowed
from apps.core.scope import require
from apps.orgs.models import Staff
from apps.rules.errors import DraftInReview, NoAnswer, OwnReview, ReviewOver
from apps.rules.models import Rule, RuleReview, RuleVersion
from apps.rules.reading import open_reviews
from apps.rules.services import draft_of, locked_program, locked_rule, publish_draft, require_read, start_of

State = RuleReview.State
PUBLISH = "rules.publish_rule"


@transaction.atomic
def submit_version(
    actor: Staff | None,
    version: RuleVersion,
    *,
    wished_start: datetime | None = None,
    note: str = "",
    revision: int | None = None,
    when: datetime,
) -> RuleReview:
    """The draft, sent to review with a word to the reviewer; None wishes that it starts as soon as it is approved.

    What publishing it would refuse is refused now. `revision` is the one that the person read. Raises NotADraft,
    DraftInReview, DraftChanged, DefinitionFaulty, StartInThePast, StackingClash, NotAllowed.
    """
    locked_program(version.rule.program_id)
    rule = locked_rule(version.rule_id)
    require(actor, "rules.change_ruleversion", rule.unit.path)
    version = draft_of(rule, version)
    if open_reviews([rule]):
        raise DraftInReview()
    require_read(version, revision)
    start_of(version, wished_start, when)
    saved_by = RuleVersion.history.filter(id=version.pk).values_list("history_user_id", flat=True)
    writers = {version.created_by_id, version.changed_by_id, *saved_by, actor and actor.pk} - {None}
    return RuleReview.objects.create(
        rule=rule, number=version.number, definition=version.definition, wished_start=wished_start, note=note.strip(),
        submitted_by=actor, submitted_at=when, writers=sorted(writers),
    )  # fmt: skip


@transaction.atomic
def withdraw_review(actor: Staff | None, review: RuleReview, *, when: datetime) -> RuleReview:
    """The review is over and the draft may be changed again. Raises ReviewOver, NotAllowed."""
    rule = locked_rule(review.rule_id)
    require(actor, "rules.change_ruleversion", rule.unit.path)
    return _over(_open(rule, review), State.WITHDRAWN, actor, "", when)


@transaction.atomic
def return_review(actor: Staff, review: RuleReview, *, answer: str, when: datetime) -> RuleReview:
    """The review is over, with words to the author. Raises ReviewOver, OwnReview, NoAnswer, NotAllowed."""
    rule = locked_rule(review.rule_id)
    review = _to_decide(actor, rule, review)
    if not answer.strip():
        raise NoAnswer()
    return _over(review, State.RETURNED, actor, answer.strip(), when)


@transaction.atomic
def approve_review(
    actor: Staff, review: RuleReview, *, starts_now: bool = False, answer: str = "", when: datetime
) -> RuleVersion:
    """What was sent, published for the wished start, or as soon as may be.

    Raises ReviewOver, OwnReview, DefinitionFaulty, StartInThePast, StackingClash, NotAllowed.
    """
    locked_program(review.rule.program_id)
    rule = locked_rule(review.rule_id)
    review = _to_decide(actor, rule, review)
    version = draft_of(rule, rule.versions.get(number=review.number))
    start = start_of(version, None if starts_now else review.wished_start, when)
    _over(review, State.APPROVED, actor, answer.strip(), when)
    return publish_draft(actor, version, start, when)


def may_decide(person: Staff, review: RuleReview) -> bool:
    """Whether `person` neither wrote nor sent what is reviewed."""
    return person.pk not in review.writers


def _to_decide(actor: Staff | None, rule: Rule, review: RuleReview) -> RuleReview:
    """The review, open, for somebody who may decide on it. The studio itself decides on none."""
    if actor is None:
        raise NotAllowed(permission=PUBLISH)
    require(actor, PUBLISH, rule.unit.path)
    review = _open(rule, review)
    if not may_decide(actor, review):
        raise OwnReview()
    return review


def _open(rule: Rule, review: RuleReview) -> RuleReview:
    """The review, read again under the rule's lock. Raises ReviewOver."""
    found: RuleReview = RuleReview.objects.select_related("decided_by").get(pk=review.pk, rule=rule)
    if found.state != State.OPEN:
        raise ReviewOver(state=found.state, who=str(found.decided_by or ""))
    return found


def _over(review: RuleReview, state: str, actor: Staff | None, answer: str, when: datetime) -> RuleReview:
    review.state, review.decided_by, review.decided_at, review.answer = state, actor, when, answer
    review.save()
    return review
