"""``python -m server`` without its second and a half of imports, some four hundred times.

A nursery, one for each process of the suite, has imported the program and forks for each start:
what runs is a process with its own arguments, environment, standard streams and end. It is a new
interpreter, as for users, in the long tests (SHOPBELL_TEST_LONG=1), in benchmarks
(SHOPBELL_TEST_FRESH=1), on other systems than Linux, and where a test asks for it with ``fresh``.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Sequence
from typing import IO, Protocol

from tests.support import processes

FRESH = sys.platform != "linux" or any(
    os.environ.get(name) == "1" for name in ("SHOPBELL_TEST_FRESH", "SHOPBELL_TEST_LONG")
)
# Arguments and environment of one start.
MOST_BYTES = 128 * 1024
# The first start waits for all imports.
BORN_LIMIT_S = 200.0
POLL_S = 0.05


class Running(Protocol):
    """What Popen and a child of the nursery have in common."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


def start(
    arguments: Sequence[str],
    *,
    env: dict[str, str],
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | int,
    stderr: IO[bytes],
    fresh: bool = False,
) -> Running:
    """The program, started with these arguments; ends with the test run."""
    streams = [_number(stdin), _number(stdout), _number(stderr)]
    started: Running
    if fresh or FRESH:
        started = subprocess.Popen(
            [sys.executable, "-m", "server", *arguments],
            cwd=processes.ROOT,
            env=env,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=stdout,
            stderr=stderr,
        )
    else:
        started = _nursery().start(arguments, env, streams)
    processes.kill_at_exit(started)
    return started


def _number(stream: IO[bytes] | int | None) -> int:
    if stream is None:
        return -1
    return stream if isinstance(stream, int) else stream.fileno()


def run(
    arguments: Sequence[str],
    *,
    env: dict[str, str],
    stdin: str,
    limit_s: float,
    fresh: bool = False,
) -> subprocess.CompletedProcess[str]:
    """What the program answered. Raises TimeoutExpired, as subprocess.run does."""
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as printed,
        tempfile.TemporaryFile() as told,
    ):
        given.write(stdin.encode())
        given.seek(0)
        child = start(arguments, env=env, stdin=given, stdout=printed, stderr=told, fresh=fresh)
        try:
            status = child.wait(limit_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(processes.STOP_LIMIT_S)
            raise
        texts = []
        for file in (printed, told):
            file.seek(0)
            texts.append(file.read().decode().replace("\r\n", "\n"))
        return subprocess.CompletedProcess(["shopbell", *arguments], status, *texts)


class Child:
    """A process that the nursery has forked."""

    def __init__(self, line: int) -> None:
        """``line`` tells its process id and later its status."""
        self._line = line
        self._lock = threading.Lock()
        self._status: int | None = None
        weakref.finalize(self, os.close, line)
        self.pid = self._read(BORN_LIMIT_S) or 0
        assert self.pid, "the nursery does not answer"

    def poll(self) -> int | None:
        """The exit status, minus the signal's number for one that was killed; None while alive."""
        with self._lock:
            if self._status is None:
                self._status = self._read(0)
            return self._status

    def wait(self, timeout: float | None = None) -> int:
        """The exit status once there is one. Raises TimeoutExpired."""
        until = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired("shopbell", timeout or 0)
            select.select([self._line], [], [], POLL_S)
        return status

    def send_signal(self, sig: int) -> None:
        """Sends a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _read(self, limit_s: float) -> int | None:
        if not select.select([self._line], [], [], limit_s)[0]:
            return None
        text = b""
        while not text.endswith(b"\n"):
            more = os.read(self._line, 1)
            if not more:
                # Whoever waits for the process was killed itself.
                return -signal.SIGKILL
            text += more
        return int(text)


class Nursery:
    """The process that has imported the program."""

    def __init__(self) -> None:
        """Starts it; it is ready when the first start is answered."""
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.program", str(theirs.fileno())],
                cwd=processes.ROOT,
                env=processes.clean_environment(),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self.close)

    def close(self) -> None:
        """Ends the nursery; its children live on."""
        self._socket.close()
        processes.stop(self._process, signal.SIGKILL)

    def start(self, arguments: Sequence[str], env: dict[str, str], streams: list[int]) -> Child:
        """A child with these arguments, environment and standard streams; -1 is /dev/null."""
        line, theirs = os.pipe()
        nothing = os.open(os.devnull, os.O_RDWR)
        try:
            given = [nothing if number == -1 else number for number in streams]
            message = json.dumps([list(arguments), env]).encode()
            assert len(message) < MOST_BYTES
            with self._lock:
                socket.send_fds(self._socket, [message], [*given, theirs])
        finally:
            os.close(nothing)
            os.close(theirs)
        return Child(line)


@functools.cache
def _nursery() -> Nursery:
    return Nursery()


def _serve(line: socket.socket) -> None:
    """Forks for every message; returns in the child that is to run, with everything in place."""
    # A child's own waits for it; the kernel buries those.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, numbers, _, _ = socket.recv_fds(line, MOST_BYTES, 4)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            line.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if _born(numbers):
                _become(message)
                return
        for number in numbers:
            os.close(number)


def _born(numbers: list[int]) -> bool:
    """True in a new process with these streams; the one that waits for it ends in here."""
    *streams, told = numbers
    pid = os.fork()
    for target, number in enumerate(streams):
        os.dup2(number, target)
        os.close(number)
    if pid == 0:
        os.close(told)
        return True
    # The streams are the child's alone, else nobody would see their end.
    for target in range(len(streams)):
        os.close(target)
    os.write(told, b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(message: bytes) -> None:
    arguments, env = json.loads(message)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.argv = ["shopbell", *arguments]


def _made_ready() -> None:
    """Reads and makes what a process does once: files as they are served, addresses, templates."""
    from tests.support.routes import routed

    routed()


if __name__ == "__main__":
    import server.app
    import server.demo.run  # noqa: F401  # commands import it when they run
    from server.cli import main

    gc.disable()
    _made_ready()
    gc.collect()
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    main()
