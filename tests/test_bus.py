"""Everybody in this process hears of what was committed anywhere: in order, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from server import bus as bus_module
from server.bus import Bus
from server.domain.actors import SYSTEM
from server.domain.errors import Unavailable
from server.domain.events import AgentPresenceChanged
from server.storage.database import Committed, Database
from server.storage.unit import Tx
from tests.support.waiting import LIMIT_S, wait_until_async

Open = Callable[..., Database]


def happen(number: int, *, imported: bool = False) -> Callable[[Tx], int]:
    """A job that logs an event and answers with its number in the log."""

    def job(tx: Tx) -> int:
        data = AgentPresenceChanged(status="online", capacity=number)
        return tx.record(SYSTEM, data, imported=imported).seq

    return job


class Heard:
    """A reader that remembers the capacities, by which the tests number the events."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.notices: list[object] = []

    async def __call__(self, committed: Committed) -> None:
        for event in committed.events:
            assert isinstance(event.data, AgentPresenceChanged)
            self.numbers.append(event.data.capacity)
        self.notices.extend(committed.notices)


@asynccontextmanager
async def running(
    database: Database, *readers: Callable[[Committed], Awaitable[None]]
) -> AsyncIterator[Bus]:
    bus = Bus(asyncio.get_running_loop())
    for reader in readers:
        bus.subscribe(reader)
    database.on_commit = bus.committed
    tasks = [asyncio.create_task(bus.deliver()), asyncio.create_task(bus.follow(database))]
    try:
        yield bus
    finally:
        database.on_commit = None
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def following(other: Database, heard: Heard) -> None:
    """Returns when the events of another process are heard, and forgets those heard till then."""

    async def is_heard() -> bool:
        await other.write(happen(0))
        return 0 in heard.numbers

    await wait_until_async(is_heard)
    await other.write(happen(-1))
    await wait_until_async(lambda: -1 in heard.numbers)
    heard.numbers.clear()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks for foreign events more often than a server needs to."""
    monkeypatch.setattr(bus_module, "FOLLOW_S", 0.02)


async def test_readers_hear_every_commit_in_order_and_once(database: Database) -> None:
    one, two = Heard(), Heard()
    async with running(database, one, two):
        await asyncio.gather(*(database.write(happen(number)) for number in range(100)))
        await wait_until_async(lambda: len(two.numbers) >= 100)
        # A look at the log later, nothing has been told again.
        await database.write(happen(100))
        await wait_until_async(lambda: len(two.numbers) >= 101)
    assert one.numbers == two.numbers == list(range(101))


async def test_a_reader_that_fails_keeps_the_news_from_nobody(database: Database) -> None:
    heard = Heard()

    async def fail(_: Committed) -> None:
        raise RuntimeError("a reader failed")

    async def away(_: Committed) -> None:
        raise Unavailable("away")

    async with running(database, fail, away, heard):
        await database.write(happen(1))
        await database.write(happen(2))
        await wait_until_async(lambda: heard.numbers == [1, 2])


async def test_a_notice_is_told_beside_the_events(database: Database) -> None:
    heard = Heard()
    async with running(database, heard) as bus:
        await database.write(lambda tx: tx.notice("read"))
        await wait_until_async(lambda: heard.notices == ["read"])
        await bus.drained()
        assert bus.waiting == 0


async def test_a_task_runs_between_what_was_before_and_what_comes_after(
    database: Database,
) -> None:
    told: list[object] = []

    async def reader(committed: Committed) -> None:
        told.extend(committed.notices)

    async def task() -> None:
        told.append("task")

    async with running(database, reader) as bus:
        bus._take([Committed((), ("before",))])
        bus.in_turn(task)
        bus._take([Committed((), ("after",))])
        await bus.drained()
    assert told == ["before", "task", "after"]


async def test_what_another_process_wrote_is_told_once(
    database: Database, open_database: Open
) -> None:
    other = open_database()
    heard = Heard()
    async with running(database, heard):
        await following(other, heard)
        for number in range(1, 21):
            await (database if number % 2 else other).write(happen(number))
        await wait_until_async(lambda: len(heard.numbers) >= 20)
        await other.write(happen(21))
        await wait_until_async(lambda: 21 in heard.numbers)
    assert sorted(heard.numbers) == list(range(1, 22))


async def test_what_was_imported_is_not_told(database: Database, open_database: Open) -> None:
    other = open_database()
    heard = Heard()
    async with running(database, heard):
        await following(other, heard)
        for number in range(3):
            await other.write(happen(number, imported=True))
        await other.write(happen(99))
        await wait_until_async(lambda: bool(heard.numbers))
    assert heard.numbers == [99]


async def test_a_lower_number_that_becomes_visible_later_is_told(
    postgres_url: str, tmp_path: Path
) -> None:
    """A transaction that waits for a lock commits behind others with higher numbers."""
    database, other = (Database(postgres_url, tmp_path, patience_s=LIMIT_S) for _ in range(2))
    other.write_now(lambda tx: tx.later(text("INSERT INTO secret VALUES ('row', '')")))
    heard = Heard()
    lock = "SELECT name FROM secret FOR UPDATE"

    def late(tx: Tx) -> int:
        happen(1)(tx)
        tx.execute(text("SET LOCAL lock_timeout = 0"))
        tx.execute(text(lock))
        return tx.events[0].seq

    # A connection of its own: the product's may not stand idle in a transaction for long.
    with closing(database), closing(other), psycopg.connect(postgres_url) as holder:
        holder.execute(lock)
        async with running(database, heard) as bus:
            # What is there before the first look is not told: as it must be when a server begins.
            await wait_until_async(lambda: bus._looked_at_s > 0, what="the first look")
            waiting = other.submit(late)
            await asyncio.gather(*(database.write(happen(number)) for number in range(2, 60)))
            await wait_until_async(lambda: len(heard.numbers) == 58)
            holder.rollback()
            low = await asyncio.wrap_future(waiting)
            await wait_until_async(lambda: 1 in heard.numbers)
    assert sorted(heard.numbers) == list(range(1, 60))
    assert low < 600


async def test_following_outlives_a_database_that_was_away(
    database: Database, monkeypatch: pytest.MonkeyPatch, open_database: Open
) -> None:
    other = open_database()
    heard = Heard()
    failures = iter([True, True])
    read = database.read

    async def flaky(query: Callable[..., object]) -> object:
        if next(failures, False):
            raise Unavailable("away")
        return await read(query)

    async with running(database, heard):
        await following(other, heard)
        monkeypatch.setattr(database, "read", flaky)
        await other.write(happen(2))
        await wait_until_async(lambda: 2 in heard.numbers)


@pytest.mark.parametrize("turns", range(6))
async def test_who_follows_ends_when_told_to_though_news_come_at_the_same_moment(
    database: Database, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """A process that drains waits for it, and news come all the time."""
    monkeypatch.setattr(bus_module, "FOLLOW_S", 0.5)
    bus = Bus(asyncio.get_running_loop())
    await bus.begin(database)
    following = asyncio.create_task(bus.follow(database))
    await wait_until_async(lambda: bus._looked_at_s > 0, what="the first look")
    bus.look()
    for _ in range(turns):
        await asyncio.sleep(0)
    following.cancel()
    await wait_until_async(following.done, what="the end")
