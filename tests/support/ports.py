"""Free TCP ports on the loopback address."""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import random
import socket
import sys
from collections.abc import Iterator

HOST = "127.0.0.1"
# Below the range that the system gives to outgoing connections, so that a port found free here is
# not taken by a client while a server restarts on it.
FIRST, LAST = 20000, 32000
# Of one process of the suite. A port stands unused between the moment it is chosen and the moment
# a server listens on it, and again while the server restarts: nobody else may choose it then.
OWN = 400


def free_port(*, in_a_row: int = 1) -> int:
    """The first of ``in_a_row`` ports that nobody listens on (the demo shop takes two).

    No other process of the tests gets it, and this one not before it has had all its others.
    """
    ports = _own()
    for _ in range(OWN):
        first = next(ports)
        rest = list(itertools.islice(ports, in_a_row - 1))
        if rest == list(range(first + 1, first + in_a_row)) and all(map(_is_free, [first, *rest])):
            return first
    raise AssertionError("no free port was found")


@functools.cache
def _own() -> Iterator[int]:
    """This process's ports, over and over."""
    blocks = list(range(FIRST, LAST - OWN + 1, OWN))
    random.SystemRandom().shuffle(blocks)
    first = next(filter(_takes, blocks), blocks[0])
    return itertools.cycle(range(first, first + OWN))


def _takes(first: int) -> bool:
    """Whether the ports from ``first`` on are now this process's, until it ends."""
    if sys.platform != "linux":
        return True
    # A name that the system forgets with the process.
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0shopbell-tests-ports-{first}")
    except OSError as error:
        claim.close()
        if error.errno == errno.EADDRINUSE:
            return False
        raise
    claim.detach()
    return True


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
