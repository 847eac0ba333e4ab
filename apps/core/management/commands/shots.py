"""`manage.py shots`, which is `make shots`: every page as each persona; `--readme`: the pictures of the README."""

import logging
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

PARTS = ("databases", "browser.driving", "browser.shooting")
"""What the pictures share with the browser tests; it stands above the rooms."""


class Command(BaseCommand):
    help = "Takes pictures of every page. Exit 1 on a console error, a fault of ours or an axe finding."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", action="append", metavar="PERSONA", help="this persona; may be given again")
        parser.add_argument("--pages", default="", metavar="PATTERN", help="pages whose name or address matches")
        parser.add_argument("--workers", type=int, default=2, help="browsers at once")
        parser.add_argument("--readme", action="store_true", help="docs/pictures, from this installation's demo data")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            databases, driving, shooting = (import_module(f"tests.{name}") for name in PARTS)
        except ImportError as missing:
            raise CommandError(f"Pictures need what the tests need: {missing.name}. Run `make shots`.") from None
        if driving.CHROMIUM is None:
            raise CommandError("Chromium is not installed.")
        if options["readme"]:
            with driving.web_server() as address:
                shooting.take_readme(address, Path(settings.BASE_DIR) / "docs" / "pictures")
            return
        # Pages of other jobs are asked for too, and answer 403.
        logging.getLogger("django.request").setLevel(logging.ERROR)
        personas = options["only"] or shooting.PERSONAS
        folder = Path(settings.DATA_DIR) / "shots"
        for persona in personas:
            shutil.rmtree(folder / persona, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        with databases.scratch("shots"):
            call_command("demo", members=400, months=6)
            with driving.web_server() as address:
                found = shooting.take_all(
                    address, folder, personas=personas, pattern=options["pages"], workers=options["workers"],
                    say=self.stdout.write,
                )  # fmt: skip
        for fault in found.faults:
            self.stderr.write(fault)
        self.stdout.write(f"{len(found.pictures)} pictures in {folder}, {len(found.faults)} faults.")
        if found.faults:
            sys.exit(1)
