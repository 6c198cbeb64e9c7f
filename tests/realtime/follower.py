"""A client that keeps the contract's rules: outbox, heads, gaps, order. What a widget does."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import deque
from collections.abc import Callable
from typing import Any  # Any: JSON values

from socketio.exceptions import SocketIOError

from tests.kill.checker import Record, Sent
from tests.realtime.client import Client, Refused
from tests.support.waiting import LIMIT_S, let_time_pass

Json = dict[str, Any]  # Any: JSON values
RETRIED = ("unavailable", "too_many")
ACK_LIMIT_S = 5.0
# Who is not let in for so long tries another door.
CONNECT_LIMIT_S = 10.0
# A machine may be too busy to answer in the time that somebody waits at first.
MOST_PATIENCE = 16


class Follower:
    """Stays through every restart: reconnects, resends what is not acknowledged, closes gaps.

    ``record`` is what it did and showed. ``window`` is how many messages it has under way at once.
    With ``leaves`` it goes elsewhere when an answer takes longer than ``ack_limit_s``, without a
    word, as people do who reload a page that hangs; each time in vain it waits twice as long.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Client],
        *,
        window: int = 1,
        ack_limit_s: float = ACK_LIMIT_S,
        leaves: bool = False,
    ) -> None:
        self.record = Record(name, make().namespace.strip("/"))
        self.visitor_token: str | None = None
        self.connects = 0
        self.gaps = 0
        self.acked_at_s: dict[str, float] = {}
        self.shown_at_s: dict[str, float] = {}
        self._make = make
        self._window = window
        self._ack_limit_s = ack_limit_s
        self._patience = 1
        self._leaves = leaves
        self._client: Client | None = None
        self._outbox: deque[tuple[Sent, Json]] = deque()
        self._seen = 0
        self._stale: set[str] = set()
        self._running: asyncio.Task[None] | None = None
        self._stopping = False
        self._news = asyncio.Event()

    def start(self) -> None:
        """Begins to connect, send and follow."""
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends; raises what went wrong inside."""
        self._stopping = True
        self._news.set()
        if self._running is not None:
            async with asyncio.timeout(LIMIT_S):
                await self._running

    def post(self, client_id: str, **payload: Any) -> None:
        """Puts a message in the outbox."""
        sent = Sent(client_id, payload.get("visibility", "public"))
        self.record.sent.append(sent)
        self._outbox.append(
            (sent, {"client_id": client_id, "body": f"text {client_id}", **payload})
        )
        self._news.set()

    @property
    def pending(self) -> int:
        """How many messages are not acknowledged."""
        return len(self._outbox)

    @property
    def failed(self) -> bool:
        """Whether it has ended by an error, which ``stop`` raises."""
        return self._running is not None and self._running.done()

    @property
    def line(self) -> Client | None:
        """The connection that it has, None while it has none."""
        return self._client if self._client is not None and self._client.connected else None

    @property
    def url(self) -> str | None:
        """The process that it is connected to, None while it is not."""
        return self.line.url if self.line is not None else None

    @property
    def _answer_limit_s(self) -> float:
        return self._ack_limit_s * self._patience

    def _wait_longer(self) -> None:
        self._patience = min(self._patience * 2, MOST_PATIENCE)

    def heads(self) -> dict[str, int]:
        """The last number shown of each conversation."""
        return {key: len(shown) for key, shown in self.record.shown.items()}

    async def drop(self) -> None:
        """Loses its line, if it has one, without a word; it connects again by itself."""
        if self._client is not None and self._client.connected:
            await self._client.drop()

    async def _run(self) -> None:
        while not self._stopping:
            client = self._make()
            client.patience_s = CONNECT_LIMIT_S
            if self.visitor_token and client.auth is not None:
                client.auth["visitor_token"] = self.visitor_token
            try:
                await client.connect()
            except Refused as refused:
                if refused.code not in (None, *RETRIED):
                    raise
                await let_time_pass(0.05)
                continue
            except (AssertionError, SocketIOError, OSError):
                # The server died between the connection and its welcome.
                await client.close()
                await let_time_pass(0.05)
                continue
            self.connects += 1
            self._client, self._seen = client, 0
            self.visitor_token = client.welcome.get("visitor_token")
            try:
                await self._session(client)
            except (SocketIOError, OSError):
                pass
            finally:
                await client.close()

    async def _session(self, client: Client) -> None:
        client.on_heard = self._news.set
        flying: dict[str, asyncio.Task[bool]] = {}
        try:
            while client.connected and not self._stopping:
                self._news.clear()
                self._hear(client)
                for conversation_id in list(self._stale):
                    self._stale.discard(conversation_id)
                    await self._catch_up(client, conversation_id)
                if any(task.done() and not task.result() for task in flying.values()):
                    self._wait_longer()
                    if self._leaves:
                        await client.drop()
                    # Sent again from the first unacknowledged one on, once nothing is under way.
                    await asyncio.gather(*flying.values())
                    flying.clear()
                while self._outbox and self._outbox[0][0].answers:
                    flying.pop(self._outbox.popleft()[0].client_id, None)
                for sent, payload in itertools.islice(self._outbox, self._window):
                    if sent.client_id not in flying:
                        task = asyncio.create_task(self._send(client, sent, payload))
                        flying[sent.client_id] = task
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await self._news.wait()
        finally:
            for task in flying.values():
                task.cancel()
            await asyncio.gather(*flying.values(), return_exceptions=True)

    async def _send(self, client: Client, sent: Sent, payload: Json) -> bool:
        try:
            answer = await client.ask("message.post", payload, limit_s=self._answer_limit_s)
        except SocketIOError:
            return False
        finally:
            self._news.set()
        self._patience = 1
        if answer["ok"]:
            sent.answers.append(answer)
            self.acked_at_s.setdefault(answer["message_id"], time.monotonic())
            return True
        assert answer["error"]["code"] in RETRIED, answer
        return False

    def _hear(self, client: Client) -> None:
        heard, self._seen = client.heard[self._seen :], len(client.heard)
        for name, data in heard:
            if name == "welcome":
                for head in data["conversations"]:
                    if head["conversation_seq"] > len(self.record.shown.get(head["id"], ())):
                        self._stale.add(head["id"])
            elif name == "event":
                self._apply(data)

    def _apply(self, envelope: Json) -> None:
        shown = self.record.shown.setdefault(envelope["conversation_id"], [])
        number = envelope["conversation_seq"]
        if number == len(shown) + 1:
            shown.append(envelope)
            if envelope["kind"] == "message.posted":
                self.shown_at_s[envelope["data"]["message"]["id"]] = time.monotonic()
        elif number > len(shown) + 1:
            self.gaps += 1
            self._stale.add(envelope["conversation_id"])

    async def _catch_up(self, client: Client, conversation_id: str) -> None:
        complete = False
        while not complete:
            after = len(self.record.shown.setdefault(conversation_id, []))
            try:
                answer = await client.ask(
                    "conversation.catch_up",
                    {"conversation_id": conversation_id, "after_seq": after},
                    limit_s=self._answer_limit_s,
                )
            except SocketIOError:
                self._wait_longer()
                self._stale.add(conversation_id)
                if self._leaves:
                    await client.drop()
                return
            if not answer["ok"]:
                assert answer["error"]["code"] in RETRIED, answer
                self._stale.add(conversation_id)
                return
            for envelope in answer["events"]:
                self._apply(envelope)
            complete = answer["complete"]


async def read_all(client: Client, conversation_id: str) -> list[Json]:
    """A conversation from its beginning, as a fresh client reads it."""
    events: list[Json] = []
    complete = False
    while not complete:
        after = events[-1]["conversation_seq"] if events else 0
        answer = await client.do(
            "conversation.catch_up", conversation_id=conversation_id, after_seq=after
        )
        events += answer["events"]
        complete = answer["complete"]
        assert complete or answer["events"], "a page that is empty and not the last"
    return events
