"""`manage.py import_events FILE --program CODE`: brings a file of events in; goes on where it was stopped."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.activity.models import ImportFault, ImportJob
from apps.activity.reading import FileRefused
from apps.core.clock import now
from apps.orgs.models import Program
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
        program = Program.objects.select_related("unit").filter(code=options["program"]).first()
        if program is None:
            known = ", ".join(Program.objects.values_list("code", flat=True)) or "none yet"
            raise CommandError(f"There is no programme {options['program']}. There are: {known}.", returncode=2)
        self.started = time.perf_counter()
        try:
            job = start_import(
                None, options["file"], program, preset=options["preset"], enrols=options["enrol"], when=now()
            )
        except FileRefused as refusal:
            raise CommandError(refusal.sentence(), returncode=2) from None
        if job.events_done:
            self.stderr.write(f"Going on after {job.events_done:,} events.")
        job = run_import(job.pk, clock=now, progress=self.tell)
        self.report(job, options["json"])
        if job.state == ImportJob.State.REFUSED:
            sys.exit(2)
        sys.exit(1 if job.rows_refused else 0)

    def tell(self, stage: str, done: int, total: int) -> None:
        seconds = time.perf_counter() - self.started
        left = seconds / done * (total - done) if done else 0
        unit = "lines" if stage == "reading" else "chunks"
        self.stderr.write(f"{stage} {done:,} of {total:,} {unit}, {done / total:.0%}, {left:.0f} s left")

    def report(self, job: ImportJob, as_json: bool) -> None:
        seconds = round(time.perf_counter() - self.started, 1)
        result = {
            "state": job.state,
            "rows": job.rows,
            "events_new": job.events_new,
            "events_repeated": job.events_repeated,
            "rows_refused": job.rows_refused,
            "members_enrolled": job.members_enrolled,
            "points": job.points,
            "seconds": seconds,
        }
        if as_json:
            refused = ImportFault.objects.filter(job=job).order_by("line")[:1000]
            result["refusal"] = job.refusal
            result["faults"] = [
                {"line": fault.line, "column": fault.column, "code": fault.code, "value": fault.value}
                for fault in refused
            ]
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        if job.refusal:
            self.stderr.write(job.refusal)
            return
        for fault in ImportFault.objects.filter(job=job).order_by("line")[:20]:
            self.stderr.write(f"line {fault.line}, {fault.column}: {fault.code} {fault.value}")
        rate = job.rows / seconds if seconds else 0
        self.stdout.write(
            f"{job.rows:,} rows: {job.events_new:,} new events, {job.events_repeated:,} known before, "
            f"{job.rows_refused:,} rows refused, {job.members_enrolled:,} members enrolled, "
            f"{job.points:,} points. {seconds} s, {rate:,.0f} rows a second."
        )
        if job.events_repeated and not job.events_new:
            self.stdout.write("Everything in this file was known before: nothing was posted.")
