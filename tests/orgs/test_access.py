"""Who may do what: why somebody may not, what a person or a unit has, the quarterly list, and who leaves."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.approvals.people import still_asked
from apps.core.errors import NotAllowed
from apps.members.services import create_member
from apps.orgs import services
from apps.orgs.access import access_at, access_of
from apps.orgs.errors import LineDecided, OwnRoles, ReviewOpen
from apps.orgs.models import Certification, Staff
from apps.orgs.querysets import jobs_of, units_worked_on
from apps.orgs.why import KNOWN, does_in_words, why, why_address
from tests.approvals.conftest import BANDS, Desk
from tests.factories import Cast, CoffeeGroup, make_staff
from tests.members.conftest import WHEN

pytestmark = pytest.mark.django_db


def signed_in(client: Client, person: Staff) -> Client:
    client.force_login(person, backend="apps.orgs.auth.RoleBackend")
    return client


# Why can I not?


def test_why_names_the_roles_that_would_mine_elsewhere_and_who_holds_them_here(group: CoffeeGroup, cast: Cast) -> None:
    services.grant_role(None, cast.marketing, "service", group["EAST-S"])
    make_staff(group["S001"], ["regional_manager"], username="near")
    gone = make_staff(group["S001"], ["service"], username="gone")
    services.set_staff_active(gone, False)
    told = why(cast["marketing"], "points.adjust_points", group["S001"])
    assert (told.does, told.may) == ("Adjust points", False)
    assert [(each.role, each.mine, each.holders) for each in told.roles] == [
        ("regional_manager", (), ("near (Lakeside)", "regional_manager (East North)")),
        ("service", ("East South",), ("service (East Coffee)",)),
    ]
    assert told.givers == ("administrator (East Coffee)",)
    assert why(cast["service"], "points.adjust_points", group["S001"]).may


def test_every_permission_reads_as_words() -> None:
    assert [name for name in KNOWN if does_in_words(name) == name] == []


def test_a_row_that_one_does_not_see_is_not_there(client: Client, group: CoffeeGroup, cast: Cast) -> None:
    member = create_member(None, group["S101"], identifiers=[("card", "C77")], when=WHEN)
    asked = why_address("points.adjust_points", member)
    assert signed_in(client, cast.marketing).get(asked).status_code == 404
    assert signed_in(client, cast.outsider).get(asked).status_code == 200
    page = reverse("why")
    for odd in ("?permission=no.such", "?permission=points.adjust_points&row=x", "?permission=points.adjust_points&row=:1",
                "?permission=points.adjust_points&row=sessions.session:1", ""):  # fmt: skip
        assert client.get(page + odd).status_code == 404
    assert client.get(f"{page}?permission=points.adjust_points").status_code == 200


def test_a_page_that_refuses_leads_to_why(client: Client, group: CoffeeGroup, cast: Cast) -> None:
    answer = signed_in(client, cast.marketing).get(reverse("admin:orgs_staff_changelist"))
    assert answer.status_code == 403
    assert "/why/?permission=orgs.view_staff" in answer.content.decode()
    member = create_member(None, group["S001"], identifiers=[("card", "C77")], when=WHEN)
    refused = client.post(reverse("admin:members_member_reveal", args=[member.pk]), {"reason": "x"})
    assert refused.status_code == 403
    address = f"/why/?permission=members.reveal_member&amp;row=members.member%3A{member.pk}"
    assert address in refused.content.decode()
    assert "Customer service" in client.get(address.replace("&amp;", "&")).content.decode()


def test_a_members_page_says_why_its_buttons_are_missing(client: Client, group: CoffeeGroup, cast: Cast) -> None:
    member = create_member(None, group["S001"], identifiers=[("card", "C77")], when=WHEN)
    page = reverse("admin:members_member_change", args=[member.pk])
    told = signed_in(client, cast.marketing).get(page).content.decode()
    assert "permission=points.adjust_points&amp;row=members.member" in told
    assert "permission=members.reveal_member" in told
    assert "permission=points.adjust_points" not in signed_in(client, cast.service).get(page).content.decode()


# Who has what.


def test_a_persons_report_says_since_when_and_by_whom(client: Client, group: CoffeeGroup, cast: Cast) -> None:
    services.grant_role(cast.administrator, cast.shop, "service", group["S002"], when=WHEN)
    held = access_of(Staff.objects.get(pk=cast.shop.pk))
    assert [(each.role, each.unit.code, each.given_by) for each in held] == [
        ("shop", "S001", "The studio"), ("service", "S002", "administrator"),
    ]  # fmt: skip
    assert "Adjust points" in held[1].may
    assert held[1].since is not None
    page = reverse("admin:orgs_staff_access", args=[cast.shop.pk])
    assert "Customer service" in signed_in(client, cast.administrator).get(page).content.decode()


def test_a_units_report_names_whoever_reaches_it_and_leaves_as_a_file(
    client: Client, group: CoffeeGroup, cast: Cast
) -> None:
    Staff.objects.filter(pk=cast.shop.pk).update(first_name="=1+1")
    services.set_staff_active(cast.service, False)
    told = {(each.role, each.unit.code) for each in access_at(group["S001"])}
    assert ("shop", "S001") in told
    assert ("regional_manager", "EAST-N") in told
    assert ("auditor", "G") in told
    assert not {role for role, unit in told if unit == "WEST"} | (told & {("service", "EAST")})
    page = reverse("admin:orgs_orgunit_access", args=[group["S001"].pk])
    table = signed_in(client, cast.administrator).get(page, {"format": "csv"}).content.decode("utf-8-sig")
    assert table.startswith("Person,Sign-in name,Role,Held at,")
    assert "'=1+1,shop,Shop staff,Lakeside," in table
    assert client.get(page, {"format": "xlsx"}).content[:2] == b"PK"
    assert signed_in(client, cast.marketing).get(page).status_code == 403
    outside = reverse("admin:orgs_orgunit_access", args=[group["S101"].pk])
    assert signed_in(client, cast.administrator).get(outside).status_code == 404


# Who leaves.


def test_before_somebody_is_shut_out_the_page_says_what_hangs_on_them(client: Client, desk: Desk) -> None:
    desk.policy(BANDS)
    desk.ask(6000)
    desk.ask(7000, by="regional_manager", unit="S001")
    page = reverse("admin:orgs_staff_leave", args=[desk.cast.regional_manager.pk])
    told = signed_in(client, desk.cast.administrator).get(page).context["hanging"]
    assert [(each.title, each.count) for each in told] == [
        ("Requests that wait for this person's decision", 1), ("Requests of their own that are not decided", 1),
        ("Roles", 1),
    ]  # fmt: skip
    assert Staff.objects.get(pk=desk.cast.regional_manager.pk).is_active


def test_what_waits_for_who_is_shut_out_is_handed_on(client: Client, desk: Desk) -> None:
    desk.policy(BANDS)
    other = make_staff(desk.group["EAST"], ["regional_manager"], username="other")
    request = desk.ask(6000)
    assert [task.person for task in request.tasks.filter(is_open=True)] == [desk.cast.regional_manager]
    door = reverse("admin:orgs_staff_active", args=[desk.cast.regional_manager.pk])
    assert (
        signed_in(client, desk.cast.administrator).post(door, {"is_active": "0", "reason": "left"}).status_code == 302
    )
    assert [task.person for task in still_asked(request.tasks.filter(is_open=True), request.unit)] == [other]
    history = desk.cast.regional_manager.history.first()
    assert history is not None
    assert history.history_change_reason == "left"


# The quarterly list.


def lines(review: Certification) -> set[tuple[str, str, str]]:
    return set(review.lines.values_list("person__username", "role", "held_at__code"))


def test_each_quarter_every_role_stands_on_one_list_of_whoever_administers_it(group: CoffeeGroup, cast: Cast) -> None:
    local = make_staff(group["S001"], ["administrator"], username="local")
    assert services.open_certifications(WHEN) == 3
    assert services.open_certifications(WHEN) == 0
    lists = {review.unit.code: lines(review) for review in Certification.objects.select_related("unit")}
    assert set(lists) == {"G", "EAST", "S001"}
    assert lists["S001"] == {("local", "administrator", "S001"), ("shop", "shop", "S001")}
    assert ("regional_manager", "regional_manager", "EAST-N") in lists["EAST"]
    assert ("outsider", "marketing", "WEST") in lists["G"]
    assert sum(map(len, lists.values())) == sum(len(jobs) for jobs in jobs_of(Staff.objects.all()).values())
    services.set_staff_active(local, False)


def test_a_role_is_kept_or_taken_away_once_and_by_somebody_else(group: CoffeeGroup, cast: Cast) -> None:
    review = services.open_certification(cast.administrator, group["EAST"], when=WHEN)
    line = lambda name: review.lines.get(person__username=name)  # noqa: E731
    decide = lambda who, name, verdict: services.decide_line(cast[who], line(name).pk, verdict, when=WHEN)  # noqa: E731
    assert decide("administrator", "service", "taken").verdict == "taken"
    assert units_worked_on(cast.service) == []
    history = cast.service.history.first()
    assert history is not None
    assert history.history_change_reason == "role revoked: service @ EAST: review of roles"
    with pytest.raises(LineDecided):
        decide("administrator", "service", "kept")
    with pytest.raises(OwnRoles):
        decide("administrator", "administrator", "kept")
    for who in ("marketing", "auditor", "outsider"):
        with pytest.raises(NotAllowed):
            decide(who, "shop", "kept")
    services.revoke_role(None, cast.finance, "finance", group["EAST"])
    assert decide("administrator", "finance", "kept").verdict == "gone"
    assert decide("administrator", "shop", "kept").verdict == "kept"
    assert units_worked_on(cast.shop) == [group["S001"]]


def test_a_review_closes_with_its_last_line_and_another_can_be_begun(group: CoffeeGroup, cast: Cast) -> None:
    above = make_staff(group["G"], ["administrator"], username="above")
    review = services.open_certification(cast.administrator, group["EAST"], when=WHEN)
    with pytest.raises(ReviewOpen):
        services.open_certification(cast.administrator, group["EAST"], when=WHEN)
    for line in review.lines.all():
        review.refresh_from_db()
        assert review.closed_at is None
        services.decide_line(above, line.pk, "kept", when=WHEN)
    review.refresh_from_db()
    assert review.closed_at == WHEN
    services.open_certification(cast.administrator, group["EAST"], when=WHEN)
    with pytest.raises(NotAllowed):
        services.open_certification(cast.administrator, group["WEST"], when=WHEN)


def test_the_page_of_a_review_shows_what_is_left_and_leaves_as_a_file(
    client: Client, group: CoffeeGroup, cast: Cast
) -> None:
    begin = reverse("admin:orgs_orgunit_review_roles", args=[group["EAST"].pk])
    assert signed_in(client, cast.administrator).post(begin).status_code == 302
    review = Certification.objects.get()
    page, door, table = (
        reverse(f"admin:orgs_certification_{name}", args=[review.pk]) for name in ("change", "decide", "table")
    )
    assert "Your own: another administrator decides." in client.get(page).content.decode()
    sent = {"line": review.lines.get(person=cast.shop).pk, "verdict": "taken"}
    assert client.post(door, sent).status_code == 302
    assert client.post(door, {**sent, "verdict": "x"}).status_code == 404
    told = client.get(table, {"format": "csv"}).content.decode()
    assert "shop,shop,Shop staff,Lakeside,Taken away,administrator,2" in told
    assert signed_in(client, cast.auditor).get(page).status_code == 200
    assert client.post(door, sent).status_code == 403
