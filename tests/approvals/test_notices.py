"""What people are told about requests: the title, in their language, as far as they may read it."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from apps.approvals.models import ApprovalRequest
from apps.approvals.notices import SENTENCES
from apps.approvals.services.asking import comment, watch
from apps.approvals.services.deciding import withdraw
from apps.orgs.models import Notice, OrgUnit, Staff
from apps.orgs.notices import Told, notify, told
from apps.orgs.services import revoke_role
from tests.approvals.conftest import BANDS, Desk
from tests.factories import make_staff


def codes_of(person: Staff) -> list[str]:
    codes = Notice.objects.filter(person=person).order_by("pk").values_list("code", flat=True)
    return [code.removeprefix("approvals.") for code in codes]


def last_told(person: Staff, language: str = "en") -> Told:
    with translation.override(language):
        notice = Notice.objects.filter(person=person).order_by("-pk")[:1]
        return told(Staff.objects.get(pk=person.pk), notice)[0]


def test_who_is_asked_is_told_what_and_until_when_in_their_language(desk: Desk) -> None:
    band = {**BANDS["bands"][1], "steps": [{**BANDS["bands"][1]["steps"][0], "hours": 8}]}  # type: ignore[dict-item, index]
    desk.policy({"bands": [band]})
    desk.ask(1200)
    manager = desk.cast.regional_manager
    assert codes_of(manager) == ["asked"]
    assert last_told(manager).sentence == "Please decide: +1200 EAST-N"
    assert last_told(manager).more == "Gauge, East North. Due 4 May 2026, 18:00."
    chinese = last_told(manager, "zh-hans")
    assert (chinese.sentence, chinese.more) == (
        "请审批：+1200 EAST-N", "测试，East North。截止时间 2026年5月4日 18:00。",
    )  # fmt: skip


def test_the_requester_is_told_of_each_end(desk: Desk) -> None:
    desk.policy(BANDS)
    service = desk.cast.service
    done, rejected, returned, gone, refused = (desk.ask(1200, name=name) for name in "abcde")
    desk.decide("regional_manager", done)
    desk.decide("regional_manager", rejected, "rejected")
    desk.decide("regional_manager", returned, "returned")
    OrgUnit.objects.filter(code="EAST-N").update(name="EAST-N 99999")
    desk.decide("regional_manager", refused)
    OrgUnit.objects.filter(code="EAST-N").update(is_active=False)
    desk.decide("regional_manager", gone, seen="x", verdict="rejected")
    assert codes_of(service) == ["done", "rejected", "returned", "refused", "closed"]
    assert last_told(service).sentence == "Closed without effect: +1200 EAST-N"


def test_who_was_asked_is_told_that_it_was_withdrawn_and_who_withdrew_it_is_not(desk: Desk) -> None:
    desk.policy(BANDS)
    request = desk.ask(1200)
    withdraw(desk.cast["service"], request.pk, when=desk.when)
    assert codes_of(desk.cast.regional_manager) == ["asked", "taken_back"]
    assert codes_of(desk.cast.service) == []
    asked = Notice.objects.filter(code="approvals.asked")
    assert told(desk.cast["regional_manager"], asked)[0].more == "Gauge, East North. No longer open: Withdrawn."


def test_a_comment_reaches_everybody_else_and_watchers(desk: Desk) -> None:
    desk.policy(BANDS)
    request = desk.ask(1200)
    watch(desk.cast["finance"], request.pk, True)
    comment(desk.cast["regional_manager"], request.pk, "Why so many?", when=desk.when)
    assert codes_of(desk.cast.regional_manager) == ["asked"]
    assert codes_of(desk.cast.service) == codes_of(desk.cast.finance) == ["commented"]
    assert "Why so many?" not in str(last_told(desk.cast.finance))


def test_who_may_not_read_the_request_any_more_reads_its_number_alone(desk: Desk) -> None:
    desk.policy(BANDS)
    request = desk.ask(1200)
    stranger = make_staff(desk.group.units["WEST"], ["service"])
    notify(
        [stranger.pk, desk.cast.service.pk], "approvals.asked", {"request": request.pk, "kind": request.kind}, desk.when
    )
    assert last_told(stranger) == Told(f"Please decide: #{request.pk}")
    revoke_role(None, desk.cast.service, "service", desk.group["EAST"])
    assert last_told(desk.cast.service).sentence == "Please decide: +1200 EAST-N"  # their own


def test_ten_notices_cost_as_many_statements_as_one(desk: Desk) -> None:
    desk.policy(BANDS)
    for n in range(10):
        desk.ask(1200, name=str(n))
    notices = list(Notice.objects.order_by("pk"))

    def statements(count: int) -> int:
        reader = desk.cast["regional_manager"]
        with CaptureQueriesContext(connection) as asked:
            told(reader, notices[:count])
        return len(asked)

    assert statements(10) == statements(1)
    assert statements(1) <= 5


def test_every_code_that_the_services_use_has_words(desk: Desk) -> None:
    told_codes = {f"approvals.{state}" for state in ApprovalRequest.State.values if state not in ("open",)}
    assert told_codes <= set(SENTENCES)
