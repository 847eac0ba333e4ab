"""The reviews of before: each becomes a request with its decision and its words, and those that waited still wait."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.db import connection

from apps.approvals.models import ApprovalRequest, Decision, RequestNote
from apps.approvals.services.deciding import decide
from apps.orgs.models import Staff
from apps.rules import services
from apps.rules.models import Rule, RuleVersion
from apps.rules.publishing import Publication
from tests.factories import Cast, CoffeeGroup, make_staff
from tests.rules.test_services import DEFINITION, DOUBLE, draft

WHEN = datetime(2026, 5, 4, 8, tzinfo=UTC)


class Kept:
    """The reviews of before, whose table is gone: as much of a queryset as the migration asks for."""

    def __init__(self, rows: list[SimpleNamespace]) -> None:
        self.rows = rows

    def using(self, alias: str) -> "Kept":
        return self

    def select_related(self, *names: str) -> "Kept":
        return self

    def order_by(self, name: str) -> list[SimpleNamespace]:
        return self.rows

    def filter(self, *, rule: int, pk__gt: int) -> "Kept":
        return Kept([row for row in self.rows if row.rule_id == rule and row.pk > pk__gt])

    def exists(self) -> bool:
        return bool(self.rows)


def migrated(rows: list[dict[str, Any]]) -> None:
    """Runs the migration over `rows`, in the order in which they were sent."""
    reviews = []
    for number, row in enumerate(rows, 1):
        rule = Rule.objects.select_related("unit", "program").get(pk=row["rule_id"])
        blank = {"note": "", "answer": "", "decided_by_id": None, "decided_at": None, "wished_start": None}
        reviews.append(SimpleNamespace(**blank | {"pk": number, "rule": rule, "submitted_at": WHEN} | row))

    def get_model(app: str, model: str) -> Any:
        return SimpleNamespace(objects=Kept(reviews)) if model == "RuleReview" else apps.get_model(app, model)

    migration = import_module("apps.rules.migrations.0017_reviews_become_requests")
    migration.move(SimpleNamespace(get_model=get_model), SimpleNamespace(connection=connection))


def test_reviews_become_requests_with_all_that_was_said(group: CoffeeGroup, cast: Cast) -> None:
    """Catches decisions without their people, a lost word, a review that waits for nobody, and a lost draft."""
    colleague, third = (make_staff(group["EAST"], ["marketing"], username=name) for name in ("colleague", "third"))
    author = cast.marketing
    approved, returned, waiting = (draft(group, code, actor=author) for code in ("approved", "returned", "waiting"))
    services.publish_version(author, approved, starts_at=WHEN + timedelta(days=7), when=WHEN)
    common = {"submitted_by_id": author.pk, "writers": [author.pk]}

    def of(version: RuleVersion, state: str, **more: Any) -> dict[str, Any]:
        decided = {} if state == "open" else {"decided_at": WHEN + timedelta(hours=1)}
        values = {"rule_id": version.rule_id, "number": 1, "definition": DEFINITION, "state": state}
        return common | values | decided | more

    migrated([
        of(returned, "withdrawn", decided_by_id=author.pk, definition=DOUBLE),
        of(approved, "approved", decided_by_id=colleague.pk, answer="Good.", wished_start=WHEN + timedelta(days=7)),
        of(returned, "returned", decided_by_id=third.pk, answer="Too much.", note="Before Monday"),
        of(waiting, "open", note="A word", writers=[author.pk, colleague.pk]),
    ])  # fmt: skip
    withdrawn, done, back, still = ApprovalRequest.objects.order_by("pk")
    assert [request.state for request in (withdrawn, done, back, still)] == ["withdrawn", "done", "returned", "open"]
    assert {(request.kind, request.requester_id, request.sent_at) for request in (withdrawn, done, back, still)} == {
        ("rules.publication", author.pk, WHEN)
    }
    assert [request.about for request in (done, back, still)] == [
        f"rule:{version.rule_id}" for version in (approved, returned, waiting)
    ]
    assert (done.closed_at, done.told, back.reason, still.reason) == (
        WHEN + timedelta(hours=1), {"number": 1}, "Before Monday", "A word",
    )  # fmt: skip
    assert list(Decision.objects.order_by("pk").values_list("request", "person__username", "verdict", "comment")) == [
        (done.pk, "colleague", "approved", "Good."), (back.pk, "third", "returned", "Too much."),
    ]  # fmt: skip
    assert list(RequestNote.objects.order_by("pk").values_list("request", "kind", "person")) == [
        (withdrawn.pk, "sent", author.pk), (withdrawn.pk, "withdrawn", author.pk), (done.pk, "sent", author.pk),
        (done.pk, "done", None), (back.pk, "sent", author.pk), (still.pk, "sent", author.pk),
    ]  # fmt: skip
    (says,) = [line for line in withdrawn.asked_effect.lines if line.code == "says"]
    assert Publication.say(says, "en") == [
        "For each ¥1 spent, members earn 2 points, rounded down, at most 200 points a day for one member, "
        "when the event is a purchase."
    ]
    assert list(still.tasks.filter(is_open=True).values_list("person__username", flat=True)) == ["third"]
    seen = still.seal(still.read_subject().effect(author, WHEN))
    decide(Staff.objects.get(pk=third.pk), still.pk, "approved", seen=seen, when=WHEN)
    waiting.refresh_from_db()
    assert waiting.state == "published"
