"""`manage.py check_ledger`: exit 1 when a promise about points does not hold, naming what differs."""

import json
import sys
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.points.checking import differences, promises
from apps.points.models import Entry


class Command(BaseCommand):
    help = "Holds every promise about points against the tables and names what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        found = differences()
        seconds = round(time.perf_counter() - started, 2)
        entries = Entry.objects.count()
        if options["json"]:
            result = {
                "entries": entries,
                "checks": promises(),
                "differences": [asdict(difference) for difference in found],
                "seconds": seconds,
            }
            self.stdout.write(json.dumps(result))
        else:
            for difference in found:
                self.stdout.write(
                    f"{difference.check}: row {difference.row_id} says {difference.stated}, "
                    f"the tables add up to {difference.found}"
                )
            self.stdout.write(
                f"{len(promises())} promises held against {entries:,} entries in {seconds} s: {len(found)} differences"
            )
        if found:
            sys.exit(1)
