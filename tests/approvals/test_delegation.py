"""Absences: somebody decides in somebody's place, on the days that were said, shown as such, and once in all."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.approvals.errors import DecidedAlready, DelegationOver, NotAsked, NotToThem, OwnDelegate, OwnRequest
from apps.approvals.models import Decision, Delegation
from apps.approvals.services.absences import arrange_absence, change_absence
from apps.approvals.services.asking import end_delegation
from apps.approvals.showing import path_shown
from apps.core.errors import NotAllowed
from apps.orgs.models import Notice, Staff
from apps.orgs.services import set_staff_active
from tests.approvals.conftest import BANDS, Desk, Gauge
from tests.factories import Cast, CoffeeGroup, make_staff

FIRST, LAST = date(2026, 5, 4), date(2026, 5, 6)
LOCAL = timedelta(hours=8)


@pytest.fixture
def deputy(group: CoffeeGroup) -> Staff:
    """Somebody without a role who stands in for the regional manager."""
    return make_staff(group.units["EAST"], username="deputy")


def away(desk: Desk, person: str, to: Staff, first: date = FIRST, last: date = LAST, **more: Any) -> Delegation:
    return arrange_absence(desk.cast[person], desk.cast[person], to, first, last, when=desk.when, **more)


def signed_in(person: Staff) -> Client:
    client = Client()
    client.force_login(person, backend="apps.orgs.auth.RoleBackend")
    return client


def test_who_stands_in_is_asked_and_decides_in_the_place_of_and_it_shows(desk: Desk, deputy: Staff) -> None:
    desk.policy(BANDS)
    away(desk, "regional_manager", deputy)
    request = desk.ask(1200)
    told = Notice.objects.filter(person=deputy).order_by("pk").values_list("code", flat=True)
    assert list(told) == ["approvals.stands_in", "approvals.asked"]
    desk.decide(deputy, request)
    decision = Decision.objects.get()
    assert (decision.person, decision.hat) == (deputy, desk.cast.regional_manager)
    assert desk.level() == 1200
    request.refresh_from_db()
    (step,) = path_shown(request, desk.when)
    assert [person.name for person in step.people] == ["deputy for regional_manager"]


@pytest.mark.parametrize(
    ("local", "may"),
    [
        (datetime(2026, 5, 3, 23, 59, tzinfo=UTC), False),
        (datetime(2026, 5, 4, 0, 0, tzinfo=UTC), True),
        (datetime(2026, 5, 6, 23, 59, tzinfo=UTC), True),
        (datetime(2026, 5, 7, 0, 0, tzinfo=UTC), False),
    ],
)
def test_both_days_belong_to_it_as_the_person_tells_days(desk: Desk, deputy: Staff, local: datetime, may: bool) -> None:
    desk.policy(BANDS)
    desk.when = datetime(2026, 5, 1, tzinfo=UTC)
    request = desk.ask(1200)
    away(desk, "regional_manager", deputy)
    desk.when = local - LOCAL
    if may:
        desk.decide(deputy, request)
    else:
        with pytest.raises(NotAsked):
            desk.decide(deputy, request)
    assert desk.level() == (1200 if may else 0)


def test_who_stands_in_passes_it_on_to_nobody(desk: Desk, deputy: Staff) -> None:
    desk.policy(BANDS)
    third = make_staff(desk.group.units["EAST"])
    away(desk, "regional_manager", deputy)
    arrange_absence(deputy, deputy, third, FIRST, LAST, when=desk.when)
    with pytest.raises(NotAsked):
        desk.decide(third, desk.ask(1200))


def test_nobody_decides_on_their_own_request_in_anothers_place(desk: Desk) -> None:
    desk.policy(BANDS)
    away(desk, "regional_manager", desk.cast.service)
    request = desk.ask(1200)
    with pytest.raises(OwnRequest):
        desk.decide("service", request)
    assert not Decision.objects.exists()


def test_who_is_away_can_still_decide_and_it_is_once_in_all(desk: Desk, deputy: Staff) -> None:
    desk.policy(
        {"bands": [{**BANDS["bands"][1], "steps": [BANDS["bands"][0]["steps"][0], BANDS["bands"][0]["steps"][1]]}]}
    )  # type: ignore[dict-item, index]
    away(desk, "regional_manager", deputy)
    first, second = desk.ask(1200), desk.ask(1200, name="b")
    desk.decide("regional_manager", first)
    with pytest.raises((NotAsked, DecidedAlready)):
        desk.decide(deputy, first)
    desk.decide(deputy, second)
    with pytest.raises(DecidedAlready):
        desk.decide("regional_manager", second)
    assert Decision.objects.count() == 2


def test_it_ends_at_once(desk: Desk, deputy: Staff) -> None:
    desk.policy(BANDS)
    absence = away(desk, "regional_manager", deputy)
    request = desk.ask(1200)
    end_delegation(desk.cast["regional_manager"], absence, when=desk.when)
    with pytest.raises(NotAsked):
        desk.decide(deputy, request)
    desk.decide("regional_manager", request)
    assert desk.level() == 1200


def test_it_can_be_for_some_kinds_alone(desk: Desk, deputy: Staff) -> None:
    desk.policy(BANDS)
    absence = away(desk, "regional_manager", deputy, kinds=("points.adjustment",))
    request = desk.ask(1200)
    with pytest.raises(NotAsked):
        desk.decide(deputy, request)
    end_delegation(desk.cast["regional_manager"], absence, when=desk.when)
    away(desk, "regional_manager", deputy, kinds=(Gauge.code,))
    desk.decide(deputy, request)
    assert desk.level() == 1200


def test_what_cannot_be_arranged(desk: Desk, deputy: Staff) -> None:
    manager = desk.cast["regional_manager"]
    left = make_staff(desk.group.units["EAST"])
    set_staff_active(left, False)
    for to, days, refusal in [
        (manager, (FIRST, LAST), OwnDelegate),
        (deputy, (LAST, FIRST), DelegationOver),
        (deputy, (date(2026, 5, 1), date(2026, 5, 3)), DelegationOver),
        (left, (FIRST, LAST), NotToThem),
        (desk.cast.outsider, (FIRST, LAST), NotToThem),
    ]:
        with pytest.raises(refusal):
            arrange_absence(manager, manager, to, *days, when=desk.when)
    with pytest.raises(NotAllowed):
        arrange_absence(desk.cast["service"], manager, deputy, FIRST, LAST, when=desk.when)
    assert not Delegation.objects.exists()
    assert not Notice.objects.exists()


def test_an_administrator_arranges_it_for_others_and_moves_its_last_day(desk: Desk, deputy: Staff) -> None:
    administrator = desk.cast["administrator"]
    absence = arrange_absence(administrator, desk.cast.regional_manager, deputy, FIRST, LAST, when=desk.when)
    changed = change_absence(administrator, absence, last_on=date(2026, 5, 4), reason="back", when=desk.when)
    assert changed.ends_at == datetime(2026, 5, 4, 16, tzinfo=UTC)
    assert [row.history_user for row in absence.history.order_by("pk")] == [administrator, administrator]
    with pytest.raises(DelegationOver):
        change_absence(administrator, absence, last_on=date(2026, 5, 3), reason="", when=desk.when)
    with pytest.raises(NotAllowed):
        change_absence(desk.cast["outsider"], absence, last_on=LAST, reason="", when=desk.when)


MINE = "/approvals/delegation/mine/"
FAR = {"first_on": "2098-01-01", "last_on": "2098-01-02"}


def test_everybody_has_a_page_of_their_own_absences(cast: Cast, deputy: Staff) -> None:
    client = signed_in(cast.shop)
    answer = client.post(MINE, {"delegate": "deputy", **FAR})
    assert (answer.status_code, answer.headers["Location"]) == (302, MINE)
    absence = Delegation.objects.get()
    assert (absence.person, absence.delegate) == (cast.shop, deputy)
    assert b"deputy" in client.get(MINE).content
    assert b"shop" in signed_in(deputy).get(MINE).content
    assert signed_in(cast.finance).post(MINE, {"end": str(absence.pk)}).status_code == 404
    assert signed_in(deputy).post(MINE, {"end": str(absence.pk)}).status_code == 404
    assert client.post(MINE, {"end": str(absence.pk)}).status_code == 302
    assert Delegation.objects.get().ended_at is not None


def test_what_is_wrong_stands_at_its_field(cast: Cast, deputy: Staff) -> None:
    client = signed_in(cast.shop)
    for sent, field in [
        ({"delegate": "outsider", **FAR}, "delegate"),
        ({"delegate": "shop", **FAR}, "delegate"),
        ({"delegate": "deputy", "first_on": "2098-01-02", "last_on": "2098-01-01"}, "last_on"),
    ]:
        answer = client.post(MINE, sent)
        assert list(answer.context["form"].errors) == [field]
    assert not Delegation.objects.exists()


def test_colleagues_are_offered_and_nobody_of_another_company(cast: Cast) -> None:
    offered = signed_in(cast.shop).get(f"{MINE}people/", {"q": "i"}).json()["people"]
    names = {each["name"] for each in offered}
    assert {"finance", "auditor", "service"} <= names
    assert not names & {"outsider", "shop"}
    assert signed_in(cast.shop).get(f"{MINE}people/").json() == {"people": []}


def test_administrators_keep_absences_and_auditors_read_them(cast: Cast, deputy: Staff, group: CoffeeGroup) -> None:
    client = signed_in(cast.administrator)
    sent = {"person": cast.shop.pk, "delegate": deputy.pk, "reason": "holiday", **FAR}
    assert client.post(reverse("admin:approvals_delegation_add"), sent).status_code == 302
    absence = Delegation.objects.get()
    page = reverse("admin:approvals_delegation_change", args=[absence.pk])
    assert client.post(page, {"last_on": "2098-01-09", "reason": "longer"}).status_code == 302
    assert Delegation.objects.get().ends_at == datetime(2098, 1, 9, 16, tzinfo=UTC)
    assert client.post(page, {"last_on": "2097-01-09", "reason": "x"}).status_code == 200
    auditor = signed_in(cast.auditor)
    listed = auditor.get(reverse("admin:approvals_delegation_changelist")).content.decode()
    assert "9 Jan 2098" in listed
    assert "Planned" in listed
    assert auditor.post(page, {"last_on": "2098-02-01"}).status_code == 403
    assert client.post(f"{page.removesuffix('change/')}end/").status_code == 302
    assert Delegation.objects.get().ended_at is not None
    assert client.post(page, {"last_on": "2098-03-01", "reason": "x"}).status_code in (200, 302)
    assert Delegation.objects.get().ends_at == datetime(2098, 1, 9, 16, tzinfo=UTC)
