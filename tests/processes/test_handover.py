"""A process that ends in good order hands its people over to the others, under load."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import pytest

from tests.kill.load import LONG, SEED, judged
from tests.processes.several import Several, all_in_use
from tests.realtime.desk import PATIENT
from tests.support.redis import RedisServer

ROUNDS = 6 if LONG else 1
MESSAGES = 4_000 if LONG else 200

pytestmark = [pytest.mark.kill, pytest.mark.timeout(900 if LONG else 400)]
Make = Callable[..., Several]
Record = Callable[[str, object], None]


@pytest.mark.parametrize(("processes", "with_redis"), [(2, True), *([(3, False)] if LONG else [])])
async def test_one_process_after_the_other_is_restarted_and_nobody_loses_a_word(
    several: Make,
    own_redis: RedisServer,
    record_property: Record,
    processes: int,
    with_redis: bool,
) -> None:
    redis_url = own_redis.url if with_redis else None
    shop = several(processes=processes, redis_url=redis_url, env=PATIENT)
    load = shop.load(random.Random(SEED))
    load.start()
    slowest_s = 0.0
    try:
        await load.under_way()
        rounds = 0
        while rounds < ROUNDS or load.acknowledged < MESSAGES:
            await all_in_use(load, shop.servers)
            server = shop.servers[rounds % processes]
            here = [f.line for f in load.all if f.line and f.line.url == server.url]
            begun_s = time.monotonic()
            assert await asyncio.to_thread(server.terminate) == 0
            slowest_s = max(slowest_s, time.monotonic() - begun_s)
            await load.grows(lambda: all(f.url not in (None, server.url) for f in load.all))  # noqa: B023  # used at once
            await load.grows(lambda: all(line.signals("server.drain") for line in here), "a word")  # noqa: B023  # likewise
            await load.more(30)
            await asyncio.to_thread(server.start)
            rounds += 1
    except BaseException:
        await load.stop()
        raise
    found = await judged(
        load,
        shop.servers,
        site=shop.desk.site,
        token=shop.token,
        record=record_property,
        also={"drains": rounds},
    )
    record_property("measured", f"slowest of {rounds} drains under load: {slowest_s:.1f} s")
    assert found == []
    for server in shop.servers:
        assert "cut short" not in server.stderr
