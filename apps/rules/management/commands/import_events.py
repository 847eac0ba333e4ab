"""`manage.py import_events FILE --program CODE`: brings a file of events in; goes on where it was stopped."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.activity.models import ImportFault, ImportJob
from apps.activity.words import fault_sentence, refusal_sentence
from apps.core.clock import now
from apps.core.reading import FileRefused
from apps.orgs.commands import program_called
from apps.rules.importing import run_import, start_import


class Command(BaseCommand):
    help = "Imports events from the standard CSV or a preset. Exit 0 done, 1 rows refused, 2 file refused."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--program", required=True, metavar="CODE")
        parser.add_argument("--preset", default="", metavar="NAME", help="the kind of file, for example cdnow")
        parser.add_argument("--enrol", action="store_true", help="enrol members the group does not know")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        program = program_called(options["program"])
        try:
            job = start_import(
                None, options["file"], program, preset=options["preset"], enrols=options["enrol"], when=now()
            )
        except FileRefused as refusal:
            raise CommandError(refusal.sentence(), returncode=2) from None
        self.begun = job.rows_done
        if self.begun:
            self.stderr.write(f"Going on after {self.begun:,} rows.")
        self.started = time.perf_counter()
        job = run_import(job.pk, clock=now, progress=self.tell)
        self.report(job, options["json"])
        if job.refusal:
            sys.exit(2)
        sys.exit(1 if job.rows_refused else 0)

    def tell(self, stage: str, done: int, total: int) -> None:
        since = done if stage == "reading" else done - self.begun
        rate = since / (time.perf_counter() - self.started)
        left = (total - done) / rate if rate else 0
        self.stderr.write(
            f"{stage}: {done:,} of {total:,} rows, {done / total:.0%}, {rate:,.0f} a second, {left:.0f} s left"
        )

    def report(self, job: ImportJob, as_json: bool) -> None:
        seconds = round(time.perf_counter() - self.started, 1)
        if as_json:
            names = ("state", "rows", "events_new", "events_repeated", "rows_refused", "members_enrolled", "points")
            result = {name: getattr(job, name) for name in names} | {"seconds": seconds}
            result["refusal"] = refusal_sentence(job)
            result["faults"] = [
                {"line": fault.line, "column": fault.column, "code": fault.code, "value": fault.value}
                for fault in ImportFault.objects.filter(job=job).order_by("line", "pk")[:1000]
            ]
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        if job.refusal:
            self.stderr.write(refusal_sentence(job))
            return
        for fault in ImportFault.objects.filter(job=job).order_by("line", "pk")[:20]:
            self.stderr.write(f"line {fault.line}, {fault.column}: {fault_sentence(fault.code)} {fault.value}".rstrip())
        rate = (job.rows - self.begun) / seconds if seconds else 0
        self.stdout.write(
            f"{job.rows:,} rows: {job.events_new:,} new events, {job.events_repeated:,} known before, "
            f"{job.rows_refused:,} rows refused, {job.members_enrolled:,} members enrolled, "
            f"{job.points:,} points. {seconds} s, {rate:,.0f} rows a second."
        )
        if job.events_repeated and not job.events_new:
            self.stdout.write("Everything in this file was known before: nothing was posted.")
