"""The Socket.IO server: no binary events, no log flood, slow and silent clients cut."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from contextlib import suppress
from typing import Any  # Any: python-socketio is not typed

import engineio
import orjson
import socketio
import structlog
from aiohttp import web
from socketio import packet

from server.realtime.line import Line, Outbox

log = structlog.stdlib.get_logger("shopbell.realtime")

MAX_FRAME_BYTES = 64 * 1024
PING_INTERVAL_S = 20
PING_TIMEOUT_S = 10
# A client that has not answered for this many packets is cut; it reconnects and catches up.
MAX_QUEUED_PACKETS = 256
MAX_BAD_PACKETS = 3
LAST_WORDS_S = 1.0
_COMMAND = re.compile(r"^2(?P<namespace>/[^,]{0,40})?,?(?P<id>\d{1,15})\[")
_RESERVED = frozenset({"connect", "disconnect", "connect_error", "*"})
SOCKET_PATH = "/socket.io/"
KEPT_OF_ENVIRON = frozenset({"aiohttp.request", "HTTP_ORIGIN"})


class Json:
    """The JSON module of the wire: fast, refuses NaN and lone surrogates, ids stay exact."""

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        """Compact JSON text."""
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str | bytes, **_: object) -> Any:  # Any: JSON values
        """The value of a JSON text. Raises ValueError for anything that is not strict JSON."""
        return orjson.loads(text)


class TextPacket(packet.Packet):  # type: ignore[misc]  # untyped base
    """A packet without attachments: nothing looks through every value for some."""

    uses_binary_events = False


class Transports(engineio.AsyncServer):  # type: ignore[misc]  # untyped base
    """engineio's server, which does not wait for ever for a client that no longer reads."""

    _async: dict[str, Any]  # Any: engineio's table of drivers

    def __init__(self, **options: Any) -> None:  # Any: passed on
        super().__init__(**options)
        self._async = {**self._async, "websocket": Line}

    def create_queue(self, *_: Any, **__: Any) -> Outbox:  # Any: engineio gives none
        """A client's queue."""
        return Outbox()

    async def disconnect(self, sid: str | None = None) -> None:
        """Closes a transport, or all; what is queued is given a moment to go out."""
        for eio_sid in [sid] if sid is not None else list(self.sockets):
            socket = self.sockets.get(eio_sid)
            if socket is not None:
                await socket.close(wait=False, reason=self.reason.SERVER_DISCONNECT)
                with suppress(TimeoutError):
                    # The stock one waits without limit: for a poll that never comes, say.
                    async with asyncio.timeout(LAST_WORDS_S):
                        await socket.queue.join()
                self.sockets.pop(eio_sid, None)


class Engine(socketio.AsyncServer):  # type: ignore[misc]  # untyped base
    """python-socketio's server; ``watch`` must be called about once a second.

    A transport that does not say who it is within ``connect_limit_s`` is closed.
    """

    def __init__(self, *, connect_limit_s: float, **options: Any) -> None:  # Any: passed on
        quiet = logging.getLogger("shopbell.socketio")
        quiet.setLevel(logging.CRITICAL)
        super().__init__(
            async_mode="aiohttp",
            json=Json,
            serializer=TextPacket,
            logger=quiet,
            engineio_logger=quiet,
            max_http_buffer_size=MAX_FRAME_BYTES,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            allow_upgrades=True,
            http_compression=False,
            # ``watch`` does it: engineio's own task wakes up 500 times a second for 5,000 sockets.
            monitor_clients=False,
            cors_credentials=False,
            **options,
        )
        self._connect_limit_s = connect_limit_s
        self._bad: dict[str, int] = {}
        self._begun: dict[str, float] = {}
        self._bad_logged_at_s = -60.0
        self._bad_since = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answers one request of the transport; what cannot be parsed is a 400, no traceback."""
        upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
        try:
            response = await self.handle_request(request)
        except (ValueError, KeyError, OSError, RuntimeError, TypeError) as error:
            self._note_bad(type(error).__name__)
            if upgrade:
                # The connection is a websocket already: there is no answer to give any more.
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=204)
            return web.json_response(
                {"error": {"code": "invalid_input", "message": "Not a packet.", "details": {}}},
                status=400,
            )
        if not isinstance(response, web.StreamResponse):
            return web.Response(status=400)
        return response

    async def watch(self) -> None:
        """Cuts clients that do not read or answer, and sockets that never say who they are."""
        now_s, silent_since_s = time.monotonic(), time.time() - PING_TIMEOUT_S
        for eio_sid, socket in list(self.eio.sockets.items()):
            if socket.closed:
                if socket.queue.line is None:
                    self.eio.sockets.pop(eio_sid, None)
            elif socket.last_ping and socket.last_ping < silent_since_s:
                await socket.check_ping_timeout()
            elif socket.queue.qsize() > MAX_QUEUED_PACKETS:
                log.info("slow client cut", queued=socket.queue.qsize())
                await self.cut(eio_sid)
            elif now_s - self._begun.get(eio_sid, now_s) > self._connect_limit_s:
                await self.cut(eio_sid)

    async def cut(self, eio_sid: str) -> None:
        """Ends a transport at once, also when its reader is stuck."""
        socket = self.eio.sockets.get(eio_sid)
        if socket is None:
            return
        line = socket.queue.line
        poll: web.Request | None = self.environ.get(eio_sid, {}).get("aiohttp.request")
        await socket.close(wait=False, abort=True)
        if line is not None:
            line.abort()
        elif poll is not None and poll.transport is not None:
            poll.transport.abort()

    async def hang_up(self, eio_sid: str) -> None:
        """Closes a transport behind what is queued for it; the client comes back by itself.

        Not by Socket.IO's own disconnect, after which the official client stays away.
        """
        socket = self.eio.sockets.get(eio_sid)
        if socket is None or socket.closed:
            return
        await socket.close(wait=False)
        if socket.queue.line is not None:
            # Ends engineio's writer, which closes the websocket behind what it has sent.
            socket.queue.put_nowait(None)

    async def ended(self, limit_s: float) -> None:
        """Returns once all websockets have ended, or after ``limit_s``."""
        until_s = time.monotonic() + limit_s
        while any(socket.queue.line is not None for socket in self.eio.sockets.values()):
            if time.monotonic() > until_s:
                return
            await asyncio.sleep(0.02)

    def is_open(self, eio_sid: str) -> bool:
        """Whether the transport still stands."""
        socket = self.eio.sockets.get(eio_sid)
        return socket is not None and not socket.closed

    def _engineio_server_class(self) -> type[Transports]:
        return Transports

    def connected(self, eio_sid: str) -> None:
        """Notes that a transport has said who it is."""
        self._begun.pop(eio_sid, None)
        environ = self.environ.get(eio_sid)
        if environ is not None:
            # Held as long as the connection: what a later connect looks at is enough.
            kept = {key: environ[key] for key in KEPT_OF_ENVIRON & environ.keys()}
            environ.clear()
            environ.update(kept)

    def disconnected(self, eio_sid: str) -> None:
        """Notes that a transport serves nobody any more; it must say anew who it is."""
        self._begun[eio_sid] = time.monotonic()

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> Any:  # Any: base
        self._begun[eio_sid] = time.monotonic()
        return await super()._handle_eio_connect(eio_sid, environ)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: Any) -> None:  # Any: base
        self._bad.pop(eio_sid, None)
        await super()._handle_eio_disconnect(eio_sid, reason)
        self._begun.pop(eio_sid, None)

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:  # Any: text or bytes
        if not isinstance(data, str):
            await self._refuse(eio_sid, "binary")
            return
        if data[:1] in ("5", "6"):
            # Announced attachments that never come would mute the socket; no command takes binary.
            await self._refuse(eio_sid, "binary event")
            return
        try:
            await super()._handle_eio_message(eio_sid, data)
        except (
            ValueError,
            TypeError,
            KeyError,
            IndexError,
            AttributeError,
            RecursionError,
        ) as error:
            await self._answer_bad(eio_sid, data)
            await self._refuse(eio_sid, type(error).__name__)

    async def _handle_event(self, eio_sid: str, namespace: str, id: int | None, data: Any) -> None:  # noqa: A002  # Any: JSON; named by the base
        """Passes a command on, never as one of the handlers that the library itself calls.

        The stock server would run the connect handler for a client that sends an event of that
        name, with arguments of the client's choice.
        """
        if not isinstance(data, list) or not data or not isinstance(data[0], str):
            raise ValueError("not a command")
        name = "reserved" if data[0] in _RESERVED else data[0]
        await super()._handle_event(eio_sid, namespace, id, [name, *data[1:]])

    async def _send_packet(self, eio_sid: str, pkt: packet.Packet) -> None:
        """Puts a packet in a client's outbox; the stock one looks at its pings each time first."""
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None and not socket.closed:
            socket.queue.put_nowait(engineio.packet.Packet(engineio.packet.MESSAGE, pkt.encode()))

    async def _answer_bad(self, eio_sid: str, data: str) -> None:
        """A command whose JSON does not parse still gets an answer if its number can be read."""
        match = _COMMAND.match(data)
        if match is None:
            return
        error = {
            "code": "invalid_input",
            "message": "This is not valid JSON.",
            "details": {},
        }
        await self._send_packet(
            eio_sid,
            self.packet_class(
                packet.ACK,
                namespace=match["namespace"] or "/",
                id=int(match["id"]),
                data=[{"ok": False, "error": error}],
            ),
        )

    async def _refuse(self, eio_sid: str, why: str) -> None:
        self._note_bad(why)
        self._bad[eio_sid] = self._bad.get(eio_sid, 0) + 1
        if self._bad[eio_sid] >= MAX_BAD_PACKETS:
            await self.cut(eio_sid)

    def _note_bad(self, why: str) -> None:
        """One line a minute, however many bad packets come."""
        self._bad_since += 1
        now_s = time.monotonic()
        if now_s - self._bad_logged_at_s >= 60:
            log.warning("bad packets", count=self._bad_since, latest=why)
            self._bad_logged_at_s = now_s
            self._bad_since = 0


def same_origin(origin: str, request: web.Request) -> bool:
    """True when a page of this very server sent the request."""
    return origin in (f"http://{request.host}", f"https://{request.host}")
