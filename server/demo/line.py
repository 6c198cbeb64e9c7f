"""A Socket.IO connection of a simulated person, as any program from outside would make it."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self  # Any: JSON from the wire

import socketio

Json = dict[str, Any]  # Any: JSON from the wire

CALL_LIMIT_S = 10.0
CONNECT_LIMIT_S = 15.0
MOST_KEPT = 1_000


class LineLost(Exception):
    """The connection has ended or gave no answer in time; whoever held it begins anew."""


class Line:
    """One connection to one namespace; use it with ``async with``.

    ``welcome`` is the first event, ``next_event`` gives the envelopes that followed, in order.
    There is no reconnecting here: a simulated person who is cut off simply comes back later.
    """

    def __init__(self, *, url: str, namespace: str, auth: Json) -> None:
        self.welcome: Json = {}
        self._url, self._namespace, self._auth = url, namespace, auth
        self._welcomed = asyncio.Event()
        self._events: asyncio.Queue[Json | None] = asyncio.Queue(MOST_KEPT)
        self._client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self._client.on("welcome", self._on_welcome, namespace=namespace)
        self._client.on("event", self._on_event, namespace=namespace)
        self._client.on("disconnect", self._on_disconnect, namespace=namespace)

    async def __aenter__(self) -> Self:
        """Connects and waits for the welcome. Raises LineLost."""
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await self._client.connect(
                    self._url,
                    auth=self._auth,
                    namespaces=[self._namespace],
                    transports=["websocket"],
                )
                await self._welcomed.wait()
        except (socketio.exceptions.SocketIOError, TimeoutError, OSError) as error:
            await self._close()
            raise LineLost(str(error)) from error
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hangs up."""
        await self._close()

    async def call(self, command: str, **payload: Any) -> Json:  # Any: JSON values
        """The acknowledgement of a command, refused or not. Raises LineLost when none comes."""
        answered: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def take(*answer: object) -> None:
            if not answered.done():
                answered.set_result(answer[0] if answer else None)

        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                # Not the client's own call(): it swallows being cancelled as the answer comes.
                await self._client.emit(command, payload, self._namespace, callback=take)
                answer = await answered
        except (socketio.exceptions.SocketIOError, TimeoutError, OSError) as error:
            raise LineLost(str(error)) from error
        return answer if isinstance(answer, dict) else {}

    async def next_event(self, *, within_s: float) -> Json | None:
        """The next envelope, None when none comes in that time. Raises LineLost at the end."""
        try:
            async with asyncio.timeout(max(0.0, within_s)):
                event = await self._events.get()
        except TimeoutError:
            return None
        if event is None:
            raise LineLost("the desk hung up")
        return event

    async def _close(self) -> None:
        # Also reached while being cancelled; the transport must not outlive the event loop.
        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                await self._client.disconnect()
        except (socketio.exceptions.SocketIOError, TimeoutError, OSError):
            return

    async def _on_welcome(self, data: Json) -> None:
        self.welcome = data
        self._welcomed.set()

    async def _on_event(self, envelope: Json) -> None:
        self._keep(envelope)

    async def _on_disconnect(self, *_: object) -> None:
        self._keep(None)

    def _keep(self, event: Json | None) -> None:
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(event)


async def play_until(stop: asyncio.Event, *parts: Coroutine[None, None, None]) -> None:
    """Lets people play their parts until ``stop`` is set or one of them ends; raises what they do.

    Nobody plays on when this returns.
    """
    tasks = [asyncio.create_task(part) for part in parts]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (stopping, *tasks):
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ended:
        if isinstance(end, Exception):
            raise end
