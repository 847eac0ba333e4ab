"""What the application's own database role may do: read and write rows, never change an append-only table,
never change a table's shape; send and take messages of the broker. Applied after every migration, by the owner."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections

from apps.core.broker import QUEUE


def application_role() -> str:
    return str(settings.DATABASES["default"]["USER"])


def apply_grants(using: str = "owner") -> None:
    """Gives the application's role its rights. Does nothing where owner and application are one role."""
    connection: Any = connections[using]
    role = application_role()
    if role == connection.settings_dict["USER"]:
        return
    name = connection.ops.quote_name
    append_only = [model._meta.db_table for model in apps.get_models() if getattr(model, "append_only", False)]
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {name(role)}")
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name(role)}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name(role)}")
        cursor.execute(f"GRANT USAGE ON SCHEMA pgmq TO {name(role)}")
        cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA pgmq TO {name(role)}")
        cursor.execute(f"GRANT INSERT, UPDATE, DELETE ON pgmq.{name(f'q_{QUEUE}')} TO {name(role)}")
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA pgmq TO {name(role)}")
        for table in append_only:
            cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {name(table)} FROM {name(role)}")
        cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {name(role)}")
