"""Which role does what: the application's role works, the owner's role migrates."""

from typing import Any


class OwnerMigrates:
    """Tables are made through the `owner` connection; everything else uses `default`."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "default"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "owner"

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        """Both connections lead to one database."""
        return True
