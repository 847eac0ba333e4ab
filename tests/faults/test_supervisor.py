"""`make run` for real: it starts, keeps what dies alive, ends when told, and leaves nothing behind when killed."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings

from tests.processes import free_port, until

pytestmark = pytest.mark.faults

UP = 180  # seconds to a first page, every migration before it, beside another test on two cores


def command(port: int, data_dir: Path) -> subprocess.Popen[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    own = {"PORT": str(port), "DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "config.settings.local"}
    return subprocess.Popen(
        [sys.executable, "manage.py", "studio", "--empty"], cwd=settings.BASE_DIR, env=variables | own, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def processes(marker: str) -> dict[int, str]:
    """What runs with `marker` in its environment or command, by process id."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
                if marker.encode() in command + (entry / "environ").read_bytes():
                    found[int(entry.name)] = command.replace(b"\0", b" ").decode()
            except OSError:
                continue
    return found


def worker(studio: subprocess.Popen[str]) -> int:
    """The worker that is the supervisor's own child, once there is one; not those that the worker forks."""
    children = Path(f"/proc/{studio.pid}/task/{studio.pid}/children").read_text().split()
    return next((int(pid) for pid in children if b"worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes()), 0)


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_the_studio_runs_is_killed_runs_on_and_ends(tmp_path: Path) -> None:
    port, marker = free_port(), str(tmp_path)
    studio = command(port, tmp_path)
    until(lambda: status(port, "/login/") == 200, UP)
    before = until(lambda: worker(studio))
    os.kill(before, signal.SIGKILL)
    until(lambda: worker(studio) not in (0, before))
    studio.kill()
    said, _ = studio.communicate()
    assert f"http://localhost:{port}/" in said
    assert "The worker was ended by signal 9; it is started again." in said
    until(lambda: processes(marker) == {})

    studio = command(port, tmp_path)
    until(lambda: status(port, "/login/") == 200, UP)
    studio.send_signal(signal.SIGTERM)
    said, _ = studio.communicate(timeout=60)
    assert said.endswith("The studio has stopped.\n")
    assert studio.returncode == 0
    assert processes(marker) == {}


def test_a_taken_port_is_said_in_words(tmp_path: Path) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        studio = command(port, tmp_path)
        said, _ = studio.communicate(timeout=60)
    assert studio.returncode == 1
    assert f"Port {port} is taken." in said
    assert "Traceback" not in said
