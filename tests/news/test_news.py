"""News between processes: told to all others at once, by whatever works, waited for by nobody."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any  # Any: JSON values

import pytest
from redis.asyncio import Redis

from server.news import line as line_module
from server.news import redis_channel as redis_module
from server.news.carrier import MAX_TEXT_BYTES, Carrier
from server.news.news import MAX_SEQS, News
from server.news.notify import NotifyChannel
from server.news.redis_channel import RedisChannel
from tests.support.redis import RedisServer
from tests.support.tools import require
from tests.support.waiting import LIMIT_S, wait_until_async

Make = Callable[[], Carrier]


class Process:
    """What one process tells and has heard."""

    def __init__(self, *carriers: Carrier) -> None:
        self.seqs: list[int] = []
        self.looks = 0
        self.signals: list[dict[str, Any]] = []
        self.news = News(carriers, on_seqs=self._on_seqs, on_look=self._on_look)
        self.news.on_signal = self.signals.append

    def _on_seqs(self, seqs: Iterable[int]) -> None:
        self.seqs.extend(seqs)

    def _on_look(self) -> None:
        self.looks += 1


@asynccontextmanager
async def running(*processes: Process) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for process in processes:
            stack.push_async_callback(process.news.stop)
            await process.news.start()
        yield


@asynccontextmanager
async def at_work(*processes: Process) -> AsyncIterator[None]:
    """Processes that hear each other: a busy machine may take longer than one that starts waits."""
    async with running(*processes):
        await wait_until_async(
            lambda: all(process.news.degraded == [] for process in processes), what="all lines"
        )
        yield


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is slow on a busy machine is not given up."""
    monkeypatch.setattr(line_module, "PUBLISH_LIMIT_S", LIMIT_S)
    monkeypatch.setattr(line_module, "SILENCE_S", LIMIT_S)
    monkeypatch.setattr(redis_module, "ANSWER_LIMIT_S", LIMIT_S)


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    server = RedisServer(require("redis-server"))
    yield server
    server.close()


@pytest.fixture(params=["redis", "notify"])
def carrier(request: pytest.FixtureRequest) -> Make:
    """Makes carriers of one channel."""
    if request.param == "redis":
        url = request.getfixturevalue("redis").url
        channel = f"test {request.node.name}"
        return lambda: RedisChannel(url, channel)
    url = request.getfixturevalue("empty_postgres_url")
    return lambda: NotifyChannel(url.replace("postgresql://", "postgresql+psycopg://"))


@pytest.mark.usefixtures("patient")
async def test_all_others_hear_numbers_and_signals_and_nobody_hears_himself(carrier: Make) -> None:
    one, two, three = (Process(carrier()) for _ in range(3))
    async with at_work(one, two, three):
        one.news.tell([1, 2, 3])
        one.news.signal("typing", conversation_id="c1", typing=True)
        two.news.tell([4])
        for process, seqs in ((one, [4]), (two, [1, 2, 3]), (three, [1, 2, 3, 4])):
            await wait_until_async(lambda p=process, s=seqs: sorted(p.seqs) == s)  # type: ignore[misc]  # bound default
        await wait_until_async(lambda: two.signals and three.signals)
        assert two.signals == [{"kind": "typing", "conversation_id": "c1", "typing": True}]
        assert one.signals == []
        assert one.news.degraded == []


@pytest.mark.usefixtures("patient")
async def test_much_at_once_is_cut_to_what_a_carrier_takes_and_too_much_is_a_look(
    carrier: Make,
) -> None:
    one, two = Process(carrier()), Process(carrier())
    big = 2**62
    async with at_work(one, two):
        looks = two.looks
        one.news.tell(range(big, big + MAX_SEQS))
        for number in range(300):
            one.news.signal("read", conversation_id="c" * 32, message_id=f"{number:032}")
        await wait_until_async(lambda: len(two.signals) == 300)
        assert two.seqs == list(range(big, big + MAX_SEQS))
        assert two.looks == looks
        assert max(len(repr(s)) for s in two.signals) < MAX_TEXT_BYTES
        one.news.tell(range(MAX_SEQS + 1))
        await wait_until_async(lambda: two.looks == looks + 1)


@pytest.mark.usefixtures("patient")
async def test_what_others_say_on_the_channel_is_ignored(redis: RedisServer) -> None:
    process = Process(RedisChannel(redis.url, "shared"))
    stranger = Redis.from_url(redis.url)
    async with at_work(process):
        looks = process.looks
        for text in (
            "",
            "no JSON",
            "[]",
            "{}",
            '{"from": 1}',
            '{"from": "x", "seqs": "1"}',
            '{"from": "x", "seqs": [1.5]}',
            '{"from": "x", "seqs": [true]}',
            '{"from": "x", "signals": [1]}',
        ):
            await stranger.publish("shared", text)
        await stranger.publish("shared", '{"from": "x", "seqs": [7], "more": 1}')
        await wait_until_async(lambda: process.seqs)
        assert (process.seqs, process.signals, process.looks) == ([7], [], looks)
        assert process.news.stats.garbled == 9
    await stranger.aclose()


async def test_when_redis_dies_or_hangs_the_database_carries_and_redis_is_taken_up_again(
    own_redis: RedisServer, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "PUBLISH_LIMIT_S", 0.3)
    one, two = (
        Process(RedisChannel(own_redis.url, "news"), NotifyChannel(empty_postgres_url))
        for _ in range(2)
    )
    numbers = iter(range(1, 1000))

    async def heard() -> None:
        number, looks = next(numbers), two.looks
        one.news.tell([number])
        # What was on its way when a line went is found by a look, once the line is back.
        await wait_until_async(lambda: number in two.seqs or two.looks > looks)

    async with at_work(one, two):
        await heard()
        for ends, begins in (
            (lambda: own_redis.stop(signal.SIGKILL), own_redis.start),
            (own_redis.hang, own_redis.wake),
        ):
            looks = two.looks
            await asyncio.to_thread(ends)
            await heard()
            await wait_until_async(lambda: one.news.degraded == two.news.degraded == ["redis"])
            await heard()
            await asyncio.to_thread(begins)
            await wait_until_async(lambda: one.news.degraded == two.news.degraded == [])
            await heard()
            # What was sent to Redis alone may be lost.
            assert two.looks > looks


async def test_a_line_that_has_fallen_silent_is_opened_anew(
    carrier: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection stands and takes what is published, but nothing comes back."""
    monkeypatch.setattr(line_module, "SILENCE_S", 0.3)
    monkeypatch.setattr(line_module, "CANARY_S", 0.05)
    deaf = carrier()
    process = Process(deaf)
    async with at_work(process):
        hear, never = deaf.hear, asyncio.Event()
        reopened = process.news.lines[0].reopened

        async def silence() -> str:
            await never.wait()
            return await hear()

        monkeypatch.setattr(deaf, "hear", silence)
        await wait_until_async(lambda: process.news.lines[0].reopened > reopened)
        await wait_until_async(lambda: process.news.degraded != [])
        monkeypatch.setattr(deaf, "hear", hear)
        await wait_until_async(lambda: process.news.degraded == [])


async def test_nothing_waits_for_a_redis_that_was_never_there() -> None:
    process = Process(RedisChannel("redis://127.0.0.1:1/0", "news"))
    async with running(process):
        process.news.tell([1])
        process.news.signal("gone")
        assert process.news.degraded == ["redis"]
        await wait_until_async(lambda: process.news.stats.failed == 2)


async def test_without_carriers_nothing_is_kept() -> None:
    process = Process()
    async with running(process):
        process.news.tell([1])
        process.news.signal("gone")
        assert process.news.degraded == []
        assert (process.news._seqs, list(process.news._signals)) == ([], [])
