"""A database per test process, copied from a template that is migrated once per shape of the migrations."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from apps.rules import snapshot

APPS = Path(settings.BASE_DIR) / "apps"


def _fingerprint() -> str:
    digest = hashlib.sha256()
    files = sorted([*APPS.glob("*/migrations/*.py"), *APPS.glob("*/sql/*.sql"), *APPS.glob("core/grants.py")])
    for path in [*files, Path(__file__), Path(settings.BASE_DIR) / "requirements.lock", *APPS.glob("orgs/roles.py")]:
        digest.update(str(path.relative_to(settings.BASE_DIR)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def maintenance() -> Iterator[psycopg.Connection]:
    """A connection of the owner to the `postgres` database, outside any transaction."""
    config = connections["owner"].settings_dict
    if hasattr(settings, "EMBEDDED_POSTGRES") and "backend" in config["ENGINE"]:
        settings.EMBEDDED_POSTGRES.acquire()
    with psycopg.connect(
        host=config["HOST"] or None, port=config["PORT"] or None, user=config["USER"] or None,
        password=config["PASSWORD"] or None, dbname="postgres", autocommit=True,
    ) as connection:  # fmt: skip
        yield connection


def mislead_the_planner() -> None:
    """Takes statistics while what a test wrote is not committed: they tell of empty tables, as autovacuum's may at any time."""
    config = connections["owner"].settings_dict
    with psycopg.connect(
        host=config["HOST"] or None, port=config["PORT"] or None, user=config["USER"] or None,
        password=config["PASSWORD"] or None, dbname=config["NAME"], autocommit=True,
    ) as connection:  # fmt: skip
        connection.execute("ANALYZE")


def point_at(name: str) -> None:
    """Makes both connections of this process use the database `name`, of which it knows nothing yet."""
    for alias in ("default", "owner"):
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name
        settings.DATABASES[alias]["NAME"] = name
    snapshot.forget()


def template() -> str:
    """The name of the migrated template; made when missing, by one process while the others wait."""
    name = f"template_{_fingerprint()}"
    with maintenance() as admin:
        admin.execute("SELECT pg_advisory_lock(4711)")
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            draft = f"{name}_draft"
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(draft)))
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
            point_at(draft)
            call_command("migrate", verbosity=0, interactive=False)
            _leave_statistics_alone()
            for alias in connections:
                connections[alias].close()
            admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name)))
    return name


def _leave_statistics_alone() -> None:
    """No autovacuum: what it counts while a test is under way is not committed, and later tests would be planned for empty
    tables."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")


def create(name: str) -> None:
    """A fresh database `name`, as migrated."""
    source = template()
    with maintenance() as admin:
        drop(name, admin)
        admin.execute("SELECT pg_advisory_lock(4711)")
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(source)
            )
        )


def drop(name: str, admin: Any) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def scratch(label: str) -> Iterator[str]:
    """A database of its own for one test or measurement, with real commits; this process is pointed at it."""
    before = connections["default"].settings_dict["NAME"]
    name = f"scratch_{label}_{os.getpid()}"
    create(name)
    point_at(name)
    try:
        yield name
    finally:
        point_at(before)
        with maintenance() as admin:
            drop(name, admin)
