"""SQL that migrations run, kept beside the app it belongs to in `.sql` files."""

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
