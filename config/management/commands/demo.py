"""`manage.py demo`: an empty studio becomes a coffee group with a year behind it."""

import time
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.clock import local_day, now
from apps.orgs.models import OrgUnit, Staff
from config.demo import PASSWORD, make_demo, sign_ins
from config.demo.year import ZONE


class Command(BaseCommand):
    help = "Fills an empty database with a demo group, reproducible from a seed and a last day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--members", type=int, default=5_000, metavar="N", help="how many members (5000)")
        parser.add_argument("--months", type=int, default=12, metavar="M", help="how many months behind them (12)")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed, the same group (1)")
        parser.add_argument("--until", type=date.fromisoformat, metavar="DAY", help="the last day (yesterday)")
        parser.add_argument("--password", help="of everybody who signs in; needed outside local use")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["members"] <= 200_000 or not 1 <= options["months"] <= 60:
            raise CommandError("The demo takes 1 to 200,000 members and 1 to 60 months.")
        password = options["password"] or (PASSWORD if settings.IS_LOCAL else None)
        if password is None:
            raise CommandError("Name the password that everybody signs in with: --password …")
        if OrgUnit.objects.exists() or Staff.objects.exists():
            raise CommandError(
                "The demo needs an empty database, and this one holds a group already. Nothing was changed. "
                "Name another folder with DATA_DIR, or another database with DATABASE_URL."
            )
        started = time.perf_counter()
        told = make_demo(
            members=options["members"],
            months=options["months"],
            seed=options["seed"],
            last=options["until"] or local_day(now(), ZONE) - timedelta(days=1),
            password=password,
            tell=self.stderr.write,
        )
        self.stdout.write(
            f"{told.members:,} members, {told.events:,} events, {told.redemptions:,} redemptions, "
            f"{told.expired_points:,} points expired, {told.points:,} points outstanding; "
            f"{told.differences} differences in the ledger. {time.perf_counter() - started:.0f} s."
        )
        self.stdout.write(f"\nEverybody signs in with the password {password}\n")
        for username, who, where in sign_ins():
            self.stdout.write(f"  {username:24}{who}, {where}")
        self.stdout.write(f"\nThe tills of East Coast Coffee call the API with the key {told.api_key}")
