"""A PostgreSQL of the tests' own: one cluster per run, one fresh database per test.

Durability is what the tests look at, so fsync and synchronous_commit stay on; only the
making of the empty cluster skips its sync.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support import processes
from tests.support.ports import HOST, free_port
from tests.support.waiting import wait_until

START_LIMIT_S = 150.0
USER = "shopbell"
SETTINGS = {
    "listen_addresses": HOST,
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "1h",
    "timezone": "UTC",
}


class PostgresCluster:
    """Owns a data folder and the server on it. Call close() to leave nothing behind."""

    def __init__(self, binaries: Path) -> None:
        """Makes and starts a cluster with the programs in ``binaries``; about two seconds."""
        self._user = processes.unprivileged_user()
        # Not under pytest's folders, which only their owner may enter; a socket's path is short.
        self.folder = Path(tempfile.mkdtemp(prefix="shopbell-pg-"))
        self.port = free_port()
        self.log = self.folder / "server.log"
        self._data = self.folder / "data"
        self._binaries = self._reachable(binaries)
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._make()
        self.start()

    def url(self, database: str) -> str:
        """The address of a database, as SHOPBELL_DATABASE_URL takes it."""
        return f"postgresql://{USER}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        settings = SETTINGS | {"port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._process = self._spawn(["postgres", "-D", str(self._data), *options])
        wait_until(self._answers, START_LIMIT_S, f"PostgreSQL ({self.log})")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stops the server in an orderly way, with whoever is connected."""
        if self._process is not None:
            processes.stop(self._process, how)
            self._process = None

    def crash(self) -> None:
        """Ends the server at once, without a checkpoint; start() recovers from the log."""
        self.stop(signal.SIGQUIT)

    def hang(self) -> list[int]:
        """Stops all processes of the server where they are; wake() lets those go on."""
        assert self._process is not None
        # The postmaster first, so that it starts no other.
        pids = [self._process.pid]
        os.kill(pids[0], signal.SIGSTOP)
        for child in Path(f"/proc/{pids[0]}/task/{pids[0]}/children").read_text("ascii").split():
            pids.append(int(child))
            os.kill(pids[-1], signal.SIGSTOP)
        return pids

    def wake(self, pids: list[int]) -> None:
        """Lets the processes that hang go on."""
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    def create(self, template: str = "template0") -> str:
        """The address of a new database, a copy of ``template``; some 50 ms."""
        name = f"test_{next(self._numbers)}"
        self.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self.url(name)

    def drop(self, url: str) -> None:
        """Removes a database, whoever is still connected to it."""
        name = url.rpartition("/")[2]
        self.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def execute(self, statement: sql.Composed | sql.SQL) -> None:
        """Runs one statement outside of a transaction, as the owner of the cluster."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def close(self) -> None:
        """Stops the server and removes its files."""
        self.crash()
        processes.remove(self.folder)

    def _make(self) -> None:
        made = self._spawn(
            [
                "initdb",
                f"--pgdata={self._data}",
                f"--username={USER}",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ]
        )
        assert made.wait(START_LIMIT_S) == 0, processes.tail(self.log)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        program, *arguments = command
        return processes.start(
            [self._binaries / program, *arguments],
            log=self.log,
            cwd=self.folder,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            user=self._user,
        )

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, processes.tail(self.log)
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _reachable(self, binaries: Path) -> Path:
        """The programs, copied when the user that must run them may not enter their folder."""
        if self._user is None or _open_to_all(binaries):
            return binaries
        # A wheel: the programs look for their libraries in a folder beside the package.
        package = binaries.parents[1]
        for source in (package, *package.parent.glob(f"{package.name}.libs")):
            shutil.copytree(source, self.folder / "wheel" / source.name, symlinks=True)
        return self.folder / "wheel" / binaries.relative_to(package.parent)


def _open_to_all(folder: Path) -> bool:
    """Whether everyone may read the folder and pass all those above it."""
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, *folder.parents))


def deadlocks(url: str) -> int:
    """How often PostgreSQL had to refuse one of two who waited for each other in a database.

    Counted since the database was made, so that what earlier tests did in it is told too; a
    connection tells its own by the time that it is closed.
    """
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
