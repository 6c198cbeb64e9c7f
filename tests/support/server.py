"""Shopbell as its users run it: the command line, and a serving process that may be killed."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from tests.support import processes, program
from tests.support.ports import HOST, free_port

START_LIMIT_S = 150.0
COMMAND_LIMIT_S = 150.0


def shopbell(
    *arguments: str | Path,
    data_dir: Path | None = None,
    database_url: str | None = None,
    env: dict[str, str] | None = None,
    stdin: str = "",
    limit_s: float = COMMAND_LIMIT_S,
    fresh: bool = False,
) -> subprocess.CompletedProcess[str]:
    """What ``shopbell ARGUMENTS`` answered: returncode, stdout, stderr. Never raises for a failure.

    ``database_url`` None is SQLite in the data folder; ``fresh`` starts a new interpreter.
    """
    command = list(map(str, arguments))
    if data_dir is not None:
        command += ["--data-dir", str(data_dir)]
    return program.run(
        command, env=_environment(database_url, env), stdin=stdin, limit_s=limit_s, fresh=fresh
    )


class ServerProcess:
    """A ``shopbell serve`` or ``shopbell demo`` on a free port of the loopback address.

    Use it in a ``with``, or through the fixture start_server. The data folder outlives the process,
    so kill() and restart() are what a power cut is to a shop.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        mode: Literal["serve", "demo"] = "serve",
        arguments: Sequence[str] = (),
        database_url: str | None = None,
        env: dict[str, str] | None = None,
        port: int | None = None,
        fresh: bool = False,
    ) -> None:
        """Prepares the process without starting it. The demo's storefront is on port + 1.

        ``fresh`` starts a new interpreter each time, as for users; see tests.support.program.
        """
        self.data_dir = data_dir
        self.mode = mode
        self.arguments = list(arguments)
        self.database_url = database_url
        self.env = dict(env or {})
        self.fresh = fresh
        self.port = port or free_port(in_a_row=2)
        self.log = data_dir.parent / f"{data_dir.name}-{self.port}.log"
        self._process: program.Running | None = None
        self._pipe: IO[str] | None = None
        self._reader: threading.Thread | None = None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._printed: list[str] = []

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://{HOST}:{self.port}"

    @property
    def storefront_url(self) -> str:
        """Where the demo shop's own pages are: another origin."""
        return f"http://{HOST}:{self.port + 1}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def stdout(self) -> str:
        """What was printed on stdout since the first start."""
        return "".join(self._printed)

    @property
    def stderr(self) -> str:
        """What was written to stderr since the first start: the log."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def start(self, limit_s: float = START_LIMIT_S) -> Self:
        """Starts the process and waits for its ready line."""
        assert not self.running, "the server is running already"
        self.launch()
        return self.wait_ready(limit_s)

    def launch(self) -> None:
        """Starts the process without waiting."""
        command = [self.mode, "--host", HOST, "--port", str(self.port)]
        command += ["--data-dir", str(self.data_dir), *self.arguments]
        self._lines = queue.SimpleQueue()
        ours, theirs = os.pipe()
        self._pipe = os.fdopen(ours, encoding="utf-8")
        with self.log.open("ab") as log, os.fdopen(theirs, "wb") as printed:
            self._process = program.start(
                command,
                env=_environment(self.database_url, self.env),
                stdout=printed,
                stderr=log,
                fresh=self.fresh,
            )
        self._reader = threading.Thread(
            target=self._read, args=(self._pipe, self._lines), daemon=True
        )
        self._reader.start()

    def wait_ready(self, limit_s: float = START_LIMIT_S) -> Self:
        """Waits for ``ready http://H:P``. Raises AssertionError with the log's end otherwise."""
        expected = f"ready {self.url}"
        end = time.monotonic() + limit_s
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                self.kill()
                raise AssertionError(f"not ready within {limit_s:g} s\n{self._story()}") from None
            if line is None:
                status = self.wait()
                raise AssertionError(f"ended with {status} before ready\n{self._story()}")
            if line.strip() == expected:
                return self

    def kill(self) -> None:
        """SIGKILL, as a power cut; waits until the process is gone."""
        self._end(signal.SIGKILL)

    def terminate(self) -> int:
        """SIGTERM, the orderly end; the exit status (0 when it drained)."""
        return self._end(signal.SIGTERM)

    def wait(self, limit_s: float = processes.STOP_LIMIT_S) -> int:
        """The exit status of a process that ends by itself."""
        assert self._process is not None, "the server was never started"
        status = self._process.wait(limit_s)
        self._close()
        return status

    def restart(self) -> Self:
        """The server again on the same data and port; kills it first when it still runs."""
        if self.running:
            self.kill()
        return self.start()

    def shopbell(self, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A command on this server's data folder and database, beside it."""
        return shopbell(
            *arguments,
            data_dir=self.data_dir,
            database_url=self.database_url,
            env=self.env,
            stdin=stdin,
        )

    def status(self, path: str) -> int:
        """The HTTP status of a GET, 0 when nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def __enter__(self) -> Self:
        """Starts the server unless it runs."""
        return self if self.running else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kills the server; tests that look at the orderly end call terminate() themselves."""
        if self._process is not None:
            self.kill()

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            raise AssertionError("the server was never started")
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            status = self._process.wait(processes.STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(processes.STOP_LIMIT_S)
            raise AssertionError(f"did not heed {how.name}\n{self._story()}") from None
        finally:
            self._close()
        return status

    def _close(self) -> None:
        """Lets the reader take the last lines and closes the pipe."""
        if self._reader is not None:
            self._reader.join(5)
        if self._pipe is not None:
            self._pipe.close()

    def _read(self, pipe: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
        for line in pipe:
            self._printed.append(line)
            lines.put(line)
        lines.put(None)

    def _story(self) -> str:
        return f"--- stdout\n{self.stdout}\n--- {self.log}\n{processes.tail(self.log)}"


def _environment(database_url: str | None, env: dict[str, str] | None) -> dict[str, str]:
    database = {} if database_url is None else {"SHOPBELL_DATABASE_URL": database_url}
    return processes.clean_environment(database | (env or {}))
