"""What the home page tells from the daily facts."""

from datetime import UTC, datetime

from apps.reports.home import running
from apps.rules import services
from tests.factories import Cast, CoffeeGroup
from tests.rules.test_services import WHEN, published


def test_a_rule_whose_end_is_planned_still_runs(group: CoffeeGroup, cast: Cast) -> None:
    rule = published(group).rule
    services.retire_rule(None, rule, at=datetime(2026, 6, 1, 4, tzinfo=UTC), when=WHEN)
    (row,) = running(cast.marketing, WHEN).rows
    assert (row.text, row.note) == ("Point per yuan", "Version 1, East Coffee Club, until 1 Jun 2026, 12:00")
    assert running(cast.marketing, datetime(2026, 6, 1, 4, tzinfo=UTC)).rows == ()
