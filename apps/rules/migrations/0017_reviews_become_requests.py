"""The reviews that were kept become requests: who sent what, who decided and why, and those that wait still do."""

import json
from collections.abc import Callable
from datetime import UTC
from hashlib import sha256
from typing import Any

from django.db import migrations

Rows = Callable[[str, str], Any]
STEP_OF_PATH = 4
ANSWERED = {"approved": ("approved", "done"), "returned": ("returned", "returned")}


def move(apps: Any, schema_editor: Any) -> None:
    def rows(app: str, model: str) -> Any:
        return apps.get_model(app, model).objects.using(schema_editor.connection.alias)

    for review in rows("rules", "RuleReview").select_related("rule__unit", "rule__program").order_by("pk"):
        _move(rows, review)


def _move(rows: Rows, review: Any) -> None:
    models = {name: rows("approvals", name) for name in (
        "ApprovalRequest", "ApprovalStep", "ApprovalTask", "Decision", "RequestNote",
    )}  # fmt: skip
    effect = _effect(review)
    digest = _digest(effect)
    request = models["ApprovalRequest"].create(
        kind="rules.publication", unit_id=review.rule.unit_id, about=f"rule:{review.rule_id}", subject=_subject(rows, review),
        facts={"request.unit": review.rule.unit.path}, reason=review.note, requester_id=review.submitted_by_id,
        key=f"review:{review.pk}", state="open", step=1, steps=1, needed=1, excluded=list(review.writers),
        asked_on=effect, asked_hash=digest, created_at=review.submitted_at, sent_at=review.submitted_at,
    )  # fmt: skip
    step = models["ApprovalStep"].create(
        request=request, round=1, number=1, opened_at=review.submitted_at,
        definition={"parties": [{"who": {"kind": "role", "role": "marketing"}, "need": "any"}], "hours": None,
                    "remind": None, "escalate": []},
    )  # fmt: skip

    def note(kind: str, person: int | None, at: Any, text: str = "") -> None:
        models["RequestNote"].create(request=request, round=1, kind=kind, person_id=person, text=text, noted_at=at)

    note("sent", review.submitted_by_id, review.submitted_at)
    if review.state == "open":
        for person in _reviewers(rows, review):
            models["ApprovalTask"].create(
                request=request, step=step, party=0, person_id=person, why="role", role="marketing", is_open=True,
                asked_at=review.submitted_at,
            )  # fmt: skip
        return
    if review.state == "withdrawn":
        state = "withdrawn"
        note("withdrawn", review.decided_by_id, review.decided_at)
    else:
        verdict, state = ANSWERED[review.state]
        task = models["ApprovalTask"].create(
            request=request, step=step, party=0, person_id=review.decided_by_id, why="role", role="marketing",
            is_open=True, asked_at=review.submitted_at,
        )  # fmt: skip
        models["Decision"].create(
            request=request, round=1, step=step, person_id=review.decided_by_id, hat_id=review.decided_by_id,
            verdict=verdict, comment=review.answer, saw=effect, saw_hash=digest, decided_at=review.decided_at,
        )  # fmt: skip
        task.is_open = False
        task.save()
    if state == "done":
        step.passed_at = review.decided_at
        step.save()
        request.told = {"number": review.number}
        note("done", None, review.decided_at)
    if state == "returned" and not _is_last(rows, review):
        # It was sent again, as a review of its own: nothing waits for its author.
        state = "withdrawn"
    request.state, request.step = state, 0
    request.closed_at = None if state == "returned" else review.decided_at
    request.save()


def _subject(rows: Rows, review: Any) -> dict[str, Any]:
    """The version may have been discarded since; then it is number 0."""
    version = rows("rules", "RuleVersion").filter(rule=review.rule_id, number=review.number).first()
    start = review.wished_start.astimezone(UTC) if review.wished_start else None
    return {
        "rule": review.rule_id, "version": version.pk if version else 0, "revision": version.revision if version else 0,
        "starts_at": start.isoformat().replace("+00:00", "Z") if start else None,
    }  # fmt: skip


def _effect(review: Any) -> list[list[Any]]:
    """What was sent, as an effect keeps it; what was in force then is not known."""
    rule = review.rule
    place = "" if rule.unit_id == rule.program.unit_id else rule.unit.name
    said = {"program": rule.program_id, "place": place, "definition": review.definition}
    start = review.wished_start.isoformat() if review.wished_start else None
    return [
        ["version", None, review.number, "number"],
        ["says", None, json.dumps(said, ensure_ascii=False, sort_keys=True), "own"],
        ["starts", rule.program.time_zone, start, "own"],
    ]


def _digest(effect: Any) -> str:
    return sha256(json.dumps(effect, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _reviewers(rows: Rows, review: Any) -> list[int]:
    """Who may publish at the rule's unit, at the nearest unit where somebody does who did not write it."""
    path = review.rule.unit.path
    above = [path[:end] for end in range(STEP_OF_PATH, len(path) + 1, STEP_OF_PATH)]
    units = rows("orgs", "OrgUnit").filter(path__in=above).order_by("-depth")
    held = rows("guardian", "UserObjectPermission").filter(
        content_type__app_label="orgs", content_type__model="orgunit", permission__codename="role_marketing",
        user__is_active=True,
    )  # fmt: skip
    for unit in units:
        people = held.filter(object_pk=str(unit.pk)).exclude(user__in=review.writers).order_by("user__username")
        if found := list(people.values_list("user_id", flat=True)):
            return found
    return []


def _is_last(rows: Rows, review: Any) -> bool:
    later = rows("rules", "RuleReview").filter(rule=review.rule_id, pk__gt=review.pk)
    draft = rows("rules", "RuleVersion").filter(rule=review.rule_id, number=review.number, state="draft")
    return draft.exists() and not later.exists()


class Migration(migrations.Migration):
    dependencies = [
        ("rules", "0016_was_brought"),
        ("approvals", "0003_excluded"),
        ("guardian", "0001_initial"),
    ]
    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
