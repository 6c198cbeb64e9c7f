"""Calling out over http without being led inside: every address is checked where it is used.

A name is looked up once, each of its addresses must be public, and the connection goes to one of
these addresses: a name that answers differently the next time (DNS rebinding) gains nothing. The
socket itself asks once more, so no way of writing a host gets past.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any  # Any: addresses of sockets differ by family
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from server import __version__
from server.domain.addresses import is_public

# Looking a name up blocks a thread, for long when its server is dead.
LOOKUPS = 32
CONNECT_S = 5.0
# Used again within a burst only: some servers close an idle connection after five seconds, and what
# is sent at that moment is lost.
KEEP_S = 2.0
Found = Sequence[tuple[int, int, int, str, Any]]  # Any: (host, port) or four values
Lookup = Callable[[str, int], Found]


class ForbiddenAddressError(OSError):
    """The name or address leads to this machine or into a private network."""


def allowed(address: str) -> bool:
    """True when a request may go to an address: a public one that is not this machine's own."""
    return is_public(address) and not _is_own(address)


def _is_own(address: str) -> bool:
    """True when the system would reach the address without leaving this machine.

    It then takes the address itself as the sender's. Nothing is sent: a datagram socket that
    connects only asks the table of routes.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return bool(probe.getsockname()[0] == address)
    except OSError:  # no route: then nothing will be reached either
        return False


def look_up(host: str, port: int) -> Found:
    """The addresses of a name, by the system's resolver; blocks. Raises OSError for none."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class GuardedResolver(AbstractResolver):
    """Looks names up; refuses one as soon as any of its addresses is not allowed."""

    def __init__(self, look_up: Lookup, *, inside: bool) -> None:
        """``inside`` lets every address pass."""
        self._look_up = look_up
        self._inside = inside
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  # the base's signature
    ) -> list[ResolveResult]:
        """The addresses to connect to. Raises ForbiddenAddressError, OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._look_up, host, port)
        if not self._inside and not all(allowed(str(row[4][0])) for row in found):
            raise ForbiddenAddressError(f"{host} leads inside")
        return [
            ResolveResult(
                hostname=host,
                host=str(sockaddr[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, sockaddr in found
        ]

    async def close(self) -> None:
        """Lets go of the threads; a look-up that hangs ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def open_session(
    *, total_s: float, inside: bool, look_up: Lookup = look_up
) -> aiohttp.ClientSession:
    """A session for outgoing requests: no proxy of the environment, no cookies, no decompression.

    ``inside`` lets it reach private addresses. Close it after use; ``check_host`` each request.
    """

    def open_socket(info: tuple[int, int, int, str, Any]) -> socket.socket:  # Any: see Found
        family, kind, proto, _, address = info
        if not inside and not allowed(str(address[0])):
            raise ForbiddenAddressError("an address inside")
        return socket.socket(family, kind, proto)

    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(look_up, inside=inside),
        # Each connection looks the name up anew, and the answer holds for this connection only.
        use_dns_cache=False,
        keepalive_timeout=KEEP_S,
        socket_factory=open_socket,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=total_s, connect=CONNECT_S, sock_connect=CONNECT_S),
        headers={"User-Agent": f"Shopbell/{__version__}", "Accept-Encoding": "identity"},
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


def check_host(url: str, *, inside: bool) -> None:
    """Returns nothing. Raises ForbiddenAddressError for an IP address that is not allowed.

    Such a host is never looked up, so the resolver does not see it.
    """
    host = urlsplit(url).hostname or ""
    literal = ":" in host or host.replace(".", "").isdigit()
    if literal and not inside and not allowed(host):
        raise ForbiddenAddressError("an address inside")
