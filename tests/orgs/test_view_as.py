"""An administrator sees the studio as somebody else would: to read only, on record, and never more than is theirs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client
from django.urls import reverse

from apps.core.clock import now
from apps.core.errors import NotAllowed
from apps.members.models import Look, Member
from apps.members.services import create_member, find_by_identifier, reveal
from apps.orgs import services
from apps.orgs.errors import BeyondReach, ReasonMissing
from apps.orgs.models import Staff, ViewAs
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import WHEN

pytestmark = pytest.mark.django_db
NAME = "王小明"


@pytest.fixture
def wang(group: CoffeeGroup) -> Member:
    return create_member(None, group["S001"], identifiers=[("card", "C00012345")], name=NAME, when=WHEN)


def begin(client: Client, cast: Cast, who: str = "service") -> Any:
    client.force_login(cast.administrator, backend="apps.orgs.auth.RoleBackend")
    return client.post(reverse("admin:orgs_staff_view_as", args=[cast[who].pk]), {"reason": "she sees no members"})


def kinds() -> list[tuple[str, str]]:
    return list(ViewAs.objects.order_by("pk").values_list("kind", "why"))


def test_the_studio_is_shown_as_the_person_sees_it_with_a_banner_and_on_record(
    client: Client, cast: Cast, wang: Member
) -> None:
    page = reverse("admin:members_member_changelist")
    client.force_login(cast.administrator, backend="apps.orgs.auth.RoleBackend")
    assert client.get(page).status_code == 403
    assert begin(client, cast).status_code == 302
    shown = client.get(page).content.decode()
    assert "You, administrator, see the studio as service does." in shown
    row = ViewAs.objects.get()
    assert (row.administrator, row.person, row.reason) == (cast.administrator, cast.service, "she sees no members")
    assert row.until is not None
    assert row.until - row.at == timedelta(minutes=30)
    assert client.post(reverse("end_view")).status_code == 302
    assert client.get(page).status_code == 403
    assert kinds() == [("began", ""), ("ended", "button")]


def test_nothing_can_be_sent_and_no_list_leaves(client: Client, cast: Cast, wang: Member) -> None:
    begin(client, cast)
    doors = [
        reverse("admin:members_member_reveal", args=[wang.pk]), reverse("admin:members_member_add"),
        reverse("change_password"), reverse("admin:orgs_staff_view_as", args=[cast.shop.pk]), reverse("set_language"),
    ]  # fmt: skip
    assert {client.post(door, {"reason": "x"}).status_code for door in doors} == {403}
    assert client.get(reverse("admin:members_member_export")).status_code == 403
    assert (Look.objects.filter(kind="reveal").count(), ViewAs.objects.count()) == (0, 1)


def test_what_the_person_had_shown_to_them_is_not_shown_and_a_search_is_the_administrators(
    client: Client, cast: Cast, wang: Member
) -> None:
    reveal(cast["service"], wang.pk, reason="call", when=now())
    begin(client, cast)
    page = client.get(reverse("admin:members_member_change", args=[wang.pk])).content.decode()
    assert NAME not in page
    client.get(reverse("admin:members_member_changelist"), {"q": "C00012345"})
    assert Look.objects.filter(kind="search").get().actor == cast.administrator


def test_only_people_whose_every_unit_one_administers_are_seen_as(group: CoffeeGroup, cast: Cast) -> None:
    begin_view = lambda who, whom: services.begin_view(cast[who], whom, reason="x", when=WHEN)  # noqa: E731
    services.grant_role(None, cast.marketing, "marketing", group["WEST"])
    for whom in (cast["marketing"], cast["administrator"]):
        with pytest.raises(BeyondReach):
            begin_view("administrator", whom)
    Staff.objects.filter(pk=cast.shop.pk).update(is_superuser=True)
    with pytest.raises(BeyondReach):
        begin_view("administrator", cast["shop"])
    for who, whom in (("service", "finance"), ("administrator", "outsider"), ("administrator", "auditor")):
        with pytest.raises(NotAllowed):
            begin_view(who, cast[whom])
    with pytest.raises(ReasonMissing):
        services.begin_view(cast["administrator"], cast["service"], reason=" ", when=WHEN)
    assert not ViewAs.objects.exists()


def test_it_ends_after_half_an_hour_with_the_right_and_at_sign_out(
    client: Client, group: CoffeeGroup, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = services.begin_view(cast["administrator"], cast["service"], reason="x", when=WHEN)
    last = WHEN + timedelta(minutes=30)
    seen = lambda when: services.person_seen(cast["administrator"], row.pk, when)  # noqa: E731
    assert seen(last - timedelta(microseconds=1)) == cast.service
    assert seen(last) is None
    assert services.person_seen(cast["outsider"], row.pk, WHEN) is None
    begin(client, cast)
    client.post(reverse("admin:logout"))
    assert kinds()[-1] == ("ended", "signed_out")
    begin(client, cast)
    services.grant_role(None, cast.service, "service", group["WEST"])
    assert client.get(reverse("admin:members_member_changelist")).status_code == 403
    assert kinds()[-1] == ("ended", "rights")


def test_the_record_cannot_be_changed(cast: Cast) -> None:
    row = services.begin_view(cast["administrator"], cast["service"], reason="x", when=WHEN)
    for spoil in (lambda: ViewAs.objects.filter(pk=row.pk).update(reason="y"), row.delete):
        with pytest.raises(ProgrammingError), transaction.atomic():
            spoil()
    assert find_by_identifier(None, "card", "no") is None
