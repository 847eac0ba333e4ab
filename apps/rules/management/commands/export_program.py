"""`manage.py export_program CODE`: a programme's whole configuration as one JSON document, on standard output."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.clock import now
from apps.orgs.models import Program
from apps.rules.exchange import exported
from apps.rules.schema import program_schema


class Command(BaseCommand):
    help = "Writes a programme's whole configuration as one JSON document. Exit 2 where there is none of that code."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("program", nargs="?", metavar="CODE")
        parser.add_argument("--schema", action="store_true", help="the JSON Schema of the document instead")

    def handle(self, *args: Any, **options: Any) -> None:
        written = program_schema() if options["schema"] else exported(None, program_called(options["program"]), now())
        self.stdout.write(json.dumps(written, ensure_ascii=False, indent=2))


def program_called(code: str | None) -> Program:
    """The programme of that code; the command ends with 2 where there is none."""
    program = Program.objects.select_related("unit").filter(code=code or "").first()
    if program is None:
        known = ", ".join(Program.objects.order_by("code").values_list("code", flat=True)) or "none yet"
        raise CommandError(f"There is no programme {code or 'without a code'}. There are: {known}.", returncode=2)
    return program
