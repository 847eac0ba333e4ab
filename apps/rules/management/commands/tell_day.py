"""Tells the rules of a programme, or of all, that a day has begun: by hand what the schedule does every hour."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date

from apps.activity.errors import InTheFuture
from apps.core.clock import now
from apps.orgs.models import Program
from apps.rules.daily import days_due, tell_day
from apps.rules.management.commands.export_program import program_called


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--program", help="code of one programme; else all")
        parser.add_argument("--day", help="one day, such as 2026-05-04; else whatever is due")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        when = now()
        everywhere = Program.objects.select_related("unit").order_by("pk")
        programs = [program_called(options["program"])] if options["program"] else everywhere
        told = []
        for program in programs:
            for day in _days(program, options["day"], when):
                try:
                    row = tell_day(program, day, when=when)
                except InTheFuture:
                    raise CommandError(f"{day} has not begun in {program.time_zone}.") from None
                told.append({"program": program.code, "day": str(day), "events": row.events, "points": row.points})
        if options["json"]:
            self.stdout.write(json.dumps({"told": told}))
            return
        for each in told:
            self.stdout.write("{program} {day}: {events} events, {points} points".format(**each))
        if not told:
            self.stdout.write("Nothing is due.")


def _days(program: Program, asked: str | None, when: Any) -> Any:
    if not asked:
        return days_due(program, when)
    day = parse_date(asked)
    if day is None:
        raise CommandError(f"{asked!r} is no day.")
    return [day]
