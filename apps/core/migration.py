"""What migrations share: SQL kept beside its app in `.sql` files, and what other rooms do after a migrate."""

from collections.abc import Callable
from pathlib import Path

from django.db import migrations

APPS = Path(__file__).resolve().parents[1]


def sql_file(app: str, name: str) -> migrations.RunSQL:
    """Runs `apps/<app>/sql/<name>.sql`; back again with `<name>.reverse.sql`."""
    folder = APPS / app / "sql"
    return migrations.RunSQL(
        (folder / f"{name}.sql").read_text(encoding="utf-8"),
        (folder / f"{name}.reverse.sql").read_text(encoding="utf-8"),
    )


def again(app: str, name: str) -> migrations.RunSQL:
    """Runs such a file of `CREATE OR REPLACE` once more, for what changed in it. Back again nothing is done: the migration that
    ran it first takes it away."""
    return migrations.RunSQL((APPS / app / "sql" / f"{name}.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop)


_after_migrate: list[Callable[[str], None]] = []


def after_migrate(step: Callable[[str], None]) -> None:
    """Has `step(database alias)` run at the end of every `migrate`; a room registers it when it is ready."""
    _after_migrate.append(step)


def run_after_migrate(using: str) -> None:
    for step in _after_migrate:
        step(using)
