"""What all processes share goes away or hangs: delay and refusals, never a loss."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.kill.load import LONG, SEED, Load, delays, judged
from tests.processes.several import Several, all_in_use, in_thread
from tests.realtime.desk import IMPATIENT
from tests.support.redis import RedisServer
from tests.support.waiting import let_time_pass, wait_until_async

# The promise is 2 s on a quiet machine. What is measured is told at the end of the run.
DELAY_LIMIT_MS = 60_000
REDIS_AWAY_S = 3.0 if LONG else 1.5
DATABASE_HANGS_S = 3.0
ROUNDS = 4 if LONG else 1
MESSAGES = 4_500 if LONG else 300

pytestmark = [pytest.mark.kill, pytest.mark.timeout(900 if LONG else 400)]
Make = Callable[..., Several]
Record = Callable[[str, object], None]


async def under_load(
    shop: Several, load: Load, record: Record, trouble: Callable[[], Awaitable[None]]
) -> None:
    """Makes trouble while everybody writes, round after round, and judges what became of it."""
    load.start()
    try:
        await load.under_way()
        await all_in_use(load, shop.servers)
        rounds = 0
        while rounds < ROUNDS or load.acknowledged < MESSAGES:
            await trouble()
            await load.more(50)
            assert not any(f.failed for f in load.all)
            rounds += 1
    except BaseException:
        await load.stop()
        raise
    found = await judged(load, shop.servers, site=shop.desk.site, token=shop.token, record=record)
    assert found == []


@pytest.mark.parametrize("processes", [2, *([3] if LONG else [])])
async def test_without_redis_messages_come_late_and_all(
    several: Make, own_redis: RedisServer, record_property: Record, processes: int
) -> None:
    shop = several(processes=processes, redis_url=own_redis.url)
    load = shop.load(random.Random(SEED))
    worst: dict[str, int] = {}

    async def measured(how: str, begin: Callable[[], None], end: Callable[[], None]) -> None:
        begun_s = time.monotonic()
        await in_thread(begin)
        await let_time_pass(REDIS_AWAY_S)
        await load.more(50)
        await in_thread(end)
        await load.more(50)
        await let_time_pass(1.0)
        ended_s = time.monotonic()
        # What was acknowledged to the last has been told to all.
        await wait_until_async(lambda: told_to_all(load, before_s=ended_s), what="all told")
        seen = delays(load, begin_s=begun_s, end_s=ended_s)
        record_property("measured", f"delay while Redis {how}: {seen}")
        worst[how] = max(seen.max_ms, worst.get(how, 0))

    async def trouble() -> None:
        if LONG:
            await measured("works", lambda: None, lambda: None)
        await measured("is killed", lambda: own_redis.stop(signal.SIGKILL), own_redis.start)
        await measured("hangs", own_redis.hang, own_redis.wake)

    await under_load(shop, load, record_property, trouble)
    assert max(worst.values()) <= DELAY_LIMIT_MS, worst


def told_to_all(load: Load, *, before_s: float) -> bool:
    """Whether every agent shows what was acknowledged before an instant (monotonic)."""
    acked = {k for f in load.all for k, t in list(f.acked_at_s.items()) if t < before_s}
    return all(acked <= agent.shown_at_s.keys() for agent in load.agents)


@pytest.mark.parametrize("with_redis", [True, *([False] if LONG else [])])
async def test_the_database_restarts_and_hangs(
    several: Make, own_redis: RedisServer, record_property: Record, with_redis: bool
) -> None:
    redis_url = own_redis.url if with_redis else None
    shop = several(processes=2, redis_url=redis_url, env=IMPATIENT)
    # One message under way at a time, as people's clients do it: of several, the database may
    # refuse the first and take the second.
    load = shop.load(random.Random(SEED), window=1)

    async def trouble() -> None:
        for how in (signal.SIGINT, signal.SIGQUIT):
            await in_thread(lambda how=how: shop.cluster.stop(how), shop.cluster.start)  # type: ignore[misc]  # bound default
            await load.more(50)
        stopped = shop.cluster.hang()
        await let_time_pass(DATABASE_HANGS_S)
        shop.cluster.wake(stopped)

    await under_load(shop, load, record_property, trouble)
