"""The websocket of one client: the short way in and out.

engineio passes each packet through a task or two, which costs more than sending it. Here a packet
goes into the transport at once while the client keeps up, and a command straight to its handler;
all that is rare (polling, upgrades, pings, the end, clients that read slowly) stays engineio's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any  # Any: engineio is not typed

import structlog
from aiohttp import WSMsgType, web
from engineio.packet import MESSAGE, Packet

log = structlog.stdlib.get_logger("shopbell.realtime")

# Beyond this a client is not keeping up, and what comes for it waits in its queue.
MAX_UNSENT_BYTES = 64 * 1024
# How long a client may take to say good-bye in return.
GOODBYE_S = 1.0
_TEXT_FRAME = 0x81


def text_frame(text: str) -> bytes:
    """A text as a websocket frame of a server (RFC 6455): whole, not masked, not compressed."""
    body = text.encode()
    size = len(body)
    if size < 126:
        return bytes((_TEXT_FRAME, size)) + body
    if size < 1 << 16:
        return bytes((_TEXT_FRAME, 126)) + size.to_bytes(2, "big") + body
    return bytes((_TEXT_FRAME, 127)) + size.to_bytes(8, "big") + body


class Parcel(Packet):  # type: ignore[misc]  # untyped base
    """A message for many clients, framed once."""

    def __init__(self, text: str) -> None:
        super().__init__(MESSAGE, text)
        self._frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        """The message on the wire."""
        if self._frame is None:
            self._frame = text_frame(self.encode())
        return self._frame


class Outbox:
    """engineio's queue of a client, which messages pass by while nothing stands in it.

    ``line`` is the client's websocket once it has one. Not asyncio's queue, which is 3 kB when it
    is empty. It has no bound of its own, see ``Engine.watch``.
    """

    __slots__ = ("_done", "_packets", "_taken", "_undone", "_waiting", "line")

    def __init__(self) -> None:
        self.line: Line | None = None
        self._packets: list[Any] = []  # Any: engineio's packets, None at the end
        # Whether engineio's writer may still hold what it took from here: then none may pass it.
        self._taken = True
        self._waiting: list[asyncio.Future[Any]] = []  # Any: as above
        self._undone = 0
        self._done: asyncio.Event | None = None

    def put_nowait(self, packet: Any) -> None:  # Any: as above
        """Sends a packet, or keeps it for engineio's writer."""
        if (
            self.line is None
            or self._taken
            or packet is None
            # Pings go the long way: engineio's writer gives up when it never gets anything.
            or packet.packet_type != MESSAGE
            or self._packets
            or not self.line.send_now(packet)
        ):
            self._keep(packet)

    async def put(self, packet: Any) -> None:  # Any: as above
        """As ``put_nowait``: there is always room."""
        self.put_nowait(packet)

    def get(self) -> asyncio.Future[Any]:  # Any: as above
        """The next packet, asked for when all that was taken before has been sent."""
        self._taken = False
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._packets:
            future.set_result(self.get_nowait())
        else:
            self._waiting.append(future)
        return future

    def get_nowait(self) -> Any:  # Any: as above
        """The next packet. Raises QueueEmpty."""
        if not self._packets:
            raise asyncio.QueueEmpty
        self._taken = True
        return self._packets.pop(0)

    def empty(self) -> bool:
        """Whether nothing stands in it."""
        return not self._packets

    def qsize(self) -> int:
        """How many packets wait for a client that does not keep up."""
        return len(self._packets)

    def task_done(self) -> None:
        """Notes that a packet that was taken is dealt with."""
        self._undone -= 1
        if not self._undone and self._done is not None:
            self._done.set()

    async def join(self) -> None:
        """Returns once everything that stood in it has been taken."""
        if self._undone:
            self._done = self._done or asyncio.Event()
            self._done.clear()
            await self._done.wait()

    def _keep(self, packet: Any) -> None:  # Any: as above
        self._undone += 1
        while self._waiting:
            future = self._waiting.pop(0)
            if not future.done():
                self._taken = True
                future.set_result(packet)
                return
        self._packets.append(packet)


class Line:
    """engineio's wrapper of aiohttp's websocket; its websocket handler runs unchanged on it."""

    def __init__(
        self, handler: Callable[[Line], Awaitable[None]], server: Any
    ) -> None:  # Any: engineio's
        self._handler = handler
        self._socket: Any = handler.__self__  # type: ignore[attr-defined]  # engineio's bound method
        self._messages: Callable[[str, str], Awaitable[None]] = server.handlers["message"]
        self._limit = server.max_http_buffer_size
        self._transport: asyncio.Transport | None = None
        self._frames: list[bytes] = []
        self._frames_bytes = 0
        # Not compressed: a small frame can grow a thousandfold, and each line would hold a window.
        self._ws = web.WebSocketResponse(
            max_msg_size=self._limit, compress=False, timeout=GOODBYE_S
        )

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:  # Any: WSGI's
        """The websocket, once it has ended."""
        request: web.Request = environ["aiohttp.request"]
        await self._ws.prepare(request)
        self._transport = request.transport
        self._socket.queue.line = self
        try:
            await self._handler(self)
        finally:
            self._socket.queue.line = None
        return self._ws

    def send_now(self, packet: Packet) -> bool:
        """Whether the packet goes out: not when the client lags behind or is leaving.

        What comes at one turn of the event loop goes out together: each write is a system call,
        and a console hears of many conversations at once.
        """
        socket, transport = self._socket, self._transport
        if (
            transport is None
            or not socket.upgraded
            or socket.upgrading
            or self._ws.closed
            or transport.is_closing()
            or transport.get_write_buffer_size() > MAX_UNSENT_BYTES
        ):
            return False
        frame = packet.frame if isinstance(packet, Parcel) else text_frame(packet.encode())
        if not self._frames:
            asyncio.get_running_loop().call_soon(self._write)
        self._frames.append(frame)
        self._frames_bytes += len(frame)
        if self._frames_bytes > MAX_UNSENT_BYTES:
            self._write()
        return True

    def _write(self) -> None:
        if self._frames and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._frames))
        self._frames.clear()
        self._frames_bytes = 0

    async def send(self, message: str) -> None:
        """Sends what stood in the queue, waiting while the client does not read."""
        self._write()
        await self._ws.send_str(message)

    async def close(self) -> None:
        """Says good-bye."""
        self._write()
        await self._ws.close()

    def abort(self) -> None:
        """Drops the connection, after what has been said this turn: why, perhaps."""
        self._write()
        if self._transport is not None:
            self._transport.abort()

    async def wait(self) -> str | bytes:
        """The next packet that is engineio's business; messages go to their handler.

        Raises OSError at the end, ValueError for a packet that is too large.
        """
        socket = self._socket
        while True:
            message = await self._ws.receive()
            data = message.data
            if message.type is WSMsgType.TEXT:
                if not data.startswith("4") or not socket.upgraded or socket.closed:
                    return str(data)
                if len(data) > self._limit:
                    raise ValueError("packet is too large")
                await self._take(data[1:])
            elif message.type is WSMsgType.BINARY:
                return bytes(data)
            else:
                raise OSError

    async def _take(self, text: str) -> None:
        """Hands a message on; a bug there costs this message only."""
        try:
            await self._messages(self._socket.sid, text)
        except Exception:
            log.exception("a packet failed")
