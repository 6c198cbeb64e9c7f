"""News: what this process tells the others and hears of them. Ids only, and any may be lost."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any  # Any: JSON values

import orjson

from server.news.carrier import MAX_TEXT_BYTES, Carrier
from server.news.line import Line
from server.tasks import ended

Json = dict[str, Any]  # Any: JSON values
# More than these and the others are told to look at the log instead.
MAX_SEQS = 2_000
MAX_SIGNALS = 1_000
FIRST_FIT_S = 1.0
# So many fit a carrier, however long they are.
_SEQS_EACH = 300


@dataclass(slots=True)
class Carried:
    """How many texts were sent and heard, sendings failed, and signals dropped unsent."""

    sent: int = 0
    heard: int = 0
    failed: int = 0
    dropped: int = 0
    garbled: int = 0


class News:
    """Sends through the first carrier that works and hears through all; without carriers, nothing.

    ``on_seqs`` gets numbers of the log that another process committed, ``on_look`` is called when
    some may have been missed, ``on_signal`` gets a signal of another process: a dict with ``kind``.
    Sending never waits: a task of its own does, and what does not fit in its bounds is dropped.
    """

    def __init__(
        self,
        carriers: Sequence[Carrier],
        *,
        on_seqs: Callable[[Iterable[int]], None],
        on_look: Callable[[], None],
    ) -> None:
        self.process_id = secrets.token_hex(6)
        self.stats = Carried()
        self.on_signal: Callable[[Json], None] = lambda _: None
        self._on_seqs = on_seqs
        self._on_look = on_look
        canary = _text({"from": self.process_id, "canary": True})
        self.lines = [
            Line(carrier, canary=canary, on_text=self._heard, on_fit=on_look)
            for carrier in carriers
        ]
        self._seqs: list[int] = []
        self._signals: deque[Json] = deque()
        self._pending = asyncio.Event()
        self._sending = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Opens the carriers and returns when all work, or soon without those that do not."""
        if self.lines:
            self._tasks = [asyncio.create_task(line.run()) for line in self.lines]
            self._tasks.append(asyncio.create_task(self._send()))
            await asyncio.gather(*(line.until_fit(FIRST_FIT_S) for line in self.lines))

    async def stop(self) -> None:
        """Sends what waits, as far as that goes at once, and leaves."""
        if self._tasks:
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_FIT_S):
                    await self._send_waiting()
        await ended(self._tasks)

    @property
    def degraded(self) -> list[str]:
        """Names of the carriers that do not work just now."""
        return [line.name for line in self.lines if not line.fit]

    def fit(self) -> dict[str, float]:
        """1 for each carrier that works just now, else 0."""
        return {line.name: float(line.fit) for line in self.lines}

    def failed(self) -> int:
        """How many texts no carrier could take."""
        return self.stats.failed

    def tell(self, seqs: Sequence[int]) -> None:
        """Tells the others which events have been committed here."""
        if not self.lines:
            return
        # When there are too many anyway, their number does not matter any more.
        if len(self._seqs) <= MAX_SEQS:
            self._seqs.extend(seqs)
        self._pending.set()

    def signal(self, kind: str, **ids: str | int | bool | None) -> None:
        """Tells the others something that is not in the log; ids only, never what people wrote."""
        if not self.lines:
            return
        if len(self._signals) >= MAX_SIGNALS:
            self._signals.popleft()
            self.stats.dropped += 1
        self._signals.append({"kind": kind, **ids})
        self._pending.set()

    async def _send(self) -> None:
        while True:
            await self._pending.wait()
            await self._send_waiting()

    async def _send_waiting(self) -> None:
        async with self._sending:
            self._pending.clear()
            seqs, self._seqs = self._seqs, []
            signals, self._signals = self._signals, deque()
            for content in _contents(seqs, list(signals)):
                if not await self._publish(_text({"from": self.process_id, **content})):
                    self.stats.failed += 1

    async def _publish(self, text: str) -> bool:
        for line in self.lines:
            if line.fit and await line.publish(text):
                self.stats.sent += 1
                return True
        return False

    def _heard(self, text: str) -> None:
        content = _content(text)
        if content is None:
            # The carrier may be shared with others; what they say is none of ours.
            self.stats.garbled += 1
            return
        if content["from"] == self.process_id or "canary" in content:
            return
        self.stats.heard += 1
        if content.get("look"):
            self._on_look()
        if content.get("seqs"):
            self._on_seqs(content["seqs"][:MAX_SEQS])
        for signal in content.get("signals", []):
            self.on_signal(signal)


def _content(text: str) -> Json | None:
    """What a text says, None when it is not one of ours."""
    try:
        content = orjson.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict) or not isinstance(content.get("from"), str):
        return None
    seqs, signals = content.get("seqs", []), content.get("signals", [])
    well_formed = (
        isinstance(seqs, list)
        and all(type(seq) is int for seq in seqs)
        and isinstance(signals, list)
        and all(isinstance(signal, dict) for signal in signals)
    )
    return content if well_formed else None


def _contents(seqs: Sequence[int], signals: Sequence[Json]) -> list[Json]:
    """What to send, cut so that each part fits a carrier; events go before signals."""
    if len(seqs) > MAX_SEQS:
        contents: list[Json] = [{"look": True}]
    else:
        contents = [
            {"seqs": list(seqs[at : at + _SEQS_EACH])} for at in range(0, len(seqs), _SEQS_EACH)
        ]
    part: list[Json] = []
    size = 0
    for signal in signals:
        bytes_more = len(orjson.dumps(signal)) + 1
        if part and size + bytes_more > MAX_TEXT_BYTES - 200:
            contents.append({"signals": part})
            part, size = [], 0
        part.append(signal)
        size += bytes_more
    return [*contents, {"signals": part}] if part else contents


def _text(content: Json) -> str:
    return orjson.dumps(content).decode()
