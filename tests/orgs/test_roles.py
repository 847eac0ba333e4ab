"""The matrix of jobs: what each persona may touch."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.test import Client

from apps.core.scope import ScopedModel
from apps.orgs.models import Persona, Role
from apps.orgs.roles import PERMISSIONS
from tests.factories import Cast

CHANGES = ("add_", "change_", "delete_")


def names(permissions: object) -> set[str]:
    return {f"{p.content_type.app_label}.{p.codename}" for p in permissions.select_related("content_type")}  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_every_permission_of_the_matrix_exists_and_is_in_force() -> None:
    every = names(Permission.objects)
    for persona, wanted in PERMISSIONS.items():
        assert not wanted - every, f"{persona} names permissions that no model has"
        assert names(Role.objects.get(code=persona).group.permissions) == wanted


def test_every_persona_has_a_row() -> None:
    assert set(PERMISSIONS) == set(Persona)


MACHINERY = {"core.promisedtask", "orgs.signintry"}
"""Rows of the studio itself, which nobody's job is about."""


def is_for_people(model: Any) -> bool:
    """Not a row of the studio itself, nor a view over what has its own permission."""
    return bool(model._meta.managed) and model._meta.label_lower not in MACHINERY


def test_the_auditor_sees_every_model_and_changes_none() -> None:
    scoped = [model for model in apps.get_models() if hasattr(model, "scope") and model.__module__.startswith("apps.")]
    assert len(scoped) > 20
    assert issubclass(scoped[0], ScopedModel)
    seen = {f"{m._meta.app_label}.view_{m._meta.model_name}" for m in scoped if is_for_people(m)}
    assert PERMISSIONS[Persona.AUDITOR] == seen | {"reports.check_ledger"}


def test_only_administrators_touch_staff_and_only_service_reveals() -> None:
    for permission, holder in [("orgs.change_staff", Persona.ADMINISTRATOR), ("members.reveal_member", "service")]:
        assert [persona for persona, held in PERMISSIONS.items() if permission in held] == [holder]


def test_finance_changes_nothing() -> None:
    assert not [name for name in PERMISSIONS[Persona.FINANCE] if name.partition(".")[2].startswith(CHANGES)]


def test_shop_staff_and_integrators_browse_no_members() -> None:
    browsed = ("member", "identifier", "memberchange", "membertag", "look")
    for persona in (Persona.SHOP, Persona.INTEGRATOR):
        assert not {f"members.view_{model}" for model in browsed} & PERMISSIONS[persona]
        assert not {name for name in PERMISSIONS[persona] if name.startswith(("members.change_", "members.reveal_"))}
    # Whoever brings files of members sees them masked, and nobody whom no file of theirs names.
    assert "members.add_memberimport" in PERMISSIONS[Persona.INTEGRATOR]


@pytest.mark.django_db
def test_shop_staff_are_told_that_the_till_does_their_work(client: Client, cast: Cast) -> None:
    client.force_login(cast["shop"], backend="apps.orgs.auth.RoleBackend")
    told = client.get("/").content.decode()
    assert "Your work is done at the till" in told
    assert "Your administrator gives you a job" not in told
