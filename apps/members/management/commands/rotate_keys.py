"""`manage.py rotate_keys`."""

import sys
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.members.crypto import newest_key
from apps.members.services.rotating import CHUNK, SEALED, rotate, waiting


class Command(BaseCommand):
    help = (
        "Encrypts all personal data again under the newest key (the highest number) of PERSONAL_DATA_KEYS. "
        "1. Add the new key beside the old ones, as in 1:old,2:new, and restart every web process and worker, so that "
        "all of them read both and write with the new one. 2. Run this command, beside normal work; killed, it goes "
        "on where it stopped. 3. When it says that nothing is left, take the old key out and restart again; keep it "
        "as long as you keep backups made before. LOOKUP_KEY is never rotated: identifiers are found through it. "
        "Exit 1 when something cannot be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--chunk", type=int, default=CHUNK, help="rows of one transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        total, done, unreadable = sum(waiting(sealed) for sealed in SEALED), 0, 0
        started = monotonic()
        for chunk in rotate(options["chunk"]):
            done += chunk.rows
            for row in chunk.unreadable:
                unreadable += 1
                self.stderr.write(f"{chunk.sealed}: row {row} cannot be read with any key of the ring.")
            rate = done / max(monotonic() - started, 0.001)
            left = max(total - done, 0) / rate if rate else 0
            self.stderr.write(f"{done:,} of {total:,}, {rate:,.0f} a second, {left:,.0f} s left")
        if unreadable:
            self.stderr.write(f"{unreadable:,} values cannot be read. Keep every key until they are mended.")
            sys.exit(1)
        self.stdout.write(f"{done:,} values encrypted again; all are under key {newest_key()}.")
