"""Free TCP ports on the loopback address."""

from __future__ import annotations

import contextlib
import random
import socket

HOST = "127.0.0.1"
# Below the range that the system gives to outgoing connections, so that a port found free here is
# not taken by a client while a server restarts on it.
FIRST, LAST = 20000, 32000


def free_port(*, in_a_row: int = 1) -> int:
    """The first of ``in_a_row`` ports that nobody listens on (the demo shop takes two)."""
    chance = random.SystemRandom()
    for _ in range(200):
        first = chance.randrange(FIRST, LAST)
        if all(_is_free(first + step) for step in range(in_a_row)):
            return first
    raise AssertionError("no free port was found")


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
