"""Units, programmes, people, roles and keys: who may make and change them."""

import pytest

from apps.core.clock import now
from apps.core.errors import LoyaltyError, NotAllowed
from apps.orgs import services
from apps.orgs.errors import BeyondReach, LastAdministrator, OwnRoles, PersonalScope, ProgramMisplaced, UnitMisplaced
from apps.orgs.models import ApiClient, OrgUnit, Persona, Staff
from apps.orgs.querysets import program_of
from tests.factories import Cast, CoffeeGroup, make_staff


@pytest.mark.parametrize(
    ("parent", "kind"),
    [("G", "store"), ("G", "region"), ("G", "group"), ("EAST", "company"), ("S001", "store"), ("EAST-N", "company")],
)
def test_a_unit_stands_only_where_its_kind_belongs(group: CoffeeGroup, parent: str, kind: str) -> None:
    before = OrgUnit.objects.count()
    with pytest.raises(UnitMisplaced):
        services.create_unit(group[parent], kind, "NEW", "New")
    assert OrgUnit.objects.count() == before


def test_only_a_group_stands_at_the_top(group: CoffeeGroup) -> None:
    with pytest.raises(UnitMisplaced, match="Only a group"):
        services.create_unit(None, "company", "NEW", "New")


def test_children_made_through_one_old_copy_of_the_parent_stand_beside_each_other(group: CoffeeGroup) -> None:
    parent = group["EAST-S"]
    made = [services.create_unit(parent, "store", code, code) for code in ("N1", "N2", "N3")]
    assert len({unit.path for unit in made}) == 3
    assert all(unit.path.startswith(parent.path) for unit in made)


def test_a_store_belongs_to_the_nearest_programme_above_it(group: CoffeeGroup) -> None:
    assert program_of(group["S001"]) == group.east
    assert program_of(group["EAST"]) == group.east
    assert program_of(group["S101"]) == group.west
    assert program_of(group["G"]) is None


def test_a_programme_belongs_to_a_company_and_only_one(group: CoffeeGroup) -> None:
    for unit in ("S001", "EAST"):
        with pytest.raises(ProgramMisplaced):
            services.create_program(group[unit], code="another", name="Another")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("currency", "yuan", "unknown_currency"), ("time_zone", "../etc/passwd", "unknown_time_zone")],
)
def test_a_programme_needs_a_real_currency_and_time_zone(group: CoffeeGroup, field: str, value: str, code: str) -> None:
    with pytest.raises(LoyaltyError) as refused:
        services.create_program(group.root, code="g", name="G", **{field: value})
    assert refused.value.code == code


def test_an_administrator_grants_and_revokes_inside_the_company(group: CoffeeGroup, cast: Cast) -> None:
    person = make_staff(group["S001"])
    services.grant_role(cast.administrator, person, Persona.SERVICE, group["S001"], when=now())
    assert Staff.objects.get(pk=person.pk).has_perm("members.view_member")
    services.revoke_role(cast.administrator, person, Persona.SERVICE, group["S001"])
    assert not Staff.objects.get(pk=person.pk).has_perm("members.view_member")
    assert list(person.history.values_list("history_change_reason", "history_user__username"))[:2] == [
        ("role revoked: service @ S001", "administrator"),
        ("role granted: service @ S001", "administrator"),
    ]


@pytest.mark.parametrize("place", ["WEST", "G"])
def test_nobody_grants_beyond_their_reach(group: CoffeeGroup, cast: Cast, place: str) -> None:
    with pytest.raises(NotAllowed):
        services.grant_role(cast.administrator, cast.marketing, Persona.FINANCE, group[place], when=now())
    assert not cast["marketing"].has_perm("orgs.view_staff")


@pytest.mark.parametrize("persona", ["marketing", "finance", "integrator", "auditor", "shop"])
def test_only_administrators_grant_roles(group: CoffeeGroup, cast: Cast, persona: str) -> None:
    with pytest.raises(NotAllowed):
        services.grant_role(cast[persona], cast.service, Persona.MARKETING, group["EAST"])


def test_nobody_changes_their_own_roles(group: CoffeeGroup, cast: Cast) -> None:
    with pytest.raises(OwnRoles):
        services.grant_role(cast.administrator, cast.administrator, Persona.SERVICE, group["EAST"])
    with pytest.raises(OwnRoles):
        services.revoke_role(cast.administrator, cast.administrator, Persona.ADMINISTRATOR, group["EAST"])


def test_the_last_administrator_stays(group: CoffeeGroup, cast: Cast) -> None:
    with pytest.raises(LastAdministrator):
        services.revoke_role(None, cast.administrator, Persona.ADMINISTRATOR, group["EAST"])
    with pytest.raises(LastAdministrator):
        services.set_staff_active(cast.administrator, False)
    make_staff(group["G"], [Persona.ADMINISTRATOR])
    services.revoke_role(None, cast.administrator, Persona.ADMINISTRATOR, group["EAST"])
    assert not cast["administrator"].has_perm("orgs.change_staff")


def test_an_administrator_sets_no_password_of_somebody_with_a_wider_role(group: CoffeeGroup, cast: Cast) -> None:
    person = make_staff(group["EAST"])
    services.grant_role(None, person, Persona.AUDITOR, group["G"])
    with pytest.raises(BeyondReach):
        services.set_password(person, "a new password", actor=cast.administrator)
    person.refresh_from_db()
    assert not person.has_usable_password()


def test_a_key_is_found_by_its_hash_until_it_is_replaced(group: CoffeeGroup) -> None:
    client, key = services.create_api_client(
        group["EAST"], code="till", name="Till", scopes=["events:write"], when=now()
    )
    assert services.client_for_key(key, address="::1", when=now()) == client
    assert key.encode() not in bytes(ApiClient.objects.get(pk=client.pk).key_hash)
    newer = services.rotate_key(client)
    assert services.client_for_key(key, address="::1", when=now()) is None
    services.set_client_active(client, False)
    assert services.client_for_key(newer, address="::1", when=now()) is None


def test_an_integrator_gives_no_key_that_reads_personal_data(group: CoffeeGroup, cast: Cast) -> None:
    wanted = {"code": "crm", "name": "CRM", "scopes": ["members:personal"], "when": now()}
    with pytest.raises(PersonalScope):
        services.create_api_client(group["EAST"], **wanted, actor=cast.integrator)
    client, _ = services.create_api_client(group["EAST"], **wanted, actor=cast.administrator)
    with pytest.raises(PersonalScope):
        services.rotate_key(client, actor=cast["integrator"])
    with pytest.raises(NotAllowed):
        services.create_api_client(group["WEST"], code="x", name="X", scopes=[], when=now(), actor=cast.integrator)


def test_people_are_called_by_their_names_and_without_one_by_how_they_sign_in() -> None:
    assert str(Staff(username="yue.lin", first_name="林悦")) == "林悦"
    assert str(Staff(username="yue.lin")) == "yue.lin"
