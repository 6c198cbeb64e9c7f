"""Who hears of committed events in this process: readers, one after the other, in commit order.

Delivery here is a hint: a reader that fails or a process that dies loses nothing, because clients
count and catch up from the log. Events that other processes write are found by ``follow``: at once
when somebody says which (``hear``), else at its next look at the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain

import structlog

from server.domain.errors import Unavailable
from server.storage import event_log
from server.storage.database import Committed, Database

log = structlog.stdlib.get_logger("shopbell.bus")

# How often the log is looked at, whatever other processes tell.
FOLLOW_S = 0.5
# How far back a process looks that has just begun to follow.
LOOK_BACK = 10_000
# More hints than these are no hints: the next look at the log finds all.
MAX_HINTS = 5_000
PAGE = 500
MAX_TOGETHER = 100
Reader = Callable[[Committed], Awaitable[None]]
Task = Callable[[], Awaitable[None]]
Announce = Callable[[Sequence[int]], None]


@dataclass(slots=True)
class Followed:
    """What following other processes came to: ``lag_ms`` is how late the latest of it was told."""

    foreign: int = 0
    lag_ms: int = 0


class Bus:
    """Hands committed events to its readers, in order, on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[Committed | Task] = asyncio.Queue()
        self._readers: list[Reader] = []
        self._seen: set[int] = set()
        self._hints: set[int] = set()
        self._woken = asyncio.Event()
        # Everything of the log up to here has been told, or was there before this process.
        self._floor = -1
        self._looked_at_s = -FOLLOW_S
        self.stats = Followed()
        self.announce: Announce = lambda _: None

    def subscribe(self, reader: Reader) -> None:
        """Adds a reader behind those that are there."""
        self._readers.append(reader)

    def committed(self, batch: Sequence[Committed]) -> None:
        """Takes what a commit left behind; called on the writer's thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, list(batch))

    def in_turn(self, task: Task) -> None:
        """Runs a task between the events committed before and those committed after this call."""
        self._queue.put_nowait(task)

    @property
    def waiting(self) -> int:
        """How many commits wait to be told."""
        return self._queue.qsize()

    def foreign(self) -> int:
        """How many events of other processes have been told."""
        return self.stats.foreign

    def lag_ms(self) -> int:
        """How long after it happened the latest of them was told."""
        return self.stats.lag_ms

    def _take(self, batch: list[Committed]) -> None:
        for committed in batch:
            # ``follow`` may have read the commit before its writer came to tell of it.
            news = tuple(event for event in committed.events if not self._is_told(event.seq))
            self._seen.update(event.seq for event in news)
            if news or committed.notices:
                self._queue.put_nowait(replace(committed, events=news))
        told = [e.seq for c in batch for e in c.events if not e.imported]
        if told:
            self.announce(told)

    async def deliver(self) -> None:
        """Runs until cancelled: tells the readers of each commit."""
        while True:
            commits, task = await self._next()
            if commits:
                together = _together(commits)
                for reader in self._readers:
                    await self._guarded(reader(together))
            if task is not None:
                await self._guarded(task())
            for _ in range(len(commits) + (task is not None)):
                self._queue.task_done()

    async def _next(self) -> tuple[list[Committed], Task | None]:
        """What waits, up to the next task: readers ask the database once for many commits."""
        commits: list[Committed] = []
        item = await self._queue.get()
        while isinstance(item, Committed):
            commits.append(item)
            if len(commits) == MAX_TOGETHER or self._queue.empty():
                return commits, None
            item = self._queue.get_nowait()
        return commits, item

    async def drained(self) -> None:
        """Returns when everything committed so far has been told."""
        await self._queue.join()

    def hear(self, seqs: Iterable[int]) -> None:
        """Takes the numbers of events that another process has committed, to be told at once."""
        self._hints.update(seq for seq in seqs if not self._is_told(seq))
        if len(self._hints) > MAX_HINTS:
            self._hints.clear()
            self.look()
        elif self._hints:
            self._woken.set()

    def look(self) -> None:
        """Asks for a look at the log now: something may have been missed."""
        self._looked_at_s = -FOLLOW_S
        self._woken.set()

    async def begin(self, database: Database) -> None:
        """Notes what is in the log already: only what comes from now on will be told.

        To be called before the first client is let in, who would hear nothing of what came between.
        """
        head = await database.read(event_log.last_seq)
        floor = head if database.is_sqlite else max(0, head - LOOK_BACK)
        _, known = await database.read(lambda c: event_log.live_seqs(c, after=floor))
        self._seen.update(known)
        self._floor = floor

    async def follow(self, database: Database) -> None:
        """Runs until cancelled: finds events that other processes wrote, and tells of them."""
        if self._floor < 0:
            await self.begin(database)
        while True:
            rest_s = self._looked_at_s + FOLLOW_S - self._loop.time()
            # Not wait_for: before Python 3.12 it forgets that it was cancelled when what it waits
            # for comes at the same moment, and the process would never end.
            with suppress(TimeoutError):
                async with asyncio.timeout(max(rest_s, 0.0)):
                    await self._woken.wait()
            self._woken.clear()
            try:
                hints, self._hints = sorted(self._hints), set()
                await self._tell(database, hints)
                if self._loop.time() >= self._looked_at_s + FOLLOW_S:
                    self._looked_at_s = self._loop.time()
                    await self._look(database)
            except Unavailable:
                self._looked_at_s = self._loop.time()

    def _is_told(self, seq: int) -> bool:
        return seq in self._seen or seq <= self._floor

    async def _look(self, database: Database) -> None:
        """Tells what is new above the floor, and lifts it to below what is still being written."""
        settled = await database.read(event_log.settled_seq)
        _, known = await database.read(lambda c: event_log.live_seqs(c, after=self._floor))
        await self._tell(database, known)
        # What was settled before the look was visible to it.
        self._floor = max(self._floor, settled)
        self._seen = {seq for seq in self._seen if seq > self._floor}

    async def _tell(self, database: Database, seqs: Sequence[int]) -> None:
        """Queues those of the events that have not been queued yet, in the order of the log."""
        fresh = [seq for seq in seqs if not self._is_told(seq)]
        for start in range(0, len(fresh), PAGE):
            page = fresh[start : start + PAGE]
            events = await database.read(lambda c, page=page: event_log.events_of(c, page))  # type: ignore[misc]  # bound default
            foreign = tuple(e for e in events if not self._is_told(e.seq) and not e.imported)
            self._seen.update(event.seq for event in events)
            if foreign:
                self._queue.put_nowait(Committed(foreign, ()))
                self.stats.foreign += len(foreign)
                self.stats.lag_ms = max(0, database.clock() - foreign[-1].at_ms)

    async def _guarded(self, call: Awaitable[None]) -> None:
        try:
            await call
        except Unavailable:
            log.warning("events not told: the database is away; clients will catch up")
        except Exception:
            log.exception("a reader of events failed")


def _together(commits: Sequence[Committed]) -> Committed:
    """Several commits as one; of a conversation named twice the last state is the newest."""
    return Committed(
        tuple(chain.from_iterable(c.events for c in commits)),
        tuple(chain.from_iterable(c.notices for c in commits)),
        tuple(chain.from_iterable(c.messages for c in commits)),
        tuple(chain.from_iterable(c.conversations for c in commits)),
    )
