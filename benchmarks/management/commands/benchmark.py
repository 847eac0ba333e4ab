"""`manage.py benchmark [NAME…]`: measures the studio against the limit in the same run, on a scratch database."""

import json
import os
import platform
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from benchmarks.measuring import AnswersDiffer, CannotMeasure, Figure
from benchmarks.registry import BENCHMARKS


class Command(BaseCommand):
    help = "Measures against the limit in the same run, on a scratch database. Exit 1 when a gate is missed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all without one")
        parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs, measures nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = set(options["names"]) - set(BENCHMARKS)
        if unknown:
            raise CommandError(
                f"There is no benchmark {', '.join(sorted(unknown))}. There are {', '.join(BENCHMARKS)}."
            )
        figures: list[Figure] = []
        left_out: dict[str, str] = {}
        for name in options["names"] or BENCHMARKS:
            self.stderr.write(f"{name} …")
            try:
                figures += BENCHMARKS[name](options["quick"])
            except CannotMeasure as reason:
                left_out[name] = str(reason)
            except AnswersDiffer as difference:
                raise CommandError(str(difference), returncode=2) from None
        self.report_json(figures, left_out) if options["json"] else self.report(figures, left_out)
        if not options["quick"] and not all(figure.is_met for figure in figures):
            raise SystemExit(1)

    def report(self, figures: list[Figure], left_out: dict[str, str]) -> None:
        self.stdout.write(f"{machine()}\n\n| benchmark | value | gate | | seen |\n|---|---|---|---|---|")
        for figure in figures:
            value = f"{figure.value:,.3g} {figure.unit}".strip()
            gate = verdict = ""
            if figure.target is not None:
                gate = f"{'≤' if figure.at_most else '≥'} {figure.target:g} {figure.unit}".strip()
                verdict = "met" if figure.is_met else "missed"
            self.stdout.write(f"| {figure.name} | {value} | {gate} | {verdict} | {figure.seen} |")
        for name, reason in left_out.items():
            self.stdout.write(f"{name}: left out. {reason}")

    def report_json(self, figures: list[Figure], left_out: dict[str, str]) -> None:
        rows = [
            {"name": f.name, "value": round(f.value, 4), "target": f.target, "at_most": f.at_most, "unit": f.unit,
             "met": f.is_met, "seen": f.seen}
            for f in figures
        ]  # fmt: skip
        self.stdout.write(json.dumps({"machine": machine(), "figures": rows, "left_out": left_out}))


def machine() -> str:
    """What the figures were seen on."""
    return f"{os.cpu_count()} cores {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
