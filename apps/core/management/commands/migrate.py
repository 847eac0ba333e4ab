"""Django's migrate, run as the tables' owner, then the application role's rights and what rooms add."""

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate

from apps.core.grants import apply_grants
from apps.core.migration import run_after_migrate


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        apply_grants(options["database"])
        run_after_migrate(options["database"])
