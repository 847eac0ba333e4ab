"""`manage.py import_members FILE --program CODE`: brings a file of another system's members in; goes on where it was stopped."""

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.clock import now
from apps.core.errors import LoyaltyError
from apps.core.reading import FileRefused
from apps.members.importing import checking, services
from apps.members.importing.findings import words_of
from apps.members.importing.mapping import ColumnMapping
from apps.members.importing.models import ImportMapping, MemberImport
from apps.orgs.commands import program_called
from apps.orgs.models import Program

AGAIN = 0.2
"""Seconds until the command asks whether the workers that are at the same file have done their part."""


class Command(BaseCommand):
    help = "Imports members. Exit 0 done, 1 rows refused or undecided, 2 file refused."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--program", required=True, metavar="CODE")
        parser.add_argument("--mapping", default="", metavar="NAME", help="the source whose columns were mapped before")
        parser.add_argument(
            "--reason", default="", help="why a file comes in that brings the data below the programme's accuracy"
        )
        parser.add_argument("--dry-run", action="store_true", help="check every row, take nothing in")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        program = program_called(options["program"])
        self.started = time.perf_counter()
        try:
            job = self.checked(program, options["file"], options["mapping"])
            if not options["dry_run"]:
                if job.state == MemberImport.State.CHECKED:
                    services.start(None, job.pk, when=now(), reason=options["reason"])
                while (job := services.run(job.pk, clock=now, tell=self.tell)).state == MemberImport.State.RUNNING:
                    time.sleep(AGAIN)
        except LoyaltyError as refusal:
            raise CommandError(refusal.sentence(), returncode=2) from None
        self.report(job, options["json"])
        if options["dry_run"]:
            services.cancel(None, job.pk, when=now())
        left_out = job.counts.get("refused", 0) + job.counts.get("question", 0)
        sys.exit(2 if job.state == MemberImport.State.REFUSED else 1 if left_out else 0)

    def checked(self, program: Program, path: Path, source: str) -> MemberImport:
        """Raises LoyaltyError."""
        if not path.is_file():
            raise FileRefused(reason="missing", name=path.name)
        if source and not ImportMapping.objects.filter(program=program, name=source).exists():
            names = ImportMapping.objects.filter(program=program).order_by("name").values_list("name", flat=True)
            raise CommandError(
                f"No columns are mapped for {source}. There are: {', '.join(names) or 'none yet'}.", returncode=2
            )
        with path.open("rb") as content:
            begun = services.unfinished_of(program, hashlib.file_digest(content, "sha256").digest(), source)
            if begun is not None:
                self.stderr.write(f"Going on after {begun.rows_read:,} rows read, {begun.rows_done:,} taken in.")
                return self.read(begun)
            content.seek(0)
            job = services.bring(None, content, path.name, program, source=source, when=now())
        services.map_columns(None, job.pk, ColumnMapping.model_validate(job.mapping), source=source, when=now())
        return self.read(job)

    def read(self, job: MemberImport) -> MemberImport:
        """Checks it, to its end: workers may be at it too."""
        while (job := services.check(job.pk, when=now(), tell=self.tell)).state == MemberImport.State.CHECKING:
            time.sleep(AGAIN)
        return job

    def tell(self, stage: str, done: int, total: int) -> None:
        rate = done / (time.perf_counter() - self.started)
        of = f" of {total:,}" if total else ""
        self.stderr.write(f"{stage}: {done:,}{of} rows, {rate:,.0f} a second")

    def report(self, job: MemberImport, as_json: bool) -> None:
        seconds = round(time.perf_counter() - self.started, 1)
        refused, asked = checking.refusals(job), checking.questions(job)
        if as_json:
            result = {
                "state": job.state, "rows": job.rows_read, "counts": job.counts, "totals": job.totals, "seconds": seconds,
                "refusal": FileRefused(**job.refusal).sentence() if job.refusal else "",
                "refused": [{"code": code, "rows": number} for code, _value, number in refused],
                "questions": [{"code": code, "value": value, "rows": number} for code, value, number in asked],
            }  # fmt: skip
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        if job.refusal:
            self.stderr.write(FileRefused(**job.refusal).sentence())
            return
        for code, value, number in [*refused, *asked]:
            self.stderr.write(f"{number:,} rows: {words_of(code).en}{f' ({value})' if value else ''}")
        counts = ", ".join(f"{number:,} {state}" for state, number in sorted(job.counts.items()))
        self.stdout.write(f"{job.rows_read:,} rows: {counts}. {seconds} s.")
