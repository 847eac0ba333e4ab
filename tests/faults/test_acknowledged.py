"""Promise R7: what the API acknowledged survives kill -9 of the web server and a crash of the database."""

import json
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from apps.core.postgres import DATABASE, OWNER, EmbeddedPostgres
from apps.core.supervisor import parts
from tests.processes import free_port, kill, until

pytestmark = pytest.mark.faults

TILLS, PURCHASES = 4, 25
SHOP = """
import django
django.setup()
from tests.api.conftest import make_caller
from tests.factories import make_group
from tests.rules.conftest import make_till, publish
group = make_group()
make_till(group, members=4)
publish(group)
print(make_caller(group).key)
"""


class Installation:
    """A database server and a web server of the test's own."""

    def __init__(self, data_dir: Path) -> None:
        self.port = free_port()
        own = {"DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "config.settings.local", "LOG_LEVEL": "CRITICAL"}
        self.variables = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")} | own
        self.server = EmbeddedPostgres(data_dir)
        self.server.acquire()
        self.python("manage.py", "migrate", "--verbosity", "0")
        self.key = self.python("-c", SHOP)
        self.start_web()

    def python(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=settings.BASE_DIR, env=self.variables, check=True, text=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        return done.stdout.strip()

    def start_web(self) -> None:
        command = [sys.executable, "-m", *parts(self.port)[0].command]
        self.web = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=self.variables, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def end(self) -> None:
        kill(self.web)
        self.server.release()

    def send(self, key: str, card: str) -> int:
        """Tells of a purchase of ¥10; the status, 0 when nobody answered."""
        event = {"key": key, "kind": "purchase", "member": {"value": card}, "occurred_at": "2026-05-04T12:30:00+08:00",
                 "store": "S001", "lines": [{"amount": "10.00"}]}  # fmt: skip
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/events", json.dumps(event).encode(),
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def till(self, number: int) -> list[int]:
        """Sends its purchases one after the other, each until it is acknowledged; every status that was seen."""
        seen = []
        for purchase in range(PURCHASES):
            until(
                lambda key=f"{number}-{purchase}": seen.append(self.send(key, f"C{number}")) or seen[-1] in (200, 201)
            )
        return seen

    def ask(self, statement: str) -> list[tuple]:
        with psycopg.connect(host=str(self.server.socket_dir), user=OWNER, dbname=DATABASE) as connection:
            return connection.execute(statement).fetchall()


@contextmanager
def installed(data_dir: Path) -> Iterator[Installation]:
    installation = Installation(data_dir)
    try:
        until(lambda: installation.send("warm", "C1") == 201)
        yield installation
    finally:
        installation.end()


def test_acknowledged_purchases_survive_crashes_once_each(tmp_path: Path) -> None:
    with installed(tmp_path) as studio, ThreadPoolExecutor(TILLS) as tills:
        working = [tills.submit(studio.till, number) for number in range(1, TILLS + 1)]
        time.sleep(random.uniform(0.1, 0.4))
        studio.server.crash()
        time.sleep(random.uniform(0.1, 0.4))
        kill(studio.web)
        studio.start_web()
        seen = [status for till in working for status in till.result()]
        assert set(seen) <= {0, 200, 201, 503}
        assert len(seen) > TILLS * PURCHASES
        assert studio.ask("SELECT count(*), count(DISTINCT key) FROM activity_event") == [(101, 101)]
        assert studio.ask("SELECT balance FROM points_account ORDER BY balance") == [(250,), (250,), (250,), (260,)]
        studio.python("manage.py", "check_ledger")
