"""Processes are killed at random beside others that live, and nothing acknowledged is lost."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.kill.load import LONG, SEED, Load, judged
from tests.processes.several import Several, all_in_use, in_thread
from tests.support.redis import RedisServer
from tests.support.waiting import let_time_pass

# Messages that must have been acknowledged in each test, kills included in the time.
MESSAGES = 4_500 if LONG else 300
KILLS = 20 if LONG else 3
# In one kill of five all processes die at once, as on a machine that loses its power.
ALL_AT_ONCE = 0.2

pytestmark = [pytest.mark.kill, pytest.mark.timeout(900 if LONG else 400)]
Make = Callable[..., Several]
Record = Callable[[str, object], None]


async def kill_at_random(shop: Several, load: Load, chance: random.Random) -> int:
    """Kills and restarts processes until the numbers are reached; how many were killed."""
    kills = 0
    while kills < KILLS or load.acknowledged < MESSAGES:
        await let_time_pass(chance.uniform(0.05, 0.9))
        alone = kills > 0 and chance.random() > ALL_AT_ONCE
        struck = [chance.choice(shop.servers)] if alone else shop.servers
        for server in struck:
            server.kill()
        kills += len(struck)
        await in_thread(*(server.launch for server in struck))
        await in_thread(*(server.wait_ready for server in struck))
        assert not any(f.failed for f in load.all)
        # Somebody who loses the line for no reason, so that restarted processes get people too.
        await chance.choice(load.all).drop()
    return kills


@pytest.mark.parametrize(
    ("processes", "with_redis"),
    [(2, False), (3, True), *([(2, True), (3, False)] if LONG else [])],
)
async def test_nothing_is_lost_whichever_process_dies(
    several: Make,
    own_redis: RedisServer,
    record_property: Record,
    processes: int,
    with_redis: bool,
) -> None:
    chance = random.Random(SEED + processes)
    shop = several(processes=processes, redis_url=own_redis.url if with_redis else None)
    load = shop.load(random.Random(SEED + 1))
    load.start()
    try:
        await load.under_way()
        await all_in_use(load, shop.servers)
        kills = await kill_at_random(shop, load, chance)
    except BaseException:
        await load.stop()
        raise
    found = await judged(
        load,
        shop.servers,
        site=shop.desk.site,
        token=shop.token,
        record=record_property,
        also={"kills": kills},
    )
    assert found == []
