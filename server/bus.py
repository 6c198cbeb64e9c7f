"""Who hears of committed events in this process: readers, one after the other, in commit order.

Delivery here is a hint: a reader that fails or a process that dies loses nothing, because clients
count and catch up from the log. Events that other processes write are found by ``follow``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import chain

import structlog

from server.domain.errors import Unavailable
from server.storage import event_log
from server.storage.database import Committed, Database

log = structlog.stdlib.get_logger("shopbell.bus")

FOLLOW_S = 0.5
# Between processes on PostgreSQL a lower number becomes visible after a higher one when its
# transaction lasts longer: at most as long as a lock is waited for, a few times over.
LOOK_BACK_S = 15.0
# How many numbers that may be, for a process that has just begun to follow.
LOOK_BACK = 10_000
PAGE = 500
MAX_TOGETHER = 100
Reader = Callable[[Committed], Awaitable[None]]
Task = Callable[[], Awaitable[None]]


class Bus:
    """Hands committed events to its readers, in order, on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[Committed | Task] = asyncio.Queue()
        self._readers: list[Reader] = []
        self._seen: set[int] = set()

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

    def _take(self, batch: list[Committed]) -> None:
        for committed in batch:
            # ``follow`` may have read the commit before its writer came to tell of it.
            news = tuple(event for event in committed.events if event.seq not in self._seen)
            self._seen.update(event.seq for event in news)
            if news or committed.notices:
                self._queue.put_nowait(replace(committed, events=news))

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

    async def follow(self, database: Database) -> None:
        """Runs until cancelled: finds events that other processes wrote, and tells of them."""
        head = await database.read(event_log.last_seq)
        look_back_s, back = (0.0, 0) if database.is_sqlite else (LOOK_BACK_S, LOOK_BACK)
        floor = max(0, head - back)
        _, known = await database.read(lambda c: event_log.live_seqs(c, after=floor))
        self._seen.update(known)
        heads = deque([(self._loop.time(), floor)])
        while True:
            await asyncio.sleep(FOLLOW_S)
            while len(heads) > 1 and heads[1][0] <= self._loop.time() - look_back_s:
                heads.popleft()
            floor = heads[0][1]
            try:
                head = await self._look(database, floor)
            except Unavailable:
                continue
            heads.append((self._loop.time(), head))
            self._seen = {seq for seq in self._seen if seq > floor}

    async def _look(self, database: Database, floor: int) -> int:
        """The head of the log, what is new above ``floor`` having been told."""
        head, known = await database.read(lambda c: event_log.live_seqs(c, after=floor))
        fresh = [seq for seq in known if seq not in self._seen]
        for start in range(0, len(fresh), PAGE):
            page = fresh[start : start + PAGE]
            events = await database.read(lambda c, page=page: event_log.events_of(c, page))  # type: ignore[misc]  # bound default
            foreign = tuple(event for event in events if event.seq not in self._seen)
            self._seen.update(page)
            if foreign:
                self._queue.put_nowait(Committed(foreign, ()))
        return head

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
