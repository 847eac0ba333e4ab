"""Whoever leaves is out at their next request, and what they had open is closed; also when they come back."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from apps.core.errors import NotAllowed
from apps.members.models import Look, Member
from apps.members.services import open_look, reveal
from apps.orgs import services
from apps.orgs.errors import BeyondReach
from apps.orgs.models import Staff
from tests.factories import Cast, CoffeeGroup
from tests.members.conftest import NAME
from tests.members.conftest import wang as wang

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def service(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast["service"], backend="apps.orgs.auth.RoleBackend")
    return client


def is_in(client: Client) -> bool:
    return client.get("/members/member/").status_code == 200


def test_shut_out_the_session_is_over_and_stays_so_when_they_are_let_in_again(cast: Cast, service: Client) -> None:
    assert is_in(service)
    services.set_staff_active(cast.service, False, actor=cast["administrator"])
    assert not is_in(service)
    services.set_staff_active(cast.service, True)
    assert not is_in(service)
    again = Client()
    again.force_login(cast["service"], backend="apps.orgs.auth.RoleBackend")
    assert is_in(again)


def test_with_the_last_role_the_session_ends_and_not_before(cast: Cast, group: CoffeeGroup, service: Client) -> None:
    services.grant_role(None, cast.service, "finance", group["EAST"])
    services.revoke_role(None, cast.service, "finance", group["EAST"])
    assert is_in(service)
    services.revoke_role(None, cast.service, "service", group["EAST"])
    assert service.get("/").status_code == 302
    services.grant_role(None, cast.service, "service", group["EAST"])
    assert not is_in(service)


def test_personal_data_that_was_open_is_closed(cast: Cast, wang: Member) -> None:
    reveal(cast["service"], wang.pk, reason="caller", when=NOW, minutes=60)
    seen = open_look(cast["service"], wang, when=NOW)
    assert seen is not None
    assert seen.name == NAME
    services.set_staff_active(cast.service, False)
    services.set_staff_active(cast.service, True)
    assert open_look(cast["service"], wang, when=NOW) is None
    assert Look.objects.count() == 1


def test_the_button_signs_out_everywhere_and_nobody_beyond_reach(client: Client, cast: Cast, service: Client) -> None:
    client.force_login(cast["administrator"], backend="apps.orgs.auth.RoleBackend")
    page = f"/orgs/staff/{cast.service.pk}/change/"
    assert "Sign out everywhere" in client.get(page).content.decode()
    assert client.post(f"/orgs/staff/{cast.service.pk}/sign-out/").headers["Location"] == page
    assert not is_in(service)
    assert client.get(page).status_code == 200
    history = cast["service"].history.first()
    assert (history.history_user, history.history_change_reason) == (cast.administrator, "signed out everywhere")
    for actor, refusal in ((cast["service"], NotAllowed), (cast["administrator"], BeyondReach)):
        person = cast["auditor"] if refusal is BeyondReach else cast["marketing"]
        with pytest.raises((refusal, NotAllowed)):
            services.sign_out_everywhere(person, actor=actor)
    assert not Staff.objects.filter(pk__in=[cast.auditor.pk, cast.marketing.pk], signed_out_at__isnull=False).exists()


def test_whoever_was_never_signed_out_stays_in_over_an_update(cast: Cast) -> None:
    """Sessions of before hold what Django alone made of the password."""
    from django.contrib.auth.models import AbstractUser

    person: Any = cast["marketing"]
    assert person.get_session_auth_hash() == AbstractUser.get_session_auth_hash(person)
