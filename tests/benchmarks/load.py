"""Load from outside: cheap websocket clients, and what the server's process costs meanwhile."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any  # Any: JSON values

import aiohttp
import orjson

ENGINE = "/socket.io/?EIO=4&transport=websocket"
LIMIT_S = 30.0
# About 230 bytes in both languages, as people write.
BODY = (
    "Hello, my parcel has not moved for three days, could you have a look at it please? "
    "你好，我的包裹三天没有更新物流了，麻烦帮我查一下是不是丢了，谢谢！ order 20260714-0093"
)
_TICK = os.sysconf("SC_CLK_TCK")


class Refused(Exception):
    """The server would not have the client just now; its text is the packet."""


class Peer:
    """One socket of one namespace; counts what comes and answers pings."""

    def __init__(self, namespace: str, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.namespace = namespace
        self.socket = socket
        self.events = 0
        self.closed = asyncio.Event()
        self.welcome: Any = None  # Any: JSON
        self.refused: str | None = None
        self.conversation_id: str | None = None
        self.on_event: Callable[[str, float], None] | None = None
        self._number = 0
        self._acks: dict[str, Callable[[str, float], None]] = {}
        self._welcomed = asyncio.Event()
        self._ack_start = f"43{namespace},"
        self._event_start = f"42{namespace},"
        self.reader = asyncio.create_task(self._read())

    async def join(self, auth: dict[str, Any], *, welcome: bool = True) -> None:  # Any: JSON
        """Connects the namespace, and waits for the welcome."""
        await self.socket.send_str(f"40{self.namespace},{orjson.dumps(auth).decode()}")
        if welcome:
            async with asyncio.timeout(LIMIT_S):
                await self._welcomed.wait()
            if self.refused is not None:
                raise Refused(self.refused)

    def send(
        self, event: str, payload: dict[str, Any], on_ack: Callable[[str, float], None]
    ) -> asyncio.Task[None]:  # Any: JSON
        """Sends a command; ``on_ack`` gets the answer's text and when it came."""
        self._number += 1
        number = str(self._number)
        self._acks[number] = on_ack
        body = orjson.dumps([event, payload]).decode()
        return asyncio.create_task(self.socket.send_str(f"42{self.namespace},{number}{body}"))

    async def ask(self, event: str, payload: dict[str, Any]) -> Any:  # Any: JSON
        """The answer of a command. Raises AssertionError when it was refused."""
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await self.send(event, payload, lambda text, _at: answered.set_result(text))
        async with asyncio.timeout(LIMIT_S):
            answer = orjson.loads(await answered)[0]
        assert answer.get("ok"), answer
        return answer

    async def close(self) -> None:
        """Leaves without saying so."""
        await self.socket.close()
        self.reader.cancel()

    async def _read(self) -> None:
        try:
            async for frame in self.socket:
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    return
                await self._take(frame.data)
        finally:
            self.closed.set()

    async def _take(self, packet: str) -> None:
        if packet.startswith(self._ack_start):
            number, bracket, rest = packet[len(self._ack_start) :].partition("[")
            self._acks.pop(number)(bracket + rest, time.perf_counter())
        elif packet.startswith(self._event_start):
            if '"message.posted"' in packet:
                self.events += 1
                if self.on_event is not None:
                    self.on_event(packet, time.perf_counter())
            elif not self._welcomed.is_set() and packet.startswith('["welcome"', packet.find("[")):
                self.welcome = orjson.loads(packet[packet.index("[") :])[1]
                self._welcomed.set()
        elif packet == "2":
            await self.socket.send_str("3")
        elif packet.startswith(f"44{self.namespace},"):
            self.refused = packet
            self._welcomed.set()


async def connect(http: aiohttp.ClientSession, url: str, namespace: str) -> Peer:
    """An open transport with nobody on it yet."""
    socket = await http.ws_connect(url + ENGINE, max_msg_size=0, autoping=True, compress=0)
    return Peer(namespace, socket)


@dataclass(slots=True)
class Pair:
    """A shopper and the agent who answers."""

    peers: tuple[Peer, Peer]
    sent: int = 0

    def message(self, peer: Peer, client_id: str) -> dict[str, Any]:  # Any: JSON
        """What one of the two posts."""
        payload: dict[str, Any] = {"client_id": client_id, "body": BODY}  # Any: JSON
        if peer.conversation_id is not None:
            payload["conversation_id"] = peer.conversation_id
        return payload


@dataclass(slots=True)
class Spans:
    """Spans of time in seconds."""

    values: list[float] = field(default_factory=list)

    def ms(self, share: float) -> float:
        """A percentile in ms: 0.5 is the median."""
        ordered = sorted(self.values)
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far."""

    cpu_s: float
    rss_kb: int


def usage(pid: int) -> Usage:
    """Processor time of all threads and resident memory of a process (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / _TICK
    return Usage(cpu_s, int(fields[21]) * resource.getpagesize() // 1024)


@dataclass(frozen=True, slots=True)
class Flood:
    """What came of sending as fast as answers come."""

    per_s: float
    cpu_us: float


async def flood(pairs: Sequence[Pair], pid: int, *, seconds: float, window: int) -> Flood:
    """Each party keeps ``window`` messages under way for ``seconds``."""
    acked = 0
    stop_at = time.perf_counter() + seconds
    under_way = 0
    finished = asyncio.Event()

    def post(pair: Pair, peer: Peer) -> None:
        nonlocal under_way
        pair.sent += 1
        under_way += 1

        def on_ack(text: str, at: float) -> None:
            nonlocal acked, under_way
            assert '"ok":true' in text[:60], text
            under_way -= 1
            acked += at <= stop_at
            if at < stop_at:
                post(pair, peer)
            elif under_way == 0:
                finished.set()

        client_id = f"{pair.sent}-{id(peer)}-{time.monotonic_ns()}"
        peer.send("message.post", pair.message(peer, client_id), on_ack)

    before = usage(pid).cpu_s
    started = time.perf_counter()
    for _ in range(window):
        for pair in pairs:
            for peer in pair.peers:
                post(pair, peer)
    await asyncio.sleep(seconds)
    cpu_s = usage(pid).cpu_s - before
    took_s = time.perf_counter() - started
    async with asyncio.timeout(LIMIT_S):
        await finished.wait()
    return Flood(round(acked / took_s), round(cpu_s / max(acked, 1) * 1e6))


@dataclass(frozen=True, slots=True)
class Paced:
    """What came of sending at a rate: spans from when a message was due, so queues count."""

    acked: Spans
    delivered: Spans
    cpu_us: float


class Watch:
    """Notes when each message of a paced run was answered and when the other party had it."""

    def __init__(self, total: int) -> None:
        self.acked, self.delivered = Spans(), Spans()
        self.done = asyncio.Event()
        self._due: dict[str, float] = {}
        self._total = total

    def expect(self, client_id: str, at_due: float) -> Callable[[str, float], None]:
        """What takes the answer of a message that was due at an instant."""
        self._due[client_id] = at_due

        def take(text: str, at: float) -> None:
            assert '"ok":true' in text[:60], text
            self._note(self.acked, at - at_due)

        return take

    def listen(self, other: Peer) -> Callable[[str, float], None]:
        """What takes the events of a socket: only what ``other`` wrote counts."""
        mark = f'-{id(other)}"'

        def take(packet: str, at: float) -> None:
            if mark not in packet:
                return
            start = packet.find('"client_id":"') + len('"client_id":"')
            at_due = self._due.get(packet[start : packet.index('"', start)])
            if at_due is not None:
                self._note(self.delivered, at - at_due)

        return take

    def _note(self, spans: Spans, span_s: float) -> None:
        spans.values.append(span_s)
        if len(self.acked.values) == len(self.delivered.values) == self._total:
            self.done.set()


async def paced(pairs: Sequence[Pair], pid: int, *, per_s: int, seconds: float) -> Paced:
    """Sends at a steady rate, the shopper and the agent of each pair in turn."""
    total = int(per_s * seconds)
    watch = Watch(total)
    for one, other in (pair.peers for pair in pairs):
        one.on_event, other.on_event = watch.listen(other), watch.listen(one)
    before = usage(pid).cpu_s
    started = time.perf_counter()
    for number in range(total):
        at_due = started + number / per_s
        if (ahead := at_due - time.perf_counter()) > 0:
            await asyncio.sleep(ahead)
        pair = pairs[number % len(pairs)]
        peer = pair.peers[number // len(pairs) % 2]
        client_id = f"{number}-{time.monotonic_ns()}-{id(peer)}"
        on_ack = watch.expect(client_id, at_due)
        peer.send("message.post", pair.message(peer, client_id), on_ack)
    async with asyncio.timeout(LIMIT_S):
        await watch.done.wait()
    cpu_s = usage(pid).cpu_s - before
    for pair in pairs:
        for peer in pair.peers:
            peer.on_event = None
    return Paced(watch.acked, watch.delivered, round(cpu_s / total * 1e6))
