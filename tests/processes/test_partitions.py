"""One process loses Redis or the database from sight, while the other sees both."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.kill.load import LONG, SEED, Load, delays, judged
from tests.processes.several import Several, all_in_use
from tests.processes.valve import Valve, valve
from tests.realtime.desk import IMPATIENT
from tests.support.postgres import PostgresCluster
from tests.support.redis import RedisServer
from tests.support.waiting import let_time_pass, wait_until_async

# The promise is 2 s on a quiet machine. What is measured is told at the end of the run.
DELAY_LIMIT_MS = 60_000
AWAY_S = 3.0
# Longer than a transaction may stand still before the database ends it.
LONG_AWAY_S = 8.0
PATIENCE_S = 1.0
ROUNDS = 4 if LONG else 1
MESSAGES = 2_500 if LONG else 200

pytestmark = [pytest.mark.kill, pytest.mark.timeout(900 if LONG else 400)]
Make = Callable[..., Several]
Record = Callable[[str, object], None]


async def rounds_of(
    trouble: Callable[[int], Awaitable[None]],
    shop: Several,
    load: Load,
    way: Valve,
    record: Record,
) -> None:
    """Makes trouble under load, round after round, and judges what became of it."""
    load.start()
    try:
        await load.under_way()
        await all_in_use(load, shop.servers)
        rounds = 0
        while rounds < ROUNDS or load.acknowledged < MESSAGES:
            await trouble(rounds)
            await load.more(50)
            assert not any(f.failed for f in load.all)
            rounds += 1
    except BaseException:
        way.release()
        await load.stop()
        raise
    found = await judged(load, shop.servers, site=shop.desk.site, token=shop.token, record=record)
    assert found == []


async def test_a_process_that_cannot_reach_redis_hears_and_is_heard_by_the_database(
    several: Make, own_redis: RedisServer, record_property: Record
) -> None:
    async with valve(lambda: own_redis.port) as way:
        # Beside the loop, which must serve the valve while the processes start.
        shop = await asyncio.to_thread(
            several,
            processes=2,
            redis_url=own_redis.url,
            last_redis_url=own_redis.url.replace(f":{own_redis.port}/", f":{way.port}/"),
        )
        load = shop.load(random.Random(SEED))
        worst: list[int] = []

        async def trouble(_: int) -> None:
            begun_s = time.monotonic()
            way.hold()
            await let_time_pass(AWAY_S)
            await load.more(50)
            way.release()
            await load.more(50)
            ended_s = time.monotonic()
            acked = {k for f in load.all for k, t in f.acked_at_s.items() if t < ended_s}
            await wait_until_async(
                lambda: all(acked <= agent.shown_at_s.keys() for agent in load.agents)
            )
            seen = delays(load, begin_s=begun_s, end_s=ended_s)
            record_property("measured", f"delay while one process has no Redis: {seen}")
            worst.append(seen.max_ms)

        await rounds_of(trouble, shop, load, way, record_property)
    assert max(worst) <= DELAY_LIMIT_MS


async def test_a_process_that_cannot_reach_the_database_loses_its_people_and_nothing_else(
    several: Make,
    fragile: tuple[PostgresCluster, str],
    own_redis: RedisServer,
    record_property: Record,
) -> None:
    """What it had sent on its way arrives when others have long answered its people."""
    cluster, _ = fragile
    async with valve(lambda: cluster.port) as way:
        shop = await asyncio.to_thread(
            several,
            processes=2,
            redis_url=own_redis.url,
            last_database_port=way.port,
            env=IMPATIENT,
        )
        load = shop.load(random.Random(SEED), window=1, ack_limit_s=PATIENCE_S, leaves=True)
        other, lonely = shop.servers

        async def recovered() -> bool:
            # Beside the loop, through which its way to the database leads.
            return await asyncio.to_thread(lonely.status, "/readyz") == 200

        async def trouble(number: int) -> None:
            way.hold()
            await let_time_pass(LONG_AWAY_S if number % 2 else AWAY_S)
            # Everybody is answered by the one that sees the database.
            await load.grows(lambda: all(f.url in (None, other.url) for f in load.all), "all gone")
            await load.more(50)
            way.release()
            await wait_until_async(recovered, what="the recovery")
            await all_in_use(load, shop.servers)

        await rounds_of(trouble, shop, load, way, record_property)
