"""`manage.py studio`, which is `make run`: the whole studio on one machine, until Ctrl-C."""

import fcntl
import os
import socket
import time
import urllib.error
import urllib.request
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.supervisor import Supervisor, parts


class Command(BaseCommand):
    help = "Prepares the database, then runs web server, worker and scheduler until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--empty", action="store_true", help="make no demo data")

    def handle(self, *args: Any, **options: Any) -> None:
        data_dir = Path(settings.DATA_DIR)
        data_dir.mkdir(parents=True, exist_ok=True)
        self.sign_ins = data_dir / "sign-ins.txt"
        only_one(data_dir / "studio.lock")
        refuse_taken_port(settings.PORT)
        self.prepare(with_demo=not options["empty"])
        Supervisor(self.say).run(parts(settings.PORT), when_started=self.welcome)
        self.say("The studio has stopped.")

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def prepare(self, *, with_demo: bool) -> None:
        self.say("Preparing the database …")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        if with_demo:
            self.make_demo()

    def make_demo(self) -> None:
        """Fills an empty database. What the demo says of signing in is kept, to be said at every start."""
        if get_user_model().objects.exists():
            if self.sign_ins.exists() and not self.sign_ins.read_text():
                raise CommandError(
                    "Making the demo data was interrupted, and the database holds a part of it. Name another folder "
                    "with DATA_DIR, or another database with DATABASE_URL, and start again."
                )
        elif "demo" in get_commands():
            self.say("Making the demo data …")
            self.sign_ins.touch(mode=0o600)
            said = StringIO()
            call_command("demo", stdout=said)
            made, _, sign_ins = said.getvalue().partition("\n\n")
            self.say(made)
            self.sign_ins.write_text(sign_ins)

    def welcome(self) -> None:
        """One address and how to sign in, once the web server answers."""
        address = f"http://localhost:{settings.PORT}/"
        if answers(address):
            sign_ins = self.sign_ins.read_text() if self.sign_ins.exists() else ""
            self.say(f"\n{sign_ins}\nLoyalty Studio: {address}\nCtrl-C stops it.")


def only_one(path: Path) -> None:
    """Refuses a second supervisor on the same data; the lock lasts as long as this process."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(f"The studio is running from {path.parent} already.") from None


def refuse_taken_port(port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except PermissionError:
            raise CommandError(f"Port {port} is for the system only. Another one: PORT=8080 make run") from None
        except OSError:
            raise CommandError(f"Port {port} is taken. Another one: PORT={port % 65535 + 1} make run") from None


def answers(address: str, seconds: int = 30) -> bool:
    """Whether the web server gives any answer in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 -- our own address
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.2)
        else:
            return True
    return False
