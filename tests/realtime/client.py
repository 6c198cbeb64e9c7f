"""A Socket.IO client that keeps all it hears, and one that keeps to the contract's rules."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Any  # Any: JSON values

import socketio
from socketio.exceptions import ConnectionError as NotConnected

from tests.realtime.desk import Desk, Staff
from tests.support.waiting import LIMIT_S, wait_until_async

Json = dict[str, Any]  # Any: JSON values
UNAVAILABLE = "unavailable"


class Refused(Exception):
    """A connect error: what the server said."""

    def __init__(self, told: Any) -> None:  # Any: whatever came
        super().__init__(str(told))
        self.told = told

    @property
    def code(self) -> str | None:
        """The code of the error object, where the contract puts it; None when nobody answered."""
        if isinstance(self.told, dict) and "data" in self.told:
            return str(self.told["data"]["error"]["code"])
        return None


class Client:
    """One connection of python-socketio; ``heard`` is what came, in order: (event, argument)."""

    def __init__(self, url: str, namespace: str, auth: Json | None, **headers: str) -> None:
        self.url = url
        self.namespace = namespace
        self.auth = auth
        self.headers = headers
        self.heard: list[tuple[str, Any]] = []
        self.transports = ["websocket"]
        # How long it waits to be let in.
        self.patience_s = LIMIT_S
        self.options: Json = {}
        self.on_heard: Callable[[], object] = lambda: None
        self._socket: socketio.AsyncClient | None = None
        self._refused: Any = None

    async def connect(self, *, wait_welcome: bool = True) -> Client:
        """Connects and waits for the welcome. Raises Refused."""
        before = len(self.heard)
        self._refused = None
        self._socket = socketio.AsyncClient(reconnection=False, logger=False, **self.options)
        self._socket.on("connect_error", self._on_refused, namespace=self.namespace)
        self._socket.on("*", self._on_event, namespace=self.namespace)
        try:
            await self._socket.connect(
                self.url,
                headers=self.headers,
                auth=self.auth,
                transports=self.transports,
                namespaces=[self.namespace],
                wait_timeout=self.patience_s,
            )
        except NotConnected as error:
            await self.close()
            raise Refused(self._refused or {"message": str(error)}) from None
        if wait_welcome:
            await self.until(lambda: self.heard[before:], "the first event", self.patience_s)
            assert self.heard[before][0] == "welcome", self.heard[before]
        return self

    @property
    def connected(self) -> bool:
        """Whether the namespace is connected."""
        return self._socket is not None and self.namespace in self._socket.namespaces

    @property
    def welcome(self) -> Json:
        """The latest welcome."""
        welcomes = [data for name, data in self.heard if name == "welcome"]
        return dict(welcomes[-1])

    @property
    def events(self) -> list[Json]:
        """The envelopes received so far."""
        return [data for name, data in self.heard if name == "event"]

    @property
    def messages(self) -> list[Json]:
        """The messages in the envelopes received so far."""
        return [e["data"]["message"] for e in self.events if e["kind"] == "message.posted"]

    def signals(self, kind: str) -> list[Json]:
        """The data of the signals of a kind received so far."""
        return [d["data"] for name, d in self.heard if name == "signal" and d["kind"] == kind]

    async def ask(self, command: str, *arguments: Any, limit_s: float = LIMIT_S) -> Json:
        """The acknowledgement of a command. Raises socketio.exceptions.TimeoutError for none."""
        assert self._socket is not None
        answer = await self._socket.call(
            command, arguments or {}, namespace=self.namespace, timeout=limit_s
        )
        assert isinstance(answer, dict), f"{command} answered {answer!r}"
        return answer

    async def do(self, command: str, **payload: Any) -> Json:
        """The answer of a command that must succeed.

        It is sent again, as any client may, while the machine is too busy to answer in time.
        """
        until_s = time.monotonic() + LIMIT_S
        while (answer := await self.ask(command, payload))["ok"] is not True:
            assert answer["error"]["code"] == UNAVAILABLE, f"{command}: {answer}"
            assert time.monotonic() < until_s, f"{command}: {answer}"
        return answer

    async def refused(self, command: str, **payload: Any) -> str:
        """The code of a command that must be refused."""
        answer = await self.ask(command, payload)
        assert answer["ok"] is False, f"{command}: {answer}"
        assert answer.keys() == {"ok", "error"}
        assert answer["error"].keys() == {"code", "message", "details"}
        return str(answer["error"]["code"])

    async def post(self, body: str, client_id: str | None = None, **payload: Any) -> Json:
        """Posts a message; without ``client_id`` it is a new one, whatever was said before."""
        chosen = client_id or uuid.uuid4().hex
        return await self.do("message.post", client_id=chosen, body=body, **payload)

    async def hears(self, body: str, limit_s: float = LIMIT_S) -> Json:
        """The message with this text, once it has come."""
        found = await self.until(
            lambda: [m for m in self.messages if m["body"] == body], f"the message {body}", limit_s
        )
        return dict(found[0])

    async def until(
        self, condition: Callable[[], Any], what: str = "", limit_s: float = LIMIT_S
    ) -> Any:
        """The first true answer of the condition."""
        return await wait_until_async(condition, limit_s, what)

    async def gone(self, limit_s: float = LIMIT_S) -> None:
        """Waits until the server has closed the connection."""
        await self.until(lambda: not self.connected, "the end of the connection", limit_s)

    async def close(self) -> None:
        """Says good-bye."""
        if self._socket is not None:
            engine = self._socket.eio
            http = engine.http
            if engine.state == "connected" and engine.current_transport == "polling":
                # The stock good-bye waits for a poll that the server lets hang.
                loops = [engine.read_loop_task, engine.write_loop_task]
                await engine.disconnect(abort=True)
                for task in loops:
                    task.cancel()
                await asyncio.gather(*loops, return_exceptions=True)
            else:
                await self._socket.disconnect()
            # What python-socketio leaves open when a connection was refused.
            if http is not None and not http.closed:
                await http.close()

    async def drop(self) -> None:
        """Cuts the line as a lost network does: nothing is said, nothing more is read."""
        assert self._socket is not None
        line = self._socket.eio.ws
        if line is not None and line._response.connection is not None:
            transport = line._response.connection.transport
            if transport is not None:
                transport.abort()
        await self.gone()
        await self.close()

    def _on_event(self, name: str, data: Any = None) -> None:
        self.heard.append((name, data))
        self.on_heard()

    def _on_refused(self, told: Any = None) -> None:
        self._refused = told


class People:
    """Opens clients of a desk and closes them all."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._clients: list[Client] = []

    def made(self, namespace: str, auth: Json | None, **headers: str) -> Client:
        """A client that is not connected yet."""
        self._clients.append(Client(self.desk.url, namespace, auth, **headers))
        return self._clients[-1]

    async def shopper(self, visitor_token: str | None = None, **auth: Any) -> Client:
        """A connected shopper, new without a token."""
        values = {"site": self.desk.site, **auth}
        if visitor_token is not None:
            values["visitor_token"] = visitor_token
        return await let_in(self.made("/visitor", values))

    async def agent(self, who: str | Staff = "ana") -> Client:
        """A connected person of the shop, by API token."""
        staff = self.desk.people[who] if isinstance(who, str) else who
        return await let_in(self.made("/agent", {"token": staff.token}))

    async def console(self, who: str | Staff) -> Client:
        """A connected person of the shop, by session cookie from our own page."""
        staff = self.desk.people[who] if isinstance(who, str) else who
        headers = {"Cookie": f"sid={staff.cookie}", "Origin": self.desk.url}
        return await let_in(self.made("/agent", None, **headers))

    async def close(self) -> None:
        """Closes every client."""
        await asyncio.gather(*(client.close() for client in self._clients))


async def let_in(client: Client) -> Client:
    """The client, connected; it comes again while the machine is too busy to let it in in time."""
    until_s = time.monotonic() + LIMIT_S
    while True:
        try:
            return await client.connect()
        except Refused as refused:
            if refused.code != UNAVAILABLE or time.monotonic() > until_s:
                raise
