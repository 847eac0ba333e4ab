"""Promise S5: a right taken away is gone at the next request of the same session."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.clock import now
from apps.orgs import services
from apps.orgs.models import Persona, Staff
from tests.factories import PLACES, Cast, CoffeeGroup, make_staff
from tests.security.conftest import PERSONAS
from tests.security.planting import World, holds

PAGES = {
    "administrator": "admin:orgs_staff_changelist",
    "integrator": "admin:orgs_apiclient_changelist",
    "auditor": "admin:orgs_staff_changelist",
    "marketing": "admin:orgs_program_changelist",
    "finance": "admin:orgs_program_changelist",
    "regional_manager": "admin:orgs_program_changelist",
    "service": "admin:orgs_program_changelist",
    "shop": "admin:orgs_program_changelist",
}


def signed_in(client: Client, staff: Staff) -> Client:
    client.force_login(staff, backend="apps.orgs.auth.RoleBackend")
    return client


@pytest.mark.parametrize("persona", PAGES)
def test_whose_last_role_is_taken_away_is_signed_out_at_the_next_request(
    client: Client, group: CoffeeGroup, cast: Cast, persona: str
) -> None:
    page = reverse(PAGES[persona])
    signed_in(client, cast[persona])
    assert client.get(page).status_code == 200
    make_staff(group["G"], [Persona.ADMINISTRATOR])
    services.revoke_role(None, cast[persona], persona, group[PLACES.get(persona, "EAST")])
    answer = client.get(page)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/login/")


def test_a_role_taken_away_is_gone_at_the_next_request(client: Client, group: CoffeeGroup, cast: Cast) -> None:
    services.grant_role(None, cast.administrator, Persona.SHOP, group["S001"])
    signed_in(client, cast["administrator"])
    page = reverse(PAGES["administrator"])
    assert client.get(page).status_code == 200
    make_staff(group["G"], [Persona.ADMINISTRATOR])
    services.revoke_role(None, cast.administrator, "administrator", group[PLACES.get("administrator", "EAST")])
    assert client.get(page).status_code == 403


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_person_shut_out_is_asked_to_sign_in(client: Client, cast: Cast, method: str) -> None:
    signed_in(client, cast["marketing"])
    services.set_staff_active(cast.marketing, False)
    answer = getattr(client, method)(reverse("admin:orgs_program_changelist"))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/")


def test_a_new_password_ends_the_sessions_of_before(client: Client, cast: Cast) -> None:
    signed_in(client, cast["marketing"])
    services.set_password(cast.marketing, "something entirely new")
    assert client.get(reverse("admin:orgs_program_changelist")).status_code == 302


def test_a_role_given_on_another_unit_shows_at_the_next_request(client: Client, group: CoffeeGroup, cast: Cast) -> None:
    signed_in(client, cast["finance"])
    page = reverse("admin:orgs_program_change", args=[group.west.pk])
    assert client.get(page).status_code == 404
    services.grant_role(None, cast.finance, Persona.FINANCE, group["WEST"])
    assert client.get(page).status_code == 200


def test_an_api_client_switched_off_is_nobody(group: CoffeeGroup) -> None:
    made: Any = services.create_api_client(group["EAST"], code="till", name="Till", scopes=[], when=now())
    client, key = made
    services.set_client_active(client, False)
    assert services.client_for_key(key, address="::1", when=now()) is None


def test_a_right_on_a_row_is_what_the_list_of_rows_says(world: World) -> None:
    answers = set()
    for persona in PERSONAS:
        person = world.cast[persona]
        for row in (row for planted in (world.east, world.west) for row in planted.rows.values()):
            for verb in ("view", "change"):
                name = f"{row._meta.app_label}.{verb}_{row._meta.model_name}"
                seen = type(row)._default_manager.visible_to(person, name).filter(pk=row.pk).exists()
                held = holds(persona, name)
                assert person.has_perm(name, row) == (seen and held), (persona, name)
                answers.add((verb, held, seen))
    assert {(verb, True, seen) for verb in ("view", "change") for seen in (True, False)} <= answers
