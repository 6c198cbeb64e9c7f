"""A Redis of the tests' own."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.support import processes
from tests.support.ports import HOST, free_port
from tests.support.waiting import wait_until


class RedisServer:
    """Owns a Redis process that keeps nothing on disk. Call close() at the end."""

    def __init__(self, program: Path) -> None:
        """Starts the server and waits until it answers."""
        self.folder = Path(tempfile.mkdtemp(prefix="shopbell-redis-"))
        self.port = free_port()
        self.log = self.folder / "server.log"
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """The address, as SHOPBELL_REDIS_URL takes it."""
        return f"redis://{HOST}:{self.port}/0"

    def start(self) -> None:
        """Starts the server on its port, empty."""
        options = ["--bind", HOST, "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self._process = processes.start([self._program, *options], log=self.log, cwd=self.folder)
        wait_until(self._answers, what=f"Redis ({self.log})")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stops the server; start() brings an empty one back on the same port."""
        if self._process is not None:
            processes.stop(self._process, how)
            self._process = None

    def hang(self) -> None:
        """Lets the server answer nothing any more, its connections standing; wake() ends that."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Lets a server that hangs go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Stops the server and removes its files."""
        self.wake()
        self.stop(signal.SIGKILL)
        processes.remove(self.folder)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), 2) as line:
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
        return False
