"""News through PostgreSQL's LISTEN and NOTIFY."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

from psycopg import AsyncConnection, Error, Notify

CHANNEL = "shopbell_news"
# A transaction that notifies gets a number and with it a place in the write-ahead log. Nothing is
# lost when that place is, so nobody waits for the disk.
_OPTIONS = "-c synchronous_commit=off -c statement_timeout=5000 -c application_name=shopbell-news"


class NotifyChannel:
    """A carrier over the database: one connection listens, another notifies.

    Never the connection that writes: PostgreSQL lets only one transaction that notifies commit at a
    time, and with it all that the transaction wrote would wait.
    """

    name = "notify"

    def __init__(self, url: str) -> None:
        # SQLAlchemy lets an address name its driver.
        kind, separator, rest = url.partition("://")
        self._url = kind.partition("+")[0] + separator + rest
        self._listener: AsyncConnection | None = None
        self._publisher: AsyncConnection | None = None
        self._heard: AsyncIterator[Notify] | None = None

    async def open(self) -> None:
        """As the protocol says."""
        with _as_os_errors():
            self._publisher = await self._connect()
            self._listener = await self._connect()
            await self._listener.execute(f"LISTEN {CHANNEL}")  # type: ignore[call-overload, unused-ignore]  # a constant
            self._heard = self._listener.notifies()

    async def publish(self, text: str) -> None:
        """As the protocol says."""
        if self._publisher is None:
            raise ConnectionError("not open")
        with _as_os_errors():
            await self._publisher.execute("SELECT pg_notify(%s, %s)", (CHANNEL, text))

    async def hear(self) -> str:
        """As the protocol says."""
        if self._heard is None:
            raise ConnectionError("not open")
        with _as_os_errors():
            async for notify in self._heard:
                return notify.payload
        raise ConnectionError("the listening has ended")

    async def close(self) -> None:
        """As the protocol says."""
        connections = [c for c in (self._listener, self._publisher) if c is not None]
        self._listener = self._publisher = self._heard = None
        for connection in connections:
            with suppress(Error, OSError):
                await connection.close()

    async def _connect(self) -> AsyncConnection:
        return await AsyncConnection.connect(
            self._url, autocommit=True, connect_timeout=3, keepalives_idle=5, options=_OPTIONS
        )


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Gives the driver's errors the type that the protocol names, without the address."""
    try:
        yield
    except Error as error:
        raise ConnectionError(type(error).__name__) from None
