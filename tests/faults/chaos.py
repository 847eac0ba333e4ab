"""`python -m tests.faults.chaos --seeds 1 2 3`: the same story told calmly and with faults must end the same.

For each seed one plan (`chaos_plan`) is run twice, each in a database of its own on a server of its own: calmly, by
one process; and by processes that are killed with -9 at random moments, on a server that crashes now and then, several
at once over expiry, release, facts and files, going on from where they were. Then both databases must say the same
(promises R1, R7, R8, R10) and hold every promise about points (R2). Exit 1 when one seed does not; the seed is printed.
"""

import argparse
import csv
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    django.setup()

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections

from apps.activity.incoming import IncomingEvent, IncomingLine
from apps.activity.models import Event, ImportFault, ImportJob, MemberDay
from apps.activity.services import source_for
from apps.core.errors import LoyaltyError
from apps.members.crypto import lookup_hash
from apps.members.models import Member
from apps.members.services import enrol_many
from apps.points import services as points
from apps.points.checking import differences
from apps.points.models import Account, Entry, Hold, Lot, Posting
from apps.reports.models import DailyFact
from apps.reports.services.folding import fold_facts
from apps.rules.importing import finish, run_chunk, stage, start_import, unfinished_jobs
from apps.rules.models import Counter, Outcome
from apps.rules.pipeline import process
from tests import databases
from tests.factories import CoffeeGroup, make_group
from tests.faults.chaos_plan import START, Action, Phase, plan
from tests.rules.conftest import PER_YUAN, publish

WORKERS = 2
MOST_KILLS = 3
"""Of one piece of work; a worker may also end itself after an act nobody hears of."""
MOST_CRASHES = 1
"""Of the server, in one story."""


@dataclass
class Story:
    """A seed's plan on the database that this process is pointed at."""

    seed: int
    phases: list[Phase]
    group: CoffeeGroup
    folder: Path


def begin(seed: int, folder: Path, size: dict[str, int]) -> Story:
    """The group with three rules: one capped, one only for coffee, one of a fixed number for a check-in; points are
    pending for three days and good until the end of the month after."""
    phases = plan(seed, **size)
    group = make_group()
    kind = group.point_types["east"]
    kind.pending_days, kind.expiry = 3, {"kind": "end_of", "period": "month", "plus_days": 30}
    kind.save()
    coffee = {"field": "line.category", "op": "eq", "value": "coffee"}
    check_in = {"all": [{"field": "event.kind", "op": "eq", "value": "check_in"}]}
    five = {"effect": "fixed_points", "point_type": "points", "points": "5"}
    publish(group, PER_YUAN, cap=300)
    publish(group, PER_YUAN | {"points": "2", "lines": {"all": [coffee]}}, cap=401)
    publish(group, five, condition=check_in, cap=5)
    home = group.units["S001"].pk
    enrol_many([("card", name, home, START.date()) for name in sorted(phases[0].by_member)], when=START)
    folder.mkdir(parents=True, exist_ok=True)
    return Story(seed, phases, group, folder)


# -- what happens, whoever does it and however often it is begun ---------------------------------------------------------


def perform(story: Story, action: Action, now: datetime) -> None:
    """One action, through its service. A refusal is an end like any other."""
    member = Member.objects.get(identifiers__value_hash=lookup_hash("card", action.member))
    kind = story.group.point_types["east"]
    account = Account.objects.filter(member=member, point_type=kind).values_list("pk", flat=True).first() or 0
    unit = story.group.units[action.store]
    try:
        match action.kind:
            case "purchase" | "refund" | "check_in":
                process(None, source_for("chaos", story.group.units["EAST"]), [_event(action)], when=now)
            case "redeem":
                points.redeem(None, account, action.points, key=action.key, unit=unit, when=now)
            case "hold":
                points.hold(None, account, action.points, key=action.key, unit=unit, when=now, minutes=60 * 24 * 2)
            case "capture" | "void":
                held = Hold.objects.filter(key=action.of).first()
                verb = points.capture if action.kind == "capture" else points.void
                if held is not None:
                    verb(None, held.pk, when=now)
            case "give" | "take":
                change = action.points if action.kind == "give" else -action.points
                points.adjust(None, member.pk, kind.pk, change, reason="chaos", key=action.key, when=now)
    except LoyaltyError:
        pass


def _event(action: Action) -> IncomingEvent:
    lines = (IncomingLine(1, "A1", action.category, Decimal(1), action.amount),) if action.amount else ()
    return IncomingEvent(
        action.key, action.kind, "card", action.member, action.at, store=action.store, refund_of=action.of or None,
        lines=lines,
    )  # fmt: skip


def nightly(now: datetime) -> list[Callable[[], Any]]:
    """What time does, one after the other: what a lapsed hold gives back may be due as well."""
    return [
        lambda: points.void_lapsed_holds(now),
        lambda: points.release_due(now, chunk=7),
        lambda: points.expire_due(now, chunk=5),
        lambda: fold_facts(now),
    ]


def let_time_pass(now: datetime) -> None:
    for work in nightly(now):
        work()


def write_file(story: Story, number: int) -> Path:
    path = story.folder / f"{number}.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["event_key", "kind", "member", "occurred_at", "store", "category", "amount"])
        for row in story.phases[number].file:
            writer.writerow([row.key, row.kind, row.member, row.at.isoformat(), row.store, row.category, row.amount])
    return path


def import_of(story: Story, number: int) -> Callable[[], None]:
    """The import of a phase's file, started; whoever calls what is returned works on it."""
    now = story.phases[number].now
    job = start_import(None, write_file(story, number), story.group.east, enrols=number % 2 == 0, when=now).pk

    def work() -> None:
        """Goes on until the file is done: of a worker killed a moment ago the server may still hold what it worked on."""
        while job in unfinished_jobs():
            stage(job, when=now)
            while run_chunk(job, when=now):
                pass
            finish(job, when=now)

    return work


# -- calmly, and with faults -----------------------------------------------------------------------------------------------


def run_calmly(story: Story) -> None:
    for number, phase in enumerate(story.phases):
        let_time_pass(phase.now)
        for actions in phase.by_member.values():
            for action in actions:
                perform(story, action, phase.now)
        if phase.file:
            import_of(story, number)()


@dataclass
class Faults:
    """Kills workers and crashes the server at moments drawn from the seed; counts what it did."""

    draw: random.Random
    kills: int = 0
    crashes: int = 0

    def run(self, jobs: list[Callable[[], None]]) -> None:
        """Runs every job in a process of its own, all at once, and again after each kill, until all have ended well."""
        running = {os_pid: job for job in jobs for os_pid in [_fork(job)]}
        deadline, shots = time.monotonic() + 120, MOST_KILLS
        while running:
            time.sleep(self.draw.uniform(0.001, 0.05))
            if shots and self.draw.random() < 0.25:
                shots -= 1
                _kill(self.draw.choice(sorted(running)))
            if self.crashes < MOST_CRASHES and self.draw.random() < 0.02:
                settings.EMBEDDED_POSTGRES.crash()
                self.crashes += 1
            for pid in list(running):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if not ended:
                    continue
                job = running.pop(pid)
                if status != 0:
                    self.kills += os.WIFSIGNALED(status)
                    running[_fork(job)] = job
            if time.monotonic() > deadline:
                for pid in running:
                    _kill(pid)
                raise AssertionError("the work did not end within two minutes")


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _fork(job: Callable[[], None]) -> int:
    for connection in connections.all():
        connection.close()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        job()
        os._exit(0)
    except (OperationalError, InterfaceError):
        os._exit(3)  # the server went away for longer than a verb waits: begun again, like after a kill
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(4)


def run_with_faults(story: Story, faults: Faults) -> None:
    for number, phase in enumerate(story.phases):
        for work in nightly(phase.now):
            faults.run([work] * WORKERS)
        names = sorted(phase.by_member)
        shares = [names[start::WORKERS] for start in range(WORKERS)]
        faults.run([_share(story, number, share) for share in shares])
        if phase.file:
            faults.run([import_of(story, number)] * WORKERS)


def _share(story: Story, number: int, members: list[str]) -> Callable[[], None]:
    """The actions of some members. What is done is noted after it was done, so a kill repeats at most one."""
    progress = story.folder / f"{number}-{members[0]}.done"
    phase = story.phases[number]
    actions = [action for name in members for action in phase.by_member[name]]

    def work() -> None:
        done = progress.stat().st_size if progress.exists() else 0
        chance = random.Random(os.getpid())
        with progress.open("ab", buffering=0) as note:
            for action in actions[done:]:
                perform(story, action, phase.now)
                if chance.random() < 0.1:
                    _kill(os.getpid())  # the till never hears the answer, and asks again
                note.write(b".")

    return work


# -- what the tables say, but for the numbers of rows --------------------------------------------------------------------


def digest() -> dict[str, list[Any]]:
    member = "member__identifiers__masked"
    said = {
        "events": Event.objects.values_list("key", "kind", "amount", "day", member, "org_unit__code"),
        "outcomes": Outcome.objects.values_list("event__key", "points"),
        "accounts": Account.objects.values_list(member, "balance", "pending", "held", "debt", "earned_total"),
        "postings": Posting.objects.values_list("event__key", "kind", "points", "pending_points", "day", member),
        "entries": Entry.objects.values_list(
            "posting__event__key", "kind", "points", "pending_points", "cost_micros", "day", member
        ),
        "lots": Lot.objects.values_list(
            "event__key", "earned", "remaining", "held", "is_pending", "expires_at", member
        ),
        "holds": Hold.objects.values_list("key", "points", "state", "ended_at"),
        "counters": Counter.objects.values_list(
            member, "rule__versions__definition__limits", "start", "points", "times"
        ),
        "days": MemberDay.objects.values_list(member, "day", "events", "spent", "refunded"),
        "facts": DailyFact.objects.exclude(entries=0).values_list(
            "day", "org_unit__code", "kind", "entries", "points", "pending_points", "cost_micros"
        ),
        "faults": ImportFault.objects.values_list("line", "column", "code"),
        "imports": ImportJob.objects.values_list("file_name", "state", "rows", "events_new", "rows_refused", "points"),
    }
    return {name: sorted(map(str, rows)) for name, rows in said.items()}


@contextmanager
def database(label: str) -> Iterator[None]:
    with databases.scratch(label):
        yield
        for connection in connections.all():
            connection.close()


def try_seed(seed: int, folder: Path, size: dict[str, int]) -> tuple[list[str], Faults]:
    """What went wrong with a seed, in words; nothing is what is hoped for."""
    with database("calm"):
        story = begin(seed, folder / f"{seed}-calm", size)
        run_calmly(story)
        let_time_pass(story.phases[-1].now)
        calm, wrong = digest(), [f"calm: {each}" for each in differences()]
    faults = Faults(random.Random(seed))
    with database("chaos"):
        story = begin(seed, folder / f"{seed}-chaos", size)
        run_with_faults(story, faults)
        let_time_pass(story.phases[-1].now)
        wrong += [f"chaos: {each}" for each in differences()]
        for name, rows in digest().items():
            if rows != calm[name]:
                odd = sorted(set(rows) ^ set(calm[name]))
                wrong.append(f"{name}: {len(rows)} rows with faults, {len(calm[name])} without; {odd[:4]}")
    return wrong, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--phases", type=int, default=10)
    parser.add_argument("--members", type=int, default=12)
    options = parser.parse_args()
    size = {"phases": options.phases, "members": options.members}
    failed = 0
    for seed in options.seeds:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            wrong, faults = try_seed(seed, Path(folder), size)
        failed += bool(wrong)
        verdict = "differs" if wrong else "ends the same"
        sys.stdout.write(
            f"seed {seed}: {verdict} after {faults.kills} kills and {faults.crashes} crashes of the server, "
            f"{time.monotonic() - began:.1f} s\n"
        )
        sys.stdout.writelines(f"  {each}\n" for each in wrong)
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
