"""`manage.py fold_facts`: brings the daily facts up to date."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.core.clock import now
from apps.reports.services import fold_facts


class Command(BaseCommand):
    help = "Folds new entries of the ledger into the daily facts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="makes all facts again from the ledger")

    def handle(self, *args: Any, **options: Any) -> None:
        folded = fold_facts(now(), rebuild=options["rebuild"])
        made = "All facts made again from" if folded.is_rebuilt else "Folded"
        self.stdout.write(f"{made} {folded.entries:,} entries.")
