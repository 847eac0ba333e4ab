"""`manage.py messages`: what the sources say, into the catalogues; what lacks a translation; compiled when complete."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from apps.core import messages


class Command(BaseCommand):
    help = "Brings the translations up to date and compiles them. Exit 1 when a text lacks its Chinese."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--compile", action="store_true", help="only compile what is there")

    def handle(self, *args: Any, **options: Any) -> None:
        root = Path(settings.BASE_DIR)
        missing = [] if options["compile"] else messages.update(root)
        messages.compile_all(root)
        for text in missing:
            self.stdout.write(text)
        if missing:
            self.stderr.write(f"{len(missing)} texts have no translation.")
            sys.exit(1)
