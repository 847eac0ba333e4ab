"""What the home page says about requests."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.approvals.home import own_requests, to_decide
from apps.approvals.models import ApprovalTask
from apps.approvals.services.absences import arrange_absence
from apps.core.clock import local_day, now
from apps.core.home import Panel
from apps.orgs.querysets import HOME_ZONE
from apps.orgs.services import set_staff_active
from tests.approvals.conftest import BANDS, Desk
from tests.factories import make_staff

LARGE = {"bands": [{**BANDS["bands"][1], "steps": [{**BANDS["bands"][1]["steps"][0], "hours": 8}]}]}  # type: ignore[dict-item, index]


def rows_of(panel: Panel | None) -> list[tuple[str, str, str]]:
    assert panel is not None
    return [(row.text, row.note, row.tag) for row in panel.rows]


def test_what_waits_longest_stands_first_with_its_age_and_whether_it_is_late(desk: Desk) -> None:
    desk.policy(LARGE)
    for n in range(7):
        desk.ask(1200 + n, name=str(n))
        desk.later(hours=2)
    panel = to_decide(desk.cast["regional_manager"], desk.when)
    assert rows_of(panel)[0] == ("+1200 EAST-N", "Waits for 14\xa0hours, East North", "Late")
    assert rows_of(panel)[5] == ("+1205 EAST-N", "Waits for 4\xa0hours, East North", "")
    assert panel is not None
    assert panel.more is not None
    assert panel.more.text == "All 7"


def test_who_stands_in_sees_what_waits_for_whom_they_stand_in(desk: Desk) -> None:
    desk.when = now()  # who stands in reads what the database's clock says is theirs
    desk.policy(LARGE)
    desk.ask(1200)
    deputy = make_staff(desk.group.units["EAST"])
    assert to_decide(deputy, desk.when) is None
    manager = desk.cast["regional_manager"]
    today = local_day(desk.when, HOME_ZONE)
    arrange_absence(manager, manager, deputy, today, today, when=desk.when)
    assert len(rows_of(to_decide(deputy, desk.when))) == 1
    assert to_decide(deputy, desk.when + timedelta(days=1)) is None


def test_nothing_that_waits_is_said_to_those_who_decide_alone(desk: Desk) -> None:
    assert to_decide(desk.cast["service"], desk.when) is None
    panel = to_decide(desk.cast["regional_manager"], desk.when)
    assert panel is not None
    assert panel.empty is not None
    assert own_requests(desk.cast["service"], desk.when) is None


def test_ones_own_requests_say_with_whom_they_are(desk: Desk) -> None:
    desk.policy(LARGE)
    waiting, returned, done = (desk.ask(1200 + n, name=str(n)) for n in range(3))
    desk.decide("regional_manager", returned, "returned")
    desk.decide("regional_manager", done)
    desk.later(hours=3)
    assert rows_of(own_requests(desk.cast["service"], desk.when)) == [
        ("+1201 EAST-N", "Change it and send it again, or withdraw it.", "Returned for change"),
        ("+1200 EAST-N", "With regional_manager for 3\xa0hours", ""),
    ]
    assert waiting.state == "open"
    set_staff_active(desk.cast.regional_manager, False)
    ApprovalTask.objects.update(is_absent=True)
    ((_, note, _),) = rows_of(own_requests(desk.cast["service"], desk.when))[1:]
    assert note == "Nobody can decide: an administrator names somebody."


def test_many_requests_cost_as_many_statements_as_one(desk: Desk) -> None:
    desk.policy(LARGE)

    def statements() -> list[int]:
        counts = []
        for build, persona in ((to_decide, "regional_manager"), (own_requests, "service")):
            reader = desk.cast[persona]
            reader.has_perm("approvals.view_approvalrequest")  # the page has asked this before
            with CaptureQueriesContext(connection) as asked:
                build(reader, desk.when)
            counts.append(len(asked))
        return counts

    desk.ask(1200)
    assert statements() == [2, 2]
    for n in range(8):
        desk.ask(1200, name=str(n))
    assert statements() == [2, 2]
