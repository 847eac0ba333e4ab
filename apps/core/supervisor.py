"""Keeps the studio's processes running: web, worker and scheduler as children of one process.

A child that dies is started again, ever later while it keeps dying. When the supervisor ends, its children do too:
asked to first, then killed; and when it is itself killed -9, the system tells them (Linux).
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

Say = Callable[[str], None]

SECONDS_TO_END = 5
LONGEST_PAUSE = 30
STEADY_AFTER = 60
"""A child that ran for that many seconds is started again at once."""


@dataclass(frozen=True)
class Part:
    """One kind of process, by the Python module it runs and that module's arguments."""

    name: str
    command: tuple[str, ...]


WORKER = ("celery", "--quiet", "-A", "config", "worker", "--concurrency", "2",
          "--without-gossip", "--without-mingle", "--without-heartbeat")  # fmt: skip


def parts(port: int) -> tuple[Part, ...]:
    web = ("gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4",
           "--no-control-socket", "--graceful-timeout", "3", "--log-level", "warning")  # fmt: skip
    return (
        Part("web server", web),
        Part("worker", WORKER),
        Part("scheduler", ("celery", "--quiet", "-A", "config", "beat", "--pidfile", "")),
    )


@dataclass
class Child:
    """A part and the process that is it at the moment, if any."""

    part: Part
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    """In a row."""

    @property
    def pause(self) -> float:
        return 0.0 if not self.deaths else min(2.0 ** min(self.deaths - 2, 10), LONGEST_PAUSE)

    def start(self) -> None:
        self.started = time.monotonic()
        # A session of its own: Ctrl-C reaches the supervisor alone, and the whole family can be ended at once.
        self.process = subprocess.Popen(  # noqa: S603 -- our own modules, no shell
            [sys.executable, "-m", *self.part.command],
            start_new_session=True,
            preexec_fn=end_with_parent,
        )

    def signal(self, number: int) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


@dataclass
class Supervisor:
    say: Say
    children: list[Child] = field(default_factory=list)
    is_ending: bool = False

    def run(self, wanted: Iterable[Part], *, when_started: Callable[[], None]) -> None:
        """Runs `wanted` until SIGTERM or Ctrl-C; `when_started` is told once all have been started."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._end)
        self.children = [Child(part) for part in wanted]
        try:
            for child in self.children:
                child.start()
            when_started()
            while not self.is_ending:
                self._look_after()
                time.sleep(0.2)
        finally:
            self._stop()

    def _end(self, *_: object) -> None:
        self.is_ending = True

    def _look_after(self) -> None:
        """Starts again what died, when its pause is over."""
        present = time.monotonic()
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                child.signal(signal.SIGKILL)  # what it left behind
                child.deaths = 1 if present - child.started > STEADY_AFTER else child.deaths + 1
                self.say(f"The {child.part.name} {_ended(child.process.returncode)}; it is started again.")
                child.process, child.started = None, present
            elif child.process is None and present - child.started >= child.pause:
                child.start()

    def _stop(self) -> None:
        """Asks every child to end, and ends the families of those that have not in time."""
        for child in self.children:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        last = time.monotonic() + SECONDS_TO_END
        for child in self.children:
            if child.process is not None:
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.0, last - time.monotonic()))
                child.signal(signal.SIGKILL)
                child.process.wait()


def _ended(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"


def end_with_parent() -> None:
    """Has the system ask this process to end as soon as its parent is gone; without effect where it cannot."""
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
