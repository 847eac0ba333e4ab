"""Django's migrate, run as the tables' owner, then the rights of the application's role."""

from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate

from apps.core.grants import apply_grants


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        apply_grants(options["database"])
