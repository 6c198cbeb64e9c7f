"""Lines that hang, break or are not read, between clients and several processes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.kill.load import LONG, MOST_PENDING, SEED, Load, judged
from tests.processes.several import Several
from tests.processes.valve import Valve, valve
from tests.realtime.follower import Follower
from tests.support.redis import RedisServer
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until_async

# Who gets no answer for this long tries another line.
PATIENCE_S = 1.0
LONG_TEXT = "x" * 6000
ROUNDS = 8 if LONG else 2
MESSAGES = 3_000 if LONG else 200

pytestmark = [pytest.mark.kill, pytest.mark.timeout(900 if LONG else 400)]
Make = Callable[..., Several]
Record = Callable[[str, object], None]


def in_turn(valves: list[Valve]) -> Callable[[], str]:
    """Names one valve after the other, so that who comes again comes to another process."""

    def walk() -> Iterator[str]:
        while True:
            yield from (v.url for v in valves)

    steps = walk()
    return lambda: next(steps)


def fed(writer: Follower, reader: ServerProcess) -> bool:
    """Gives the writer long messages to send; true once the process of the slow one has cut it."""
    while writer.pending < MOST_PENDING:
        number = len(writer.record.sent)
        writer.post(f"{number}", body=f"{number} {LONG_TEXT}")
    return "slow client cut" in reader.stderr


async def test_who_leaves_a_line_that_hangs_has_written_nothing_twice(
    several: Make, own_redis: RedisServer, record_property: Record
) -> None:
    """What was sent over the old line arrives after its sender has sent it over a new one."""
    shop = several(processes=2, redis_url=own_redis.url)
    chance = random.Random(SEED)
    async with AsyncExitStack() as stack:
        valves = [
            await stack.enter_async_context(valve(lambda s=server: s.port))  # type: ignore[misc]  # bound default
            for server in shop.servers
        ]
        # The first process is reached through the first valve, the second through the second.
        how = {"ack_limit_s": PATIENCE_S, "leaves": True}
        unsteady = [
            shop.shopper(f"unsteady {n}", in_turn(valves), window=3, **how) for n in range(3)
        ]
        roaming = shop.agent("mei", in_turn(valves), window=2, **how)
        steady = shop.load(chance, shoppers=1)
        load = Load(unsteady + steady.shoppers, [roaming, *steady.agents[:2]], chance)
        load.start()
        try:
            await load.under_way()
            rounds = 0
            while rounds < ROUNDS or load.acknowledged < MESSAGES:
                held = valves[rounds % 2]
                away = [f for f in [*unsteady, roaming] if f.url == held.url]
                before = {f.record.name: f.connects for f in away}
                held.hold()
                # Everybody behind it has gone to the other process and been answered there.
                await load.grows(
                    lambda away=away, before=before: all(  # type: ignore[misc]  # bound default
                        f.connects > before[f.record.name] for f in away
                    ),
                    "all elsewhere",
                    60,
                )
                await load.more(30)
                held.cut() if rounds % 4 == 3 else held.release()
                await load.more(30)
                held.release()
                rounds += 1
        except BaseException:
            for v in valves:
                v.release()
            await load.stop()
            raise
        found = await judged(
            load, shop.servers, site=shop.desk.site, token=shop.token, record=record_property
        )
    assert found == []


async def test_a_slow_reader_is_cut_by_its_process_and_catches_up(
    several: Make, own_redis: RedisServer, record_property: Record
) -> None:
    shop = several(processes=2, redis_url=own_redis.url)
    first, second = shop.servers
    async with valve(lambda: first.port) as straw:
        slow = shop.agent("mei", lambda: straw.url)
        quick = shop.agent("ana", lambda: second.url)
        # Writes to the other process, so that what the slow one must read came from there.
        writer = shop.shopper("writer", lambda: second.url, window=40)
        load = Load([writer], [slow, quick], random.Random(SEED))
        for follower in load.all:
            follower.start()
        await wait_until_async(lambda: all(f.url for f in load.all), what="all connected")
        straw.hold()
        try:
            await load.grows(lambda: fed(writer, first), "the cut", 90)
        finally:
            straw.release()
        assert quick.connects == writer.connects == 1
        found = await judged(
            load, shop.servers, site=shop.desk.site, token=shop.token, record=record_property
        )
        assert slow.connects > 1
    assert found == []
