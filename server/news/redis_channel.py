"""News through a Redis channel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

ANSWER_LIMIT_S = 1.0


class RedisChannel:
    """A carrier over Redis: one connection listens, another publishes."""

    name = "redis"

    def __init__(self, url: str, channel: str) -> None:
        self._url = url
        self._channel = channel
        self._clients: list[Redis] = []
        self._publisher: Redis | None = None
        self._listener: PubSub | None = None

    async def open(self) -> None:
        """As the protocol says."""
        with _as_os_errors():
            self._publisher = self._client(answer_limit_s=ANSWER_LIMIT_S)
            # Without a limit: one would end the wait in a quiet moment, and lose what comes then.
            self._listener = self._client(answer_limit_s=None).pubsub(
                ignore_subscribe_messages=True
            )
            await self._listener.subscribe(self._channel)

    async def publish(self, text: str) -> None:
        """As the protocol says."""
        if self._publisher is None:
            raise ConnectionError("not open")
        with _as_os_errors():
            await self._publisher.publish(self._channel, text)

    async def hear(self) -> str:
        """As the protocol says."""
        while True:
            if self._listener is None:
                raise ConnectionError("not open")
            with _as_os_errors():
                message = await self._listener.get_message(timeout=None)
            if message is not None and message["type"] == "message":
                return str(message["data"])

    async def close(self) -> None:
        """As the protocol says."""
        listener, self._listener, self._publisher = self._listener, None, None
        clients, self._clients = self._clients, []
        with suppress(RedisError, OSError):
            if listener is not None:
                await listener.aclose()  # type: ignore[no-untyped-call]  # redis-py's own
        for client in clients:
            with suppress(RedisError, OSError):
                await client.aclose()

    def _client(self, *, answer_limit_s: float | None) -> Redis:
        client = Redis.from_url(
            self._url,
            decode_responses=True,
            socket_connect_timeout=ANSWER_LIMIT_S,
            socket_timeout=answer_limit_s,
            socket_keepalive=True,
            # A repeat in here would hold up the caller; whoever listens begins anew.
            retry=Retry(NoBackoff(), 0),
        )
        self._clients.append(client)
        return client


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Gives Redis' errors the type that the protocol names, without the address in their text."""
    try:
        yield
    except RedisError as error:
        raise ConnectionError(type(error).__name__) from None
