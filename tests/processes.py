"""Real processes of the studio on the database that a test is pointed at: a worker, a web server, a Redis."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connections


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true answer of `condition`; fails when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := condition():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:.0f} seconds in vain")


def environment(**more: str) -> dict[str, str]:
    """The variables under which another process works on this process's database."""

    def address(alias: str) -> str:
        config: dict[str, Any] = connections[alias].settings_dict
        query = urlencode({"host": config["HOST"]})
        return f"postgresql://{quote(config['USER'])}:{quote(config['PASSWORD'])}@/{config['NAME']}?{query}"

    return os.environ | {
        "DATABASE_URL": address("default"),
        "DATABASE_OWNER_URL": address("owner"),
        "DATA_DIR": str(settings.DATA_DIR),
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
    } | more  # fmt: skip


@contextmanager
def running(*command: str, stderr: int | None = None, **more: str) -> Iterator[subprocess.Popen]:
    """`python -m command…` as a process group of its own, killed as a whole at the end; `more` are variables."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=settings.BASE_DIR,
        env=environment(**more),
        stderr=stderr,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen) -> None:
    """kill -9 of the process and all of its children."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def redis_server(program: str, folder: Path) -> Iterator[str]:
    """The address of a Redis of the test's own."""
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen([*command, "--loglevel", "warning"], stdout=subprocess.DEVNULL)
    try:
        until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()
