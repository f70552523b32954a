"""Redis and PostgreSQL on loopback, in a folder of a test's own; skips by name where the program is not installed."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

START_SECONDS = 30.0


@dataclass
class Database:
    """A server that can be stopped, hung and started again where it was."""

    uri: str
    folder: Path
    command: Sequence[str]
    answers: Callable[[], bool]
    at_once: int = signal.SIGKILL
    """The signal that ends it as a crash would."""
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    def start(self) -> None:
        """Start it; returns once it answers connections."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{self.command[0]} did not start:\n{(self.folder / 'log').read_text(errors='replace')}")
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        """Send it, and the processes it started, a signal: SIGSTOP hangs, SIGCONT goes on."""
        if self.process is not None:
            for pid in [self.process.pid, *_descendants(self.process.pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def stop(self) -> None:
        """End it at once, as a crash would; what it wrote stays."""
        if self.process is not None:
            self.signal(signal.SIGCONT)
            # Where another program made it another user's: that waits for it, and ends with it.
            started = _descendants(self.process.pid)[:1] if self.command[0] == "runuser" else []
            os.kill((started or [self.process.pid])[0], self.at_once)
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[Database]:
    """An empty Redis; *options* as on its command line."""
    program = shutil.which("redis-server") or pytest.skip("redis-server is not installed")
    port = _free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--appendonly", "yes", "--appendfsync", "no", "--save", "", *options]
    database = Database(f"redis://127.0.0.1:{port}/0", folder, command, lambda: _redis_answers(port))
    with _running(database):
        yield database


@contextlib.contextmanager
def postgres_server() -> Iterator[Database]:
    """An empty PostgreSQL, in which ``argosy`` may do everything."""
    programs = _postgres_programs() or pytest.skip("PostgreSQL is not installed")
    # Not under a test's own folder: another user cannot pass there, and the path of a socket is short.
    with tempfile.TemporaryDirectory(prefix="argosy-postgres-") as name:
        folder, port, as_user = Path(name), _free_port(), list[str]()
        if os.geteuid() == 0:  # it refuses to be run by root
            as_user = ["runuser", "-u", "postgres", "--"]
            shutil.chown(folder, "postgres")
        made = [
            str(programs / "initdb"),
            "-D",
            f"{folder}/data",
            "-U",
            "argosy",
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run([*as_user, *made], check=True, capture_output=True)
        options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off -c shared_buffers=16MB"
        command = [*as_user, str(programs / "postgres"), "-D", f"{folder}/data", *options.split()]
        uri = f"postgresql://argosy@127.0.0.1:{port}/postgres"
        # Killed, it would leave its other processes.
        database = Database(uri, folder, command, lambda: _postgres_answers(uri), signal.SIGQUIT)
        with _running(database):
            yield database


@contextlib.contextmanager
def mariadb_server() -> Iterator[Database]:
    """A MariaDB with an empty database, in which ``argosy`` may do everything by a password."""
    server = shutil.which("mariadbd") or pytest.skip("MariaDB's server is not installed")
    installer = shutil.which("mariadb-install-db") or pytest.skip("mariadb-install-db is not installed")
    with tempfile.TemporaryDirectory(prefix="argosy-mariadb-") as name:
        folder, port, as_user = Path(name), _free_port(), list[str]()
        if os.geteuid() == 0:  # it refuses to be run by root
            as_user = ["runuser", "-u", "mysql", "--"]
            shutil.chown(folder, "mysql")
        quick = ["--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M"]
        made = [
            installer,
            "--no-defaults",
            f"--datadir={folder}/data",
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
            *quick,
        ]
        # Neither may be able to write where this process has its temporary files.
        subprocess.run([*as_user, *made], check=True, capture_output=True, env={**os.environ, "TMPDIR": name})
        (folder / "begin.sql").write_text(
            "CREATE DATABASE test;\nCREATE USER argosy@'127.0.0.1' IDENTIFIED BY 'sesame';\nGRANT ALL ON *.* TO argosy@'127.0.0.1';\n"
        )
        (folder / "begin.sql").chmod(0o644)
        options = [
            f"--datadir={folder}/data",
            f"--socket={folder}/socket",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--tmpdir={folder}",
            *quick,
        ]
        begin = [f"--init-file={folder}/begin.sql", "--skip-name-resolve", f"--pid-file={folder}/pid"]
        uri = f"mysql://argosy:sesame@127.0.0.1:{port}/test"
        database = Database(
            uri, folder, [*as_user, server, "--no-defaults", *options, *begin], lambda: _mariadb_answers(port)
        )
        with _running(database):
            yield database


@contextlib.contextmanager
def _running(database: Database) -> Iterator[None]:
    database.start()
    try:
        yield
    finally:
        database.stop()


def _postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _descendants(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:  # it ended meanwhile
        return []
    return [found for child in children for found in [int(child), *_descendants(int(child))]]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _redis_answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith((b"+PONG", b"-NOAUTH"))
    return False


def _mariadb_answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
        # It greets whoever comes, once it takes connections, and that is after its first statements.
        return len(connection.recv(5)) == 5
    return False


def _postgres_answers(uri: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(uri, connect_timeout=1):
        return True
    return False
