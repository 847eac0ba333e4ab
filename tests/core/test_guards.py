"""Promise R5: the ledger is append-only for the application's own database role, and by trigger for its owner."""

import psycopg
import pytest
from django.apps import apps
from django.db import connection, connections, transaction
from django.db.utils import DatabaseError, ProgrammingError

APPEND_ONLY = [model._meta.db_table for model in apps.get_models() if getattr(model, "append_only", False)]
CHANGES = ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]


def test_the_ledger_and_the_events_are_append_only() -> None:
    assert set(APPEND_ONLY) >= {
        "points_entry",
        "points_posting",
        "activity_event",
        "activity_eventline",
        "rules_outcome",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", CHANGES)
def test_the_application_role_may_not_change_an_append_only_table(table: str, change: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change.format(table).replace("id = id", f"{key_of(table)} = {key_of(table)}"))


@pytest.mark.django_db
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_application_role_cannot_switch_the_guards_off(table: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="must be owner"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only")


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", CHANGES)
def test_even_the_owner_is_refused_by_trigger(committed: str, table: str, change: str) -> None:
    owner = connections["owner"]
    owner.ensure_connection()
    with pytest.raises((DatabaseError, psycopg.Error), match="append-only"), owner.cursor() as cursor:
        cursor.execute(change.format(table).replace("id = id", f"{key_of(table)} = {key_of(table)}"))


def key_of(table: str) -> str:
    return next(model._meta.pk.column for model in apps.get_models() if model._meta.db_table == table)
